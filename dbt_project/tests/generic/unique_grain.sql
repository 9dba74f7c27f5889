{# One row per combination of the columns; rows with the same combination are returned. With `nullable` columns a NULL
   is a value of its own (a person without initiative, say); elsewhere a NULL in the key fails too. #}
{% test unique_grain(model, columns, nullable=[]) %}
    select {{ columns | join(", ") }}, count(*) as rows_n
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {%- for column in columns if column not in nullable %} or {{ column }} is null {%- endfor %}
{% endtest %}
