"""Who works with whom, and what comes of it.

What belongs here: truth.collaboration_network, engagement and it_value. What does not: success
across departments (`success`).
"""

from __future__ import annotations

from sandbox.truth.definitions import SECONDS_A_DAY, WHOLE_SHARE
from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """The three tables, in trailing windows (engagement by wave)."""
    _network(seen)
    _engagement(seen)
    _it_value(seen)


def _network(seen: Seen) -> None:
    """Effort that two teams share: of each initiative as much as the smaller part of the two."""
    seen.run(f"""
        create table truth.collaboration_network as
        with part as (
            select period_start, issue_id, department_id, sum(seconds) as seconds
            from truth.period inner join truth.initiative_day
                on work_date >= period_start and work_date < period_end
            where period_grain = 'trailing_12m' group by all
        )
        select
            one.period_start, one.department_id, other.department_id as other_department_id,
            sum(least(one.seconds, other.seconds)) / {SECONDS_A_DAY} as shared_days,
            count(*) as initiatives_n
        from part as one
        inner join part as other
            on other.period_start = one.period_start and other.issue_id = one.issue_id
            and other.department_id > one.department_id
        group by all
        order by all
    """)


def _engagement(seen: Seen) -> None:
    """Mean score of everybody asked, given or not, by wave and top-level department."""
    seen.run(f"""
        create table truth.engagement as
        select
            coalesce(place, 'ALL') as department_id, wave, min(sent_on) as sent_on, count(*) as n,
            avg(score) as realised_value, avg(expected_score) as parameter_value
        from (
            select engagement.*, coalesce(top_department_id, 'Unknown') as place
            from hidden.engagement
            left join truth.department
                on department.department_id = engagement.department_id
                and department.valid_from <= sent_on and department.valid_to > sent_on
            where sent_on < {seen.day}
        )
        group by grouping sets ((place, wave), (wave))
        order by wave, department_id
    """)


def _it_value(seen: Seen) -> None:
    """IT's effort in initiatives to which IT and others gave a tenth each.

    And what their customers bought and said since they had them, and how many objectives they
    served.
    """
    seen.run(f"""
        create table truth.it_value as
        with
            shared as (
                select issue_id from truth.department_part where cutoff = 'decision'
                group by issue_id
                having sum(seconds) filter (where is_it) >= {WHOLE_SHARE} * sum(seconds)
                    and sum(seconds) filter (where is_other and not is_it)
                        >= {WHOLE_SHARE} * sum(seconds)
            ),
            windows as (from truth.period where period_grain = 'trailing_12m'),
            effort as (
                select
                    period_start, sum(seconds) as it_seconds,
                    sum(seconds) filter (where shared.issue_id is not null) as shared_seconds
                from windows
                inner join (
                    select initiative_issue_id, work_date, sum(seconds) as seconds
                    from truth.effort_day where function = 'it' group by all
                ) as given on work_date >= period_start and work_date < period_end
                left join shared on shared.issue_id = given.initiative_issue_id
                group by period_start
            ),
            served as (
                select customer_id, min(available_at) as served_at
                from hidden.initiative_customer
                inner join shared using (issue_id)
                inner join truth.initiative using (issue_id)
                where available_at is not null group by customer_id
            ),
            sold as (
                select period_start, sum(amount) as revenue
                from windows
                inner join truth.revenue on closed_on >= period_start and closed_on < period_end
                inner join served using (customer_id)
                where is_won and closed_on >= truth.company_day(served_at) group by period_start
            ),
            said as (
                select
                    period_start, count(*) as csat_n, avg(cast(is_good as integer)) as csat,
                    avg(p_good) as csat_parameter
                from windows
                inner join truth.survey on answered_on >= period_start and answered_on < period_end
                inner join served using (customer_id)
                where instrument = 'csat' and answered_at > served_at group by period_start
            ),
            aims as (
                select period_start, count(distinct objective_id) as objectives_n
                from windows
                inner join truth.initiative_day
                    on work_date >= period_start and work_date < period_end
                inner join shared using (issue_id)
                inner join truth.serves
                    on serves.initiative_issue_id = shared.issue_id
                    and serves.from_date <= work_date and serves.to_date > work_date
                group by period_start
            )
        select
            period_start, it_seconds / {SECONDS_A_DAY} as it_effort_days,
            coalesce(shared_seconds, 0) / {SECONDS_A_DAY} as shared_effort_days,
            coalesce(shared_seconds, 0) / nullif(it_seconds, 0) as realised_value,
            coalesce(revenue, 0) as revenue, coalesce(csat_n, 0) as csat_n, csat, csat_parameter,
            coalesce(objectives_n, 0) as objectives_n
        from windows
        left join effort using (period_start)
        left join sold using (period_start)
        left join said using (period_start)
        left join aims using (period_start)
        order by period_start
    """)
