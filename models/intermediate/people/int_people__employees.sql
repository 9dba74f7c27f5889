{{ config(schema="pii") }}

with

    employees as (select * from {{ ref("stg_hr__employees") }}),

    person_secret as (select * from {{ ref("stg_mission__person_secret") }}),

    final as (
        select
            {{ person_key("employees.source_id || ':' || employees.employee_id", "person_secret") }}
            as person_key,
            employees.source_id,
            employees.employee_id,
            nullif(lower(trim(employees.full_name)), '') as full_name,
            nullif(lower(trim(employees.email)), '') as email,
            employees.hired_on,
            employees.terminated_on,
            employees.location_id
        from employees
        cross join person_secret
    )

select *
from final
