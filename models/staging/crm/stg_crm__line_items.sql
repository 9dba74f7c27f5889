with

    records as (
        {{ current_records(source("raw_crm", "line_items"), ["source_id", "line_item_id"]) }}
    ),

    final as (
        select
            source_id,
            line_item_id,
            {{ json_text("payload", "deal_id") }} as deal_id,
            {{ json_text("payload", "product_id") }} as product_id,
            cast({{ json_text("payload", "amount") }} as double) as amount
        from records
        where coalesce({{ json_text("payload", "is_deleted") }}, 'false') <> 'true'
    )

select *
from final
