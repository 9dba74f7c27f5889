"""What effort is spent on, and how much of the time there is.

What belongs here: resource_optimization and its table by department and month. What does not: the
effort itself (`effort`).

Readings: effort is classified when it serves an initiative; it is aligned when the initiative
serves an objective that day; the visionary share is of the aligned effort. An initiative is
another department's when the team that owns it is not the team that works.
"""

from __future__ import annotations

from sandbox.spec import Effects
from sandbox.truth.cells import declare
from sandbox.truth.definitions import SECONDS_A_DAY
from sandbox.truth.seen import Seen

_METRIC = "resource_optimization"
_SHARES = {
    # metric: numerator, denominator in seconds of truth.resource, note
    "": ("aligned", "classified"),
    ".sharing": ("shared", "effort"),
    ".visionary_share": ("visionary", "aligned"),
    ".unclassified_share": ("unclassified", "effort"),
    ".utilisation": ("effort", "capacity"),
}


def build(seen: Seen, effects: Effects) -> None:
    """Parts of resource_optimization.* and truth.resource_month (department x month)."""
    _capacity(seen)
    _resources(seen)
    planted = {"": effects.has_objective, ".visionary_share": effects.visionary_pull}
    notes = {
        "": "planted chance that an initiative serves an objective, whatever effort it takes",
        ".visionary_share": "planted chance that it is a visionary one, whatever effort it takes",
    }
    for suffix, (numerator, denominator) in _SHARES.items():
        metric_id = _METRIC + suffix
        declare(seen, metric_id, note=notes.get(suffix, "nothing planted"))
        chance = str(planted[suffix]) if suffix in planted else "null"
        seen.run(f"""
            insert into truth.part
            select
                '{metric_id}', scope,
                case when scope = 'ALL' then 'ALL' else top_department_id end, 'ALL',
                cast(person_id as varchar), month_start, 1.0,
                sum({numerator}) / {SECONDS_A_DAY}, sum({denominator}) / {SECONDS_A_DAY},
                {chance} * sum({denominator}) / {SECONDS_A_DAY},
                sum({denominator}) / {SECONDS_A_DAY}, 0
            from truth.resource cross join (values ('ALL'), ('department')) as scopes(scope)
            where {denominator} > 0 group by all
        """)
    _queue(seen)
    _months(seen)


def _capacity(seen: Seen) -> None:
    """truth.capacity: contracted seconds of open days without leave, by person, team and month."""
    seen.run(f"""
        create table truth.site_day as
        select
            location_id, cast(day as date) as work_date,
            sum(cast(is_open as integer)) over (partition by location_id order by day)
                - cast(is_open as integer) as open_before
        from (
            select
                location_id, day, dayofweek(day) between 1 and 5 and holiday_date is null as is_open
            from hidden.location
            cross join (
                select unnest(generate_series(
                    cast(min(period_start) as timestamp), cast({seen.day} as timestamp),
                    interval 1 day
                )) as day
                from truth.period
            ) as listed
            left join hidden.holiday
                on holiday.calendar_id = location.calendar_id and holiday_date = cast(day as date)
        );

        create table truth.capacity as
        with
            month as (
                select period_start, period_end from truth.period where period_grain = 'month'
            ),
            held as (
                select
                    place.*, period_start as month_start,
                    greatest(place.from_date, period_start) as since,
                    least(place.to_date, period_end) as until
                from truth.place inner join month
                    on place.from_date < period_end and place.to_date > period_start
            ),
            away as (
                select
                    held.person_id, held.department_id, held.from_date, held.month_start,
                    sum(ends.open_before - begins.open_before) as days
                from held
                inner join hidden.absence
                    on absence.person_id = held.person_id
                    and absence.from_date < held.until and absence.to_date > held.since
                inner join truth.site_day as begins
                    on begins.location_id = held.location_id
                    and begins.work_date = greatest(absence.from_date, held.since)
                inner join truth.site_day as ends
                    on ends.location_id = held.location_id
                    and ends.work_date = least(absence.to_date, held.until)
                group by all
            )
        select
            held.person_id, held.department_id, held.top_department_id, held.month_start,
            sum(
                (ends.open_before - begins.open_before - coalesce(away.days, 0))
                * held.fte * held.share * {SECONDS_A_DAY}
            ) as capacity
        from held
        inner join truth.site_day as begins
            on begins.location_id = held.location_id and begins.work_date = held.since
        inner join truth.site_day as ends
            on ends.location_id = held.location_id and ends.work_date = held.until
        left join away
            on away.person_id = held.person_id and away.department_id = held.department_id
            and away.from_date = held.from_date and away.month_start = held.month_start
        where held.kind <> 'mailbox'
        group by all;
    """)


def _resources(seen: Seen) -> None:
    """Make truth.resource: seconds by person, team and month.

    Capacity only of person-months that show any effort.
    """
    seen.run("""
        create table truth.resource as
        with
            effort as (
                select
                    effort.person_id, effort.department_id, effort.top_department_id,
                    effort.month_start, sum(seconds) as effort,
                    sum(case when effort.initiative_issue_id is null then 0 else seconds end)
                        as classified,
                    sum(aligned_seconds) as aligned, sum(visionary_seconds) as visionary,
                    sum(
                        case when owner_department_id <> effort.department_id then seconds
                            else 0 end
                    ) as shared
                from truth.effort_person_month as effort
                left join hidden.initiative on initiative.issue_id = effort.initiative_issue_id
                group by all
            ),
            active as (select distinct person_id, month_start from effort where effort > 0),
            capacity as (from truth.capacity semi join active using (person_id, month_start))
        select
            person_id, department_id, top_department_id, month_start,
            coalesce(sum(effort), 0) as effort, coalesce(sum(classified), 0) as classified,
            coalesce(sum(effort), 0) - coalesce(sum(classified), 0) as unclassified,
            coalesce(sum(aligned), 0) as aligned, coalesce(sum(visionary), 0) as visionary,
            coalesce(sum(shared), 0) as shared, coalesce(sum(capacity), 0) as capacity
        from (from effort union all by name from capacity)
        group by all
        having month_start in (
            select period_start from truth.period where period_grain = 'month'
        );
    """)


def _queue(seen: Seen) -> None:
    """Mean age, at the end of the period, of what waits to be worked on.

    That is approved or waiting, since it last began to be.
    """
    seen.run(f"""
        insert into truth.metric by name
        with queue as (
            select
                phase_span.from_at, phase_span.to_at,
                unnest(['ALL', coalesce(place.top_department_id, 'Unknown')]) as department_id
            from truth.phase_span
            inner join truth.issue on issue.issue_id = phase_span.issue_id
            left join hidden.project on project.project_key = issue.project_key
            left join truth.department as place
                on place.department_id = project.department_id
                and place.valid_from <= truth.company_day(phase_span.from_at)
                and place.valid_to > truth.company_day(phase_span.from_at)
            where phase in ('approved', 'waiting') and is_leaf and not is_deleted
        ),
        ends as (
            select *, timezone('UTC', timezone('Europe/Berlin', cast(period_end as timestamp)))
                as ends_at
            from truth.period
        )
        select
            '{_METRIC}.queue_age_days' as metric_id, department_id, 'ALL' as objective_id,
            period_grain, period_start, sum(epoch(ends_at - from_at)) / 86400 as numerator,
            count(*) as denominator, numerator / denominator as realised_value,
            count(*) as n, 0 as undetermined_n, 'nothing planted' as parameter_note
        from ends inner join queue
            on from_at < ends_at and (to_at is null or to_at >= ends_at)
        where period_grain = 'trailing_12m' or department_id = 'ALL'
        group by department_id, period_grain, period_start
    """)


def _months(seen: Seen) -> None:
    """truth.resource_month: the facts by top-level department and month, in hours and days."""
    seen.run(f"""
        create table truth.resource_month as
        select
            coalesce(top_department_id, 'ALL') as department_id, month_start,
            sum(capacity) / 3600 as capacity_hours, sum(effort) / 3600 as worked_hours,
            worked_hours / nullif(capacity_hours, 0) as utilisation,
            case when utilisation < 1 then utilisation / (1 - utilisation) end as delay_proxy,
            sum(aligned) / {SECONDS_A_DAY} as aligned_days,
            sum(classified) / {SECONDS_A_DAY} as classified_days,
            sum(unclassified) / {SECONDS_A_DAY} as unclassified_days,
            aligned_days / nullif(classified_days, 0) as mission_aligned_share,
            sum(shared) / nullif(sum(effort), 0) as sharing_share,
            sum(visionary) / nullif(sum(aligned), 0) as visionary_share
        from truth.resource
        group by grouping sets ((top_department_id, month_start), (month_start))
        order by department_id, month_start
    """)
