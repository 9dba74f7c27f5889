with

    records as (
        {{
            current_records(
                source("raw_jira", "worklogs"), ["source_id", "worklog_id"], "updated_at"
            )
        }}
    ),

    final as (
        select
            source_id,
            issue_id,
            worklog_id,
            {{ jira_user("payload", "author") }} as author_id,
            {{ json_text("payload", "author.displayName") }} as author_name,
            {{ json_text("payload", "author.emailAddress") }} as author_email,
            started_at,
            cast({{ json_text("payload", "timeSpentSeconds") }} as double) / 3600.0 as worklog_hours
        from records
    )

select *
from final
