with

    products as (select * from {{ ref("stg_crm__products") }}),

    line_items as (select * from {{ ref("stg_crm__line_items") }}),

    product_map as (select * from {{ ref("product_map") }}),

    won_revenue as (select * from {{ ref("int_crm__won_revenue") }}),

    -- A source without a list of products, or with a gap in it, still names them in its deals.
    unlisted as (
        select distinct line_items.source_id, line_items.product_id
        from line_items
        left join
            products
            on products.source_id = line_items.source_id
            and products.product_id = line_items.product_id
        where line_items.product_id is not null and products.product_id is null
    ),

    named as (
        select source_id, product_id, name, owner_department_id, first_sold_on
        from products
        union all
        select source_id, product_id, product_id, cast(null as varchar), cast(null as date)
        from unlisted
    ),

    -- A product may be mapped for all sources (`*`) and for one: the source's own wins.
    mapped as (
        select
            named.source_id,
            named.product_id,
            product_map.jira_label,
            product_map.owner_department_id,
            row_number() over (
                partition by named.source_id, named.product_id
                order by case when product_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from named
        inner join
            product_map
            on product_map.product_id = named.product_id
            and product_map.source_id in (named.source_id, '*')
    ),

    first_sales as (
        select product_id, min(won_on) as first_won_on
        from won_revenue
        where product_id <> 'Unknown'
        group by product_id
    ),

    final as (
        select
            named.source_id || ':' || named.product_id as product_id,
            named.name as product_name,
            coalesce(mapped.owner_department_id, named.owner_department_id) as owner_department_id,
            -- The CRM may have been introduced after a product was first sold: the earlier of both
            -- dates counts.
            case
                when named.first_sold_on is null
                then first_sales.first_won_on
                when first_sales.first_won_on is null
                then named.first_sold_on
                else least(named.first_sold_on, first_sales.first_won_on)
            end as first_sold_on,
            mapped.jira_label
        from named
        left join
            mapped
            on mapped.source_id = named.source_id
            and mapped.product_id = named.product_id
            and mapped.map_rank = 1
        left join first_sales on first_sales.product_id = named.source_id || ':' || named.product_id
    )

select *
from final
