"""On which days everybody is at work, and at which site: matrices of a row a person.

What belongs here: reading posts, absences and holidays into matrices. What does not: questions
put to them (`worktime`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import HORIZON, OPENS, START, offset

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

DAYS = offset(HORIZON)
"""Simulated days, START to HORIZON."""
_CHUNK = 4_096
"""People at a time while the matrices are built: bounds the memory of the steps between."""


@dataclass(frozen=True)
class Matrices:
    """Two bytes a person and day, twice, and one: 0.7 GB at 130,000 people."""

    person_ids: Ints
    """Ascending; the person of each row."""
    place: npt.NDArray[np.int8]
    """person x day: row of the location."""
    before: npt.NDArray[np.int16]
    """person x (day + 1): days at work before that day."""
    nth: npt.NDArray[np.int16]
    """person x n: day of the n-th day at work; filled up beyond the last one."""
    midnights: Ints
    """location x (day + 1): UTC second at which the day begins there."""
    opens: Ints
    """location x day: UTC second at which the office opens."""


def matrices(connection: duckdb.DuckDBPyConnection) -> Matrices:
    """The days at work of everybody in hidden.person."""
    zones = connection.sql(
        "select timezone, calendar_id from hidden.location order by location_id"
    ).fetchall()
    midnights = np.array([_instants(ZoneInfo(zone), time(), DAYS + 1) for zone, _ in zones])
    opens = np.array([_instants(ZoneInfo(zone), OPENS, DAYS) for zone, _ in zones])
    is_open = np.array([_open_days(connection, calendar) for _, calendar in zones])
    ids = connection.sql("select person_id from hidden.person order by person_id").fetchnumpy()[
        "person_id"
    ]
    posts, absences = _posts(connection), _absences(connection)
    count = len(ids)
    place = np.zeros((count, DAYS), dtype=np.int8)
    before = np.zeros((count, DAYS + 1), dtype=np.int16)
    # Nobody works more days than there are on which any site is open.
    most = int(is_open.any(axis=0).sum())
    nth = np.full((count, most), DAYS - 1, dtype=np.int16)
    days = np.arange(DAYS, dtype=np.int16)
    for low in range(0, count, _CHUNK):
        rows = slice(low, min(low + _CHUNK, count))
        place[rows] = _places(posts, rows)
        works = _employed(posts, rows)
        works &= ~_absent(absences, rows)
        works &= _open(is_open, place[rows])
        np.cumsum(works, axis=1, dtype=np.int16, out=before[rows, 1:])
        # Both masks are read row by row: the n-th True of a person is its n-th day.
        filled = np.arange(most) < before[rows, -1:]
        nth[rows][filled] = np.broadcast_to(days, works.shape)[works]
    return Matrices(np.asarray(ids), place, before, nth, midnights, opens)


def _open(is_open: Flags, place: npt.NDArray[np.int8]) -> Flags:
    """Whether each person's site is open, by day; most people have one site all the time."""
    result = is_open[place[:, 0]]
    moved = np.flatnonzero((place != place[:, :1]).any(axis=1))
    result[moved] = is_open[place[moved], np.arange(DAYS)]
    return np.asarray(result)


class _Spans:
    """Intervals [first, last) of day offsets by person row, ordered by row."""

    def __init__(self, columns: dict[str, npt.NDArray[np.int64]]) -> None:
        self.row = columns["row"]
        self.first = np.clip(columns["first"], 0, DAYS)
        self.last = np.clip(columns["last"], 0, DAYS)
        self.place = columns.get("place", self.row)

    def within(self, rows: slice) -> slice:
        """The intervals of a run of rows."""
        low, high = np.searchsorted(self.row, [rows.start, rows.stop])
        return slice(int(low), int(high))

    def by_turns(self, rows: slice) -> Iterator[tuple[Ints, Ints]]:
        """Everybody's first interval, then everybody's second ...: (row in the run, interval)."""
        held = self.within(rows)
        interval = np.arange(held.start, held.stop)
        row = self.row[held]
        turn = interval - held.start - np.searchsorted(row, row)
        for number in range(int(turn.max(initial=-1)) + 1):
            now = turn == number
            yield row[now] - rows.start, interval[now]


_ROWS = "select person_id, row_number() over (order by person_id) - 1 as row from hidden.person"


def _posts(connection: duckdb.DuckDBPyConnection) -> _Spans:
    """By person and first day, of those begun together the main one last."""
    return _Spans(
        connection.sql(f"""
            select
                people.row, post.from_date - date '{START}' as first,
                coalesce(post.to_date, date '{HORIZON}') - date '{START}' as last,
                places.place
            from hidden.post
            inner join ({_ROWS}) as people on people.person_id = post.person_id
            inner join (
                select location_id, row_number() over (order by location_id) - 1 as place
                from hidden.location
            ) as places on places.location_id = post.location_id
            order by people.row, post.from_date, post.share, post.department_id
        """).fetchnumpy()
    )


def _absences(connection: duckdb.DuckDBPyConnection) -> _Spans:
    return _Spans(
        connection.sql(f"""
            select
                people.row, absence.from_date - date '{START}' as first,
                absence.to_date - date '{START}' as last
            from hidden.absence
            inner join ({_ROWS}) as people on people.person_id = absence.person_id
            order by people.row, absence.from_date
        """).fetchnumpy()
    )


def _places(posts: _Spans, rows: slice) -> npt.NDArray[np.int8]:
    """Location by person and day: of the post begun last, before the first one: of that one."""
    days = np.arange(DAYS, dtype=np.int16)
    result = np.zeros((rows.stop - rows.start, DAYS), dtype=np.int8)
    for number, (row, held) in enumerate(posts.by_turns(rows)):
        place = posts.place[held].astype(np.int8)[:, None]
        begun = days >= posts.first[held].astype(np.int16)[:, None]
        result[row] = np.where(begun, place, result[row]) if number else place
    return result


def _employed(posts: _Spans, rows: slice) -> Flags:
    """Whether the person has any post on the day."""
    days = np.arange(DAYS, dtype=np.int16)
    result = np.zeros((rows.stop - rows.start, DAYS), dtype=np.bool_)
    for row, held in posts.by_turns(rows):
        first, last = (
            column[held].astype(np.int16)[:, None] for column in (posts.first, posts.last)
        )
        result[row] |= (days >= first) & (days < last)
    return result


def _absent(absences: _Spans, rows: slice) -> Flags:
    """Whether any of many intervals of the person covers the day."""
    held = absences.within(rows)
    row = absences.row[held] - rows.start
    depth = np.zeros((rows.stop - rows.start, DAYS + 1), dtype=np.int8)
    np.add.at(depth, (row, absences.first[held]), 1)
    np.add.at(depth, (row, absences.last[held]), -1)
    return np.asarray(np.cumsum(depth, axis=1, dtype=np.int8)[:, :DAYS] > 0)


def _instants(zone: ZoneInfo, at: time, days: int) -> list[int]:
    """UTC seconds of a local time on each day from START on."""
    return [int(datetime.combine(START + timedelta(n), at, zone).timestamp()) for n in range(days)]


def _open_days(connection: duckdb.DuckDBPyConnection, calendar: str) -> Flags:
    found = connection.sql(
        f"select holiday_date from hidden.holiday where calendar_id = '{calendar}'"
    ).fetchall()
    holidays = {day for (day,) in found}
    days = [START + timedelta(n) for n in range(DAYS)]
    return np.array([day.weekday() < 5 and day not in holidays for day in days])
