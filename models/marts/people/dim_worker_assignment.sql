with

    segments as (select * from {{ ref("int_people__assignment_segments") }}),

    final as (
        select
            person_key,
            department_id,
            location_id,
            fte,
            fte_weight,
            valid_from,
            valid_to,
            recorded_from,
            cast(null as timestamp) as recorded_to
        from segments
    )

select *
from final
