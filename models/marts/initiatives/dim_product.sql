with

    products as (select * from {{ ref("int_crm__products") }}),

    final as (
        select product_id, product_name, owner_department_id, first_sold_on, jira_label
        from products
    )

select *
from final
