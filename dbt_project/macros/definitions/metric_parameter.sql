{# The value of a metric's parameter in the version in force at `as_of`, from seeds/metric_parameters.csv: definitions
   are data, and a version with a later date waits for it. #}
{% macro metric_parameter(parameter) -%}
    (
        select parameters.parameter_value
        from {{ ref('metric_parameters') }} as parameters
        cross join {{ ref('int_mission__build') }} as parameter_build
        where parameters.parameter = '{{ parameter }}' and parameters.valid_from <= parameter_build.as_of_date
        order by parameters.version desc
        limit 1
    )
{%- endmacro %}
