with

    records as ({{ current_records(source("raw_jira", "users"), ["source_id", "user_id"]) }}),

    final as (
        select
            source_id,
            user_id,
            {{ json_text("payload", "displayName") }} as display_name,
            {{ json_text("payload", "emailAddress") }} as email,
            {{ json_text("payload", "accountType") }} as account_type
        from records
    )

select *
from final
