"""The true effort, by who gave it, where they belonged that day, and what it served.

What belongs here: effort in seconds of contracted days. What does not: what was booked of it, and
the shares that metrics make of it.
"""

from __future__ import annotations

from sandbox.truth.definitions import SECONDS_A_DAY
from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.effort_day (person x department x initiative x day) and its monthly sums.

    Those are effort_person_month and effort. A day counts for the posts of that day by their
    shares; a post of nobody is `Unknown`.
    """
    seen.run(f"""
        create table truth.effort_day as
        select
            effort.person_id, effort.initiative_issue_id, effort.work_date,
            coalesce(place.department_id, 'Unknown') as department_id,
            coalesce(place.top_department_id, 'Unknown') as top_department_id,
            coalesce(place.function, 'Unknown') as function,
            effort.seconds * coalesce(place.share, 1.0) as seconds
        from (
            select person_id, initiative_issue_id, work_date, sum(seconds) as seconds
            from hidden.effort inner join truth.issue using (issue_id)
            where work_date < {seen.day}
            group by person_id, initiative_issue_id, work_date
        ) as effort
        left join truth.place
            on place.person_id = effort.person_id
            and place.from_date <= effort.work_date and place.to_date > effort.work_date;
    """)
    _objectives(seen)
    seen.run(f"""
        create table truth.effort_person_month as
        select
            effort.person_id, effort.department_id, effort.top_department_id,
            effort.initiative_issue_id,
            cast(date_trunc('month', effort.work_date) as date) as month_start,
            sum(seconds) as seconds, sum(seconds) / {SECONDS_A_DAY} as effort_days,
            sum(seconds * coalesce(aligned.weight, 0)) as aligned_seconds,
            sum(seconds * coalesce(aligned.visionary_weight, 0)) as visionary_seconds
        from truth.effort_day as effort
        left join truth.aligned_day as aligned
            on aligned.initiative_issue_id = effort.initiative_issue_id
            and aligned.work_date = effort.work_date
        group by all;

        create view truth.effort as
        select
            department_id, top_department_id, initiative_issue_id, month_start,
            sum(seconds) as seconds, sum(effort_days) as effort_days,
            count(distinct person_id) as people_n
        from truth.effort_person_month
        group by all;
    """)


def _objectives(seen: Seen) -> None:
    """Make truth.serves and aligned_day.

    Initiative x objective x span of days; and how much of an initiative's day serves any
    objective, and a visionary one.
    """
    seen.run(f"""
        create table truth.serves as
        select
            link.issue_id as initiative_issue_id, link.objective_id, objective.horizon, link.weight,
            greatest(truth.company_day(link.from_at), objective.valid_from) as from_date,
            least(
                coalesce(
                    case when link.to_at < {seen.instant} then truth.company_day(link.to_at) end,
                    date '9999-01-01'
                ),
                coalesce(objective.valid_to, date '9999-01-01')
            ) as to_date
        from hidden.initiative_objective as link
        inner join hidden.objective
            on objective.objective_id = link.objective_id
        where link.from_at < {seen.instant} and from_date < to_date;

        create table truth.aligned_day as
        select
            days.initiative_issue_id, days.work_date, sum(serves.weight) as weight,
            sum(case when serves.horizon = 'visionary' then serves.weight else 0 end)
                as visionary_weight
        from (
            select distinct initiative_issue_id, work_date from truth.effort_day
            where initiative_issue_id is not null
        ) as days
        inner join truth.serves
            on serves.initiative_issue_id = days.initiative_issue_id
            and serves.from_date <= days.work_date and serves.to_date > days.work_date
        group by days.initiative_issue_id, days.work_date;
    """)
