{# Keys, dispatched. #}
{# HMAC-SHA256 of a text under the secret of pii.person_secret (RFC 2104); the pads come precomputed, so that
   SQL only hashes. `pads` is the alias of that one-row table. 64 hexadecimal digits. #}
{% macro person_key(expression, pads) -%}
    {{ return(adapter.dispatch("person_key", "mission_metrics")(expression, pads)) }}
{%- endmacro %}
{% macro default__person_key(expression, pads) -%}
    sha256(
        unhex({{ pads }}.outer_pad || sha256(unhex({{ pads }}.inner_pad || hex({{ expression }}))))
    )
{%- endmacro %}

{# The current version of each record of a raw stream: the newest by `newest_by`, then by window. Only records of
   the latest window where the stream is a snapshot. Ties end with the payload, so that a rerun picks the same. #}
{% macro current_records(relation, keys, newest_by=none) %}
    select *
    from
        (
            select
                *,
                row_number() over (
                    partition by {{ keys | join(", ") }}
                    order by
                        {% if newest_by %}
                            {{ newest_by }} desc nulls last,
                        {% endif %} window_seq desc,
                        payload desc
                ) as version_rank
            from {{ relation }}
            where is_latest_window
        ) as versions
    where version_rank = 1
{% endmacro %}
