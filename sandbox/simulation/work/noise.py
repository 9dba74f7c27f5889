"""The noise around histories: what nobody counts, and comments.

What belongs here: edits hung to moments that are there already. What does not: whatever changes
who works on what when.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.simulation.work.issues import Book
from sandbox.simulation.work.notebook import Array, Ints, Moments
from sandbox.simulation.work.words import NOTHING, coded

_MINUTE = np.timedelta64(60, "s")
NOISE = {
    "rank": 1.9,
    "description": 1.3,
    "link": 0.7,
    "priority": 0.4,
    "summary": 0.3,
    "story_points": 0.25,
}
"""Changes an issue, on average."""
FUSS = 0.7
"""Shape of the gamma that makes these changes gather on some issues."""
COMMENTS = 0.8


@dataclass
class Anchors:
    """Moments in the life of issues to which small things can be hung."""

    issue: Ints
    at: Moments
    author: Ints


def _anchors(book: Book, counts: Ints) -> Anchors:
    """`counts` random events of each issue; of one without any, its birth."""
    issues, rng, found = book.issues, book.cast.rng, book.events.all()
    order = np.argsort(found["issue"], kind="stable")
    issue = np.arange(issues.count).repeat(counts)
    sizes = np.bincount(found["issue"], minlength=issues.count)
    begins = np.cumsum(sizes) - sizes
    chosen = begins[issue] + (rng.random(len(issue)) * sizes[issue]).astype(np.int64)
    has_any = sizes[issue] > 0
    event = order[np.where(has_any, chosen, 0)]
    at = np.where(has_any, found["at"][event], issues["created"][issue] + 2 * _MINUTE)
    author = np.where(has_any, found["author"][event], issues["creator"][issue])
    return Anchors(issue, at, author)


def add(book: Book) -> None:
    """What nobody counts: ranks, links, better words. A third of it comes with another edit."""
    issues, rng = book.issues, book.cast.rng
    order = np.argsort(issues["created"], kind="stable")
    place = np.empty(issues.count, dtype=np.int64)
    place[order] = np.arange(issues.count)
    # Some issues are touched all the time, most are hardly looked at.
    fuss = rng.gamma(FUSS, 1 / FUSS, issues.count)
    noted: list[tuple[str, Anchors, Moments, Array]] = []
    for field, mean in NOISE.items():
        counts = rng.poisson(mean * fuss)
        if field == "story_points":
            counts[issues["points"] == NOTHING] = 0
        anchors = _anchors(book, counts)
        count = len(anchors.issue)
        later = np.where(rng.random(count) < 0.33, 0, rng.integers(5, 1_200, count))
        at = anchors.at + later.astype("timedelta64[s]")
        if field == "link":
            value = order[(rng.random(count) * place[anchors.issue]).astype(np.int64)]
            at = np.where(value == anchors.issue, np.datetime64("NaT", "s"), at)
        else:
            value = _NOISE_VALUES[field][rng.integers(0, len(_NOISE_VALUES[field]), count)]
        noted.append((field, anchors, at, value))
    # Afterwards, so that noise does not gather around noise.
    for field, anchors, at, value in noted:
        book.events.note(field, anchors.issue, at, anchors.author, value)
    book.events.forget_deleted(issues)


_NOISE_VALUES: dict[str, Ints] = {
    "rank": coded("Ranked higher|Ranked lower"),
    "description": coded(
        "What it is for|What it is for, and how we see that it works"
        "|Notes of the refinement added|Acceptance criteria added"
    ),
    "priority": coded("Highest|High|Medium|Low"),
    "summary": np.arange(1, 7),
    "story_points": np.array([1, 2, 3, 5, 8, 13]),
}


def comments(book: Book) -> Anchors:
    """Who said something when; what is nobody's business."""
    rng = book.cast.rng
    anchors = _anchors(book, rng.poisson(COMMENTS, book.issues.count))
    count = len(anchors.issue)
    anchors.at = anchors.at + rng.integers(20, 3_000, count).astype("timedelta64[s]")
    deleted = book.issues["deleted"][anchors.issue]
    kept = np.isnat(deleted) | (anchors.at < deleted)
    return Anchors(anchors.issue[kept], anchors.at[kept], anchors.author[kept])
