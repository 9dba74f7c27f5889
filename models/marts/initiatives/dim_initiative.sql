with

    issues as (select * from {{ ref("int_jira__issues") }} where role = 'initiative'),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    due_dates as (select * from {{ ref("int_initiatives__due_dates") }}),

    effort as (
        select initiative_id, sum(effort_days) as effort_days
        from {{ ref("fct_contribution") }}
        where initiative_id is not null
        group by initiative_id
    ),

    final as (
        select
            issues.source_id || ':' || issues.issue_id as initiative_id,
            issues.issue_key as initiative_key,
            issues.summary as name,
            issues.source_id,
            issues.project_key,
            milestones.phase,
            milestones.approved_at,
            due_dates.original_due_date,
            due_dates.latest_due_date,
            case
                when coalesce(effort.effort_days, 0.0) < {{ metric_parameter("size_medium_days") }}
                then 'S'
                when effort.effort_days < {{ metric_parameter("size_large_days") }}
                then 'M'
                else 'L'
            end as size_class,
            issues.source_url
        from issues
        inner join
            milestones
            on milestones.source_id = issues.source_id
            and milestones.issue_id = issues.issue_id
        left join
            due_dates
            on due_dates.source_id = issues.source_id
            and due_dates.issue_id = issues.issue_id
        left join effort on effort.initiative_id = issues.source_id || ':' || issues.issue_id
    )

select *
from final
