with

    decisions as (select * from {{ ref("int_initiatives__decisions") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    work_items as (select * from {{ ref("fct_work_item") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    status_spans as (select * from {{ ref("int_jira__status_spans") }}),

    judged as (
        select
            decisions.*,
            coalesce(
                decisions.started_at,
                decisions.available_at,
                decisions.cancelled_at,
                decisions.as_of
            ) as scope_fixed_at,
            {{
                day_start_utc(
                    dbt.dateadd("day", 1, "coalesce(decisions.decided_on, build.as_of_date)"),
                    "build.timezone",
                )
            }} as judged_at
        from decisions
        cross join build
    ),

    -- Scope is what hung below the initiative when work on it started; what came later is growth,
    -- not scope. A duplicate promises nothing of its own, and a sub-task is part of its parent's
    -- promise. Done means done when the initiative was decided, whatever happened since.
    scope_items as (
        select
            judged.initiative_id,
            work_items.created_at <= judged.scope_fixed_at as is_original_scope,
            coalesce(
                status_spans.is_terminal
                and coalesce(work_items.outcome, 'delivered') = 'delivered',
                false
            ) as is_done
        from judged
        inner join work_items on work_items.initiative_id = judged.initiative_id
        inner join
            issues
            on issues.source_id = work_items.source_id
            and issues.issue_id = work_items.issue_id
        left join
            status_spans
            on status_spans.source_id = work_items.source_id
            and status_spans.issue_id = work_items.issue_id
            and status_spans.entered_at < judged.judged_at
            and (status_spans.exited_at is null or status_spans.exited_at >= judged.judged_at)
        where
            not (work_items.source_id = judged.source_id and work_items.issue_id = judged.issue_id)
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
