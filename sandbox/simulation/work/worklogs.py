"""What people book of their effort, as the profile lets them.

What belongs here: hidden.worklog. What does not: the effort itself (`effort`).
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import HORIZON, START
from sandbox.simulation.draws import Columns
from sandbox.simulation.work.numbering import FIRST_WORKLOG
from sandbox.simulation.worktime import WorkTime
from sandbox.spec import Spec

QUARTER = 900
LATE = 0.12
"""Days that are booked some days later."""
WRONG = 0.01
"""Worklogs that are deleted and booked anew."""
PEOPLE = 10_000
"""People looked at together: bounds the memory."""


def book(connection: duckdb.DuckDBPyConnection, spec: Spec, work_time: WorkTime) -> None:
    """All effort to the second in profile clean, else what teams that log do log."""
    source = _ALL if spec.profile.logged_days >= 1 else _SOME
    connection.execute("""
        create or replace temp table booked (
            issue_id bigint, person_id integer, started_at timestamp, logged_at timestamp,
            seconds integer, deleted_at timestamp
        )
    """)
    ids = work_time.person_ids
    for low in range(0, len(ids), PEOPLE):
        sql = source.format(
            logged=spec.profile.logged_days,
            seed=spec.seed,
            low=ids[low],
            high=ids[min(low + PEOPLE, len(ids)) - 1] + 1,
        )
        connection.register("some_booked", dict(_booked(connection, sql, work_time)))
        connection.execute("insert into booked by name from some_booked")
        connection.unregister("some_booked")
    connection.execute(f"""
        insert into hidden.worklog by name
        select
            {FIRST_WORKLOG} - 1 + row_number() over (
                order by logged_at, person_id, issue_id, started_at, seconds
            ) as worklog_id,
            booked.*
        from booked
        order by worklog_id
    """)
    connection.execute("drop table booked")


def _booked(connection: duckdb.DuckDBPyConnection, sql: str, work_time: WorkTime) -> Columns:
    """Worklogs of some people, one after the other from the opening of their office on."""
    found = {
        name: np.asarray(column).astype(np.int64)
        for name, column in connection.sql(sql).fetchnumpy().items()
    }
    opens, _ = work_time.office(work_time.index_of(found["person_id"]), found["day"])
    started = opens + found["before"].astype("timedelta64[s]")
    logged = started + found["seconds"].astype("timedelta64[s]")
    logged = logged + found["days_late"].astype("timedelta64[D]")
    undone = found["undone"] == 1
    return {
        "issue_id": found["issue_id"],
        "person_id": found["person_id"],
        "started_at": started,
        "logged_at": logged,
        "seconds": found["seconds"],
        "deleted_at": np.where(undone, logged + np.timedelta64(19, "h"), np.datetime64("NaT", "s")),
    }


_ALL = f"""
    select
        person_id, issue_id, work_date - date '{START}' as day, seconds,
        coalesce(sum(seconds) over (
            partition by person_id, work_date order by issue_id
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint as before,
        0 as days_late, 0 as undone
    from hidden.effort
    where person_id >= {{low}} and person_id < {{high}}
    order by person_id, work_date, issue_id
"""

_SOME = f"""
    with
        booked as (
            select
                effort.issue_id, effort.work_date, effort.seconds, effort.person_id as doer_id,
                -- Whoever has no account asks the one who wrote the issue, or books nothing.
                case
                    when exists (
                        select 1
                        from hidden.account
                        where account.system = 'jira' and account.person_id = effort.person_id
                    )
                    then effort.person_id
                    when effort.issue_id % 2 = 0 then issue.creator_id
                end as person_id,
                hash({{seed}}, effort.person_id, effort.work_date) % 10000 / 10000.0 as luck,
                hash({{seed}}, effort.work_date, effort.person_id) % 10000 / 10000.0 as share
            from hidden.effort
            inner join hidden.issue on issue.issue_id = effort.issue_id
            where effort.person_id >= {{low}} and effort.person_id < {{high}}
            and exists (
                select 1
                from hidden.post
                inner join hidden.department
                    on department.department_id = post.department_id and department.logs_work
                where post.person_id = effort.person_id and post.from_date <= effort.work_date
                    and coalesce(post.to_date, date '{HORIZON}') > effort.work_date
            )
        ),
        rounded as (
            select *, (seconds * (0.74 + 0.24 * share) / {QUARTER})::integer * {QUARTER} as told
            from booked
            where luck < {{logged}} and person_id is not null
        ),
        placed as (
            select
                person_id, issue_id, work_date - date '{START}' as day, told as seconds,
                coalesce(sum(told) over (
                    partition by doer_id, work_date order by issue_id
                    rows between unbounded preceding and 1 preceding
                ), 0)::bigint as before,
                case when share < {LATE} then 1 + (luck * 97)::integer % 6 else 0 end as days_late,
                hash({{seed}}, issue_id, work_date) % 10000 / 10000.0 < {WRONG} as is_wrong
            from rounded
            where told > 0
        )
    -- What was booked wrongly is deleted, and booked again the day after.
    select
        person_id, issue_id, day, seconds + {QUARTER} as seconds, before, days_late, 1 as undone
    from placed
    where is_wrong
    union all
    select
        person_id, issue_id, day, seconds, before, days_late + is_wrong::integer as days_late,
        0 as undone
    from placed
    order by person_id, day, issue_id, undone, days_late, seconds
"""
