with

    issues as (select * from {{ ref("int_jira__issues") }}),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    resolution_map as (select * from {{ ref("jira_resolution_map") }}),

    ranked as (
        select
            issues.source_id,
            issues.issue_id,
            issues.resolution,
            milestones.phase,
            milestones.available_at,
            resolution_map.outcome,
            resolution_map.is_justified,
            row_number() over (
                partition by issues.source_id, issues.issue_id
                order by case when resolution_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from issues
        inner join
            milestones
            on milestones.source_id = issues.source_id
            and milestones.issue_id = issues.issue_id
        left join
            resolution_map
            on resolution_map.resolution = issues.resolution
            and resolution_map.source_id in (issues.source_id, '*')
    ),

    final as (
        select
            source_id,
            issue_id,
            -- The phase says whether an issue has ended; the resolution says how. "Won't Do" in
            -- status Done is abandoned.
            case
                when phase not in ('done', 'released', 'cancelled')
                then null
                when outcome is not null and resolution is not null
                then outcome
                when resolution is not null
                then 'unknown'
                when phase = 'cancelled'
                then 'abandoned'
                else 'delivered'
            end as outcome,
            coalesce(is_justified, false) as is_justified
        from ranked
        where map_rank = 1
    )

select *
from final
