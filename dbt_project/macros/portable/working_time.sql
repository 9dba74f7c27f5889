{# Position of a timestamp on the working-time axis of a calendar: working days before its day, plus the part of the
   day gone by where the day is a working one. `days` is an alias of int_calendar__days, joined with
   calendar_day_of(). The difference of two positions is a duration in working days, daylight saving included. #}
{% macro working_position(timestamp, days) -%}
    (
        {{ days }}.working_days_before + case
            when {{ days }}.is_working
            then
                {{ seconds_between(days ~ ".starts_at", timestamp) }}
                / {{ seconds_between(days ~ ".starts_at", days ~ ".ends_at") }}
            else 0.0
        end
    )
{%- endmacro %}

{# Join condition: the day of a calendar on which a timestamp falls. #}
{% macro calendar_day_of(timestamp, days, location="'*'") -%}
    {{ days }}.location_id = {{ location }}
    and {{ timestamp }} >= {{ days }}.starts_at
    and {{ timestamp }} < {{ days }}.ends_at
{%- endmacro %}
