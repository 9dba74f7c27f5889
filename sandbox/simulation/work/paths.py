"""How a task goes: from the moment somebody takes it to the moment it is done for good.

What belongs here: the steps of one piece of everyday work, for many at once. What does not: why
there is such a task and when it may begin (`issues`, `initiatives`, `ideas`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import NEVER, Events, Ints, Moments
from sandbox.simulation.work.words import (
    BLOCKED,
    DONE,
    HAS_REVIEW,
    NOTHING,
    PHASE,
    REVIEW_PHASE,
    WORD,
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TAKE, START_WORK, HAND_OVER, BLOCK, GO_ON, REVIEW, FINISH, REOPEN, FINISH_AGAIN = range(9)
STEPS = 9
HANDED_OVER = 0.09
BLOCKED_SHARE = 0.10
REVIEWED = 0.45
REOPENED = 0.055
ELAPSED_PER_WORK_DAY = 1.45
"""Roughly: weekends, holidays and absence."""


@dataclass
class Tasks:
    """Work to carry out. All arrays have one length."""

    issue: Ints
    workflow: Ints
    team: Ints
    """Who does it."""
    worker: Ints
    lead: Ints
    begins: Moments
    days: Floats
    """At work, from begin to end."""
    latest: Moments
    """It is done before; NaT: whenever."""
    is_incident: Flags
    helper_team: Ints
    """The department that takes it over (NOTHING: at most a colleague of the team does)."""
    resolution: Ints
    pace: Floats
    """Factor on every step: 1, or more where it takes longer than it should."""


@dataclass
class Outcome:
    """When work on each task began and ended (NaT: never), and who was the last to do it."""

    started: Moments
    finished: Moments
    worker: Ints


def lasting(rng: np.random.Generator, median: float | Floats, spread: float, count: int) -> Floats:
    """Log-normal days."""
    return np.asarray(median * np.exp(rng.normal(0, spread, count)), dtype=np.float64)


def after(when: Moments, days: float | Floats) -> Moments:
    """`days` elapsed days later, to the second."""
    seconds = np.rint(np.asarray(days, dtype=np.float64) * 86_400)
    return np.asarray(when + seconds.astype("timedelta64[s]"))


def carry_out(cast: Cast, events: Events, tasks: Tasks) -> Outcome:
    """Write down the steps of each task; whoever leaves hands over to the lead."""
    rng, count = cast.rng, len(tasks.issue)
    positions = _positions(rng, tasks) * tasks.pace[:, None]
    begins = cast.work_time.next_moment(tasks.worker, tasks.begins)
    _fit(cast, tasks, begins, positions)
    who, base, base_position = tasks.worker.copy(), tasks.begins.copy(), np.zeros(count)
    previous: Moments = np.asarray(tasks.begins - np.timedelta64(60, "s"))
    started = np.full(count, NEVER)
    finished = np.full(count, NEVER)
    for step in range(STEPS):
        taken = np.flatnonzero(~np.isnan(positions[:, step]))
        moment = cast.work_time.add(
            who[taken], base[taken], positions[taken, step] - base_position[taken]
        )
        moment = np.maximum(moment, previous[taken] + np.timedelta64(60, "s"))
        _leave(cast, events, tasks, taken, moment, who, previous, positions[:, step], base_position)
        limit = tasks.latest[taken] - np.timedelta64(180, "s") * (STEPS - step)
        moment = np.where(np.isnat(limit), moment, np.minimum(moment, limit))
        if step == HAND_OVER:
            _hand_over(cast, tasks, taken, moment, who)
            base[taken], base_position[taken] = moment, positions[taken, step]
        _write(events, tasks, taken, moment, who, step)
        previous[taken] = moment
        if step == START_WORK:
            started[taken] = moment
        if step in (FINISH, FINISH_AGAIN):
            finished[taken] = moment
    return Outcome(started, finished, who)


def _positions(rng: np.random.Generator, tasks: Tasks) -> Floats:
    """Task x step: work days after the begin (NaN: the step is left out)."""
    count, days = len(tasks.issue), np.maximum(tasks.days, 0.05)
    at = np.full((count, STEPS), np.nan)
    at[:, TAKE] = 0.0
    at[:, START_WORK] = rng.uniform(0.0, 0.2, count)
    begun = at[:, START_WORK]
    helped = tasks.helper_team != NOTHING
    handed = (rng.random(count) < HANDED_OVER) | helped
    at[handed, HAND_OVER] = (begun + 0.4 * days)[handed]
    blocked = rng.random(count) < np.where(tasks.is_incident, 0.3, BLOCKED_SHARE)
    wait = np.where(blocked, lasting(rng, 2.0, 0.5, count), 0.0)
    at[blocked, BLOCK] = (begun + 0.6 * days)[blocked]
    at[blocked, GO_ON] = (begun + 0.6 * days + wait)[blocked]
    reviewed = (rng.random(count) < REVIEWED) & HAS_REVIEW[tasks.workflow]
    at[reviewed, REVIEW] = (begun + 0.85 * days + wait)[reviewed]
    at[:, FINISH] = begun + days + wait
    again = rng.random(count) < REOPENED
    rest, mending = lasting(rng, 2.0, 0.5, count), lasting(rng, 1.0, 0.5, count)
    at[again, REOPEN] = (at[:, FINISH] + rest)[again]
    at[again, FINISH_AGAIN] = (at[:, FINISH] + rest + mending)[again]
    return at


def _fit(cast: Cast, tasks: Tasks, begins: Moments, positions: Floats) -> None:
    """Hurry where a task would otherwise end too late."""
    total = np.nanmax(positions, axis=1)
    ends = cast.work_time.add(tasks.worker, tasks.begins, total)
    room = (tasks.latest - begins) / (ends - begins)
    late = ~np.isnat(tasks.latest) & ~np.isnat(ends) & (ends > tasks.latest)
    positions[late] *= np.clip(room[late], 0.02, 1.0)[:, None] * 0.9


def _leave(
    cast: Cast,
    events: Events,
    tasks: Tasks,
    taken: Ints,
    moment: Moments,
    who: Ints,
    previous: Moments,
    position: Floats,
    base_position: Floats,
) -> None:
    """Where somebody is gone before the step, the lead takes over and does it."""
    gone = np.isnat(moment) & ~np.isnat(previous[taken])
    rows = taken[gone]
    lead = tasks.lead[rows]
    waits = (position[rows] - base_position[rows]) * ELAPSED_PER_WORK_DAY * 0.5
    handed = cast.work_time.next_moment(
        lead, after(previous[rows] + np.timedelta64(60, "s"), waits)
    )
    limit = tasks.latest[rows] - np.timedelta64(180, "s") * STEPS
    handed = np.where(np.isnat(limit), handed, np.minimum(handed, limit))
    handed = np.maximum(handed, previous[rows] + np.timedelta64(60, "s"))
    events.note("assignee", tasks.issue[rows], handed, lead, lead)
    who[rows] = lead
    moment[gone] = handed + np.timedelta64(120, "s")


def _hand_over(cast: Cast, tasks: Tasks, taken: Ints, moment: Moments, who: Ints) -> None:
    """Somebody of the helping department, or a colleague, goes on."""
    helper = tasks.helper_team[taken]
    team = np.where(helper == NOTHING, tasks.team[taken], helper)
    when = np.where(np.isnat(moment), tasks.begins[taken], moment)
    who[taken] = cast.worker(team, when, who[taken])


def _write(
    events: Events, tasks: Tasks, taken: Ints, moment: Moments, who: Ints, step: int
) -> None:
    issue, actor, flow = tasks.issue[taken], who[taken], tasks.workflow[taken]
    if step in (TAKE, HAND_OVER):
        events.note("assignee", issue, moment, actor, actor)
    elif step in (START_WORK, GO_ON, REOPEN):
        events.note("status", issue, moment, actor, WORD["In Progress"], PHASE["in_progress"])
        if step == REOPEN:
            events.note("resolution", issue, moment, actor, NOTHING)
    elif step == BLOCK:
        events.note("status", issue, moment, actor, BLOCKED[flow], PHASE["waiting"])
    elif step == REVIEW:
        events.note("status", issue, moment, actor, WORD["In Review"], REVIEW_PHASE[flow])
    else:
        events.note("status", issue, moment, actor, DONE[flow], PHASE["done"])
        events.note("resolution", issue, moment, actor, tasks.resolution[taken])
