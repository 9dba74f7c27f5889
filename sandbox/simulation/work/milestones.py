"""What is recorded of an initiative itself: statuses, due dates, labels, its release.

What belongs here: the events of issues of type Initiative, and the objectives they serve. What
does not: what hangs below (`initiatives`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import START
from sandbox.catalogue import Product
from sandbox.simulation.work.issues import Book
from sandbox.simulation.work.notebook import NEVER, Ints, Moments
from sandbox.simulation.work.paths import after
from sandbox.simulation.work.timelines import (
    CANCELLED,
    DELIVERED,
    IDEA,
    NOT_REOPENED,
    STOPPED_IDEA,
    STUCK,
    Timelines,
    days_elapsed,
)
from sandbox.simulation.work.words import NOTHING, PHASE, WORD, coded
from sandbox.spec import Spec

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_MINUTE = np.timedelta64(60, "s")
_ZONE_HOURS = np.timedelta64(1, "h")


def statuses(book: Book, times: Timelines, rows: Ints) -> None:
    """The way of each initiative through its workflow, as far as its fate lets it go."""
    note, lead = book.events.note, times.lead

    def move(which: Flags, at: Moments, status: str, phase: str) -> None:
        note("status", rows[which], at[which], lead[which], WORD[status], PHASE[phase])

    approved = times.fate <= STUCK
    move(approved & (times.approved > times.created), times.approved, "Approved", "approved")
    before = times.fate != CANCELLED
    move(
        approved & (before | (times.started < times.cancelled)),
        times.started,
        "In Progress",
        "in_progress",
    )
    move(times.fate == STUCK, times.done, "Blocked", "waiting")
    delivered = times.fate == DELIVERED
    move(delivered, times.done, "Done", "done")
    note("resolution", rows[delivered], times.done[delivered], lead[delivered], WORD["Done"])
    move(delivered, times.first_release, "Released", "released")
    again = delivered & (times.reopened != NOT_REOPENED)
    move(again, times.reopened_at, "In Progress", "in_progress")
    note("resolution", rows[again], times.reopened_at[again], lead[again], NOTHING)
    move(again, times.done_again, "Done", "done")
    note("resolution", rows[again], times.done_again[again], lead[again], WORD["Done"])
    move(again, times.last_release, "Released", "released")
    stopped = np.flatnonzero((times.fate == CANCELLED) | (times.fate == STOPPED_IDEA))
    at = times.cancelled[stopped]
    # In turn rather than by chance: even a small company has some of each.
    reasons = coded("Won't Do|Superseded|Won't Do|Won't Do|Duplicate")
    reason = reasons[np.arange(len(stopped)) % 5]
    note("status", rows[stopped], at, lead[stopped], WORD["Cancelled"], PHASE["cancelled"])
    note("resolution", rows[stopped], at, lead[stopped], reason)


@dataclass
class DueDates:
    """Up to three due dates an initiative, and when they were set.

    Dates are day offsets (NOTHING: none); a moment NaT is never.
    """

    days: Ints
    set_at: Moments
    last: Ints


def due_dates(book: Book, times: Timelines) -> DueDates:
    """A due date at approval, moved at most twice while it is still ahead.

    The last one is kept by those that are on time and missed by the others.
    """
    rng, count = book.cast.rng, len(times.team)
    end = local_day(times.available)
    length = days_elapsed(times.approved, times.available)
    over = np.minimum(rng.integers(3, 40, count), np.maximum(length * 0.35, 1).astype(np.int64))
    last = np.where(times.on_time, end + rng.integers(1, 18, count), end - over)
    wished = rng.choice(3, count, p=(0.48, 0.34, 0.18))
    steps = rng.integers(7, 26, (count, 2))
    room = last - local_day(times.approved) - 12
    wished = np.where(steps.sum(axis=1) < room, wished, np.where(steps[:, 0] < room, wished % 2, 0))
    days = np.stack([last - steps[:, 0] - steps[:, 1], last - steps[:, 0], last], axis=1)
    set_at = np.full((count, 3), NEVER)
    first = times.approved + 2 * _MINUTE
    since = times.approved + np.timedelta64(3, "D")
    for move in (1, 2):
        moves = wished >= 3 - move
        before = np.where(wished == 2, days[:, move - 1], days[:, 1])
        limit = np.minimum(
            _midnight(before) - np.timedelta64(1, "D"), times.available - np.timedelta64(2, "D")
        )
        share = rng.uniform(0.4, 0.9, count)
        at = book.cast.work_time.next_moment(
            times.lead, after(since, np.maximum(days_elapsed(since, limit), 0) * share)
        )
        moves &= ~np.isnat(at) & (at < limit) & (at > since)
        set_at[:, move] = np.where(moves, at, NEVER)
        since = np.where(moves, at, since)
    return _settled(times, days, set_at, first, last)


def _settled(times: Timelines, days: Ints, set_at: Moments, first: Moments, last: Ints) -> DueDates:
    """The first date is the one before the first move that comes about.

    The last is always the one that was drawn.
    """
    moved = ~np.isnat(set_at[:, 1:])
    both, only = moved.all(axis=1), moved[:, 0] & ~moved[:, 1]
    # One move only: it sets the last date; none: the last date stands from the beginning.
    set_at[only, 2], set_at[only, 1] = set_at[only, 1], NEVER
    begin = np.where(both, days[:, 0], np.where(~np.isnat(set_at[:, 2]), days[:, 1], last))
    begin = np.where(only, days[:, 0], begin)
    days[:, 0] = begin
    set_at[:, 0] = np.where(times.has_due & (times.fate <= STUCK), first, NEVER)
    set_at[~times.has_due] = NEVER
    return DueDates(days, set_at, np.where(times.has_due, last, NOTHING))


def note_due_dates(book: Book, times: Timelines, rows: Ints, dues: DueDates) -> None:
    """Write the due dates down."""
    for move in range(3):
        at = np.where(times.fate <= STUCK, dues.set_at[:, move], NEVER)
        book.events.note("duedate", rows, at, times.lead, dues.days[:, move])


def due_limit(times: Timelines, dues: DueDates) -> Moments:
    """Until when the scope of a late initiative is done all the same: the day it was due."""
    at = _midnight(dues.last) + np.timedelta64(12, "h")
    at = np.maximum(at, after(times.started, days_elapsed(times.started, times.done) * 0.3))
    return np.where(times.has_due & ~times.on_time, at, NEVER)


def local_day(when: Moments) -> Ints:
    """Day offset of the date at the company's seat, for moments in anybody's office hours."""
    return ((when + _ZONE_HOURS).astype("datetime64[D]") - np.datetime64(START)).astype(np.int64)


def _midnight(day: Ints) -> Moments:
    return (np.datetime64(START) + day.astype("timedelta64[D]")).astype("datetime64[s]")


# -- objectives ----------------------------------------------------------------------------------


@dataclass
class Objectives:
    """The versions of the objectives."""

    ids: list[str]
    labels: list[str]
    visionary: Flags
    number: Ints
    pull: Floats
    since: Ints
    until: Ints

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> Objectives:
        """As the hidden state has them."""
        found = connection.sql("""
            select objective_id, any_value(label), bool_or(horizon = 'visionary')
            from hidden.objective group by objective_id order by objective_id
        """).fetchall()
        ids = [row[0] for row in found]
        versions = connection.sql(f"""
            select objective_id, pull, valid_from - date '{START}',
                coalesce(valid_to - date '{START}', 1000000)
            from hidden.objective order by objective_id, valid_from
        """).fetchall()
        return cls(
            ids,
            [row[1] for row in found],
            np.array([row[2] for row in found]),
            np.array([ids.index(row[0]) for row in versions]),
            np.array([row[1] for row in versions]),
            np.array([row[2] for row in versions]),
            np.array([row[3] for row in versions]),
        )

    def draw(self, rng: np.random.Generator, spec: Spec, day: Ints) -> tuple[Ints, Ints]:
        """Two objectives a day offset (NOTHING: none, or no second one).

        The visionary horizon is served by the planted share of those that serve any.
        """
        count = len(day)
        pulls = np.zeros((count, len(self.ids)))
        for version, number in enumerate(self.number):
            held = (self.since[version] <= day) & (day < self.until[version])
            pulls[held, number] = self.pull[version]
        with np.errstate(divide="ignore"):
            keys = np.log(pulls) + rng.gumbel(size=pulls.shape)
        serves_vision = rng.random(count) < spec.effects.visionary_pull
        vision = np.where(self.visionary, keys, -np.inf).argmax(axis=1)
        order = np.argsort(-np.where(self.visionary, -np.inf, keys), axis=1)
        how_many = np.where(rng.random(count) < spec.effects.has_objective, 1, 0)
        how_many += (how_many == 1) & (rng.random(count) < 0.09)
        first = np.where(serves_vision, vision, order[:, 0])
        second = np.where(serves_vision, order[:, 0], order[:, 1])
        return (
            np.where(how_many >= 1, first, NOTHING),
            np.where(how_many >= 2, second, NOTHING),
        )


@dataclass
class Served:
    """Which objectives the initiatives serve.

    At first, and later where they turn out to serve another one (`changed_at` NaT: never).
    """

    first: Ints
    second: Ints
    later: Ints
    changed_at: Moments


def serve(book: Book, spec: Spec, times: Timelines, objectives: Objectives, day: Ints) -> Served:
    """Draw what the initiatives serve."""
    rng, count = book.cast.rng, len(times.team)
    first, second = objectives.draw(rng, spec, day)
    later = rng.integers(0, len(objectives.ids), count)
    course = days_elapsed(times.started, times.done)
    at = book.cast.work_time.next_moment(
        times.lead, after(times.started, course * rng.uniform(0.2, 0.6, count))
    )
    able = (times.product < 0) & (times.fate == DELIVERED) & (first != NOTHING)
    able &= (later != first) & (at < times.done)
    # In turn rather than by chance: even a small company has some.
    changes = np.zeros(count, dtype=np.bool_)
    changes[np.flatnonzero(able)[3::9]] = True
    return Served(first, second, later, np.where(changes, at, NEVER))


def label_texts(objectives: Objectives, product_labels: list[str], numbers: Ints) -> list[str]:
    """Labels, sorted, of each row of (objective, second objective, product); NOTHING: none."""
    texts = []
    for first, second, product in numbers.tolist():
        names = [objectives.labels[n] for n in (first, second) if n != NOTHING]
        names += [product_labels[product]] if product != NOTHING else []
        texts.append(" ".join(sorted(names)))
    return texts


def labels(
    book: Book, spec: Spec, times: Timelines, rows: Ints, served: Served, codes: LabelCodes
) -> None:
    """When the labels say what is served: from the start, or late, or never."""
    rng, count = book.cast.rng, len(rows)
    fate_of_label, never = rng.random(count), rng.random(count) < 0.3
    nothing = np.full(count, NOTHING)
    first = codes.of(served.first, served.second, times.product)
    is_late = (fate_of_label < spec.profile.missing_labels) & (times.product < 0)
    is_late &= served.first != NOTHING
    book.issues["labels"][rows] = np.where(is_late, NOTHING, first)
    at = np.where(is_late & ~never & (times.fate < IDEA), times.approved + 4 * _MINUTE, NEVER)
    book.events.note("labels", rows, at, times.lead, first)
    later = codes.of(served.later, nothing, nothing)
    at = np.where(is_late & never, NEVER, served.changed_at)
    book.events.note("labels", rows, at, times.lead, later)


class LabelCodes:
    """Codes of sets of labels, given as they come up."""

    def __init__(self, objectives: Objectives, products: list[Product]) -> None:
        self._objectives = objectives
        self._products = [product.label or "" for product in products]
        self.texts: list[str] = []

    def of(self, first: Ints, second: Ints, product: Ints) -> Ints:
        """The code of each set, NOTHING where it is empty."""
        triples = np.stack([first, second, product], axis=1)
        kinds, inverse = np.unique(triples, axis=0, return_inverse=True)
        texts = label_texts(self._objectives, self._products, kinds)
        known = {text: number for number, text in enumerate(self.texts)}
        for text in texts:
            if text and text not in known:
                known[text] = len(self.texts)
                self.texts.append(text)
        code = np.array([known.get(text, NOTHING) for text in texts])
        return code[inverse.reshape(-1)]
