with

    departments as (select * from {{ ref("int_people__departments") }}),

    final as (
        select
            department_id, department_name, parent_department_id, "function", valid_from, valid_to
        from departments
    )

select *
from final
