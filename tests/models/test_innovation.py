"""The four components of the innovation index: what counts into each, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest
from model_runner import Models

WINDOW = {
    "quarter_start": "2026-04-01",
    "window_start": "2025-07-01",
    "window_end": "2026-07-01",
}


@pytest.fixture
def quarter(models: Models) -> Models:
    """One window: the twelve months to 2026-07-01."""
    models.given("int_metrics__innovation_windows", [WINDOW])
    return models


def component(models: Models, name: str) -> dict[str, tuple[float, float]]:
    """Cluster -> (numerator, denominator) of one component."""
    models.run("int_metrics__innovation_clusters")
    return {
        row["cluster_key"]: (row["numerator"], row["denominator"])
        for row in models.rows(
            f"select * from {{int_metrics__innovation_clusters}} where component = '{name}'"
        )
    }


def sold(models: Models, *lines: tuple[str, str | None, float | None]) -> None:
    """Won revenue: (product, day, amount)."""
    models.given(
        "int_crm__won_revenue",
        [
            {
                "source_id": "c",
                "deal_id": str(n),
                "product_id": key,
                "won_on": day,
                "revenue": amount,
            }
            for n, (key, day, amount) in enumerate(lines)
        ],
    )


@pytest.mark.parametrize(
    ("first_sold_on", "new"),
    [
        ("2023-03-11", 100.0),  # the last day of its 36 months
        ("2023-03-10", 0.0),
        ("2026-03-10", 100.0),
        (None, 0.0),
    ],
)
def test_a_product_is_new_for_36_months_after_its_first_sale(
    quarter: Models, first_sold_on: str | None, new: float
) -> None:
    quarter.given("dim_product", [{"product_id": "c:p", "first_sold_on": first_sold_on}])
    sold(quarter, ("c:p", "2026-03-10", 100.0))
    assert component(quarter, "v") == {"product c:p": (new, 100.0)}


def test_revenue_counts_in_the_window_of_its_day_with_credits_and_unknown_products(
    quarter: Models,
) -> None:
    quarter.given("dim_product", [{"product_id": "c:p", "first_sold_on": "2025-01-01"}])
    sold(
        quarter,
        ("c:p", "2025-06-30", 1000.0),
        ("c:p", "2025-07-01", 100.0),
        ("c:p", "2026-06-30", -30.0),
        ("c:p", "2026-07-01", 1000.0),
        ("c:p", None, 1000.0),
        ("c:p", "2026-01-01", None),
        ("Unknown", "2026-01-02", 40.0),
    )
    assert component(quarter, "v") == {
        "product c:p": (70.0, 70.0),
        "product Unknown": (0.0, 40.0),
    }


def test_revenue_of_which_no_product_is_known_says_nothing(quarter: Models) -> None:
    sold(quarter, ("Unknown", "2026-01-02", 40.0))
    assert component(quarter, "v") == {}


@pytest.mark.parametrize(
    ("matures", "launched", "counted"),
    [
        ("2026-03-01", "2026-03-01", (1.0, 1.0)),
        ("2026-03-01", "2026-03-02", (0.0, 1.0)),  # too late
        ("2026-03-01", None, (0.0, 1.0)),
        ("2025-07-01", "2025-01-01", (1.0, 1.0)),
        ("2026-07-01", "2026-01-01", None),  # not ripe within the window
        ("2025-06-30", "2025-01-01", None),
    ],
)
def test_an_idea_counts_when_its_year_is_over(
    quarter: Models, matures: str, launched: str | None, counted: tuple[float, float] | None
) -> None:
    quarter.given(
        "int_metrics__ideas", [{"idea_id": "1", "matures_on": matures, "launched_on": launched}]
    )
    assert component(quarter, "c") == ({"idea 1": counted} if counted else {})


def effort(
    models: Models,
    days: Iterable[tuple[str, str, float]],
    links: Iterable[tuple[str, str, float, str | None, str | None]],
    horizons: Iterable[tuple[str, str, str | None, str | None]],
) -> dict[str, tuple[float, float]]:
    """Component e of (initiative, day, days), (initiative, objective, weight, from, to) and
    (objective, horizon, from, to).
    """
    models.given(
        "fct_contribution",
        [
            {"initiative_id": key, "work_date": day, "effort_days": amount, "person_key": "p"}
            for key, day, amount in days
        ],
    )
    models.given(
        "bridge_initiative_objective",
        [
            {
                "initiative_id": key,
                "objective_id": objective,
                "weight": weight,
                "valid_from": begins,
                "valid_to": ends,
            }
            for key, objective, weight, begins, ends in links
        ],
    )
    models.given(
        "dim_objective",
        [
            {"objective_id": key, "horizon": horizon, "valid_from": begins, "valid_to": ends}
            for key, horizon, begins, ends in horizons
        ],
    )
    return component(models, "e")


def test_effort_is_shared_over_objectives_by_their_weights_of_the_day(quarter: Models) -> None:
    shares = effort(
        quarter,
        [
            ("i", "2026-01-01", 10.0),  # half visionary
            ("i", "2026-02-01", 4.0),  # all operational from February on
            ("i", "2025-06-30", 99.0),
            ("i", "2026-07-01", 99.0),
            ("without objective", "2026-01-01", 50.0),
        ],
        [
            ("i", "V", 0.5, "2025-01-01", "2026-02-01"),
            ("i", "O", 0.5, "2025-01-01", "2026-02-01"),
            ("i", "O", 1.0, "2026-02-01", None),
        ],
        [("V", "visionary", None, None), ("O", "operational", "2024-01-01", None)],
    )
    assert shares == {"initiative i": (5.0, 14.0)}


def test_a_new_version_of_an_objective_does_not_count_effort_twice(quarter: Models) -> None:
    shares = effort(
        quarter,
        [("i", "2026-01-01", 10.0), ("i", "2026-03-01", 6.0)],
        [("i", "V", 1.0, "2025-01-01", None)],
        [("V", "strategic", "2024-01-01", "2026-02-01"), ("V", "visionary", "2026-02-01", None)],
    )
    assert shares == {"initiative i": (6.0, 16.0)}


def launched(
    models: Models,
    *,
    role: str = "initiative",
    idea_at: str | None = None,
    labels: Iterable[tuple[str, str, str | None]] = (),
    available_at: str | None = "2026-03-10 12:00",
    is_cross: bool | None = True,
) -> dict[str, tuple[float, float]]:
    """Component x of one initiative; labels as (text, from, to), one product labelled new-one."""
    models.given(
        "int_jira__issues",
        [{"source_id": "j", "issue_id": "1", "role": role, "created_at": "2025-08-01"}],
    )
    models.given(
        "int_jira__issue_milestones",
        [{"source_id": "j", "issue_id": "1", "idea_at": idea_at, "available_at": available_at}],
    )
    models.given(
        "int_jira__field_spans",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "field": "labels",
                "value": text,
                "entered_at": begins,
                "exited_at": ends,
            }
            for text, begins, ends in labels
        ],
    )
    models.given(
        "dim_product",
        [
            {"product_id": "c:p", "jira_label": "new-one", "first_sold_on": "2026-04-01"},
            {"product_id": "c:q", "jira_label": None, "first_sold_on": "2014-04-01"},
        ],
    )
    models.given(
        "fct_cross_departmental_success",
        [{"initiative_id": "j:1", "is_cross_departmental": is_cross}],
    )
    return component(models, "x")


CROSS, SINGLE = {"initiative j:1": (1.0, 1.0)}, {"initiative j:1": (0.0, 1.0)}


def test_an_innovation_began_as_an_idea_or_carried_a_product_label_at_its_launch(
    quarter: Models,
) -> None:
    assert launched(quarter) == {}
    assert launched(quarter, idea_at="2025-08-01") == CROSS
    assert launched(quarter, labels=[("a new-one b", "2025-08-01", None)]) == CROSS
    assert launched(quarter, labels=[("new-one-b", "2025-08-01", None)]) == {}
    gone = [("new-one", "2025-08-01", "2026-03-09"), ("", "2026-03-09", None)]
    assert launched(quarter, labels=gone) == {}
    assert launched(quarter, labels=[("new-one", "2026-03-11", None)]) == {}


def test_an_innovation_counts_once_in_the_window_of_its_launch(quarter: Models) -> None:
    both = [("new-one", "2025-08-01", None)]
    assert launched(quarter, idea_at="2025-08-01", labels=both, is_cross=False) == SINGLE
    assert launched(quarter, idea_at="2025-08-01", available_at=None) == {}
    assert launched(quarter, idea_at="2025-08-01", available_at="2026-07-01 00:00") == {}
    assert launched(quarter, role="idea", idea_at="2025-08-01") == {}


def test_windows_are_the_years_that_end_with_a_quarter(models: Models) -> None:
    models.build(as_of="2026-06-15")
    models.given(
        "int_jira__issues",
        [{"source_id": "j", "issue_id": "1", "created_at": "2024-11-20"}],
    )
    models.run("int_metrics__periods", "int_metrics__innovation_windows")
    rows = models.rows("select * from {int_metrics__innovation_windows} order by quarter_start")
    assert [(row["quarter_start"], row["window_start"], row["window_end"]) for row in rows] == [
        (date(2025, 10, 1), date(2025, 1, 1), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2025, 4, 1), date(2026, 4, 1)),
    ]
