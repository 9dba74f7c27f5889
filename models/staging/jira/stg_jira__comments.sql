with

    records as ({{ current_records(source("raw_jira", "comments"), ["source_id", "comment_id"]) }}),

    final as (
        select
            source_id,
            issue_id,
            comment_id,
            {{ jira_user("payload", "author") }} as author_id,
            {{ json_text("payload", "author.displayName") }} as author_name,
            {{ json_text("payload", "author.emailAddress") }} as author_email,
            created_at
        from records
    )

select *
from final
