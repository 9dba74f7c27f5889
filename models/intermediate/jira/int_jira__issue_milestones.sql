with

    spans as (select * from {{ ref("int_jira__status_spans") }}),

    last_open_spans as (
        select source_id, issue_id, max(span_number) as span_number
        from spans
        where is_open
        group by source_id, issue_id
    ),

    releases as (
        select source_id, issue_id, span_number, entered_at
        from spans
        where phase = 'released' and coalesce(previous_phase, '') <> 'released'
    ),

    -- A release that is taken back within the reopening window was none.
    voided_releases as (
        select distinct releases.source_id, releases.issue_id, releases.span_number
        from releases
        inner join
            spans
            on spans.source_id = releases.source_id
            and spans.issue_id = releases.issue_id
            and spans.span_number > releases.span_number
            and spans.is_open
            and spans.entered_at
            < {{
                dbt.dateadd(
                    "day", metric_parameter("reopening_window_days"), "releases.entered_at"
                )
            }}
    ),

    availability as (
        select
            releases.source_id,
            releases.issue_id,
            min(releases.entered_at) as first_available_at,
            min(
                case when voided_releases.issue_id is null then releases.entered_at end
            ) as available_at
        from releases
        left join
            voided_releases
            on voided_releases.source_id = releases.source_id
            and voided_releases.issue_id = releases.issue_id
            and voided_releases.span_number = releases.span_number
        group by releases.source_id, releases.issue_id
    ),

    milestones as (
        select
            spans.source_id,
            spans.issue_id,
            max(case when spans.is_current then spans.status end) as status,
            max(case when spans.is_current then spans.phase end) as phase,
            min(spans.entered_at) as begun_at,
            min(case when spans.phase = 'idea' then spans.entered_at end) as idea_at,
            min(
                case
                    when spans.phase in ('approved', 'waiting', 'in_progress', 'done', 'released')
                    then spans.entered_at
                end
            ) as approved_at,
            min(case when spans.phase = 'in_progress' then spans.entered_at end) as started_at,
            -- The end is the entry into the last unbroken run of terminal phases; an open issue has
            -- none.
            min(
                case
                    when
                        spans.is_terminal
                        and spans.span_number > coalesce(last_open_spans.span_number, 0)
                    then spans.entered_at
                end
            ) as done_at,
            max(
                case
                    when
                        spans.phase = 'cancelled'
                        and coalesce(spans.previous_phase, '') <> 'cancelled'
                    then spans.entered_at
                end
            ) as last_cancelled_at,
            sum(
                case
                    when spans.is_open and spans.previous_phase in ('done', 'released', 'cancelled')
                    then 1
                    else 0
                end
            ) as reopen_count
        from spans
        left join
            last_open_spans
            on last_open_spans.source_id = spans.source_id
            and last_open_spans.issue_id = spans.issue_id
        group by spans.source_id, spans.issue_id
    ),

    final as (
        select
            milestones.source_id,
            milestones.issue_id,
            milestones.status,
            milestones.phase,
            milestones.begun_at,
            -- Sent back to the ideas after approval is no new idea.
            case
                when milestones.approved_at is null or milestones.idea_at < milestones.approved_at
                then milestones.idea_at
            end as idea_at,
            milestones.approved_at,
            milestones.started_at,
            milestones.done_at,
            availability.first_available_at,
            availability.available_at,
            -- Something already available to customers is not undone by a later cancellation.
            case
                when milestones.phase = 'cancelled' and availability.available_at is null
                then milestones.last_cancelled_at
            end as cancelled_at,
            cast(milestones.reopen_count as integer) as reopen_count
        from milestones
        left join
            availability
            on availability.source_id = milestones.source_id
            and availability.issue_id = milestones.issue_id
    )

select *
from final
