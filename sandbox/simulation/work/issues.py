"""Issues that somebody wants to have done.

What belongs here: creating such issues, having them carried out and splitting them. What does not:
the steps themselves (`paths`), and why they are wanted (`initiatives`, `ideas`, `everyday`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import NEVER, Events, Ints, Issues, Moments
from sandbox.simulation.work.paths import Outcome, Tasks, after, carry_out
from sandbox.simulation.work.words import (
    DONE,
    FIRST,
    NOTHING,
    PHASE,
    STEPS,
    TROUBLES,
    TYPES,
    WORD,
    WORKFLOW,
    coded,
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TYPE = {name: number for number, name in enumerate(TYPES)}
SPLIT = 0.14
"""Finished stories that have sub-tasks."""
_POINTS = np.array([1, 2, 3, 5, 8])
_MINUTE = np.timedelta64(60, "s")


@dataclass
class Book:
    """What is planned so far, and by whom."""

    cast: Cast
    issues: Issues
    events: Events


@dataclass
class Wanted:
    """Issues below others, or alone, that a department shall do. Arrays of one length."""

    project_team: Ints
    team: Ints
    parent: Ints
    initiative: Ints
    kind: Ints
    lead: Ints
    created: Moments
    begins: Moments
    days: Floats
    latest: Moments
    cut: Moments
    is_dropped: Flags
    """Closed without any work, as `resolution` says."""
    resolution: Ints
    expected: Floats


def lognormal_mean(median: float | Floats, spread: float) -> Floats:
    """The mean that belongs to `lasting`."""
    return np.asarray(median * np.exp(spread * spread / 2))


def kinds(rng: np.random.Generator, count: int) -> Ints:
    """Story, Task or Bug."""
    return rng.choice([TYPE["Story"], TYPE["Task"], TYPE["Bug"]], count, p=(0.55, 0.3, 0.15))


def do(book: Book, wanted: Wanted) -> tuple[Ints, Outcome]:
    """Create the issues and have them done; their rows, and when work on them began and ended."""
    cast, rng, count = book.cast, book.cast.rng, len(wanted.team)
    workflow = cast.workflow[wanted.project_team]
    software = workflow == WORKFLOW["software"]
    points = np.where(software, _POINTS[rng.integers(0, 5, count)], NOTHING)
    rows = book.issues.add(
        count,
        team=wanted.project_team,
        workflow=workflow,
        type=wanted.kind,
        parent=wanted.parent,
        initiative=wanted.initiative,
        verb=_summaries(rng, wanted.kind, wanted.parent),
        thing=rng.integers(0, 6, count),
        creator=wanted.lead,
        status=FIRST[workflow],
        phase=PHASE["approved"],
        priority=rng.choice(coded("Low|Medium|High"), count, p=(0.2, 0.6, 0.2)),
        points=points,
        created=wanted.created,
        cut=wanted.cut,
        expected=wanted.expected,
    )
    dropped = np.flatnonzero(wanted.is_dropped)
    when = cast.work_time.next_moment(wanted.lead[dropped], wanted.begins[dropped])
    latest = wanted.latest[dropped]
    when = np.where(np.isnat(latest) | (when < latest), when, latest - 10 * _MINUTE)
    lead = wanted.lead[dropped]
    book.events.note("status", rows[dropped], when, lead, DONE[workflow[dropped]], PHASE["done"])
    book.events.note("resolution", rows[dropped], when, lead, wanted.resolution[dropped])
    worked = np.flatnonzero(~wanted.is_dropped)
    outcome = carry_out(cast, book.events, _tasks(cast, wanted, rows, workflow, worked))
    started, finished = np.full(count, NEVER), np.full(count, NEVER)
    worker = wanted.lead.astype(np.int64).copy()
    started[worked], finished[worked] = outcome.started, outcome.finished
    worker[worked] = outcome.worker
    return rows, Outcome(started, finished, worker)


def _tasks(cast: Cast, wanted: Wanted, rows: Ints, workflow: Ints, worked: Ints) -> Tasks:
    team, lead, begins = wanted.team[worked], wanted.lead[worked], wanted.begins[worked]
    return Tasks(
        issue=rows[worked],
        workflow=workflow[worked],
        team=team,
        worker=cast.worker(team, begins, lead, wanted.days[worked]),
        lead=lead,
        begins=begins,
        days=wanted.days[worked],
        latest=wanted.latest[worked],
        is_incident=np.zeros(len(worked), dtype=np.bool_),
        helper_team=np.full(len(worked), NOTHING),
        resolution=wanted.resolution[worked],
        pace=np.ones(len(worked)),
    )


def _summaries(rng: np.random.Generator, kind: Ints, parent: Ints) -> Ints:
    """Steps for what hangs below; troubles for bugs that stand alone, else upkeep."""
    step = 20 + rng.integers(0, len(STEPS), len(kind))
    trouble = 40 + rng.integers(0, len(TROUBLES), len(kind))
    alone = np.where(kind == TYPE["Bug"], trouble, 50)
    return np.where(parent == NOTHING, alone, step)


def split(book: Book, wanted: Wanted, rows: Ints, outcome: Outcome) -> None:
    """Give some finished stories sub-tasks that share their life and their worker."""
    cast, rng = book.cast, book.cast.rng
    able = (wanted.kind == TYPE["Story"]) & ~np.isnat(outcome.started) & ~np.isnat(outcome.finished)
    able &= outcome.finished - outcome.started > np.timedelta64(4, "h")
    able &= rng.random(len(rows)) < SPLIT
    chosen = np.flatnonzero(able)
    parts = rng.integers(2, 4, len(chosen))
    story = np.repeat(chosen, parts)
    number = np.arange(len(story)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = 1 / parts.repeat(parts)
    started, finished = outcome.started[story], outcome.finished[story]
    length = (finished - started).astype(np.float64) / 86_400
    created = started + (number + 1) * 2 * _MINUTE
    begins = np.maximum(after(started, length * number * share), created + 10 * _MINUTE)
    lead, worker = wanted.lead[story], outcome.worker[story]
    workflow = cast.workflow[wanted.project_team[story]]
    count = len(story)
    new = book.issues.add(
        count,
        team=wanted.project_team[story],
        workflow=workflow,
        type=TYPE["Sub-task"],
        parent=rows[story],
        initiative=wanted.initiative[story],
        verb=60 + number,
        thing=book.issues["thing"][rows[story]],
        creator=lead,
        status=FIRST[workflow],
        phase=PHASE["approved"],
        priority=WORD["Medium"],
        created=created,
        cut=wanted.cut[story],
        expected=wanted.expected[story] * share,
    )
    tasks = Tasks(
        issue=new,
        workflow=workflow,
        team=wanted.team[story],
        worker=worker,
        lead=lead,
        begins=begins,
        days=np.maximum(length * share / 1.45, 0.1),
        latest=finished,
        is_incident=np.zeros(count, dtype=np.bool_),
        helper_team=np.full(count, NOTHING),
        resolution=np.full(count, WORD["Done"]),
        pace=np.ones(count),
    )
    carry_out(cast, book.events, tasks)


def days_between(since: Moments, until: Moments) -> Floats:
    """Elapsed days."""
    return (until - since).astype(np.float64) / 86_400
