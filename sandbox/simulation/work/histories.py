"""The troubles of real histories, once the plan stands.

What belongs here: deletions, moves, late births, new parents, a status that is removed. What does
not: the plan itself (`initiatives`, `ideas`, `everyday`), and what nobody counts (`noise`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sandbox.simulation.work.issues import TYPE, Book
from sandbox.simulation.work.notebook import Events, Ints, Issues, Moments
from sandbox.simulation.work.paths import after
from sandbox.simulation.work.words import (
    BLOCKED,
    DONE,
    FIELD,
    FIRST,
    HAS_REVIEW,
    NOTHING,
    PHASE,
    REVIEW_PHASE,
    WORD,
)

Flags = npt.NDArray[np.bool_]
_MINUTE = np.timedelta64(60, "s")

CLOSED_UNTIL = np.datetime64("2025-09-15T10:00:00")
"""When the administrators removed the status Closed from the service projects."""
DELETED_SHARE = 0.15
"""Of the issues that nobody ever worked on and that belong to nothing."""
CREATED_IN_PROGRESS = 0.03
MOVED_SHARE = 0.025
ADOPTED_SHARE = 0.10
"""Issues below an initiative that came after its start and found their parent later."""
EARLY_RESOLUTION = 0.006


@dataclass
class Firsts:
    """Per issue (NaT: never).

    First assignee, first and last status change, first time in progress.
    """

    taken: Moments
    moved: Moments
    ended: Moments
    begun: Moments

    @classmethod
    def of(cls, issues: Issues, events: Events) -> Firsts:
        """From the events noted so far."""
        found = events.all()
        status = found["field"] == FIELD["status"]
        begun = status & (found["phase"] == PHASE["in_progress"])
        taken = found["field"] == FIELD["assignee"]

        def extreme(which: Flags, latest: bool = False) -> Moments:
            seconds = found["at"][which].astype(np.int64)
            worst = np.iinfo(np.int64).min if latest else np.iinfo(np.int64).max
            best = np.full(issues.count, worst)
            ufunc = np.maximum if latest else np.minimum
            ufunc.at(best, found["issue"][which], seconds)
            best[best == worst] = np.iinfo(np.int64).min  # NaT
            return best.astype("datetime64[s]")

        return cls(extreme(taken), extreme(status), extreme(status, True), extreme(begun))


def trouble(book: Book) -> None:
    """Deletions, late births, moves, adoptions, and resolutions that came too early."""
    issues, rng = book.issues, book.cast.rng
    firsts = Firsts.of(issues, book.events)
    alone = (issues["initiative"] == NOTHING) & (issues["parent"] == NOTHING)
    alone &= np.isin(issues["type"], [TYPE["Bug"], TYPE["Task"]])
    luck = rng.random(issues.count)
    unworked = np.flatnonzero(alone & np.isnat(firsts.begun) & (luck < DELETED_SHARE))
    issues["deleted"][unworked] = after(
        issues["created"][unworked], rng.uniform(0.02, 2.0, len(unworked))
    )
    book.events.forget_deleted(issues)
    worked = alone & ~np.isnat(firsts.begun) & ~np.isnat(firsts.taken)
    _born_late(book, np.flatnonzero(worked & (luck < CREATED_IN_PROGRESS)), firsts)
    moved = worked & (luck >= CREATED_IN_PROGRESS) & (luck < CREATED_IN_PROGRESS + MOVED_SHARE)
    _move(book, np.flatnonzero(moved), firsts)
    early = np.flatnonzero(worked & (luck > 1 - EARLY_RESOLUTION))
    at = firsts.begun[early] + 20 * _MINUTE
    book.events.note("resolution", early, at, issues["creator"][early], WORD["Done"])


def _born_late(book: Book, rows: Ints, firsts: Firsts) -> None:
    """Written down only when somebody was at it already."""
    issues, found = book.issues, book.events.all()
    is_late = np.zeros(issues.count, dtype=np.bool_)
    is_late[rows] = True
    past = is_late[found["issue"]] & (found["at"] <= firsts.begun[found["issue"]])
    assigned = np.flatnonzero(past & (found["field"] == FIELD["assignee"]))
    assigned = assigned[np.argsort(found["at"][assigned], kind="stable")]
    issues["assignee"][found["issue"][assigned]] = found["value"][assigned]
    issues["created"][rows] = firsts.begun[rows]
    issues["status"][rows] = WORD["In Progress"]
    issues["phase"][rows] = PHASE["in_progress"]
    book.events.keep_only(~past)


def _move(book: Book, rows: Ints, firsts: Firsts) -> None:
    """To the project of another team, before anybody began.

    The statuses are the new workflow's from then on.
    """
    issues, cast = book.issues, book.cast
    # Midway between the birth and whatever came first, so that nothing precedes it.
    first = np.fmin(firsts.taken[rows], firsts.moved[rows])
    at = issues["created"][rows] + (first - issues["created"][rows]) // 2
    day = (at.astype("datetime64[D]") - np.datetime64("2024-07-01")).astype(np.int64)
    target = cast.draw_partner(issues["team"][rows].astype(np.int64), day)
    old, new = issues["workflow"][rows].astype(np.int64), cast.workflow[target]
    author = issues["creator"][rows]
    flow_of = np.full(issues.count, NOTHING)
    flow_of[rows] = new
    old_of = np.full(issues.count, NOTHING)
    old_of[rows] = old
    _translate(book.events, old_of, flow_of)
    book.events.note("project", rows, at, author, target)
    other = FIRST[old] != FIRST[new]
    book.events.note(
        "status", rows[other], at[other], author[other], FIRST[new[other]], PHASE["approved"]
    )


def _translate(events: Events, old_of: Ints, new_of: Ints) -> None:
    """Statuses of issues that move, in the words of the new workflow."""
    found = events.all()
    rows = np.flatnonzero((found["field"] == FIELD["status"]) & (new_of[found["issue"]] != NOTHING))
    old, new = old_of[found["issue"][rows]], new_of[found["issue"][rows]]
    value = found["value"][rows]
    told = np.where(value == BLOCKED[old], BLOCKED[new], value)
    told = np.where(value == DONE[old], DONE[new], told)
    review = value == WORD["In Review"]
    found["value"][rows] = told
    found["phase"][rows[review]] = REVIEW_PHASE[new[review]]
    kept = np.ones(len(found["at"]), dtype=np.bool_)
    kept[rows[review & ~HAS_REVIEW[new]]] = False
    events.keep_only(kept)


def adopt(book: Book, started: Moments, rows: Ints) -> None:
    """Some of what came after the start of an initiative had another place before.

    It stood alone, or below another initiative. `started`: by initiative, whose rows are `rows`.
    """
    issues, rng = book.issues, book.cast.rng
    started_of = np.full(issues.count, np.datetime64("NaT", "s"))
    started_of[rows] = started
    initiative = issues["initiative"]
    child = (initiative != NOTHING) & (issues["parent"] == initiative)
    child &= issues["created"] > started_of[np.maximum(initiative, 0)]
    chosen = np.flatnonzero(child & (rng.random(issues.count) < ADOPTED_SHARE))
    parents = np.unique(issues["parent"][child])
    other = parents[rng.integers(0, max(len(parents), 1), len(chosen))] if len(parents) else chosen
    fits = (issues["team"][other] == issues["team"][chosen]) & (other != initiative[chosen])
    fits &= issues["created"][other] < issues["created"][chosen]
    at = issues["created"][chosen] + rng.integers(3, 300, len(chosen)) * _MINUTE
    cut = issues["cut"][chosen]
    at = np.where(np.isnat(cut) | (at < cut), at, issues["created"][chosen] + _MINUTE // 2)
    real = issues["parent"][chosen].copy()
    issues["parent"][chosen] = np.where(fits, other, NOTHING)
    book.events.note("parent", chosen, at, issues["creator"][chosen], real)


def close_for_good(book: Book) -> None:
    """Service projects closed what was resolved.

    Until the administrators removed that status and put everything back into Resolved.
    """
    issues, rng, found = book.issues, book.cast.rng, book.events.all()
    status = np.flatnonzero(found["field"] == FIELD["status"])
    status = status[np.argsort(found["at"][status], kind="stable")]
    last = np.full(issues.count, NOTHING)
    last[found["issue"][status]] = status
    last = last[last != NOTHING]
    resolved = last[found["value"][last] == WORD["Resolved"]]
    at = after(found["at"][resolved], rng.uniform(2.0, 9.0, len(resolved)))
    closed = (at < CLOSED_UNTIL) & (rng.random(len(resolved)) < 0.6)
    closed &= np.isnat(issues["cut"][found["issue"][resolved]])
    issue, author = found["issue"][resolved][closed], found["author"][resolved][closed]
    back = np.full(len(issue), CLOSED_UNTIL)
    book.events.note("status", issue, at[closed], author, WORD["Closed"], PHASE["done"])
    book.events.note("status", issue, back, book.cast.admin, WORD["Resolved"], PHASE["done"])
