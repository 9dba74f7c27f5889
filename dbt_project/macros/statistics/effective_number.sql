{# Hill number of order 2 (Jost 2006): the effective number of departments among amounts that need not sum to 1;
   an aggregate over rows of one amount each. NULL where nothing was attributed. #}
{% macro effective_number(amount) -%}
    power(sum({{ amount }}), 2) / nullif(sum(power({{ amount }}, 2)), 0)
{%- endmacro %}
