with

    issues as (select * from {{ ref("int_jira__issues") }}),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    submitted as (
        select
            issues.source_id || ':' || issues.issue_id as idea_id,
            {{ local_date("coalesce(milestones.idea_at, issues.created_at)", "build.timezone") }}
            as submitted_on,
            {{ local_date("milestones.available_at", "build.timezone") }} as launched_on
        from issues
        cross join build
        inner join
            milestones
            on milestones.source_id = issues.source_id
            and milestones.issue_id = issues.issue_id
        where
            issues.role = 'idea' or (issues.role = 'initiative' and milestones.idea_at is not null)
    ),

    final as (
        select
            idea_id,
            submitted_on,
            cast(
                {{ dbt.dateadd("day", metric_parameter("idea_maturity_days"), "submitted_on") }}
                as date
            ) as matures_on,
            launched_on
        from submitted
    )

select *
from final
