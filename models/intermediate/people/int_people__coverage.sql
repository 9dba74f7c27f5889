with

    identities as (select * from {{ ref("bridge_person_identity") }}),

    history as (select * from {{ ref("stg_hr__department_history") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    final as (
        select
            source_id,
            'people' as topic,
            'accounts_matched' as measure,
            count(case when method <> 'none' then 1 end) as numerator,
            count(*) as denominator
        from identities
        where method <> 'hr_record'
        group by source_id
        union all
        select
            history.source_id,
            'department_history',
            'posts_with_employee',
            count(employees.person_key),
            count(*)
        from history
        left join
            employees
            on employees.source_id = history.source_id
            and employees.employee_id = history.employee_id
        group by history.source_id
    )

select *
from final
