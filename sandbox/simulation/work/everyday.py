"""Work that serves no initiative: bugs, upkeep and incidents.

What belongs here: how much of it there is, and whose it is. What does not: how such an issue is
created and done (`issues`, `paths`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, START
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.issues import TYPE, Book, Wanted, do, lognormal_mean
from sandbox.simulation.work.notebook import NEVER, Ints
from sandbox.simulation.work.paths import Tasks, carry_out, lasting
from sandbox.simulation.work.timelines import noon
from sandbox.simulation.work.words import FIRST, NOTHING, PHASE, TROUBLES, WORD, WORKFLOW, coded
from sandbox.spec import Spec

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_MINUTE = np.timedelta64(60, "s")

CLOSED_UNWORKED = 0.10
"""Standalone issues that nobody works on."""
UPKEEP = 0.42
"""Standalone issues that keep things going; the rest is trouble."""
INCIDENTS = 0.7
"""Trouble of service projects that customers report."""
BUG_DAYS = 4.0
BUSY = 0.85
"""Share of their days that people are planned to have something in progress."""
UPKEEP_DAYS = (6.0, 80.0)
"""At work, median: the least and the most that upkeep takes."""


def standalone(book: Book, spec: Spec) -> None:
    """Work that serves no initiative: bugs, upkeep and incidents."""
    cast, rng, count = book.cast, book.cast.rng, spec.size.standalone_issues
    day = rng.integers(1, (END - START).days - 1, count)
    # Upkeep is everybody's; what goes wrong goes wrong in some projects more than in others.
    is_upkeep = rng.random(count) < UPKEEP
    team = cast.draw_team(_standalone_weights(cast), day)
    person_days = cast.person_days()
    team = np.where(is_upkeep, cast.draw_team(person_days + 1.0, day), team)
    is_incident = ~is_upkeep & (cast.workflow[team] == WORKFLOW["service"])
    is_incident &= rng.random(count) < INCIDENTS
    _incidents(book, team[is_incident], day[is_incident])
    upkeep_days = _upkeep_days(book, spec, person_days)[team[~is_incident]]
    is_bug = ~is_upkeep[~is_incident]
    median = np.where(is_bug, BUG_DAYS, upkeep_days)
    _alone(book, team[~is_incident], day[~is_incident], is_bug, median)


def _alone(book: Book, team: Ints, day: Ints, is_bug: Flags, median: Floats) -> None:
    """Bugs and upkeep."""
    cast, rng, count = book.cast, book.cast.rng, len(team)
    author = cast.lead(team, day)
    created = cast.work_time.next_moment(author, noon(day))
    dropped = rng.random(count) < CLOSED_UNWORKED
    unworked = np.where(is_bug, WORD["Cannot Reproduce"], WORD["Won't Do"])
    nowhere = np.full(count, NOTHING)
    wanted = Wanted(
        project_team=team,
        team=team,
        parent=nowhere,
        initiative=nowhere,
        kind=np.where(is_bug, TYPE["Bug"], TYPE["Task"]),
        lead=author,
        created=created,
        begins=cast.work_time.add(author, created, lasting(rng, 4.0, 0.9, count)),
        days=lasting(rng, median, 0.5, count),
        latest=np.full(count, NEVER),
        cut=np.full(count, NEVER),
        is_dropped=dropped,
        resolution=np.where(dropped, unworked, WORD["Done"]),
        expected=lognormal_mean(median, 0.5) * (1 - CLOSED_UNWORKED),
    )
    do(book, wanted)


def _upkeep_days(book: Book, spec: Spec, person_days: Floats) -> Floats:
    """Median length of upkeep by team.

    It fills most of the time that nothing else takes, as far as one issue may last.
    """
    counted = person_days.sum() or 1.0
    tasks = spec.size.standalone_issues * UPKEEP * (1 - CLOSED_UNWORKED) * person_days / counted
    issues = book.issues
    working = issues["team"] != NOTHING
    planned = np.bincount(
        issues["team"][working], issues["expected"][working], minlength=len(person_days)
    )
    mean = (person_days * BUSY - planned) / np.maximum(tasks, 1.0)
    return np.clip(mean / lognormal_mean(1.0, 0.5), *UPKEEP_DAYS)


def _standalone_weights(cast: Cast) -> Floats:
    known = {"11": 0.29, "12": 0.26, "21": 0.04, "22": 0.32, "31": 0.05, "32": 0.04}
    general = {"software": 0.27, "service": 0.32, "hardware": 0.05, "business": 0.04}
    return np.array([known.get(t.department_id, general[t.workflow]) for t in cast.teams])


def _incidents(book: Book, team: Ints, day: Ints) -> None:
    """Reported through the shared mailbox.

    Half of them need a second department, and then take longer.
    """
    cast, rng, count = book.cast, book.cast.rng, len(team)
    lead = cast.lead(team, day)
    desk = np.full(count, cast.desk) if cast.desk >= 0 else lead
    created = cast.work_time.next_moment(desk, noon(day))
    needs_help = rng.random(count) < 0.5
    slow = np.where(needs_help, _slowness(book), 1.0)
    helper = np.where(needs_help, cast.draw_partner(team, day), NOTHING)
    begins = cast.work_time.add(lead, created + 20 * _MINUTE, lasting(rng, 0.3, 0.8, count) * slow)
    workflow = cast.workflow[team]
    rows = book.issues.add(
        count,
        team=team,
        workflow=workflow,
        type=TYPE["Incident"],
        verb=40 + rng.integers(0, len(TROUBLES), count),
        thing=rng.integers(0, 6, count),
        creator=desk,
        assignee=desk,
        status=FIRST[workflow],
        phase=PHASE["approved"],
        priority=rng.choice(coded("Medium|High|Highest"), count, p=(0.5, 0.35, 0.15)),
        created=created,
        expected=lognormal_mean(0.8, 0.7) * slow,
    )
    tasks = Tasks(
        issue=rows,
        workflow=workflow,
        team=team,
        worker=cast.worker(team, begins, lead),
        lead=lead,
        begins=begins,
        days=lasting(rng, 0.8, 0.7, count),
        latest=np.full(count, NEVER),
        is_incident=np.ones(count, dtype=np.bool_),
        helper_team=helper,
        resolution=np.full(count, WORD["Fixed"]),
        pace=slow,
    )
    carry_out(cast, book.events, tasks)


def _slowness(book: Book) -> float:
    return book.cast.effects.several_departments_slow_incidents
