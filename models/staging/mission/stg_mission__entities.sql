with

    final as (
        select source_id, system, stream, field, is_required, is_mapped
        from {{ source("raw_mission", "entities") }}
    )

select *
from final
