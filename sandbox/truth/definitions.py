"""The parameters of the definitions, as the contract of the metrics (METRICS.md) states them.

What belongs here: its numbers, and the readings of it that more than one room needs. What does
not: the platform's seeds, which say the same independently.
"""

from __future__ import annotations

GRACE_DAYS = 0
OUTCOME_HORIZON_DAYS = 90
"""Where key results are configured; 0 where there are none at all."""
REOPENING_WINDOW_DAYS = 14
SCOPE_THRESHOLD = 0.8
IDEA_MATURITY_DAYS = 365
NEW_PRODUCT_MONTHS = 36
EXPLORATORY_BAND = (0.10, 0.30)
LANDMARK_WORKING_DAYS = 30
RESTRICTED_MEAN_DAYS = 365
SECONDS_A_DAY = 8 * 3_600
"""Hours per day: 8."""
MIN_EFFECTIVE_DEPARTMENTS = 1.5
MIN_SECOND_SHARE = 0.10
MIN_PEOPLE_CROSS = 2
WHOLE_SHARE = 0.10
"""Survival metrics: an initiative belongs whole to each department with this share of effort."""
ALPHA = 0.25
INDEX_FLOOR = 0.01
SIZE_MEDIUM_DAYS, SIZE_LARGE_DAYS = 20, 100
SHIFT = 0.20
"""Adaptability: shift of effort that counts as an answer to a new weight."""
MIN_PEOPLE = 5

BEGUN = ("approved", "waiting", "in_progress", "done", "released")
"""Phases in which an initiative is approved or further."""
OPEN = ("idea", "approved", "waiting", "in_progress")
FINAL = ("done", "released", "cancelled")
DELIVERED_RESOLUTIONS = ("Done", "Fixed")
"""Nothing else counts as done: "Won't Do" in status Done is abandoned."""

UNKNOWN = "Unknown"
ALL = "ALL"
