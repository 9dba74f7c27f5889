with

    deals as (select * from {{ ref("int_crm__deals") }} where outcome = 'won'),

    line_items as (select * from {{ ref("stg_crm__line_items") }}),

    exchange_rates as (
        select
            upper(currency) as currency,
            rate,
            valid_from,
            lead(valid_from) over (partition by upper(currency) order by valid_from) as valid_to
        from {{ ref("exchange_rates") }}
    ),

    build as (select * from {{ ref("int_mission__build") }}),

    -- A win without any date stays: it belongs to no period, and coverage shows it.
    won as (
        select
            deals.source_id,
            deals.deal_id,
            deals.amount,
            deals.currency,
            upper(build.currency) as company_currency,
            {{ local_date("deals.won_at", "build.timezone") }} as won_on
        from deals
        cross join build
        where deals.won_at is null or deals.won_at < build.as_of
    ),

    item_counts as (
        select source_id, deal_id, count(*) as items_n from line_items group by source_id, deal_id
    ),

    amounts as (
        select
            won.source_id,
            won.deal_id,
            line_items.line_item_id,
            won.won_on,
            won.currency,
            won.company_currency,
            won.source_id || ':' || line_items.product_id as product_id,
            -- The deal's amount is that of its only item; over several, nobody knows how it splits.
            case
                when coalesce(item_counts.items_n, 0) <= 1
                then coalesce(line_items.amount, won.amount)
                else line_items.amount
            end as amount
        from won
        left join
            line_items on line_items.source_id = won.source_id and line_items.deal_id = won.deal_id
        left join
            item_counts
            on item_counts.source_id = won.source_id
            and item_counts.deal_id = won.deal_id
    ),

    final as (
        select
            amounts.source_id,
            amounts.deal_id,
            amounts.line_item_id,
            amounts.won_on,
            coalesce(amounts.product_id, 'Unknown') as product_id,
            -- No rate in force: no amount, rather than a wrong one; coverage shows it.
            amounts.amount * case
                when amounts.currency = amounts.company_currency then 1.0 else exchange_rates.rate
            end as revenue
        from amounts
        left join
            exchange_rates
            on exchange_rates.currency = amounts.currency
            and exchange_rates.valid_from <= amounts.won_on
            and (exchange_rates.valid_to is null or exchange_rates.valid_to > amounts.won_on)
    )

select *
from final
