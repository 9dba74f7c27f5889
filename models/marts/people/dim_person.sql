with

    identities as (select * from {{ ref("bridge_person_identity") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    assignments as (select * from {{ ref("int_people__assignments") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    persons as (
        select
            person_key, cast(count(*) as integer) as accounts_n, min(source_id) as first_source_id
        from identities
        group by person_key
    ),

    -- Some HR systems tell the location only with the posts.
    latest_locations as (
        select
            assignments.person_key,
            assignments.location_id,
            row_number() over (
                partition by assignments.person_key
                order by
                    assignments.from_date desc,
                    assignments.to_date desc nulls first,
                    assignments.location_id
            ) as location_rank
        from assignments
        cross join build
        where assignments.location_id is not null and assignments.from_date <= build.as_of_date
    ),

    final as (
        select
            persons.person_key,
            coalesce(employees.source_id, persons.first_source_id) as source_id,
            employees.person_key is not null as is_employee,
            employees.hired_on,
            employees.terminated_on,
            coalesce(employees.location_id, latest_locations.location_id) as location_id,
            persons.accounts_n
        from persons
        left join employees on employees.person_key = persons.person_key
        left join
            latest_locations
            on latest_locations.person_key = persons.person_key
            and latest_locations.location_rank = 1
    )

select *
from final
