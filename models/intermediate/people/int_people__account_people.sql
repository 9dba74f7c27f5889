with

    identities as (select * from {{ ref("bridge_person_identity") }}),

    persons as (select * from {{ ref("dim_person") }}),

    locations as (select * from {{ ref("locations") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    final as (
        select
            identities.source_id,
            identities.source_user_id,
            identities.person_key,
            coalesce(locations.location_id, '*') as calendar_location_id,
            coalesce(locations.timezone, build.timezone) as timezone,
            persons.hired_on,
            persons.terminated_on
        from identities
        inner join persons on persons.person_key = identities.person_key
        cross join build
        left join locations on locations.location_id = persons.location_id
    )

select *
from final
