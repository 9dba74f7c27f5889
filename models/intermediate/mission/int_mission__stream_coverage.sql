with

    windows as (select * from {{ ref("stg_mission__windows") }}),

    entities as (select * from {{ ref("stg_mission__entities") }}),

    final as (
        select
            source_id,
            stream as topic,
            'rows_loaded' as measure,
            sum(loaded) as numerator,
            sum(fetched) as denominator
        from windows
        group by source_id, stream
        union all
        select
            source_id, stream, 'fields_delivered', count(case when is_mapped then 1 end), count(*)
        from entities
        group by source_id, stream
    )

select *
from final
