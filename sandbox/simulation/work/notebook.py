"""Where the simulation of work writes down issues and what happens to them.

What belongs here: two growing tables of arrays, without any opinion on what is in them. What does
not: ids, keys and the values before a change, which follow from the whole (`numbering`).

Issues are referred to by their row here, people by their row in WorkTime.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.simulation.work.words import FIELD, NOTHING

Ints = npt.NDArray[np.int64]
Moments = npt.NDArray[np.datetime64]
Array = npt.NDArray[Any]

NEVER = np.datetime64("NaT", "s")
_ISSUE_DEFAULTS: dict[str, Any] = {
    "team": NOTHING,  # the department whose project it is in; NOTHING: the project of ideas
    "workflow": 0,
    "type": 0,
    "parent": NOTHING,
    "initiative": NOTHING,
    "verb": NOTHING,  # how the summary begins (see numbering)
    "thing": 0,
    "creator": NOTHING,
    "assignee": NOTHING,
    "status": 0,
    "phase": 0,
    "priority": 0,
    "labels": NOTHING,
    "points": NOTHING,
    "due": NOTHING,
    "created": NEVER,
    "cut": NEVER,  # what was planned from then on never happens
    "deleted": NEVER,
    "expected": 0.0,
}
_NARROW = {"created": "datetime64[s]", "cut": "datetime64[s]", "deleted": "datetime64[s]"}


class Issues:
    """Issues as columns; see `_ISSUE_DEFAULTS` for their names."""

    def __init__(self) -> None:
        self._chunks: dict[str, list[Array]] = {name: [] for name in _ISSUE_DEFAULTS}
        self._whole: dict[str, Array] = {}
        self.count = 0

    def retain(self, kept: npt.NDArray[np.bool_]) -> Ints:
        """Leave issues out for good; the answer maps old rows to new ones (NOTHING: gone)."""
        rows = np.where(kept, np.cumsum(kept) - 1, NOTHING)
        for name in _ISSUE_DEFAULTS:
            column = self[name][kept]
            if name in ("parent", "initiative"):
                column = np.where(column == NOTHING, NOTHING, rows[column]).astype(np.int32)
            self._whole[name] = column
            self._chunks[name] = [column]
        self.count = int(kept.sum())
        return rows

    def add(self, count: int, **columns: Any) -> Ints:
        """Append `count` issues; the answer is their rows."""
        for name, default in _ISSUE_DEFAULTS.items():
            kind = _NARROW.get(name, "float64" if name == "expected" else "int32")
            value = np.asarray(columns.pop(name, default)).astype(kind)
            self._chunks[name].append(np.broadcast_to(value, (count,)))
        if columns:
            raise KeyError(f"no such columns: {sorted(columns)}")
        rows = np.arange(self.count, self.count + count)
        self.count += count
        self._whole = {}
        return rows

    def __getitem__(self, name: str) -> Array:
        """The whole column; writing into it changes the issues until more are added."""
        if name not in self._whole:
            self._whole[name] = np.concatenate(self._chunks[name])
            self._chunks[name] = [self._whole[name]]
        return self._whole[name]


class Events:
    """Changed fields.

    Issue, at, author, field, value and, for a status, the phase it is meant to be. Items of one
    issue, moment and author are one edit.
    """

    NAMES = ("issue", "at", "author", "field", "value", "phase")
    _KINDS = ("int32", "datetime64[s]", "int32", "int8", "int64", "int8")

    def __init__(self) -> None:
        self._chunks: list[list[Array]] = [[] for _ in self.NAMES]

    def note(
        self, field: str, issue: Array, at: Array, author: Any, value: Any, phase: Any = NOTHING
    ) -> None:
        """Somebody sets a field of each issue; a moment NaT is no event."""
        real = ~np.isnat(at)
        columns = (issue, at, author, FIELD[field], value, phase)
        for chunk, kind, column in zip(self._chunks, self._KINDS, columns, strict=True):
            chunk.append(np.broadcast_to(np.asarray(column).astype(kind), at.shape)[real])

    def all(self) -> dict[str, Array]:
        """All events, in the order in which they were noted."""
        if any(len(chunk) > 1 for chunk in self._chunks):
            self._chunks = [[np.concatenate(chunk)] for chunk in self._chunks]
        return {name: chunk[0] for name, chunk in zip(self.NAMES, self._chunks, strict=True)}

    def renumber(self, rows: Ints) -> None:
        """Follow `Issues.retain`: events of issues that are gone are gone too."""
        found = self.all()
        found["issue"] = rows[found["issue"]].astype(np.int32)
        kept = found["issue"] != NOTHING
        self._chunks = [[found[name][kept]] for name in self.NAMES]

    def keep_only(self, kept: npt.NDArray[np.bool_]) -> None:
        """Leave out the other events."""
        found = self.all()
        self._chunks = [[found[name][kept]] for name in self.NAMES]

    def forget_deleted(self, issues: Issues) -> None:
        """Nothing happens to an issue once it is deleted."""
        found = self.all()
        deleted = issues["deleted"][found["issue"]]
        self.keep_only(np.isnat(deleted) | (found["at"] < deleted))

    def forget(self, issues: Issues) -> None:
        """What was planned after a cut never happens.

        An issue that is given up itself still says so at that moment.
        """
        found = self.all()
        issue, at = found["issue"], found["at"]
        is_own = issues["initiative"][issue] == issue
        limit = issues["cut"][issue] + np.timedelta64(1, "s") * is_own
        self.keep_only(np.isnat(limit) | (at < limit))
