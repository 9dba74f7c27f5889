{# True where a text of blank-separated words holds a word, letter by letter: no character is a wildcard. #}
{% macro has_word(text, word) -%}
    ({{ dbt.position("(' ' || " ~ word ~ " || ' ')", "(' ' || " ~ text ~ " || ' ')") }} > 0)
{%- endmacro %}
