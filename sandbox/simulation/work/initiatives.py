"""Initiatives as issues, with everything that hangs below them.

What belongs here: laying tasks into an initiative so that its outcome, drawn before
(`timelines`), holds by construction. What does not: how a task goes (`paths`), and what is
recorded of the initiative itself (`milestones`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.simulation.work.issues import (
    TYPE,
    Book,
    Wanted,
    days_between,
    do,
    kinds,
    lognormal_mean,
    split,
)
from sandbox.simulation.work.notebook import NEVER, Ints, Moments
from sandbox.simulation.work.paths import after, lasting
from sandbox.simulation.work.timelines import (
    DELIVERED,
    NOT_REOPENED,
    STUCK,
    Timelines,
    day_of,
)
from sandbox.simulation.work.words import DONE, NOTHING, PHASE, WORD, WORKFLOW

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SIZES = np.array([2, 7, 13, 21])
SIZE_SHARES = (0.16, 0.37, 0.33, 0.14)
FEWEST_ACROSS = 6
"""Departments can only share what consists of several tasks."""
SPREAD = 0.45
SHRINK = 0.85
"""Tasks of an initiative across departments are a little smaller."""
_MINUTE = np.timedelta64(60, "s")


@dataclass
class _Layout:
    """One entry per child: whose it is, and its place among its siblings."""

    of: Ints
    number: Ints
    count: Ints
    dropped: Ints
    """How many siblings are closed unworked; they are the first ones."""
    grown: Ints
    """How many siblings came after the start; they are the last ones."""
    small: Flags


def create(book: Book, times: Timelines) -> Ints:
    """The issues of the initiatives themselves, as they were first written down."""
    count = len(times.team)
    starts_approved = times.approved == times.created
    rows = book.issues.add(
        count,
        team=times.team,
        workflow=WORKFLOW["initiative"],
        type=TYPE["Initiative"],
        verb=np.where(
            times.product >= 0, 100 + times.product, book.cast.rng.integers(0, 10, count)
        ),
        thing=book.cast.rng.integers(0, 6, count),
        creator=times.lead,
        assignee=times.lead,
        status=np.where(starts_approved, WORD["Approved"], WORD["Idea"]),
        phase=np.where(starts_approved, PHASE["approved"], PHASE["idea"]),
        priority=WORD["Medium"],
        created=times.created,
        cut=times.cancelled,
        expected=np.where(times.has_children, 0.0, days_between(times.started, times.done) / 1.45),
    )
    book.issues["initiative"][rows] = rows
    return rows


def children(book: Book, times: Timelines, rows: Ints, due_limit: Moments) -> None:
    """The tasks of all initiatives.

    `due_limit`: the scope of a late one is done before it (NaT: before the initiative is).
    """
    layout = _layout(book, times)
    of, rng = layout.of, book.cast.rng
    count = len(of)
    grows = layout.number >= layout.count - layout.grown
    is_dropped = layout.number < layout.dropped
    days = _days(book, times, layout)
    end = times.done[of] - 60 * _MINUTE
    latest = np.where(np.isnat(due_limit[of]) | grows, end, np.minimum(end, due_limit[of]))
    begins = _begins(rng, times, layout, days, latest)
    created = _created(book, times, layout, grows, begins)
    begins = np.maximum(begins, created + 30 * _MINUTE)
    latest = np.maximum(latest, begins + 60 * _MINUTE)
    duplicate = times.scope_met[of] & (rng.random(count) < 0.3)
    unworked = np.where(duplicate, WORD["Duplicate"], WORD["Won't Do"])
    median = np.where(layout.small, 3.0, 8.0) * np.where(times.cross[of], SHRINK, 1.0)
    wanted = Wanted(
        project_team=times.team[of],
        team=_departments(book, times, layout),
        parent=rows[of],
        initiative=rows[of],
        kind=kinds(rng, count),
        lead=times.lead[of],
        created=created,
        begins=begins,
        days=days,
        latest=latest,
        cut=times.cancelled[of],
        is_dropped=is_dropped,
        resolution=np.where(is_dropped, unworked, WORD["Done"]),
        expected=lognormal_mean(median, SPREAD) * 0.93,
    )
    new, outcome = do(book, wanted)
    split(book, wanted, new, outcome)


def _layout(book: Book, times: Timelines) -> _Layout:
    """How many tasks there are, how many grow, and how many are dropped.

    As many are dropped as it takes to keep or to miss the scope, as drawn.
    """
    rng = book.cast.rng
    some = np.flatnonzero(times.has_children & (times.fate <= STUCK))
    size = rng.choice(4, len(some), p=SIZE_SHARES)
    count = SIZES[size] + rng.integers(0, 4, len(some))
    count = np.where(times.cross[some], np.maximum(count, FEWEST_ACROSS), count)
    grown = (count * rng.uniform(0.0, 0.3, len(some))).astype(np.int64)
    original = count - grown
    kept = np.minimum(np.round(original * rng.uniform(0.0, 0.1, len(some))), original // 5)
    missed = np.maximum(original // 5 + 1, np.round(original * rng.uniform(0.28, 0.45, len(some))))
    dropped = np.where(times.scope_met[some], kept, np.minimum(missed, original)).astype(np.int64)
    number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return _Layout(
        of=some.repeat(count),
        number=number,
        count=count.repeat(count),
        dropped=dropped.repeat(count),
        grown=grown.repeat(count),
        small=(size == 0).repeat(count),
    )


def _days(book: Book, times: Timelines, layout: _Layout) -> Floats:
    """Days at work a task; tasks that two departments do side by side are about equal."""
    rng, count = book.cast.rng, len(layout.of)
    median = np.where(layout.small, 3.0, 8.0) * np.where(times.cross[layout.of], SHRINK, 1.0)
    luck = rng.normal(0, SPREAD, count)
    place = layout.number - layout.dropped
    second = np.flatnonzero(times.cross[layout.of] & (place > 0) & (place % 2 == 1))
    luck[second] = luck[second - 1] + rng.normal(0, 0.1, len(second))
    return np.asarray(np.clip(median * np.exp(luck), 0.4, 25.0))


def _begins(
    rng: np.random.Generator, times: Timelines, layout: _Layout, days: Floats, latest: Moments
) -> Moments:
    """One after the other over the length.

    Across departments two and two, so that both take part whenever it ends.
    """
    of = layout.of
    started = times.started[of]
    worked = np.maximum(layout.count - layout.dropped, 1)
    place = np.maximum(layout.number - layout.dropped, 0)
    place = np.where(times.cross[of], place // 2 * 2, place)
    length = days_between(started, latest)
    room = np.maximum(length - np.minimum(days * 1.6, length * 0.6), 0.02)
    share = np.minimum((place + rng.random(len(of))) / worked, 0.97)
    return np.minimum(after(started, room * share), latest - 120 * _MINUTE)


def _created(
    book: Book, times: Timelines, layout: _Layout, grows: Flags, begins: Moments
) -> Moments:
    """The scope is written down between approval and start, the rest while work is going on."""
    rng, of, count = book.cast.rng, layout.of, len(layout.of)
    approved, started = times.approved[of], times.started[of]
    at_once = approved + (4 + layout.number * 3) * _MINUTE
    last_minute = started - (rng.integers(10, 120, count)) * _MINUTE
    planned = np.where(rng.random(count) < 0.6, at_once, np.maximum(last_minute, at_once))
    planned = np.minimum(planned, started - (1 + rng.integers(0, 5, count)) * _MINUTE)
    length = days_between(started, begins)
    growing = book.cast.work_time.next_moment(
        times.lead[of], after(started, np.maximum(length, 0) * rng.random(count))
    )
    growing = np.minimum(growing, begins - 30 * _MINUTE)
    growing = np.maximum(np.where(np.isnat(growing), started, growing), started + 2 * _MINUTE)
    return np.where(grows, growing, planned)


def _departments(book: Book, times: Timelines, layout: _Layout) -> Ints:
    """Who does the tasks: the owner, and one or two others in turn where it is planned so."""
    cast, rng, of = book.cast, book.cast.rng, layout.of
    total = len(times.team)
    day = np.maximum(day_of(times.started), 0)
    partner = cast.draw_partner(times.team, day)
    third = cast.draw_partner(times.team, day)
    has_third = rng.random(total) < 0.4
    has_stranger = rng.random(total) < 0.4
    place = layout.number - layout.dropped
    shared = times.cross[of] & (place % 2 == 1)
    to_third = times.cross[of] & (layout.count >= 8) & has_third[of] & (place % 7 == 3)
    stranger = ~times.cross[of] & (layout.count >= 14) & has_stranger[of] & (place == 5)
    team = np.where(shared | stranger, partner[of], times.team[of])
    return np.where(to_third, third[of], team)


def close_below(book: Book, times: Timelines, rows: Ints) -> None:
    """When an initiative is given up, most of what is open below it is closed.

    To be called when what was planned after that is forgotten.
    """
    issues, rng = book.issues, book.cast.rng
    found = book.events.all()
    status = np.flatnonzero(found["phase"] != NOTHING)
    status = status[np.argsort(found["at"][status], kind="stable")]
    phase = issues["phase"].copy()
    phase[found["issue"][status]] = found["phase"][status]
    number_of = np.full(issues.count, NOTHING)
    number_of[rows] = np.arange(len(rows))
    below = ~np.isnat(issues["cut"]) & (issues["initiative"] >= 0)
    below &= (issues["type"] != TYPE["Initiative"]) & (phase != PHASE["done"])
    closed = np.flatnonzero(below)
    closed = closed[rng.random(len(closed)) < 0.85]
    when = issues["cut"][closed] + (1 + rng.integers(0, 50, len(closed))) * _MINUTE
    lead = times.lead[number_of[issues["initiative"][closed]]]
    status_code = DONE[issues["workflow"][closed]]
    book.events.note("status", closed, when, lead, status_code, PHASE["done"])
    book.events.note("resolution", closed, when, lead, WORD["Won't Do"])


def mend(book: Book, times: Timelines, rows: Ints) -> None:
    """A bug below every initiative that was taken back, mended before it is done again."""
    again = np.flatnonzero((times.reopened != NOT_REOPENED) & (times.fate == DELIVERED))
    again = again[~np.isnat(times.reopened_at[again]) & ~np.isnat(times.done_again[again])]
    count = len(again)
    latest = times.done_again[again] - 20 * _MINUTE
    created = times.reopened_at[again] + 9 * _MINUTE
    wanted = Wanted(
        project_team=times.team[again],
        team=times.team[again],
        parent=rows[again],
        initiative=rows[again],
        kind=np.full(count, TYPE["Bug"]),
        lead=times.lead[again],
        created=created,
        begins=created + 30 * _MINUTE,
        days=lasting(book.cast.rng, 2.0, 0.4, count),
        latest=latest,
        cut=np.full(count, NEVER),
        is_dropped=np.zeros(count, dtype=np.bool_),
        resolution=np.full(count, WORD["Fixed"]),
        expected=np.full(count, 2.0),
    )
    do(book, wanted)
