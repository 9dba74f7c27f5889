with

    build as (select * from {{ ref("stg_mission__build") }}),

    final as (select as_of, as_of_date, organisation_name, vision, timezone, currency from build)

select *
from final
