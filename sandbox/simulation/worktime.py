"""When everybody is at work: office hours in their own zone, for many people at once.

What belongs here: questions of time that depend on a person. What does not: who is where
(`people`), or what anybody does in that time (`work`).

A day offset counts days since START. Answers are for the simulated days, START to HORIZON; an
instant outside is taken to the nearer end. A person without a post on a day keeps the zone of the
last one (before the first: of the first), but is not at work.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import OFFICE_MINUTES, START
from sandbox.simulation.work_days import DAYS, Matrices, matrices

__all__ = ["ARRIVAL_SECONDS", "DAYS", "OFFICE_SECONDS", "WorkTime"]

Ints: TypeAlias = npt.NDArray[np.integer]
Ints64: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Moments: TypeAlias = npt.NDArray[np.datetime64]

OFFICE_SECONDS = OFFICE_MINUTES * 60
ARRIVAL_SECONDS = 75 * 60
"""What waited for the morning happens within this time after opening."""
_DAY = 86_400
_EPOCH = int(datetime.combine(START, time(), UTC).timestamp())


class WorkTime:
    """Days at work of everybody, as matrices of a row a person.

    All methods take and give arrays of one length; `person_index` are row numbers from
    `index_of`, moments are `datetime64[s]` in UTC. NaT in gives NaT.
    """

    def __init__(self, matrices: Matrices) -> None:
        self.person_ids = matrices.person_ids
        """Ascending; the person of each row."""
        self._place = matrices.place
        self._before = matrices.before
        self._nth = matrices.nth
        self._midnights = matrices.midnights
        self._opens = matrices.opens

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> WorkTime:
        """The work times of everybody in hidden.person."""
        return cls(matrices(connection))

    def index_of(self, person_ids: Ints) -> npt.NDArray[np.int64]:
        """Row numbers of people; KeyError for somebody unknown."""
        wanted = np.asarray(person_ids)
        index = np.minimum(np.searchsorted(self.person_ids, wanted), len(self.person_ids) - 1)
        unknown = self.person_ids[index] != wanted
        if unknown.any():
            raise KeyError(f"unknown person {wanted[unknown][0]}")
        return index.astype(np.int64)

    def is_at_work(self, person_index: Ints, day: Ints) -> Flags:
        """Whether each person works on the day: employed, no day off, not absent."""
        inside = (day >= 0) & (day < DAYS)
        at = np.clip(day, 0, DAYS - 1)
        worked = self._before[person_index, at + 1] > self._before[person_index, at]
        return np.asarray(inside & worked)

    def work_days(self, person_index: Ints, from_day: Ints, to_day: Ints) -> npt.NDArray[np.int64]:
        """Number of days at work in [from_day, to_day)."""
        first, last = np.clip(from_day, 0, DAYS), np.clip(to_day, 0, DAYS)
        counted = self._before[person_index, last].astype(np.int64)
        return np.asarray(np.maximum(counted - self._before[person_index, first], 0))

    def local_day(self, person_index: Ints, when: Moments) -> npt.NDArray[np.int64]:
        """The local date as a day offset, clipped to -1 .. the day of HORIZON."""
        return self._local_day(person_index, _seconds(when))

    def office(self, person_index: Ints, day: Ints) -> tuple[Moments, Moments]:
        """When the office of each person's site opens and closes on the day, worked or not."""
        opens = self._opening(person_index, np.clip(day, 0, DAYS - 1))
        return _moments(opens), _moments(opens + OFFICE_SECONDS)

    def next_moment(self, person_index: Ints, when: Moments) -> Moments:
        """The first moment at work at or after `when`; NaT when there is none any more.

        Where `when` is outside of the hours, some minutes after the next opening: always the same
        ones for a person and `when`.
        """
        day, seconds, never = self._next(person_index, when)
        moments = _moments(self._opening(person_index, day) + seconds)
        moments[never] = np.datetime64("NaT")
        return moments

    def add(
        self, person_index: Ints, when: Moments, work_days: npt.NDArray[np.floating] | float
    ) -> Moments:
        """`next_moment`, and `work_days` (>= 0) days at work later, in office hours.

        A fraction is a part of the office day of 510 minutes. NaT when the person does not work
        that long.
        """
        day, seconds, never = self._next(person_index, when)
        total = seconds + np.rint(np.asarray(work_days) * OFFICE_SECONDS).astype(np.int64)
        position = self._before[person_index, day] + total // OFFICE_SECONDS
        never |= position >= self._before[person_index, DAYS]
        reached = self._nth[person_index, np.minimum(position, self._nth.shape[1] - 1)]
        # Never beyond the last day at work, where the matrix only has its filling.
        reached = np.where(never, 0, reached)
        moments = _moments(self._opening(person_index, reached) + total % OFFICE_SECONDS)
        moments[never] = np.datetime64("NaT")
        return moments

    def _local_day(self, person_index: Ints, seconds: npt.NDArray[np.int64]) -> Ints64:
        # The site is that of the UTC date: only at night could it be another one.
        day = np.clip((seconds - _EPOCH) // _DAY, 0, DAYS - 1)
        place = self._place[person_index, day]
        early = seconds < self._midnights[place, day]
        late = seconds >= self._midnights[place, day + 1]
        return np.asarray(day - early + late)

    def _opening(self, person_index: Ints, day: Ints) -> Ints64:
        return np.asarray(self._opens[self._place[person_index, day], day])

    def _next(self, person_index: Ints, when: Moments) -> tuple[Ints64, Ints64, Flags]:
        """Day, seconds after its opening, and whether there is no such moment."""
        seconds = _seconds(when)
        today = np.clip(self._local_day(person_index, seconds), 0, DAYS - 1)
        since = seconds - self._opening(person_index, today)
        works = self.is_at_work(person_index, today)
        goes_on = works & (since >= 0) & (since < OFFICE_SECONDS)
        # The position of the next day at work: today's own unless it is over.
        position = self._before[person_index, today + (since >= OFFICE_SECONDS)]
        never = np.isnat(when) | (position >= self._before[person_index, DAYS])
        day = self._nth[person_index, np.minimum(position, self._nth.shape[1] - 1)]
        day = np.where(never, 0, day).astype(np.int64)
        return day, np.where(goes_on, since, _arrival(person_index, seconds)), never


def _seconds(when: Moments) -> Ints64:
    seconds = when.astype("datetime64[s]").astype(np.int64)
    return np.where(np.isnat(when), _EPOCH, seconds)


def _moments(seconds: Ints64) -> Moments:
    return np.asarray(seconds, dtype=np.int64).astype("datetime64[s]")


def _arrival(person_index: Ints, seconds: Ints64) -> Ints64:
    """Seconds after opening: scattered over people and moments, and always the same."""
    mixed = np.asarray(person_index).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = mixed ^ (seconds.astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed % np.uint64(ARRIVAL_SECONDS)).astype(np.int64)
