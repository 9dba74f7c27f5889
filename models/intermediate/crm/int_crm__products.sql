with

    products as (select * from {{ ref("stg_crm__products") }}),

    product_map as (select * from {{ ref("product_map") }}),

    won_revenue as (select * from {{ ref("int_crm__won_revenue") }}),

    first_sales as (
        select product_id, min(won_on) as first_won_on
        from won_revenue
        where product_id <> 'Unknown'
        group by product_id
    ),

    final as (
        select
            products.source_id || ':' || products.product_id as product_id,
            products.name as product_name,
            coalesce(
                product_map.owner_department_id, products.owner_department_id
            ) as owner_department_id,
            -- The CRM may have been introduced after a product was first sold: the earlier of both
            -- dates counts.
            case
                when products.first_sold_on is null
                then first_sales.first_won_on
                when first_sales.first_won_on is null
                then products.first_sold_on
                else least(products.first_sold_on, first_sales.first_won_on)
            end as first_sold_on,
            product_map.jira_label
        from products
        left join
            product_map
            on product_map.source_id in (products.source_id, '*')
            and product_map.product_id = products.product_id
        left join
            first_sales on first_sales.product_id = products.source_id || ':' || products.product_id
    )

select *
from final
