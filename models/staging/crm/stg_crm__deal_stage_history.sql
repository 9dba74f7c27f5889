with

    records as (
        {{
            current_records(
                source("raw_crm", "deal_stage_history"),
                ["source_id", "deal_id", "stage", "entered_at"],
            )
        }}
    ),

    final as (select source_id, deal_id, stage, entered_at from records)

select *
from final
