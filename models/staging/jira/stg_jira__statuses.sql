with

    records as ({{ current_records(source("raw_jira", "statuses"), ["source_id", "status_id"]) }}),

    final as (
        select
            source_id,
            status_id,
            {{ json_text("payload", "name") }} as status,
            {{ json_text("payload", "statusCategory.key") }} as status_category
        from records
    )

select *
from final
