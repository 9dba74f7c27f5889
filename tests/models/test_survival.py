"""Time to market: the Kaplan-Meier machinery against the published example and an oracle of its
own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from model_runner import Models

CELL = {"metric_id": "time_to_market", "period_grain": "quarter", "period_start": "2026-01-01"}


def watch(models: Models, times: Sequence[tuple[float, bool]], arm: str = "current") -> None:
    models.given(
        "int_metrics__survival_times",
        [
            {**CELL, "arm": arm, "initiative_id": f"{arm}{i}", "days": days, "is_event": event}
            for i, (days, event) in enumerate(times)
        ],
    )
    models.run("int_metrics__survival_curve", "int_metrics__survival_medians")


def test_published_example_has_its_published_survival_and_median(models: Models) -> None:
    watch(models, [(10, True), (20, True), (30, False), (40, True), (50, False), (60, True)])
    curve = models.rows(
        "select days, survival from {int_metrics__survival_curve} where events_n > 0 order by days"
    )
    assert [row["days"] for row in curve] == [10, 20, 40, 60]
    assert [row["survival"] for row in curve] == pytest.approx(
        [0.8333, 0.6667, 0.4444, 0], abs=5e-5
    )
    (median,) = models.rows("select * from {int_metrics__survival_medians}")
    assert (median["median_days"], median["n"], median["censored_n"]) == (40, 6, 2)


def test_a_curve_through_exactly_one_half_has_its_median_there(models: Models) -> None:
    # 1/4 and then 1/3 leave exactly one half, which a sum of logarithms misses by its last bit.
    watch(models, [(10, True), (20, True), (40, True), (60, True)])
    (median,) = models.rows("select median_days from {int_metrics__survival_medians}")
    assert median["median_days"] == 20


def test_nobody_arrived_means_no_median(models: Models) -> None:
    watch(models, [(10, False), (20, False)])
    (median,) = models.rows("select * from {int_metrics__survival_medians}")
    assert (median["median_days"], median["events_n"], median["longest_days"]) == (None, 0, 20)


def test_everybody_arriving_on_one_day_ends_the_curve(models: Models) -> None:
    watch(models, [(5, True), (5, True)])
    (point,) = models.rows("select * from {int_metrics__survival_curve}")
    assert (point["survival"], point["survival_low"]) == (0.0, None)
    assert models.rows("select median_days from {int_metrics__survival_medians}") == [
        {"median_days": 5}
    ]


def kaplan_meier(
    times: Sequence[tuple[float, bool]],
) -> list[tuple[float, float, float | None, float | None]]:
    """(time, survival, low, high) at every distinct time, by the textbook's loop."""
    survival, greenwood, points = 1.0, 0.0, []
    for moment in sorted({t for t, _ in times}):
        at_risk = sum(t >= moment for t, _ in times)
        events = sum(t == moment and e for t, e in times)
        survival *= 1 - events / at_risk
        if events < at_risk:
            greenwood += events / (at_risk * (at_risk - events))
        low = high = None
        if 0 < survival < 1:
            error = 1.959963984540054 * math.sqrt(greenwood) / abs(math.log(survival))
            low, high = survival ** math.exp(error), survival ** math.exp(-error)
        points.append((moment, survival, low, high))
    return points


@pytest.mark.parametrize("seed", range(25))
def test_curve_equals_an_independent_oracle(models: Models, seed: int) -> None:
    draw = random.Random(seed)
    times = [(float(draw.randint(1, 30)), draw.random() < 0.6) for _ in range(draw.randint(1, 40))]
    watch(models, times)
    actual = models.rows(
        "select days, survival, survival_low, survival_high "
        "from {int_metrics__survival_curve} order by days"
    )
    for row, (moment, survival, low, high) in zip(actual, kaplan_meier(times), strict=True):
        assert row["days"] == moment
        assert row["survival"] == pytest.approx(survival, abs=1e-9)
        assert row["survival_low"] == (None if low is None else pytest.approx(low, abs=1e-9))
        assert row["survival_high"] == (None if high is None else pytest.approx(high, abs=1e-9))


def medians(models: Models, **arms: tuple[float | None, float | None, float | None]) -> Any:
    """The scored row of one quarter from (median, low, high) of each arm."""
    models.given("metric_definitions", [{"metric_id": "time_to_market", "version": 1}])
    models.given(
        "int_metrics__periods",
        [{"period_grain": "quarter", "period_start": "2026-01-01", "period_end": "2026-04-01"}],
    )
    models.given(
        "int_metrics__survival_medians",
        [
            {
                **CELL,
                "arm": arm,
                "n": 20,
                "events_n": 15,
                "censored_n": 5,
                "longest_days": 99,
                "median_days": median,
                "median_low": low,
                "median_high": high,
            }
            for arm, (median, low, high) in arms.items()
        ],
    )
    models.run("int_metrics__time_to_market_scores")
    (row,) = models.rows("select * from {int_metrics__time_to_market_scores}")
    return row


def test_reduction_has_the_mover_interval_of_the_ratio_of_medians(models: Models) -> None:
    row = medians(models, current=(60.0, 50.0, 75.0), baseline=(80.0, 70.0, 100.0))
    assert row["change_value"] == pytest.approx(0.25)
    below = math.log(60 / 80) - math.hypot(math.log(60 / 50), math.log(100 / 80))
    above = math.log(60 / 80) + math.hypot(math.log(75 / 60), math.log(80 / 70))
    assert (row["change_ci_low"], row["change_ci_high"]) == pytest.approx(
        (1 - math.exp(above), 1 - math.exp(below)), abs=1e-12
    )


def test_days_of_zero_break_nothing_and_bound_nothing(models: Models) -> None:
    row = medians(models, current=(0.0, 0.0, 3.0), baseline=(80.0, 70.0, 100.0))
    assert (row["value"], row["n"], row["change_value"]) == (0.0, 20, 1.0)
    assert (row["change_ci_low"], row["change_ci_high"]) == (None, None)
    row = medians(models, current=(60.0, 50.0, 75.0), baseline=(0.0, 0.0, 1.0))
    assert (row["value"], row["baseline_value"], row["change_value"]) == (60.0, 0.0, None)


def test_a_median_without_upper_limit_leaves_one_side_of_the_change_open(models: Models) -> None:
    row = medians(models, current=(60.0, 50.0, None), baseline=(80.0, 70.0, 100.0))
    assert row["change_ci_low"] is None
    assert row["change_ci_high"] == pytest.approx(
        1 - math.exp(math.log(60 / 80) - math.hypot(math.log(60 / 50), math.log(100 / 80)))
    )


def test_both_arms_are_watched_equally_long_and_ideas_wait_with_the_others(
    models: Models,
) -> None:
    models.given(
        "int_metrics__periods",
        [
            {
                "period_grain": "quarter",
                "period_start": "2026-01-01",
                "period_end": "2026-04-01",
                "baseline_start": "2025-01-01",
                "baseline_end": "2025-04-01",
            }
        ],
    )
    models.given(
        "int_initiatives__decisions",
        [
            {"initiative_id": "now", "approved_at": "2026-02-01", "available_at": "2026-03-01"},
            {"initiative_id": "then", "approved_at": "2025-02-01", "available_at": "2025-09-01"},
            {
                "initiative_id": "given up",
                "approved_at": "2026-02-01",
                "cancelled_at": "2026-02-11",
            },
            {"initiative_id": "waiting idea", "idea_at": "2026-06-30 12:00"},
            {"initiative_id": "idea", "idea_at": "2026-03-31", "approved_at": "2026-06-01"},
        ],
    )
    models.run("int_metrics__survival_times")
    rows = models.rows("select * from {int_metrics__survival_times} order by initiative_id")
    assert [
        (r["metric_id"], r["arm"], r["initiative_id"], r["days"], r["is_event"]) for r in rows
    ] == [
        ("time_to_market", "current", "given up", 10.0, False),
        ("time_to_market.from_idea", "current", "idea", 92.0, False),
        ("time_to_market", "current", "now", 28.0, True),
        # A year ago it was 150 days old and not yet there.
        ("time_to_market", "baseline", "then", 150.0, False),
    ]


def test_an_idea_that_was_never_approved_is_censored_and_not_left_out(models: Models) -> None:
    models.given(
        "int_metrics__periods",
        [{"period_grain": "quarter", "period_start": "2026-04-01", "period_end": "2026-07-01"}],
    )
    models.given(
        "int_initiatives__decisions", [{"initiative_id": "waiting", "idea_at": "2026-06-01"}]
    )
    models.run("int_metrics__survival_times")
    (row,) = models.rows("select metric_id, days, is_event from {int_metrics__survival_times}")
    assert row == {"metric_id": "time_to_market.from_idea", "days": 30.0, "is_event": False}
