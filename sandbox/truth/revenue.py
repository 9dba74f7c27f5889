"""What the company sold.

What belongs here: closed deals by product in the company's currency. What does not: how much of it
is new (`innovation`).
"""

from __future__ import annotations

from sandbox.truth.definitions import NEW_PRODUCT_MONTHS
from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.revenue: one row per line of a deal that is closed, won or lost.

    By the day it was closed, at that day's rate. `is_new`: the product was first sold less than
    36 months before. A deal removed from the CRM was none.
    """
    seen.run(f"""
        create table truth.revenue as
        with
            now_in as (
                select
                    deal_id, arg_max(stage, entered_at) as stage, max(entered_at) as closed_at
                from hidden.deal_stage where entered_at < {seen.instant} group by deal_id
            ),
            closed as (
                select
                    deal_id, customer_id, deal.currency, p_won, stage = 'closedwon' as is_won,
                    truth.company_day(closed_at) as closed_on
                from now_in inner join hidden.deal using (deal_id)
                where stage in ('closedwon', 'closedlost')
                    and (archived_at is null or archived_at >= {seen.instant})
            ),
            rates as (
                select
                    currency, rate, valid_from,
                    coalesce(
                        lead(valid_from) over (partition by currency order by valid_from),
                        date '9999-01-01'
                    ) as valid_to
                from (select distinct on (currency, valid_from) * from hidden.exchange_rate)
            )
        select
            closed.deal_id, customer_id, line.product_id, closed_on, is_won, p_won,
            line.amount * case when closed.currency = 'EUR' then 1 else rate end as amount,
            coalesce(closed_on < product.first_sold_on + to_months({NEW_PRODUCT_MONTHS}), false)
                as is_new,
            product.department_id
        from closed
        inner join hidden.line_item as line on line.deal_id = closed.deal_id
        left join rates
            on rates.currency = closed.currency and valid_from <= closed_on and valid_to > closed_on
        left join hidden.product on product.product_id = line.product_id;
    """)
