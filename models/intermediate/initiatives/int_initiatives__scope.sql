with

    decisions as (select * from {{ ref("int_initiatives__decisions") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    work_items as (select * from {{ ref("fct_work_item") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    -- Scope is what hung below the initiative when work on it started; what came later is growth,
    -- not scope. A duplicate promises nothing of its own, and a sub-task is part of its parent's
    -- promise.
    scope_items as (
        select
            decisions.initiative_id,
            work_items.created_at <= decisions.started_at as is_original_scope,
            coalesce(
                work_items.outcome = 'delivered'
                and {{ local_date("work_items.done_at", "build.timezone") }}
                <= coalesce(decisions.decided_on, build.as_of_date),
                false
            ) as is_done
        from decisions
        cross join build
        inner join work_items on work_items.initiative_id = decisions.initiative_id
        inner join
            issues
            on issues.source_id = work_items.source_id
            and issues.issue_id = work_items.issue_id
        where
            not (
                work_items.source_id = decisions.source_id
                and work_items.issue_id = decisions.issue_id
            )
            and issues.role not in ('sub_task', 'idea')
            and coalesce(work_items.outcome, '') <> 'duplicate'
    ),

    final as (
        select
            initiative_id,
            count(case when is_original_scope then 1 end) as scope_items_n,
            count(case when is_original_scope and is_done then 1 end) as scope_items_done_n,
            count(case when not is_original_scope then 1 end) as scope_growth_n
        from scope_items
        group by initiative_id
    )

select *
from final
