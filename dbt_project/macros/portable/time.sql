{# Time, dispatched. Timestamps are naive UTC; a zone is an IANA name. #}
{# UTC timestamp of an ISO 8601 text with any offset; NULL where it cannot be read. #}
{% macro utc_from_iso(expression) -%}
    {{ return(adapter.dispatch("utc_from_iso", "mission_metrics")(expression)) }}
{%- endmacro %}
{% macro default__utc_from_iso(expression) -%}
    timezone('UTC', try_cast({{ expression }} as timestamptz))
{%- endmacro %}

{# Date of a UTC timestamp on the clock of a zone. #}
{% macro local_date(timestamp, zone) -%}
    {{ return(adapter.dispatch("local_date", "mission_metrics")(timestamp, zone)) }}
{%- endmacro %}
{% macro default__local_date(timestamp, zone) -%}
    cast(timezone({{ zone }}, timezone('UTC', {{ timestamp }})) as date)
{%- endmacro %}

{# UTC timestamp at which a date begins in a zone (daylight saving included). #}
{% macro day_start_utc(date, zone) -%}
    {{ return(adapter.dispatch("day_start_utc", "mission_metrics")(date, zone)) }}
{%- endmacro %}
{% macro default__day_start_utc(date, zone) -%}
    timezone('UTC', timezone({{ zone }}, cast({{ date }} as timestamp)))
{%- endmacro %}

{# Seconds from one timestamp to another, fractions kept; negative where the second is earlier. #}
{% macro seconds_between(from_timestamp, to_timestamp) -%}
    {{
        return(
            adapter.dispatch("seconds_between", "mission_metrics")(from_timestamp, to_timestamp)
        )
    }}
{%- endmacro %}
{% macro default__seconds_between(from_timestamp, to_timestamp) -%}
    ((epoch_us({{ to_timestamp }}) - epoch_us({{ from_timestamp }})) / 1000000.0)
{%- endmacro %}

{# A from-item of one date a row, both ends included. #}
{% macro date_series(first_date, last_date) -%}
    {{ return(adapter.dispatch("date_series", "mission_metrics")(first_date, last_date)) }}
{%- endmacro %}
{% macro default__date_series(first_date, last_date) -%}
    unnest(
        cast(
            generate_series(
                cast({{ first_date }} as timestamp),
                cast({{ last_date }} as timestamp),
                interval 1 day
            ) as date[]
        )
    )
{%- endmacro %}

{# ISO day of the week, Monday = 1. #}
{% macro iso_weekday(date) -%}
    {{ return(adapter.dispatch("iso_weekday", "mission_metrics")(date)) }}
{%- endmacro %}
{% macro default__iso_weekday(date) -%} extract(isodow from {{ date }}) {%- endmacro %}

{# A from-item of one integer a row, from 1 to a count. #}
{% macro number_series(count) -%}
    {{ return(adapter.dispatch("number_series", "mission_metrics")(count)) }}
{%- endmacro %}
{% macro default__number_series(count) -%}
    unnest(range(1, cast({{ count }} as bigint) + 1))
{%- endmacro %}
