with

    final as (
        select as_of, as_of_date, organisation_name, vision, timezone, currency
        from {{ source("raw_mission", "build") }}
    )

select *
from final
