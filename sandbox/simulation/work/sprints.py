"""Sprints of software projects, and the issues that move along through them.

What belongs here: planning issues into sprints, and hidden.sprint. What does not: when work on an
issue begins and ends (`paths`).
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import HORIZON
from sandbox.simulation.draws import keep
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.histories import Firsts
from sandbox.simulation.work.issues import TYPE, Book
from sandbox.simulation.work.notebook import Ints, Moments
from sandbox.simulation.work.paths import after
from sandbox.simulation.work.words import FIELD, WORKFLOW

_MINUTE = np.timedelta64(60, "s")
SPRINT_DAYS = 14
_FIRST_SPRINT = np.datetime64("2024-07-01T07:00:00")
SPRINTS = (np.datetime64(HORIZON) - np.datetime64("2024-07-01")).astype(int) // SPRINT_DAYS
MOST_SPRINTS = 6


def sprint_of(when: Moments) -> Ints:
    """The number of the sprint that a moment falls into."""
    days = (when - _FIRST_SPRINT).astype(np.int64) // 86_400
    return np.clip(days // SPRINT_DAYS, 0, SPRINTS - 1)


def sprint_starts(number: Ints) -> Moments:
    """When sprints begin."""
    return np.asarray(_FIRST_SPRINT + (number * SPRINT_DAYS).astype("timedelta64[D]"))


def plan(book: Book) -> None:
    """Work of software projects is planned into the sprint in which it is taken.

    It moves along while it is not done.
    """
    issues, events = book.issues, book.events
    firsts = Firsts.of(issues, events)
    found = events.all()
    moved = np.zeros(issues.count, dtype=np.bool_)
    moved[found["issue"][found["field"] == FIELD["project"]]] = True
    planned = (issues["workflow"] == WORKFLOW["software"]) & ~np.isnat(firsts.taken) & ~moved
    rows = np.flatnonzero(planned & (issues["type"] != TYPE["Sub-task"]))
    software = np.flatnonzero(book.cast.workflow == WORKFLOW["software"])
    place = np.searchsorted(software, issues["team"][rows])
    first = sprint_of(firsts.taken[rows])
    last = sprint_of(np.where(np.isnat(firsts.ended[rows]), firsts.taken[rows], firsts.ended[rows]))
    times = np.clip(last - first, 0, MOST_SPRINTS) + 1
    of = np.arange(len(rows)).repeat(times)
    step = np.arange(len(of)) - np.repeat(np.cumsum(times) - times, times)
    number = np.minimum(first[of] + step, SPRINTS - 1)
    begins = sprint_starts(number) + (20 + place[of] % 40) * _MINUTE
    at = np.where(step == 0, firsts.taken[rows][of], begins)
    value = 1 + number * len(software) + place[of]
    events.note("sprint", rows[of], at, issues["creator"][rows][of], value)


def write(connection: duckdb.DuckDBPyConnection, cast: Cast) -> None:
    """Fill hidden.sprint: two weeks each, one board a software project."""
    software = np.flatnonzero(cast.workflow == WORKFLOW["software"])
    count = len(software)
    number = np.arange(SPRINTS).repeat(count)
    place = np.tile(np.arange(count), SPRINTS)
    starts = sprint_starts(number)
    ends = after(starts, float(SPRINT_DAYS)) - np.timedelta64(1, "h")
    keep(
        connection,
        "sprint",
        {
            "sprint_id": 1 + number * count + place,
            "board_id": 1 + place,
            "project": software[place],
            "number": number + 1,
            "started_at": starts,
            "ends_at": ends,
            "completed_at": ends + (1 + place % 50).astype("timedelta64[m]"),
        },
        """
        select
            sprint_id, board_id, word_project.text as project_key,
            word_project.text || ' Sprint ' || number as name, started_at, ends_at, completed_at
        from given
        inner join word_project on word_project.code = given.project
        order by sprint_id
        """,
    )
