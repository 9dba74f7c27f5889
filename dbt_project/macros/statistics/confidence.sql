{# The normal quantile of the two-sided confidence level that every interval uses (95 %). #}
{% macro z_score() -%}
    1.959963984540054
{%- endmacro %}
