with

    effort as (select * from {{ ref("int_work__effort") }}),

    assignments as (select * from {{ ref("dim_worker_assignment") }}),

    issue_initiatives as (select * from {{ ref("int_jira__issue_initiatives") }}),

    final as (
        select
            effort.person_key,
            coalesce(assignments.department_id, 'Unknown') as department_id,
            issue_initiatives.initiative_id,
            effort.source_id,
            effort.issue_id,
            effort.work_date,
            -- Concurrent posts share the day by their weights, so that departments add up to
            -- people.
            effort.worklog_hours * coalesce(assignments.fte_weight, 1.0) as worklog_hours,
            effort.effort_days * coalesce(assignments.fte_weight, 1.0) as effort_days,
            effort.evidence
        from effort
        left join
            assignments
            on assignments.person_key = effort.person_key
            and assignments.valid_from <= effort.work_date
            and (assignments.valid_to is null or assignments.valid_to > effort.work_date)
        left join
            issue_initiatives
            on issue_initiatives.source_id = effort.source_id
            and issue_initiatives.issue_id = effort.issue_id
    )

select *
from final
