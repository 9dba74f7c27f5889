"""The numbers that are published: the innovation index, its resampling, and what is withheld."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from typing import Any

import pytest
from model_runner import Models

QUARTER = "2026-04-01"
POISSON = [0.36787944117144233, 0.7357588823428847, 0.9196986029286058, 0.9810118431238462]
POISSON += [0.9963401531726563, 0.9994058151824183, 0.9999167588507119]


def clusters(models: Models, rows: list[tuple[str, str, float, float]]) -> dict[str, Any]:
    """The index of one quarter from (component, cluster, numerator, denominator)."""
    models.given(
        "int_metrics__innovation_windows",
        [
            {
                "quarter_start": QUARTER,
                "window_start": "2025-07-01",
                "window_end": "2026-07-01",
            }
        ],
    )
    models.given(
        "int_metrics__innovation_clusters",
        [
            {
                "quarter_start": QUARTER,
                "component": component,
                "cluster_key": key,
                "numerator": numerator,
                "denominator": denominator,
            }
            for component, key, numerator, denominator in rows
        ],
    )
    models.run("int_metrics__innovation_replicates", "fct_innovation_index")
    (row,) = models.rows("select * from {fct_innovation_index}")
    return row


PUBLISHED = [
    ("v", "product a", 40.0, 40.0),
    ("v", "product b", 0.0, 60.0),
    ("c", "idea 1", 1.0, 1.0),
    *[("c", f"idea {n}", 0.0, 1.0) for n in (2, 3, 4)],
    ("e", "initiative 1", 20.0, 40.0),
    ("e", "initiative 2", 0.0, 60.0),
    ("x", "initiative 1", 1.0, 1.0),
    ("x", "initiative 2", 0.0, 1.0),
]


def test_published_components_give_the_published_index(models: Models) -> None:
    row = clusters(models, PUBLISHED)
    assert (row["v"], row["c"], row["e"], row["x"]) == pytest.approx((0.4, 0.25, 1.0, 0.5))
    assert row["index_value"] == pytest.approx(47.29, abs=5e-3)
    assert row["sensitivity_low"] < row["index_value"] < row["sensitivity_high"]


def test_a_missing_component_leaves_no_headline(models: Models) -> None:
    row = clusters(models, [c for c in PUBLISHED if c[0] != "c"])
    assert (row["c"], row["index_value"], row["ci_low"]) == (None, None, None)
    assert row["v"] == pytest.approx(0.4)


def test_interval_equals_a_bootstrap_written_in_python(models: Models) -> None:
    row = clusters(models, PUBLISHED)

    def weight(key: str, replicate: int) -> int:
        digest = hashlib.md5(f"{key}:{replicate}".encode(), usedforsecurity=False).hexdigest()
        uniform = int(digest[:8], 16) / 2**32
        return sum(uniform >= step for step in POISSON)

    indices = []
    for replicate in range(1, 1001):
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for component, key, numerator, denominator in PUBLISHED:
            sums[component][0] += weight(key, replicate) * numerator
            sums[component][1] += weight(key, replicate) * denominator
        if any(not below for _, below in sums.values()):
            continue
        share = {component: above / below for component, (above, below) in sums.items()}
        e = share["e"]
        share["e"] = e / 0.1 if e < 0.1 else (1 - e) / 0.7 if e > 0.3 else 1.0
        indices.append(100 * math.prod(max(value, 0.01) ** 0.25 for value in share.values()))
    indices.sort()

    def percentile(fraction: float) -> float:
        position = fraction * (len(indices) - 1)
        low = math.floor(position)
        return indices[low] + (position - low) * (
            indices[min(low + 1, len(indices) - 1)] - indices[low]
        )

    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        (percentile(0.025), percentile(0.975)), abs=1e-9
    )


def score(models: Models, **cell: Any) -> dict[str, Any]:
    """The scorecard row of one cell of the success metric."""
    row = {
        "metric_id": "cross_departmental_success",
        "period_grain": "quarter",
        "period_start": QUARTER,
        "period_end": "2026-07-01",
        "value": 0.75,
        "numerator": 15.0,
        "denominator": 20.0,
        "n": 20,
        "people_n": 9,
        "ci_low": 0.5,
        "ci_high": 0.9,
        "ci_method": "wilson",
        "censored_n": 0,
        "undetermined_n": 0,
    }
    models.given("int_metrics__success_scores", [row | cell])
    models.run("mart_scorecard")
    (published,) = models.rows("select * from {mart_scorecard} where metric_id like 'cross%'")
    return published


def test_enough_people_and_records_are_published_without_a_reason(models: Models) -> None:
    row = score(models, people_n=5)
    assert (row["value"], row["status"], row["status_reason"]) == (0.75, "published", None)
    assert row["target_value"] == 0.7


def test_fewer_than_five_people_are_withheld_with_every_number_of_the_cell(models: Models) -> None:
    row = score(models, people_n=4, baseline_value=0.5, change_value=0.25)
    assert (row["status"], row["status_reason"]) == ("withheld", "suppressed: fewer than 5 people")
    numbers = ("value", "numerator", "denominator", "n", "ci_low", "ci_high", "censored_n")
    numbers += ("undetermined_n", "baseline_value", "change_value", "is_change_significant")
    assert {name: row[name] for name in numbers} == dict.fromkeys(numbers)


def test_an_unreached_median_of_few_people_tells_nothing_about_them(models: Models) -> None:
    row = score(
        models, people_n=1, value=None, undefined_reason="> 27 days: ...", n=1, censored_n=1
    )
    assert (row["status_reason"], row["n"], row["censored_n"]) == (
        "suppressed: fewer than 5 people",
        None,
        None,
    )


def test_a_baseline_of_few_people_is_withheld_with_the_change(models: Models) -> None:
    row = score(models, baseline_value=0.5, change_value=0.25, baseline_people_n=2)
    assert (row["value"], row["baseline_value"], row["change_value"]) == (0.75, None, None)
    row = score(models, baseline_value=0.5, change_value=0.25, baseline_people_n=5)
    assert (row["baseline_value"], row["change_value"]) == (0.5, 0.25)


def test_definitions_and_targets_with_a_later_date_wait_for_it(models: Models) -> None:
    models.given(
        "metric_targets",
        [
            {
                "metric_id": "cross_departmental_success",
                "department_id": "ALL",
                "objective_id": "ALL",
                "valid_from": day,
                "target_value": value,
            }
            for day, value in (("2025-01-01", 0.6), ("2027-01-01", 0.9))
        ],
    )
    assert score(models)["target_value"] == 0.6
    models.connection.execute(
        "insert into seeds.metric_parameters values (null, 'min_n', 2, '2027-01-01', 99, '', '')"
    )
    assert score(models, n=20)["status_reason"] is None


def test_fewer_than_ten_records_are_published_with_low_confidence(models: Models) -> None:
    assert score(models, n=9)["status_reason"] == "low_confidence"
    assert score(models, n=10)["status_reason"] is None


@pytest.mark.parametrize(
    ("low", "high", "significant"),
    [(0.01, 0.4, True), (-0.4, -0.01, True), (-0.01, 0.4, False), (None, None, None)],
)
def test_a_change_is_significant_when_its_interval_leaves_out_zero(
    models: Models, low: float | None, high: float | None, significant: bool | None
) -> None:
    row = score(models, change_ci_low=low, change_ci_high=high)
    assert row["is_change_significant"] is significant


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [(3, 4, 0.3006, 0.9544), (0, 5, 0.0, 0.4345), (0, 0, None, None)],
)
def test_shares_carry_their_published_wilson_limits(
    models: Models, numerator: int, denominator: int, low: float | None, high: float | None
) -> None:
    period = {"period_grain": "quarter", "period_start": QUARTER, "period_end": "2026-07-01"}
    models.given("int_metrics__periods", [period | {"baseline_start": "2025-04-01"}])
    models.given(
        "int_metrics__success_cells",
        [
            period
            | {
                "metric_id": "m",
                "numerator": numerator,
                "denominator": denominator,
                "undetermined_n": 0,
                "people_n": 9,
            }
        ],
    )
    models.run("int_metrics__success_scores")
    (row,) = models.rows("select * from {int_metrics__success_scores}")
    assert row["value"] == (numerator / denominator if denominator else None)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high), abs=5e-5)


def test_a_change_carries_its_published_newcombe_limits(models: Models) -> None:
    cell = {"metric_id": "m", "period_grain": "quarter", "undetermined_n": 0, "people_n": 9}
    models.given(
        "int_metrics__periods",
        [
            {
                "period_grain": "quarter",
                "period_start": QUARTER,
                "period_end": "2026-07-01",
                "baseline_start": "2025-04-01",
            },
            {
                "period_grain": "quarter",
                "period_start": "2025-04-01",
                "period_end": "2025-07-01",
                "baseline_start": "2024-04-01",
            },
        ],
    )
    models.given(
        "int_metrics__success_cells",
        [
            cell | {"period_start": QUARTER, "numerator": 16, "denominator": 20},
            cell | {"period_start": "2025-04-01", "numerator": 9, "denominator": 15},
        ],
    )
    models.run("int_metrics__success_scores")
    row, _ = models.rows("select * from {int_metrics__success_scores} order by period_start desc")
    assert (row["change_value"], row["change_ci_low"], row["change_ci_high"]) == pytest.approx(
        (0.20, -0.0956, 0.4703), abs=5e-5
    )
