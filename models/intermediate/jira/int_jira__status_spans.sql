with

    spans as (select * from {{ ref("int_jira__field_spans") }} where field = 'status'),

    issues as (select * from {{ ref("int_jira__issues") }}),

    phases as (select * from {{ ref("int_jira__status_phases") }}),

    final as (
        select
            spans.source_id,
            spans.issue_id,
            spans.span_number,
            spans.value as status,
            phases.phase,
            spans.entered_at,
            spans.exited_at,
            spans.is_current,
            coalesce(phases.phase in ('done', 'released', 'cancelled'), false) as is_terminal,
            -- A status that nobody mapped is neither an end nor a return to work.
            coalesce(
                phases.phase in ('idea', 'approved', 'waiting', 'in_progress'), false
            ) as is_open,
            lag(phases.phase) over (
                partition by spans.source_id, spans.issue_id order by spans.span_number
            ) as previous_phase
        from spans
        inner join issues on issues.source_id = spans.source_id and issues.issue_id = spans.issue_id
        left join
            phases
            on phases.source_id = spans.source_id
            and phases.project_key = issues.project_key
            and phases.status = spans.value
    )

select *
from final
