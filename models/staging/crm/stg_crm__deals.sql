with

    records as ({{ current_records(source("raw_crm", "deals"), ["source_id", "deal_id"]) }}),

    final as (
        select
            source_id,
            deal_id,
            {{ json_text("payload", "account_id") }} as account_id,
            {{ json_text("payload", "stage") }} as stage,
            cast({{ json_text("payload", "amount") }} as double) as amount,
            {{ json_text("payload", "currency") }} as currency,
            {{ json_text("payload", "owner_id") }} as owner_id,
            {{ json_text("payload", "owner_email") }} as owner_email,
            cast({{ json_text("payload", "created_at") }} as timestamp) as created_at,
            cast({{ json_text("payload", "closed_at") }} as timestamp) as closed_at,
            cast({{ json_text("payload", "updated_at") }} as timestamp) as updated_at,
            coalesce({{ json_text("payload", "is_deleted") }} = 'true', false) as is_deleted
        from records
    )

select *
from final
