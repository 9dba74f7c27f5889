with

    spans as (select * from {{ ref("int_jira__field_spans") }} where field = 'due_date'),

    issues as (select * from {{ ref("int_jira__issues") }} where role = 'initiative'),

    milestones as (select * from {{ ref("int_jira__issue_milestones") }}),

    dated as (
        select
            spans.source_id,
            spans.issue_id,
            spans.span_number,
            spans.is_current,
            spans.entered_at,
            spans.exited_at,
            try_cast(left(spans.value_id, 10) as date) as due_date,
            milestones.approved_at,
            coalesce(milestones.available_at, milestones.cancelled_at) as ended_at,
            lag(try_cast(left(spans.value_id, 10) as date)) over (
                partition by spans.source_id, spans.issue_id order by spans.span_number
            ) as previous_due_date
        from spans
        inner join issues on issues.source_id = spans.source_id and issues.issue_id = spans.issue_id
        inner join
            milestones
            on milestones.source_id = spans.source_id
            and milestones.issue_id = spans.issue_id
    ),

    -- The original baseline is the date in force at approval, or the first one set after it.
    originals as (
        select
            source_id,
            issue_id,
            due_date,
            row_number() over (
                partition by source_id, issue_id order by entered_at, span_number
            ) as baseline_rank
        from dated
        where
            due_date is not null
            -- A value replaced in the instant it was set never was in force.
            and (exited_at is null or (exited_at > approved_at and exited_at > entered_at))
    ),

    final as (
        select
            dated.source_id,
            dated.issue_id,
            -- A due date moved after the end changes nothing any more.
            max(
                case
                    when dated.ended_at is null
                    then case when dated.is_current then dated.due_date end
                    when
                        dated.entered_at <= dated.ended_at
                        and (dated.exited_at is null or dated.exited_at > dated.ended_at)
                    then dated.due_date
                end
            ) as latest_due_date,
            max(originals.due_date) as original_due_date,
            cast(
                count(
                    case
                        when
                            dated.entered_at > dated.approved_at
                            and (dated.ended_at is null or dated.entered_at <= dated.ended_at)
                            and dated.due_date is distinct from dated.previous_due_date
                            and dated.previous_due_date is not null
                        then 1
                    end
                ) as integer
            ) as baseline_changes_n
        from dated
        left join
            originals
            on originals.source_id = dated.source_id
            and originals.issue_id = dated.issue_id
            and originals.baseline_rank = 1
        group by dated.source_id, dated.issue_id
    )

select *
from final
