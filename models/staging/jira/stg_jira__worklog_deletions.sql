with

    records as (
        {{
            current_records(
                source("raw_jira", "worklog_deletions"), ["source_id", "worklog_id"], "deleted_at"
            )
        }}
    ),

    final as (select source_id, worklog_id, deleted_at from records)

select *
from final
