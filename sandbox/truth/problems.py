"""How long problems take: incidents and tickets, in one department or in several.

What belongs here: truth.problem_solving. What does not: the arithmetic of survival (`survival`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sandbox.truth.seen import Seen
from sandbox.truth.survival import kaplan_meier


def build(seen: Seen) -> None:
    """Make truth.problem_solving: Kaplan-Meier median days to the end.

    By kind (incident, ticket), whether several departments worked on it, and trailing window of
    the beginning. A ticket is several departments' where its incident is.
    """
    _problems(seen)
    seen.run("""
        create table truth.problem_frame as
        select
            *, row_number() over (order by kind, is_shared, period_start) - 1 as cell
        from (values ('incident'), ('ticket')) as kinds(kind)
        cross join (values (false), (true)) as arms(is_shared)
        cross join truth.period
        where period_grain = 'trailing_12m'
    """)
    found = seen.connection.sql("""
        select cell, days, is_event
        from truth.problem_frame as frame inner join truth.problem
            on problem.kind = frame.kind and problem.is_shared = frame.is_shared
            and begun_on >= period_start and begun_on < period_end
        order by cell, days, is_event
    """).fetchnumpy()
    row = seen.connection.sql("select count(*) from truth.problem_frame").fetchone()
    assert row
    starts = np.searchsorted(np.asarray(found["cell"]), np.arange(int(row[0]) + 1))
    days = np.asarray(found["days"], dtype=np.float64)
    is_event = np.asarray(found["is_event"], dtype=np.bool_)
    cells = [slice(*edge) for edge in pairwise(starts.tolist())]
    seen.connection.register(
        "scored",
        {
            "cell": np.arange(len(cells)),
            "median": np.array([kaplan_meier(days[c], is_event[c]).median for c in cells]),
            "events_n": np.array([is_event[c].sum() for c in cells], dtype=np.int64),
            "n": np.diff(starts),
        },
    )
    seen.run("""
        create table truth.problem_solving as
        select
            kind, is_shared, period_start, if(isnan(median), null, median) as realised_value,
            events_n, n
        from scored inner join truth.problem_frame using (cell)
        order by kind, is_shared, period_start
    """)
    seen.connection.unregister("scored")


def _problems(seen: Seen) -> None:
    seen.run(f"""
        create table truth.problem as
        with
            worked as (
                select issue_id, count(distinct department_id) > 1 as is_shared
                from hidden.effort
                inner join (
                    select issue_id from truth.issue where issue_type = 'Incident'
                ) as incident using (issue_id)
                inner join truth.place using (person_id)
                where work_date < {seen.day} and from_date <= work_date and to_date > work_date
                group by issue_id
            ),
            incident as (
                select
                    issue.issue_id, issue.created_at as begun_at,
                    case
                        when bool_or(phase in ('done', 'released', 'cancelled') and to_at is null)
                        then max(to_at) filter (
                            where phase in ('idea', 'approved', 'waiting', 'in_progress')
                        )
                    end as ended_at
                from truth.issue inner join truth.phase_span using (issue_id)
                where issue_type = 'Incident' and not is_deleted
                group by issue.issue_id, issue.created_at
            ),
            problem as (
                select 'incident' as kind, issue_id, begun_at, ended_at from incident
                union all
                select
                    'ticket', issue_id, opened_at,
                    case when closed_at < {seen.instant} then closed_at end
                from hidden.ticket
                where opened_at < {seen.instant}
                    and (archived_at is null or archived_at >= {seen.instant})
            )
        select
            kind, coalesce(is_shared, false) as is_shared,
            truth.company_day(begun_at) as begun_on, ended_at is not null as is_event,
            epoch(coalesce(ended_at, {seen.instant}) - begun_at) / 86400 as days
        from problem left join worked using (issue_id)
    """)
