{# The composite of four components in [0, 1]: 100 times their weighted geometric mean, each floored at .01 so that
   one empty component does not erase the others. NULL where a component is missing. #}
{% macro innovation_index(v, c, e, x, alpha_v, alpha_c, alpha_e, alpha_x) -%}
    100.0 * exp(
        {{ alpha_v }} * ln(greatest({{ v }}, case when {{ v }} is not null then 0.01 end))
        + {{ alpha_c }} * ln(greatest({{ c }}, case when {{ c }} is not null then 0.01 end))
        + {{ alpha_e }} * ln(greatest({{ e }}, case when {{ e }} is not null then 0.01 end))
        + {{ alpha_x }} * ln(greatest({{ x }}, case when {{ x }} is not null then 0.01 end))
    )
{%- endmacro %}

{# Score of the exploratory effort share: 1 inside its band, linear to 0 at shares 0 and 1. #}
{% macro band_score(share, low, high) -%}
    case
        when {{ share }} < {{ low }}
        then {{ share }} / {{ low }}
        when {{ share }} > {{ high }}
        then (1.0 - {{ share }}) / (1.0 - {{ high }})
        when {{ share }} is not null
        then 1.0
    end
{%- endmacro %}
