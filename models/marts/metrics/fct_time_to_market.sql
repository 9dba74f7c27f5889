with

    decisions as (select * from {{ ref("int_initiatives__decisions") }}),

    initiatives as (select * from {{ ref("dim_initiative") }}),

    status_spans as (select * from {{ ref("int_jira__status_spans") }} where phase = 'in_progress'),

    days as (select * from {{ ref("int_calendar__days") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    ended as (
        select
            decisions.*,
            case
                when decisions.available_at is not null
                then 'delivered'
                when decisions.cancelled_at is not null
                then 'cancelled'
                else 'open'
            end as event,
            coalesce(
                decisions.available_at, decisions.cancelled_at, decisions.as_of
            ) as observed_until
        from decisions
        where decisions.approved_at is not null
    ),

    active as (
        select
            ended.initiative_id,
            sum(
                {{
                    seconds_between(
                        "greatest(status_spans.entered_at, ended.approved_at)",
                        "least(coalesce(status_spans.exited_at, ended.observed_until), ended.observed_until)",
                    )
                }}
            ) as active_seconds
        from ended
        inner join
            status_spans
            on status_spans.source_id = ended.source_id
            and status_spans.issue_id = ended.issue_id
            and status_spans.entered_at < ended.observed_until
        group by ended.initiative_id
    ),

    final as (
        select
            ended.initiative_id,
            initiatives.initiative_key,
            ended.idea_at,
            ended.approved_at,
            ended.started_at,
            ended.done_at,
            ended.available_at,
            ended.first_available_at,
            ended.cancelled_at,
            ended.event,
            {{ seconds_between("ended.approved_at", "ended.observed_until") }}
            / 86400.0 as elapsed_days,
            {{ working_position("ended.observed_until", "end_days") }}
            - {{ working_position("ended.approved_at", "start_days") }} as working_days,
            {{ seconds_between("ended.idea_at", "ended.observed_until") }}
            / 86400.0 as idea_elapsed_days,
            coalesce(active.active_seconds, 0.0) / nullif(
                {{ seconds_between("ended.approved_at", "ended.observed_until") }}, 0
            ) as flow_efficiency,
            cast(
                date_trunc(
                    'quarter', {{ local_date("ended.approved_at", "build.timezone") }}
                ) as date
            ) as start_quarter,
            initiatives.size_class
        from ended
        cross join build
        inner join initiatives on initiatives.initiative_id = ended.initiative_id
        left join active on active.initiative_id = ended.initiative_id
        left join days as start_days on {{ calendar_day_of("ended.approved_at", "start_days") }}
        left join days as end_days on {{ calendar_day_of("ended.observed_until", "end_days") }}
    )

select *
from final
