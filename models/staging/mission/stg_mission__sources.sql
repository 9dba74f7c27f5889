with

    final as (
        select source_id, system, kind, base_url, timezone
        from {{ source("raw_mission", "sources") }}
    )

select *
from final
