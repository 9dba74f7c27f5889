with

    records as ({{ current_records(source("raw_crm", "accounts"), ["source_id", "account_id"]) }}),

    final as (
        select
            source_id,
            account_id,
            {{ json_text("payload", "name") }} as name,
            {{ json_text("payload", "segment") }} as segment,
            {{ json_text("payload", "owner_id") }} as owner_id,
            {{ json_text("payload", "owner_email") }} as owner_email,
            cast({{ json_text("payload", "created_at") }} as timestamp) as created_at
        from records
    )

select *
from final
