with

    products as (select * from {{ ref("int_crm__products") }}),

    -- The CRM and the seed name a department by its id in HR, without the HR source.
    departments as (
        select distinct
            department_id,
            substring(
                department_id from {{ dbt.position("':'", "department_id") }} + 1
            ) as native_id
        from {{ ref("int_people__departments") }}
        where department_id <> 'Unknown'
    ),

    -- Two HR sources with the same id leave the owner open.
    owners as (
        select native_id, max(department_id) as department_id
        from departments
        group by native_id
        having count(*) = 1
    ),

    final as (
        select
            products.product_id,
            products.product_name,
            owners.department_id as owner_department_id,
            products.first_sold_on,
            products.jira_label
        from products
        left join owners on owners.native_id = products.owner_department_id
    )

select *
from final
