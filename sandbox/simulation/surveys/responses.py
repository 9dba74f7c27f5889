"""Who answers when asked.

What belongs here: the chance to answer, for customers and employees alike. What does not: what
the answers are (`surveys`, `engagement`).
"""

from __future__ import annotations

import numpy as np

from sandbox.simulation.market.encounters import Reals


def answering_chance(rate: float, eagerness: Reals) -> Reals:
    """Chances whose log-odds differ by `eagerness` and whose mean is `rate` (1: everybody)."""
    if rate >= 1:
        return np.ones(len(eagerness))
    low, high = -30.0, 30.0
    for _ in range(60):
        level = (low + high) / 2
        mean = float(np.mean(1 / (1 + np.exp(-level - eagerness))))
        low, high = (level, high) if mean < rate else (low, level)
    return np.asarray(1 / (1 + np.exp(-low - eagerness)))
