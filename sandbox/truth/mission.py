"""How the company follows its mission: balance of horizons, and answers to new priorities.

What belongs here: truth.balance and truth.adaptability. What does not: the shares of the
scorecard (`resources`, `success`).
"""

from __future__ import annotations

from sandbox.truth.definitions import SECONDS_A_DAY, SHIFT
from sandbox.truth.seen import Seen
from sandbox.truth.success import PLANTED_SUCCESS

BASE_DAYS, WINDOW_DAYS = 90, 28
"""Adaptability, a reading: an objective's share of aligned effort in so many days before its
weight changed, against the share in so many trailing days, all of them after the change."""


def build(seen: Seen) -> None:
    """Make truth.balance and truth.adaptability.

    Effort and success by horizon, in trailing windows; days from a change of an objective's
    weight to the first shift of effort that follows it.
    """
    _balance(seen)
    _adaptability(seen)


def _balance(seen: Seen) -> None:
    seen.run(f"""
        create table truth.objective_day as
        select
            initiative.work_date, serves.objective_id, serves.horizon,
            sum(initiative.seconds * serves.weight) as seconds
        from truth.initiative_day as initiative
        inner join truth.serves
            on serves.initiative_issue_id = initiative.issue_id
            and serves.from_date <= initiative.work_date and serves.to_date > initiative.work_date
        group by all;

        create table truth.balance as
        with
            effort as (
                select period_start, horizon, sum(seconds) / {SECONDS_A_DAY} as effort_days
                from truth.period inner join truth.objective_day
                    on work_date >= period_start and work_date < period_end
                where period_grain = 'trailing_12m' group by all
            ),
            decided as (
                select
                    period_start, horizon, sum(weight) as decided_n,
                    sum(case when success_class = 'success' then weight else 0 end) as success_n,
                    sum(weight * {PLANTED_SUCCESS}) as expected_n
                from truth.period
                inner join truth.decided
                    on counted_on >= period_start and counted_on < period_end
                inner join truth.serves
                    on serves.initiative_issue_id = decided.issue_id
                    and serves.from_date <= decided_on and serves.to_date > decided_on
                where period_grain = 'trailing_12m' and is_cross_departmental group by all
            )
        select
            period_start, horizon, effort_days,
            effort_days / sum(effort_days) over (partition by period_start) as effort_share,
            coalesce(success_n, 0) as success_n, coalesce(decided_n, 0) as decided_n,
            success_n / nullif(decided_n, 0) as success_share,
            expected_n / nullif(decided_n, 0) as success_parameter
        from effort left join decided using (period_start, horizon)
        order by period_start, horizon;
    """)


def _adaptability(seen: Seen) -> None:
    seen.run(f"""
        create table truth.adaptability as
        with
            weights as (
                select
                    objective_id, valid_from, weight,
                    lag(weight) over (partition by objective_id order by valid_from)
                        as weight_before
                from hidden.objective where valid_from < {seen.day}
            ),
            changes as (
                select objective_id, valid_from as changed_on, weight, weight_before
                from weights where weight <> weight_before
            ),
            days as (
                select
                    changes.objective_id, changed_on, weight, weight_before, work_date,
                    coalesce(sum(seconds) filter (
                        where objective_day.objective_id = changes.objective_id
                    ), 0) as ours,
                    sum(seconds) as total
                from changes inner join truth.objective_day
                    on work_date >= changed_on - {BASE_DAYS}
                group by all
            ),
            base as (
                select objective_id, changed_on, sum(ours) / sum(total) as share
                from days where work_date < changed_on group by all
            ),
            followed as (
                select
                    *,
                    sum(ours) over recent / sum(total) over recent as share
                from days where work_date >= changed_on
                window recent as (
                    partition by objective_id, changed_on order by work_date
                    range between interval {WINDOW_DAYS - 1} days preceding and current row
                )
            ),
            shifted as (
                select followed.objective_id, followed.changed_on, min(work_date) as shifted_on
                from followed inner join base using (objective_id, changed_on)
                where work_date >= followed.changed_on + {WINDOW_DAYS - 1}
                    and sign(weight - weight_before) * (followed.share - base.share)
                        >= {SHIFT} * base.share
                group by all
            )
        select
            changes.objective_id, changed_on, weight_before, weight, base.share as share_before,
            shifted_on, shifted_on - changed_on as realised_days
        from changes
        left join base using (objective_id, changed_on)
        left join shifted using (objective_id, changed_on)
        order by changed_on, objective_id
    """)
