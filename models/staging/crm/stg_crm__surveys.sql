with

    records as ({{ current_records(source("raw_crm", "surveys"), ["source_id", "response_id"]) }}),

    final as (
        select
            source_id,
            response_id,
            {{ json_text("payload", "account_id") }} as account_id,
            {{ json_text("payload", "instrument") }} as instrument,
            cast({{ json_text("payload", "score") }} as double) as score,
            cast({{ json_text("payload", "scale_max") }} as double) as scale_max,
            cast({{ json_text("payload", "responded_at") }} as timestamp) as responded_at
        from records
    )

select *
from final
