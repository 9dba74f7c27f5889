with final as (select inner_pad, outer_pad from {{ source("pii", "person_secret") }})

select *
from final
