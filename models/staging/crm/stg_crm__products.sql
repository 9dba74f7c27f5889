with

    records as ({{ current_records(source("raw_crm", "products"), ["source_id", "product_id"]) }}),

    final as (
        select
            source_id,
            product_id,
            {{ json_text("payload", "name") }} as name,
            {{ json_text("payload", "owner_department_id") }} as owner_department_id,
            cast({{ json_text("payload", "first_sold_on") }} as date) as first_sold_on
        from records
    )

select *
from final
