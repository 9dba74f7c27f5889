with

    final as (
        select
            system,
            source_id,
            stream,
            window_id,
            window_seq,
            fetched,
            loaded,
            quarantined,
            newest_record_at,
            as_of
        from {{ source("raw_mission", "windows") }}
    )

select *
from final
