{# The value of a metric's parameter in its newest version, from seeds/metric_parameters.csv: definitions are data. #}
{% macro metric_parameter(parameter) -%}
    (
        select parameters.parameter_value
        from {{ ref("metric_parameters") }} as parameters
        where parameters.parameter = '{{ parameter }}'
        order by parameters.version desc
        limit 1
    )
{%- endmacro %}

{# The normal quantile of the two-sided confidence level that every interval uses (95 %). #}
{% macro z_score() -%} 1.959963984540054 {%- endmacro %}
