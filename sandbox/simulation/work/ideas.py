"""Ideas of everybody: some are launched, some rejected, some forgotten.

What belongs here: issues of type Idea with the tasks that carry them out. What does not:
initiatives, which may once have been ideas too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, START
from sandbox.simulation.work.issues import (
    TYPE,
    Book,
    Wanted,
    days_between,
    do,
    kinds,
    lognormal_mean,
)
from sandbox.simulation.work.milestones import LabelCodes, Objectives
from sandbox.simulation.work.notebook import NEVER, Ints, Moments
from sandbox.simulation.work.paths import after, lasting
from sandbox.simulation.work.timelines import near, noon
from sandbox.simulation.work.words import NOTHING, PHASE, WORD, WORKFLOW
from sandbox.spec import Spec

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FATES = ("forgotten", "rejected", "launched", "late")
FORGOTTEN, REJECTED, LAUNCHED, LATE = range(4)
MATURITY_DAYS = 365
_MINUTE = np.timedelta64(60, "s")


@dataclass
class Ideas:
    """One entry per idea; moments are NaT where they never come."""

    rows: Ints
    team: Ints
    cross: Flags
    fate: Ints
    launched_at: Moments
    rejected_at: Moments


def create(book: Book, spec: Spec, objectives: Objectives, codes: LabelCodes) -> Ideas:
    """All ideas, and their tasks."""
    cast, rng, count = book.cast, book.cast.rng, spec.size.ideas
    day = rng.integers(3, (END - START).days - 5, count)
    team = cast.draw_team(np.ones(len(cast.teams)), day)
    lead = cast.lead(team, day)
    author = cast.worker(team, noon(day), lead)
    created = cast.work_time.next_moment(author, noon(day))
    fate = _fates(rng, spec, count)
    first, _ = objectives.draw(rng, spec, day)
    nothing = np.full(count, NOTHING)
    rows = book.issues.add(
        count,
        workflow=WORKFLOW["idea"],
        type=TYPE["Idea"],
        verb=1000 + rng.integers(0, 10, count),
        thing=10 * team + rng.integers(0, 6, count),
        creator=author,
        status=WORD["New"],
        phase=PHASE["idea"],
        priority=WORD["Medium"],
        labels=codes.of(first, nothing, nothing),
        created=created,
    )
    partner = np.where(rng.random(count) < 0.5, cast.draw_partner(team, day), team)
    launched = fate >= LAUNCHED
    times = _times(book, fate, lead, created)
    _statuses(book, rows, fate, lead, times)
    _tasks(book, rows, team, partner, lead, launched, times)
    return Ideas(
        rows,
        team,
        partner != team,
        fate,
        np.where(launched, times["ended"], NEVER),
        np.where(fate == REJECTED, times["ended"], NEVER),
    )


def _fates(rng: np.random.Generator, spec: Spec, count: int) -> Ints:
    """Launched in time and late as planted; the rest is rejected or forgotten alike."""
    chances = np.array([0.5, 0.5, spec.effects.idea_launched, spec.effects.idea_launched_late])
    chances[:2] *= 1 - chances[2:].sum()
    return rng.choice(4, count, p=chances)


def _times(book: Book, fate: Ints, lead: Ints, created: Moments) -> dict[str, Moments]:
    """Reviewed, accepted, begun, ended. A launch is in time within a year, else it is late."""
    cast, rng, count = book.cast, book.cast.rng, len(fate)
    length = np.clip(lasting(rng, 110.0, 0.4, count), 30.0, MATURITY_DAYS - 20.0)
    length = np.where(fate == LATE, MATURITY_DAYS + rng.uniform(20, 120, count), length)
    length = np.where(fate == REJECTED, lasting(rng, 45.0, 0.5, count), length)
    reviewed = after(created, length * rng.uniform(0.06, 0.2, count))
    accepted = after(created, length * rng.uniform(0.3, 0.4, count))
    begun = after(created, length * rng.uniform(0.42, 0.5, count))
    ended = near(cast, lead, after(created, length), after(created, length * 0.9))
    step = created + 30 * _MINUTE
    reviewed = near(cast, lead, reviewed, step)
    accepted = np.maximum(near(cast, lead, accepted, step), reviewed + 30 * _MINUTE)
    begun = np.maximum(near(cast, lead, begun, step), accepted + 30 * _MINUTE)
    return {
        "reviewed": reviewed,
        "accepted": accepted,
        "begun": begun,
        "ended": np.maximum(ended, begun + np.timedelta64(2, "D")),
    }


def _statuses(book: Book, rows: Ints, fate: Ints, lead: Ints, times: dict[str, Moments]) -> None:
    note = book.events.note

    def move(which: Flags, at: str, status: str, phase: str) -> None:
        note("status", rows[which], times[at][which], lead[which], WORD[status], PHASE[phase])

    seen, launched, rejected = fate != FORGOTTEN, fate >= LAUNCHED, fate == REJECTED
    move(seen, "reviewed", "Under Review", "idea")
    note("assignee", rows[seen], times["reviewed"][seen], lead[seen], lead[seen])
    move(launched, "accepted", "Accepted", "approved")
    move(launched, "begun", "In Development", "in_progress")
    move(launched, "ended", "Launched", "released")
    note("resolution", rows[launched], times["ended"][launched], lead[launched], WORD["Done"])
    move(rejected, "ended", "Rejected", "cancelled")
    reason = np.where(book.cast.rng.random(len(rows)) < 0.75, WORD["Won't Do"], WORD["Duplicate"])
    note("resolution", rows[rejected], times["ended"][rejected], lead[rejected], reason[rejected])


def _tasks(
    book: Book,
    rows: Ints,
    team: Ints,
    partner: Ints,
    lead: Ints,
    launched: Flags,
    times: dict[str, Moments],
) -> None:
    """Two to four tasks an idea, in turn by the team and its partner, in their own projects."""
    rng = book.cast.rng
    chosen = np.flatnonzero(launched)
    parts = rng.integers(2, 5, len(chosen))
    of = chosen.repeat(parts)
    count = len(of)
    number = np.arange(count) - np.repeat(np.cumsum(parts) - parts, parts)
    doer = np.where(number % 2 == 0, team[of], partner[of])
    begun, ended = times["begun"][of], times["ended"][of]
    created = begun + (7 + number) * _MINUTE
    latest = ended - 60 * _MINUTE
    length = days_between(begun, latest)
    begins = after(begun, length * 0.8 * (number + rng.random(count)) / parts.repeat(parts))
    wanted = Wanted(
        project_team=doer,
        team=doer,
        parent=rows[of],
        initiative=np.full(count, NOTHING),
        kind=kinds(rng, count),
        lead=lead[of],
        created=created,
        begins=np.maximum(begins, created + 30 * _MINUTE),
        days=np.minimum(lasting(rng, 7.0, 0.5, count), 18.0),
        latest=latest,
        cut=np.full(count, NEVER),
        is_dropped=np.zeros(count, dtype=np.bool_),
        resolution=np.full(count, WORD["Done"]),
        expected=np.full(count, lognormal_mean(7.0, 0.5)),
    )
    do(book, wanted)
