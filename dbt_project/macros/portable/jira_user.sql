{# Id of a user object inside a Jira record: the account id of Cloud, else the key or the name of Server. #}
{% macro jira_user(column, path) -%}
    coalesce(
        {{ json_text(column, path ~ ".accountId") }},
        {{ json_text(column, path ~ ".key") }},
        {{ json_text(column, path ~ ".name") }}
    )
{%- endmacro %}
