{# One limit of the logarithm of a ratio of two positive estimates, recovered from the limits of each (MOVER, Zou &
   Donner 2008) on the logarithmic scale; side is -1 (low) or 1 (high). NULL where a limit is missing or zero, whose
   logarithm does not exist: the ratio is then unbounded on that side. #}
{% macro mover_log_ratio(value1, low1, high1, value2, low2, high2, side) -%}
    {%- set outer1, outer2 = (low1, high2) if side < 0 else (high1, low2) -%}
    (
        ln(nullif({{ value1 }}, 0))
        - ln(
            nullif({{ value2 }}, 0)
        ) {{ "-" if side < 0 else "+" }} sqrt(
            power(ln(nullif({{ value1 }}, 0)) - ln(nullif({{ outer1 }}, 0)), 2)
            + power(ln(nullif({{ outer2 }}, 0)) - ln(nullif({{ value2 }}, 0)), 2)
        )
    )
{%- endmacro %}
