with

    identities as (select * from {{ ref("bridge_person_identity") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    persons as (
        select
            person_key, cast(count(*) as integer) as accounts_n, min(source_id) as first_source_id
        from identities
        group by person_key
    ),

    final as (
        select
            persons.person_key,
            coalesce(employees.source_id, persons.first_source_id) as source_id,
            employees.person_key is not null as is_employee,
            employees.hired_on,
            employees.terminated_on,
            employees.location_id,
            persons.accounts_n
        from persons
        left join employees on employees.person_key = persons.person_key
    )

select *
from final
