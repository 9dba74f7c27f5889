with

    deals as (select * from {{ ref("int_crm__deals") }}),

    won_revenue as (select * from {{ ref("int_crm__won_revenue") }}),

    won_deals as (
        select
            source_id,
            deal_id,
            max(won_on) as won_on,
            count(*) as lines_n,
            count(revenue) as lines_with_revenue_n
        from won_revenue
        group by source_id, deal_id
    ),

    final as (
        select
            source_id,
            'revenue' as topic,
            'deals_with_mapped_stage' as measure,
            cast(count(outcome) as double) as numerator,
            cast(count(*) as double) as denominator
        from deals
        group by source_id
        union all
        select source_id, 'revenue', 'won_deals_dated', count(won_on), count(*)
        from won_deals
        group by source_id
        union all
        select
            source_id,
            'revenue',
            'won_deals_with_amount',
            count(case when lines_with_revenue_n = lines_n then 1 end),
            count(*)
        from won_deals
        group by source_id
        union all
        -- By size: a credit must not make up for revenue of which nobody knows the product.
        select
            source_id,
            'revenue',
            'revenue_with_product',
            coalesce(sum(case when product_id <> 'Unknown' then abs(revenue) end), 0.0),
            coalesce(sum(abs(revenue)), 0.0)
        from won_revenue
        group by source_id
    )

select *
from final
