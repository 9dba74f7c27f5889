with

    worklog_days as (select * from {{ ref("int_work__worklog_days") }}),

    assignee_days as (select * from {{ ref("int_work__assignee_days") }}),

    event_days as (select * from {{ ref("int_work__event_days") }}),

    logged as (
        select
            person_key,
            work_date,
            sum(worklog_hours) / {{ metric_parameter("hours_per_day") }} as logged_days
        from worklog_days
        group by person_key, work_date
    ),

    -- Whoever logs eleven hours still gave one day: logged time beyond it is scaled down, the raw
    -- hours stay beside it.
    worklog_effort as (
        select
            worklog_days.source_id,
            worklog_days.issue_id,
            worklog_days.person_key,
            worklog_days.work_date,
            worklog_days.worklog_hours,
            worklog_days.worklog_hours
            / {{ metric_parameter("hours_per_day") }}
            / greatest(1.0, logged.logged_days) as effort_days,
            'worklog' as evidence
        from worklog_days
        inner join
            logged
            on logged.person_key = worklog_days.person_key
            and logged.work_date = worklog_days.work_date
    ),

    -- What the worklogs leave of the day is split over the issues in progress, in proportion to
    -- their overlap with it.
    assignee_effort as (
        select
            assignee_days.source_id,
            assignee_days.issue_id,
            assignee_days.person_key,
            assignee_days.work_date,
            cast(null as double) as worklog_hours,
            greatest(0.0, 1.0 - coalesce(logged.logged_days, 0.0))
            * assignee_days.overlap_seconds
            / sum(assignee_days.overlap_seconds) over (
                partition by assignee_days.person_key, assignee_days.work_date
            ) as effort_days,
            'in_progress_assignee' as evidence
        from assignee_days
        left join
            logged
            on logged.person_key = assignee_days.person_key
            and logged.work_date = assignee_days.work_date
    ),

    final as (
        select source_id, issue_id, person_key, work_date, worklog_hours, effort_days, evidence
        from worklog_effort
        union all
        select source_id, issue_id, person_key, work_date, worklog_hours, effort_days, evidence
        from assignee_effort
        where effort_days > 0
        union all
        select
            source_id,
            issue_id,
            person_key,
            work_date,
            cast(null as double),
            cast(0 as double),
            'event'
        from event_days
    )

select *
from final
