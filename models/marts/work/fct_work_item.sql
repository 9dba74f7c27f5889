with

    issues as (select * from {{ ref("int_jira__issues") }}),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    issue_initiatives as (select * from {{ ref("int_jira__issue_initiatives") }}),

    outcomes as (select * from {{ ref("int_jira__issue_outcomes") }}),

    days as (select * from {{ ref("int_calendar__days") }}),

    final as (
        select
            issues.source_id,
            issues.issue_id,
            issues.issue_key,
            issues.project_key,
            issues.issue_type,
            issues.parent_issue_id,
            issue_initiatives.initiative_id,
            milestones.status,
            milestones.phase,
            outcomes.outcome,
            issues.story_points,
            issues.created_at,
            milestones.started_at as first_started_at,
            milestones.done_at,
            issues.resolved_at,
            milestones.available_at as released_at,
            milestones.reopen_count,
            {{ seconds_between("milestones.begun_at", "milestones.done_at") }}
            / 86400.0 as elapsed_days,
            {{ working_position("milestones.done_at", "done_days") }}
            - {{ working_position("milestones.begun_at", "begun_days") }} as working_days,
            false as is_deleted,
            issues.source_url
        from issues
        inner join
            milestones
            on milestones.source_id = issues.source_id
            and milestones.issue_id = issues.issue_id
        inner join
            outcomes
            on outcomes.source_id = issues.source_id
            and outcomes.issue_id = issues.issue_id
        left join
            issue_initiatives
            on issue_initiatives.source_id = issues.source_id
            and issue_initiatives.issue_id = issues.issue_id
        left join days as begun_days on {{ calendar_day_of("milestones.begun_at", "begun_days") }}
        left join days as done_days on {{ calendar_day_of("milestones.done_at", "done_days") }}
    )

select *
from final
