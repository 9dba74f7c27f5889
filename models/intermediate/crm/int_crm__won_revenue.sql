with

    deals as (select * from {{ ref("stg_crm__deals") }} where not is_deleted),

    line_items as (select * from {{ ref("stg_crm__line_items") }}),

    stage_map as (select * from {{ ref("crm_stage_map") }}),

    exchange_rates as (
        select
            currency,
            rate,
            valid_from,
            lead(valid_from) over (partition by currency order by valid_from) as valid_to
        from {{ ref("exchange_rates") }}
    ),

    build as (select * from {{ ref("int_mission__build") }}),

    outcomes as (
        select
            deals.source_id,
            deals.deal_id,
            stage_map.outcome,
            row_number() over (
                partition by deals.source_id, deals.deal_id
                order by case when stage_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from deals
        inner join
            stage_map
            on stage_map.stage = deals.stage
            and stage_map.source_id in (deals.source_id, '*')
    ),

    won as (
        select
            deals.source_id,
            deals.deal_id,
            deals.amount,
            -- A source that delivers no currency is taken to keep its books in the company's.
            coalesce(deals.currency, build.currency) as currency,
            build.currency as company_currency,
            {{ local_date("deals.closed_at", "build.timezone") }} as won_on
        from deals
        cross join build
        inner join
            outcomes
            on outcomes.source_id = deals.source_id
            and outcomes.deal_id = deals.deal_id
            and outcomes.map_rank = 1
            and outcomes.outcome = 'won'
        where deals.closed_at < build.as_of
    ),

    amounts as (
        select
            won.source_id,
            won.deal_id,
            won.won_on,
            won.currency,
            won.company_currency,
            won.source_id || ':' || line_items.product_id as product_id,
            case
                when line_items.line_item_id is null then won.amount else line_items.amount
            end as amount
        from won
        left join
            line_items on line_items.source_id = won.source_id and line_items.deal_id = won.deal_id
    ),

    final as (
        select
            amounts.source_id,
            amounts.deal_id,
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
