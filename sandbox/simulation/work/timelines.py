"""What becomes of each initiative, and when: drawn before anything is laid into it.

What belongs here: the outcomes and moments of initiatives, as planted. What does not: the issues
below them (`initiatives`) and the history that leads there (`milestones`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, START
from sandbox.catalogue import Product
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import NEVER, Ints, Moments
from sandbox.simulation.work.paths import after, lasting
from sandbox.spec import Effects, Spec

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FATES = ("delivered", "cancelled", "stuck", "idea", "stopped_idea")
DELIVERED, CANCELLED, STUCK, IDEA, STOPPED_IDEA = range(5)
NOT_REOPENED, SOON, LATE = range(3)
SECOND_YEAR = 365
NEAR_DAYS = 8
_MINUTE = np.timedelta64(60, "s")


@dataclass
class Timelines:
    """One entry per initiative.

    Moments are planned whatever the fate: a cancelled one has a release that it never reaches.
    """

    team: Ints
    lead: Ints
    product: Ints
    """Number in the catalogue, -1: none."""
    cross: Flags
    second_year: Flags
    fate: Ints
    on_time: Flags
    scope_met: Flags
    has_due: Flags
    has_children: Flags
    reopened: Ints
    p_delivered: Floats
    p_on_time: Floats
    p_scope_met: Floats
    p_outcome_met: Floats
    median_days: Floats
    created: Moments
    approved: Moments
    started: Moments
    done: Moments
    first_release: Moments
    reopened_at: Moments
    done_again: Moments
    last_release: Moments
    available: Moments
    """The first release that lasts: approval plus the planted duration."""
    cancelled: Moments
    """NaT unless cancelled or stopped as an idea."""


def day_of(when: Moments) -> Ints:
    """Day offset of the UTC date."""
    return (when.astype("datetime64[D]") - np.datetime64(START)).astype(np.int64)


def days_elapsed(since: Moments, until: Moments) -> Floats:
    """Elapsed days between moments."""
    return np.asarray((until - since).astype(np.float64) / 86_400)


def noon(day: Ints) -> Moments:
    """About noon at the seat of the company."""
    midnight = (np.datetime64(START) + day.astype("timedelta64[D]")).astype("datetime64[s]")
    return np.asarray(midnight + np.timedelta64(10, "h"))


def near(cast: Cast, person: Ints, target: Moments, earliest: Moments) -> Moments:
    """The moment at work next to `target`, before or after it, not before `earliest`.

    Where that person is away for long, `target` itself. Unbiased, unlike always waiting.
    """
    best = np.full(len(target), NEVER)
    for days in (0, -1, -2, -3, -4, -NEAR_DAYS):
        moment = cast.work_time.next_moment(person, target + np.timedelta64(days, "D"))
        # Come in as early as the target's hour on an earlier day, not at the opening.
        fits = ~np.isnat(moment) & (moment >= earliest)
        fits &= np.abs(moment - target) <= np.timedelta64(NEAR_DAYS, "D")
        nearer = fits & (np.isnat(best) | (np.abs(moment - target) < np.abs(best - target)))
        best = np.where(nearer, moment, best)
    return np.where(np.isnat(best), target, best)


def draw(cast: Cast, spec: Spec, products: list[Product]) -> Timelines:
    """Launches of products first, then the others, evenly with a busy beginning."""
    rng, count, effects = cast.rng, spec.size.initiatives, spec.effects
    launches = [n for n, product in enumerate(products) if product.label]
    product = np.full(count, -1)
    product[: len(launches)] = launches
    launch = product >= 0
    index = np.arange(count) - len(launches)
    day = _begin_days(rng, products, launches, index)
    team = cast.draw_team(_owner_weights(cast), day)
    team_of = {each.department_id: number for number, each in enumerate(cast.teams)}
    team[launch] = [team_of[products[n].department_id] for n in launches]
    across = np.array([products[n].is_launched_across for n in launches], dtype=np.bool_)
    cross = rng.random(count) < effects.cross_share
    cross[launch] = across
    lead = cast.lead(team, day)
    created = cast.work_time.next_moment(lead, noon(day))
    second_year = day >= SECOND_YEAR
    fate, p_delivered = _fates(rng, effects, cross, launch, index)
    p_on_time = _of(effects.on_time, cross) + effects.second_year_on_time * second_year
    p_on_time = np.where(launch, 1.0, np.minimum(p_on_time, 1.0))
    p_scope_met = np.where(launch, 1.0, _of(effects.scope_met, cross))
    pace = _of(effects.pace, cross) * np.where(second_year, effects.second_year_pace, 1.0)
    approved = cast.work_time.add(lead, created, lasting(rng, 9.0, 0.6, count))
    # Some come to Jira only once they are approved.
    approved = np.where(rng.random(count) < 0.03, created, approved)
    median = effects.duration_median_days * pace
    elapsed = lasting(rng, median, effects.duration_spread, count)
    times = _moments(cast, lead, approved, elapsed)
    on_time = rng.random(count) < p_on_time
    scope_met = rng.random(count) < p_scope_met
    has_due = launch | (rng.random(count) < 0.94)
    has_children = launch | cross | (rng.random(count) >= 0.1)
    reopened = _reopened(rng, fate, index, elapsed, has_children & ~launch)
    return Timelines(
        team=team,
        lead=lead,
        product=product,
        cross=cross,
        second_year=second_year,
        fate=fate,
        on_time=on_time,
        scope_met=scope_met,
        has_due=has_due,
        has_children=has_children,
        reopened=reopened,
        p_delivered=p_delivered,
        p_on_time=p_on_time,
        p_scope_met=p_scope_met,
        p_outcome_met=_of(effects.outcome_met, cross),
        median_days=median,
        created=created,
        approved=approved,
        **times,
        **_releases(cast, lead, times, approved, elapsed, reopened),
        cancelled=_cancelled(cast, fate, lead, approved, times),
    )


def _of(pair: tuple[float, float], cross: Flags) -> Floats:
    return np.where(cross, pair[1], pair[0])


def _begin_days(
    rng: np.random.Generator, products: list[Product], launches: list[int], index: Ints
) -> Ints:
    """The first sixth was in the drawer when Jira was introduced."""
    others = int((index >= 0).sum())
    first = rng.integers(0, 30, len(index))
    later = rng.integers(10, (END - START).days - 10, len(index))
    day = np.where(index < others // 6, first, later)
    for place, number in enumerate(launches):
        starts_on = products[number].launch_starts_on
        assert starts_on
        day[place] = (starts_on - START).days
    return day


def _owner_weights(cast: Cast) -> Floats:
    """How many initiatives a team leads, relative to the others."""
    known = {"11": 0.22, "12": 0.26, "21": 0.1, "22": 0.16, "31": 0.16, "32": 0.1}
    general = {"it": 0.24, "customer_facing": 0.13, "business": 0.13}
    return np.array([known.get(team.department_id, general[team.function]) for team in cast.teams])


def _fates(
    rng: np.random.Generator, effects: Effects, cross: Flags, launch: Flags, index: Ints
) -> tuple[Ints, Floats]:
    """Fate, and the planted chance of delivery once approved (NaN: never approved)."""
    chance = np.where(launch, 1.0, _of(effects.delivered, cross))
    fate = np.where(rng.random(len(cross)) < chance, DELIVERED, CANCELLED)
    # In turn rather than by chance: even a small company has some of each.
    failed = np.flatnonzero(fate == CANCELLED)
    fate[failed[1::4]] = STUCK
    stopped = rng.random(len(cross)) < 0.07
    fate[stopped & ~launch] = STOPPED_IDEA
    fate[(index % 20 == 7) & ~launch] = IDEA
    return fate, np.where(fate >= IDEA, np.nan, chance)


def _reopened(
    rng: np.random.Generator, fate: Ints, index: Ints, elapsed: Floats, able: Flags
) -> Ints:
    """One of nine delivered ones is taken back, a third of those only after a fortnight."""
    able = able & (fate == DELIVERED) & (elapsed > 30)
    taken_back = np.flatnonzero(able)[rng.integers(0, 4) :: 9]
    reopened = np.full(len(index), NOT_REOPENED)
    reopened[taken_back] = SOON
    reopened[taken_back[1::3]] = LATE
    return reopened


def _moments(cast: Cast, lead: Ints, approved: Moments, elapsed: Floats) -> dict[str, Moments]:
    """Start, and the release that lasts."""
    rng, count = cast.rng, len(lead)
    target = after(approved, elapsed)
    available = near(cast, lead, target, after(approved, elapsed * 0.6))
    started = near(
        cast,
        lead,
        after(approved, elapsed * rng.uniform(0.03, 0.13, count)),
        approved + 10 * _MINUTE,
    )
    started = np.clip(started, approved + 10 * _MINUTE, after(approved, elapsed * 0.3))
    return {"started": started, "available": available}


def _releases(
    cast: Cast,
    lead: Ints,
    times: dict[str, Moments],
    approved: Moments,
    elapsed: Floats,
    reopened: Ints,
) -> dict[str, Moments]:
    """Done and released, and again where it was taken back.

    A release that is taken back soon was none: the planted duration ends with the last one then.
    """
    rng, count, work_time = cast.rng, len(lead), cast.work_time
    available = times["available"]
    gap = rng.uniform(6.0, 12.0, count)
    first = near(cast, lead, after(available, -gap), after(approved, elapsed * 0.55))
    first = np.where(reopened == SOON, np.minimum(first, after(available, -4.0)), available)
    done = near(
        cast,
        lead,
        after(first, -elapsed * rng.uniform(0.02, 0.08, count)),
        after(approved, elapsed * 0.4),
    )
    done = np.clip(done, after(approved, elapsed * 0.4), first - 30 * _MINUTE)
    wait = np.where(reopened == SOON, rng.uniform(0.1, 0.4, count) * gap, 15.5)
    wait = np.where(reopened == LATE, rng.uniform(15.5, 40.0, count), wait)
    again = work_time.next_moment(lead, after(first, wait))
    again = np.where(reopened == SOON, np.minimum(again, after(available, -2.0)), again)
    mended = work_time.add(lead, again, rng.uniform(3.0, 8.0, count))
    last = work_time.add(lead, mended, rng.uniform(0.3, 1.5, count))
    mended = np.where(reopened == SOON, available - 45 * _MINUTE, mended)
    last = np.where(reopened == SOON, available, last)
    found = {"reopened_at": again, "done_again": mended, "last_release": last}
    found = {name: np.where(reopened == NOT_REOPENED, NEVER, at) for name, at in found.items()}
    return {"first_release": first, "done": done, **found}


def _cancelled(
    cast: Cast, fate: Ints, lead: Ints, approved: Moments, times: dict[str, Moments]
) -> Moments:
    """When it is given up: somewhere in its course, or when it should have been approved."""
    started, available = times["started"], times["available"]
    share = cast.rng.uniform(0.4, 0.9, len(lead))
    course = (available - started).astype(np.float64) / 86_400
    given_up = cast.work_time.next_moment(lead, after(started, course * share))
    given_up = np.where(fate == CANCELLED, given_up, NEVER)
    return np.where(fate == STOPPED_IDEA, approved, given_up)
