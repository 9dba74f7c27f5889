"""Who gave how much of which day to which issue.

What belongs here: true effort by the rule of hidden.effort. What does not: what people were busy
with (the histories), and what they booked of it (`worklogs`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, HORIZON, START
from sandbox.simulation.draws import keep
from sandbox.simulation.worktime import WorkTime
from sandbox.spec import Spec

Ints = npt.NDArray[np.int64]
Moments = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]

DAY_SECONDS = 28_800
CHUNK = 1_500_000
"""Person-days looked at together: bounds the memory."""
BOOKED_UNTIL = (END - START).days
"""Effort after END is nobody's business: no view reaches it."""


@dataclass
class _Doing:
    """Unbroken times in which a person has an issue in progress, by person."""

    person: Ints
    issue_id: Ints
    since: Moments
    until: Moments
    focus: Floats
    first: Ints
    last: Ints


def simulate(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    work_time: WorkTime,
    people: Ints | None = None,
) -> None:
    """Fill hidden.effort, or replace that of some people (by id)."""
    chosen = "hidden.person"
    if people is not None:
        connection.execute("create or replace temp table busy (person_id integer)")
        connection.register("chosen_people", {"person_id": people})
        connection.execute("insert into busy from chosen_people")
        connection.unregister("chosen_people")
        connection.execute("delete from hidden.effort where person_id in (from busy)")
        chosen = "busy"
    doing = _doing(connection, spec, work_time, chosen)
    contracts = _contracts(connection, work_time)
    length = doing.last - doing.first + 1
    edges = np.cumsum(length)
    # Chunks end with a person, so that every day is whole.
    ends_person = np.append(doing.person[1:] != doing.person[:-1], True)
    stops = np.flatnonzero(ends_person) + 1
    low = 0
    for high in _cuts(edges, stops):
        _chunk(connection, work_time, contracts, doing, slice(low, high))
        low = high


def _cuts(edges: Ints, stops: Ints) -> list[int]:
    """Ends of runs of whole people of about CHUNK person-days."""
    cuts: list[int] = []
    done = 0
    for stop, total in zip(stops.tolist(), edges[stops - 1].tolist(), strict=True):
        if total - done >= CHUNK:
            cuts.append(stop)
            done = total
    if len(stops) and (not cuts or cuts[-1] != stops[-1]):
        cuts.append(int(stops[-1]))
    return cuts


def _doing(
    connection: duckdb.DuckDBPyConnection, spec: Spec, work_time: WorkTime, chosen: str
) -> _Doing:
    """Where a leaf is in progress and has an assignee, both at once."""
    found = connection.sql(f"""
        select
            held.person_id, held.issue_id,
            greatest(span.from_at, held.from_at) as since,
            least(
                coalesce(span.to_at, timestamp '{HORIZON}'),
                coalesce(held.to_at, timestamp '{HORIZON}'),
                coalesce(issue.deleted_at, timestamp '{HORIZON}'),
                timestamp '{END}' + interval 1 day
            ) as until
        from hidden.phase_span as span
        inner join hidden.issue on issue.issue_id = span.issue_id and issue.is_leaf
        inner join hidden.assignee_span as held
            on held.issue_id = span.issue_id
            and held.from_at < coalesce(span.to_at, timestamp '{HORIZON}')
            and coalesce(held.to_at, timestamp '{HORIZON}') > span.from_at
        semi join {chosen} as chosen on chosen.person_id = held.person_id
        where span.phase = 'in_progress' and since < until
        order by held.person_id, held.issue_id, since
    """).fetchnumpy()
    person = work_time.index_of(np.asarray(found["person_id"]).astype(np.int64))
    since = np.asarray(found["since"]).astype("datetime64[s]")
    until = np.asarray(found["until"]).astype("datetime64[s]")
    return _Doing(
        person,
        np.asarray(found["issue_id"]),
        since,
        until,
        _focus(spec, np.asarray(found["issue_id"]), person),
        np.maximum(work_time.local_day(person, since), 0),
        work_time.local_day(person, np.asarray(until - np.timedelta64(1, "s"))),
    )


def _focus(spec: Spec, issue_id: Ints, person: Ints) -> Floats:
    """How much of its share a person gives to an issue beside others.

    It scatters around 1 and is always the same for the two.
    """
    mixed = issue_id.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= person.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(spec.seed)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(29)
    return np.exp((mixed >> np.uint64(11)).astype(np.float64) / 2.0**53 - 0.5)


@dataclass
class _Contracts:
    """Contracted FTE by person over [first, last), by person and first."""

    person: Ints
    first: Ints
    fte: Floats
    key: Ints

    def on(self, person: Ints, day: Ints) -> Floats:
        """The contracted FTE of each person on the day."""
        row = np.searchsorted(self.key, person * 10_000 + day + 1_000, side="right") - 1
        return self.fte[np.maximum(row, 0)]


def _contracts(connection: duckdb.DuckDBPyConnection, work_time: WorkTime) -> _Contracts:
    """Steps of the FTE: posts of one person at one time say the same, weighted by their share."""
    found = connection.sql(f"""
        select person_id, greatest(from_date - date '{START}', -900) as first,
            sum(fte * share) / sum(share) as fte
        from hidden.post group by person_id, first order by person_id, first
    """).fetchnumpy()
    person = work_time.index_of(np.asarray(found["person_id"]).astype(np.int64))
    first = np.asarray(found["first"]).astype(np.int64)
    return _Contracts(person, first, np.asarray(found["fte"]), person * 10_000 + first + 1_000)


def _chunk(
    connection: duckdb.DuckDBPyConnection,
    work_time: WorkTime,
    contracts: _Contracts,
    doing: _Doing,
    rows: slice,
) -> None:
    """Effort of some people: overlap with the office hours of each day, as shares of it."""
    first, last = doing.first[rows], np.minimum(doing.last[rows], BOOKED_UNTIL - 1)
    length = np.maximum(last - first + 1, 0)
    span = np.arange(len(length)).repeat(length)
    day = first[span] + np.arange(len(span)) - (np.cumsum(length) - length).repeat(length)
    person = doing.person[rows][span]
    works = work_time.is_at_work(person, day)
    span, day, person = span[works], day[works], person[works]
    opens, closes = work_time.office(person, day)
    begins = np.maximum(opens, doing.since[rows][span])
    ends = np.minimum(closes, doing.until[rows][span])
    weight = (ends - begins).astype(np.int64) * doing.focus[rows][span]
    real = weight > 0
    person, day, weight = person[real], day[real], weight[real]
    issue = doing.issue_id[rows][span[real]]
    order = np.lexsort((issue, day, person))
    person, day, issue, weight = person[order], day[order], issue[order], weight[order]
    # One row an issue and day, however often it was stopped and gone on with.
    opens_row = np.ones(len(person), dtype=np.bool_)
    opens_row[1:] = (person[1:] != person[:-1]) | (day[1:] != day[:-1]) | (issue[1:] != issue[:-1])
    starts = np.flatnonzero(opens_row)
    if len(starts) == 0:
        return
    weight = np.add.reduceat(weight, starts)
    person, day, issue = person[starts], day[starts], issue[starts]
    seconds = _split(person, day, weight, contracts)
    given = seconds > 0
    keep(
        connection,
        "effort",
        {
            "person_id": work_time.person_ids[person[given]],
            "issue_id": issue[given],
            "work_date": (np.datetime64(START) + day[given].astype("timedelta64[D]")).astype(
                "datetime64[s]"
            ),
            "seconds": seconds[given],
        },
    )


def _split(person: Ints, day: Ints, weight: Floats, contracts: _Contracts) -> Ints:
    """Whole seconds by weight that sum to the contracted day."""
    opens = np.ones(len(person), dtype=np.bool_)
    opens[1:] = (person[1:] != person[:-1]) | (day[1:] != day[:-1])
    starts = np.flatnonzero(opens)
    group = np.cumsum(opens) - 1
    total = np.rint(DAY_SECONDS * contracts.on(person[starts], day[starts])).astype(np.int64)
    running = np.cumsum(weight)
    before = np.concatenate(([0.0], running[:-1]))
    base = before[starts][group]
    whole = np.add.reduceat(weight, starts)[group]
    # Differences of rounded running sums add up to the whole exactly.
    upper = np.rint((running - base) / whole * total[group]).astype(np.int64)
    is_last = np.append(opens[1:], True)
    upper[is_last] = total
    lower = np.where(opens, 0, np.concatenate(([0], upper[:-1])))
    return np.asarray(np.maximum(upper - lower, 0))
