"""The periods for which truth is stated.

What belongs here: which months, quarters and trailing windows there are. What does not: what is
counted in them.
"""

from __future__ import annotations

from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.period: months, quarters and trailing twelve months.

    From the month of the first issue to the last finished one. `is_innovation_window`: the four
    quarters that the innovation index looks at.
    """
    seen.run(f"""
        create table truth.period as
        with
            bounds as (
                select
                    cast(date_trunc('month', truth.company_day(min(created_at))) as date)
                        as first_month,
                    cast(date_trunc('month', {seen.day}) as date) as end_month
                from truth.issue
            ),
            months as (
                select cast(month as date) as period_start, end_month
                from bounds, unnest(generate_series(first_month, end_month, interval 1 month))
                    as listed(month)
            ),
            periods as (
                select
                    period_grain, period_start, end_month,
                    cast(period_start + to_months(length) as date) as period_end
                from months, (values ('month', 1), ('quarter', 3), ('trailing_12m', 12))
                    as grains(period_grain, length)
                where period_grain <> 'quarter' or month(period_start) in (1, 4, 7, 10)
            )
        select
            period_grain, period_start, period_end,
            period_grain = 'trailing_12m' and month(period_end) in (1, 4, 7, 10)
                as is_innovation_window
        from periods where period_end <= end_month
        order by period_grain, period_start
    """)
