{# JSON access, dispatched: models never name an engine. `path` is dotted, without the leading `$`. #}
{# Text at a fixed path of a JSON text column; NULL where absent or JSON null. #}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch("json_text", "mission_metrics")(column, path)) }}
{%- endmacro %}
{% macro default__json_text(column, path) -%}
    json_extract_string({{ column }}, '$.{{ path }}')
{%- endmacro %}

{# Text at a path that is itself a column (a custom field's id, say) below a fixed parent. #}
{% macro json_text_at(column, parent, key_expression) -%}
    {{
        return(
            adapter.dispatch("json_text_at", "mission_metrics")(column, parent, key_expression)
        )
    }}
{%- endmacro %}
{% macro default__json_text_at(column, parent, key_expression) -%}
    json_extract_string({{ column }}, '$.{{ parent }}."' || {{ key_expression }} || '"')
{%- endmacro %}

{# A lateral table, one row per element of a JSON array: (element JSON text, element_index from 0). #}
{% macro json_elements(column, path, alias) -%}
    {{ return(adapter.dispatch("json_elements", "mission_metrics")(column, path, alias)) }}
{%- endmacro %}
{% macro default__json_elements(column, path, alias) -%}
    cross join
        lateral(
            select
                numbers.element_index,
                json_extract(
                    {{ column }}, '$.{{ path }}[' || numbers.element_index || ']'
                ) as element
            from
                (
                    select
                        unnest(
                            range(cast(json_array_length({{ column }}, '$.{{ path }}') as bigint))
                        ) as element_index
                ) as numbers
        ) as {{ alias }}
{%- endmacro %}

{# The strings of a JSON array at a path, joined by blanks (the way Jira writes labels into its history);
   NULL where the array is absent or empty. #}
{% macro json_array_joined(column, path) -%}
    {{ return(adapter.dispatch("json_array_joined", "mission_metrics")(column, path)) }}
{%- endmacro %}
{% macro default__json_array_joined(column, path) -%}
    nullif(array_to_string(cast(json_extract({{ column }}, '$.{{ path }}') as varchar[]), ' '), '')
{%- endmacro %}
