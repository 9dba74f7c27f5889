{# Intervals for proportions; NULL where n is 0. Wilson 1927; Newcombe 1998, method 10. #}
{# One limit of the Wilson score interval; side is -1 (low) or 1 (high). #}
{% macro wilson(successes, n, side) -%}
    case
        when ({{ n }}) > 0
        then
            greatest(
                0.0,
                least(
                    1.0,
                    (
                        2.0 * ({{ successes }}) + {{ z_score() }} * {{ z_score() }}
                        {{ "+" if side > 0 else "-" }} {{ z_score() }} * sqrt(
                            greatest(
                                0.0,
                                {{ z_score() }} * {{ z_score() }}
                                + 4.0
                                * ({{ successes }})
                                * (1.0 - (1.0 * ({{ successes }})) / nullif({{ n }}, 0))
                            )
                        )
                    )
                    / (2.0 * (({{ n }}) + {{ z_score() }} * {{ z_score() }}))
                )
            )
    end
{%- endmacro %}

{# One limit of Newcombe's hybrid score interval for p1 - p2, from the two values and their Wilson limits. #}
{% macro newcombe(p1, low1, high1, p2, low2, high2, side) -%}
    {%- if side < 0 -%}
        ({{ p1 }})
        - ({{ p2 }})
        - sqrt(power(({{ p1 }}) - ({{ low1 }}), 2) + power(({{ high2 }}) - ({{ p2 }}), 2))
    {%- else -%}
        ({{ p1 }})
        - ({{ p2 }})
        + sqrt(power(({{ high1 }}) - ({{ p1 }}), 2) + power(({{ p2 }}) - ({{ low2 }}), 2))
    {%- endif -%}
{%- endmacro %}
