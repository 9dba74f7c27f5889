"""The virtual clock that all servers of one company share.

What belongs here: which simulated instant it is. What does not: what is true at that instant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sandbox.calendars import END, START, first_instant
from sandbox.spec import SandboxError

FIRST = first_instant(START)
LAST = first_instant(END)

TICK_SECONDS = 1.0
"""A running clock moves in steps of so much real time: each step costs every server that is
asked afterwards a new preparation of its tables."""


class Clock:
    """Stands still at an instant until it is moved, or runs at `days_a_second`.

    It can show any instant from the start of the simulation to its end, forwards and backwards,
    and stops running at the end. Safe to use from several threads. `real_time` (seconds) is the
    clock on the wall.
    """

    def __init__(
        self, now: datetime = LAST, *, real_time: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._real_time = real_time
        self._days_a_second = 0.0
        self._set_at = real_time()
        self._instant = _checked(now)

    def now(self) -> datetime:
        """The simulated instant, in UTC."""
        with self._lock:
            return self._now()

    @property
    def days_a_second(self) -> float:
        """Simulated days that pass in a real second; 0: the clock stands still."""
        return self._days_a_second

    def move(self, to: datetime) -> None:
        """Show `to` (aware) from now on; SandboxError outside of the simulation."""
        instant = _checked(to)
        with self._lock:
            self._instant, self._set_at = instant, self._real_time()

    def run(self, days_a_second: float) -> None:
        """Run at this speed from now on; 0 stops the clock where it is."""
        if not 0 <= days_a_second <= 1_000:
            raise SandboxError("The clock runs at 0 to 1000 simulated days a second.")
        with self._lock:
            self._instant, self._set_at = self._now(), self._real_time()
            self._days_a_second = days_a_second

    def _now(self) -> datetime:
        ticks = (self._real_time() - self._set_at) // TICK_SECONDS
        passed = timedelta(days=ticks * TICK_SECONDS * self._days_a_second)
        moment = min(self._instant + passed, LAST)
        return moment.astimezone(UTC).replace(microsecond=0)


def _checked(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise SandboxError(f"The instant {moment.isoformat()} needs a zone, e.g. a final Z.")
    if not FIRST <= moment <= LAST:
        raise SandboxError(
            f"{moment.isoformat()} is outside of the simulation. Give an instant from "
            f"{FIRST.isoformat()} to {LAST.isoformat()}."
        )
    return moment.astimezone(UTC)
