with

    records as (
        {{
            current_records(
                source("raw_hr", "engagement_responses"), ["source_id", "response_id"]
            )
        }}
    ),

    final as (
        select
            source_id,
            response_id,
            {{ json_text("payload", "wave") }} as wave,
            cast({{ json_text("payload", "responded_on") }} as date) as responded_on,
            cast({{ json_text("payload", "score") }} as double) as score,
            cast({{ json_text("payload", "scale_max") }} as double) as scale_max,
            {{ json_text("payload", "department_id") }} as department_id
        from records
    )

select *
from final
