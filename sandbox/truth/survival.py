"""Survival: how long it takes until something happens that may also never happen.

What belongs here: estimators over arrays of durations, and the same quantities of planted
log-normal durations. What does not: whose durations they are.

Conventions (METRICS.md): days from the beginning; an event comes before a censoring at the same
time; the median is the first time at which survival is at most one half; what is not reached is
NaN. Kaplan & Meier 1958; Aalen & Johansen 1978.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import erf, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_TOLERANCE = 1e-9
"""A curve that passes through exactly one half must not miss it by the last bit."""


@dataclass(frozen=True)
class Curve:
    """Survival as a step function: `survival[i]` from `days[i]` on, 1 before the first."""

    days: Floats
    survival: Floats
    last: float
    """The longest time that anybody was watched (NaN: nobody)."""

    @property
    def median(self) -> float:
        """The first day on which survival is at most one half, NaN where it never is."""
        reached = np.flatnonzero(self.survival <= 0.5 + _TOLERANCE)
        return float(self.days[reached[0]]) if len(reached) else float("nan")

    def restricted_mean(self, horizon: float) -> float:
        """The area below the curve up to `horizon` days, NaN where it is not known so far."""
        at_end = self.survival[-1] if len(self.survival) else 1.0
        if not self.last >= horizon and at_end > _TOLERANCE:
            return float("nan")
        edges = np.append(np.minimum(np.append(0.0, self.days), horizon), horizon)
        return float((np.diff(edges) * np.append(1.0, self.survival)).sum())


def kaplan_meier(days: Floats, is_event: Flags) -> Curve:
    """The share that the event has not reached yet, by day, if nothing else could end the wait."""
    times, at_risk, happened = _risk_table(days, is_event)
    survival = np.asarray(np.cumprod(1 - happened / at_risk), dtype=np.float64)
    return Curve(times, survival, float(days.max()) if len(days) else float("nan"))


def cumulative_incidence(days: Floats, is_event: Flags, is_other: Flags, at: float) -> float:
    """The share that the event has reached by day `at`, where another end competes with it.

    NaN without anybody. Beyond the longest time watched the last value stands.
    """
    if not len(days):
        return float("nan")
    times, at_risk, happened = _risk_table(days, is_event | is_other)
    ours = _count(times, days[is_event])
    before = np.append(1.0, np.cumprod(1 - happened / at_risk)[:-1])
    return float((before * ours / at_risk)[times <= at].sum())


def _risk_table(days: Floats, is_event: Flags) -> tuple[Floats, Floats, Floats]:
    """Distinct times of events, how many were still waiting then, how many events."""
    times = np.unique(days[is_event])
    at_risk = len(days) - np.searchsorted(np.sort(days), times, side="left")
    return times, at_risk.astype(np.float64), _count(times, days[is_event])


def _count(times: Floats, events: Floats) -> Floats:
    return np.bincount(np.searchsorted(times, events), minlength=len(times)).astype(np.float64)


@cache
def _normal_grid() -> tuple[Floats, Floats]:
    grid = np.linspace(-8, 8, 16_001)
    return grid, np.array([0.5 * (1 + erf(z / sqrt(2))) for z in grid.tolist()])


def normal_probability(z: Floats) -> Floats:
    """The standard normal distribution function, to seven digits."""
    return np.interp(z, *_normal_grid())


@dataclass(frozen=True)
class Planted:
    """Kinds of planted durations: log-normal where the event ever comes, which has `chance`."""

    median: Floats
    spread: Floats
    chance: Floats

    def reached(self, days: Floats) -> Floats:
        """Chance of each kind (last axis) that the event has come by each of `days`."""
        with np.errstate(divide="ignore"):
            z = (np.log(days)[..., None] - np.log(self.median)) / self.spread
        return np.asarray(self.chance * normal_probability(z))

    def mixed_median(self, weights: Floats) -> Floats:
        """Where half of each mixture (rows of kinds' weights) is reached; NaN: never."""
        weights = weights / weights.sum(axis=1, keepdims=True)
        low, high = np.zeros(len(weights)), np.full(len(weights), 1e5)
        for _ in range(60):
            middle = (low + high) / 2
            over = (self.reached(middle) * weights).sum(axis=1) >= 0.5
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        return np.where(high < 9e4, high, np.nan)

    def mixed_restricted_mean(self, weights: Floats, horizon: float) -> Floats:
        """The mean of each mixture, cut at `horizon` days."""
        grid = np.linspace(0, horizon, 4 * int(horizon) + 1)
        waiting = np.trapezoid(1 - self.reached(grid), grid, axis=0)
        return np.asarray((weights @ waiting) / weights.sum(axis=1))
