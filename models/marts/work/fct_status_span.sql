with

    spans as (select * from {{ ref("int_jira__status_spans") }}),

    final as (
        select
            source_id,
            issue_id,
            cast(span_number as integer) as span_number,
            status,
            phase,
            entered_at,
            exited_at,
            is_current
        from spans
    )

select *
from final
