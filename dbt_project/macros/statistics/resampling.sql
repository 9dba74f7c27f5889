{# Poisson bootstrap (Hanley & MacGibbon 2006): each cluster counts k times in a replicate, k ~ Poisson(1), which is
   the limit of drawing clusters with replacement. #}
{# A uniform number in [0, 1) from the first 32 bits of md5(text): the same on every engine and in every run. #}
{% macro uniform_from_md5(expression) -%}
    {{ return(adapter.dispatch("uniform_from_md5", "mission_metrics")(expression)) }}
{%- endmacro %}
{% macro default__uniform_from_md5(expression) -%}
    (cast('0x' || left(md5({{ expression }}), 8) as bigint) / 4294967296.0)
{%- endmacro %}

{# The quantile of Poisson(1) at a uniform number; beyond 7 lies a probability of 1e-5. #}
{% macro poisson_from_uniform(uniform) -%}
    case
        when {{ uniform }} < 0.36787944117144233
        then 0
        when {{ uniform }} < 0.7357588823428847
        then 1
        when {{ uniform }} < 0.9196986029286058
        then 2
        when {{ uniform }} < 0.9810118431238462
        then 3
        when {{ uniform }} < 0.9963401531726563
        then 4
        when {{ uniform }} < 0.9994058151824183
        then 5
        when {{ uniform }} < 0.9999167588507119
        then 6
        else 7
    end
{%- endmacro %}

{# Percentile of a column within a group, linear between neighbours. #}
{% macro percentile(expression, fraction) -%}
    {{ return(adapter.dispatch("percentile", "mission_metrics")(expression, fraction)) }}
{%- endmacro %}
{% macro default__percentile(expression, fraction) -%}
    quantile_cont({{ expression }}, {{ fraction }})
{%- endmacro %}
