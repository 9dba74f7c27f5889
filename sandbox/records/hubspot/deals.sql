-- Products, deals with every state they were in, and their lines.

create table hubspot_now.products as
select
    cast(product_id as bigint) as id,
    created_at,
    greatest(created_at, case when sold_at < $now then sold_at end) as updated_at,
    cast(null as timestamp) as archived_at,
    name,
    cast(null as varchar) as description,
    hubspot_now.money(list_price) as price,
    'TW-' || product_id as hs_sku,
    department_id as owner_department,
    case when sold_at < $now then cast(first_sold_on as varchar) end as first_sale_date,
    hubspot_now.stamp(created_at) as createdate,
    hubspot_now.stamp(greatest(created_at, case when sold_at < $now then sold_at end))
        as hs_lastmodifieddate,
    product_id as hs_object_id
from (
    select
        *,
        cast(least(on_sale_on, first_sold_on) as timestamp) as created_at,
        -- The date of a first sale is entered once that day is over.
        timezone('UTC', timezone('$zone', cast(first_sold_on + 1 as timestamp))) as sold_at
    from hidden.product
)
where created_at < $now
order by id;

create table hubspot_now.deal_states as
with
    entered as (
        select
            cast(deal_id as bigint) as id, currency, stage, entered_at, is_closed, is_won,
            probability,
            min(entered_at) over (partition by deal_id) as created_at,
            row_number() over (partition by deal_id order by entered_at, display_order) as position
        from hidden.deal_stage
        join hidden.deal using (deal_id)
        join hubspot_now.stages on object_type = 'deals' and stage_id = stage
        where entered_at < $now and entered_at < coalesce(archived_at, $now)
    ),

    amounts as (
        select cast(deal_id as bigint) as id, sum(amount) as amount, count(*) as lines_n
        from hidden.line_item group by deal_id
    ),

    -- What is open is worth what it was at first; what is closed, what it was at the close.
    priced as (
        select *, case when is_closed then entered_at else created_at end as rated_at from entered
    ),

    rated as (
        select
            priced.*, coalesce(amount, 0) as amount, coalesce(lines_n, 0) as lines_n,
            case when priced.currency = '$home' then 1 else rate end as rate
        from priced
        asof left join hidden.exchange_rate as rates
            on rates.currency = priced.currency and rates.valid_from <= priced.rated_at
        left join amounts using (id)
    )

select
    id, position, entered_at, created_at, is_closed,
    stage as dealstage,
    hubspot_now.money(amount) as amount,
    cast(rate as varchar) as hs_exchange_rate,
    hubspot_now.money(amount * rate) as amount_in_home_currency,
    case when is_closed then hubspot_now.stamp(entered_at) end as closedate,
    cast(is_closed as varchar) as hs_is_closed,
    cast(is_won as varchar) as hs_is_closed_won,
    cast(probability as varchar) as hs_deal_stage_probability,
    case when is_won then hubspot_now.money(amount) else '0' end as hs_closed_amount,
    case when is_won then hubspot_now.money(amount * rate) else '0' end
        as hs_closed_amount_in_home_currency,
    cast(lines_n as varchar) as hs_num_of_associated_line_items,
    case when is_closed then cast(datediff('day', created_at, entered_at) as varchar) end
        as days_to_close
from rated
order by id, position;

create table hubspot_now.deals as
select
    cast(deal.deal_id as bigint) as id, customer_id,
    state.created_at,
    state.entered_at as updated_at,
    case when deal.archived_at < $now then deal.archived_at end as archived_at,
    deal.name as dealname,
    '$deal_pipeline' as pipeline,
    currency as deal_currency_code,
    cast(owner_of.owner_id as varchar) as hubspot_owner_id,
    state.* exclude (id, position, entered_at, created_at, is_closed),
    hubspot_now.stamp(state.created_at) as createdate,
    hubspot_now.stamp(state.entered_at) as hs_lastmodifieddate,
    deal.deal_id as hs_object_id
from hidden.deal
join (
    select * from hubspot_now.deal_states
    qualify position = max(position) over (partition by id)
) as state on state.id = cast(deal.deal_id as bigint)
left join hubspot_now.owner_of on owner_of.person_id = deal.owner_id
order by state.id;

create table hubspot_now.line_items as
select
    cast(line_item_id as bigint) as id, deals.id as deal_id,
    deals.created_at, deals.created_at as updated_at, deals.archived_at,
    product.name,
    product_id as hs_product_id,
    '1' as quantity,
    hubspot_now.money(line_item.amount) as price,
    hubspot_now.money(line_item.amount) as amount,
    deal_currency_code as hs_line_item_currency_code,
    createdate,
    createdate as hs_lastmodifieddate,
    line_item_id as hs_object_id
from hidden.line_item
join hubspot_now.deals on deals.hs_object_id = line_item.deal_id
left join hidden.product using (product_id)
order by cast(line_item_id as bigint);
