"""Departments: what they were for on the day of the work, and which posts could be attributed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from model_runner import Models

RAW = {"window_id": "w", "window_seq": 1, "is_latest_window": True, "source_id": "hr"}


def department(department_id: str, function: str, **dates: str) -> dict[str, Any]:
    return {"department_id": department_id, "function": function, **dates}


def shares(
    models: Models, departments: list[dict[str, Any]], effort: list[tuple[str, str, float]]
) -> dict[str, Any]:
    """The shares of initiative j:1 at its decision; effort gives (department, day, days)."""
    models.given("dim_department", departments)
    models.given(
        "int_initiatives__decisions", [{"initiative_id": "j:1", "decided_on": "2026-03-31"}]
    )
    models.given(
        "fct_contribution",
        [
            {
                "person_key": f"p{number}",
                "department_id": department_id,
                "initiative_id": "j:1",
                "work_date": day,
                "effort_days": days,
            }
            for number, (department_id, day, days) in enumerate(effort)
        ],
    )
    models.run("int_initiatives__department_shares")
    (row,) = models.rows("select * from {int_initiatives__department_shares}")
    return row


TURN = "2026-02-15"
BECAME_BUSINESS = [
    department("A", "it", valid_to=TURN),
    department("A", "business", valid_from=TURN),
    department("B", "business"),
]


@pytest.mark.parametrize(
    ("departments", "effort", "expected"),
    [
        (BECAME_BUSINESS, [("A", "2026-02-14", 1.0), ("B", "2026-03-01", 1.0)], True),
        (BECAME_BUSINESS, [("A", TURN, 1.0), ("B", "2026-03-01", 1.0)], False),
        # One department that changed its function shared nothing with anybody.
        (BECAME_BUSINESS, [("A", "2026-02-14", 1.0), ("A", "2026-03-01", 1.0)], False),
        # Before the first dated row nobody knows what it was for.
        (
            [department("A", "it"), department("B", "business", valid_from=TURN)],
            [("A", "2026-02-01", 1.0), ("B", "2026-02-14", 1.0)],
            False,
        ),
        (
            [department("A", "it"), department("B", "Unknown")],
            [("A", "2026-02-01", 1.0), ("B", "2026-02-01", 1.0)],
            False,
        ),
        (
            [department("A", "it"), department("B", "it")],
            [("A", "2026-02-01", 1.0), ("B", "2026-02-01", 1.0)],
            False,
        ),
        (
            [department("A", "customer_facing"), department("B", "business")],
            [("A", "2026-02-01", 1.0), ("B", "2026-02-01", 1.0)],
            False,
        ),
    ],
)
def test_it_shares_with_departments_of_another_known_function_on_the_day_of_the_work(
    models: Models,
    departments: list[dict[str, Any]],
    effort: list[tuple[str, str, float]],
    expected: bool,
) -> None:
    assert shares(models, departments, effort)["is_it_with_others"] is expected


def test_overlapping_rows_of_a_department_fan_nothing_out_and_the_latest_stands(
    models: Models,
) -> None:
    row = shares(
        models,
        [
            department("A", "business", valid_from="2025-01-01"),
            department("A", "it", valid_from="2026-01-01"),
            department("A", "customer_facing"),
            department("B", "business"),
        ],
        [("A", "2026-02-01", 3.0), ("B", "2026-02-01", 1.0), ("Unknown", "2026-02-01", 2.0)],
    )
    assert (row["effort_days"], row["attributed_days"]) == (6.0, 4.0)
    assert (row["second_share"], row["is_it_with_others"]) == (0.25, True)
    assert row["effective_departments"] == pytest.approx(1.6)


def posts(models: Models, *employee_ids: str) -> None:
    models.given(
        "raw_hr.employees", [RAW | {"employee_id": "1", "payload": json.dumps({"hired_on": None})}]
    )
    models.given(
        "raw_hr.department_history",
        [
            RAW
            | {
                "employee_id": employee_id,
                "department_id": "A",
                "from_date": "2025-01-01",
                "payload": "{}",
            }
            for employee_id in employee_ids
        ],
    )
    models.run("stg_hr__employees", "int_people__employees", "stg_hr__department_history")
    models.run("int_people__assignments", "int_people__assignment_segments")


def coverage(models: Models) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    models.run("int_people__coverage", "mart_data_coverage")
    rows = models.rows(
        "select source_id, topic, measure, numerator, denominator, coverage "
        "from {mart_data_coverage} where topic in ('people', 'department_history')"
    )
    return {
        (r["source_id"], r["topic"], r["measure"]): (
            r["numerator"],
            r["denominator"],
            r["coverage"],
        )
        for r in rows
    }


def test_a_post_of_nobody_in_hr_is_dropped_and_counted(models: Models) -> None:
    posts(models, "1", "98", "99")
    assert len(models.rows("select * from {dim_worker_assignment}")) == 1
    assert coverage(models)["hr", "department_history", "posts_with_employee"] == (
        1.0,
        3.0,
        pytest.approx(1 / 3),
    )


def test_matched_accounts_are_counted_by_source_without_the_hr_records(models: Models) -> None:
    models.given(
        "bridge_person_identity",
        [
            {"source_id": source, "source_user_id": str(n), "method": method}
            for n, (source, method) in enumerate(
                [("hr", "hr_record"), ("j", "email"), ("j", "none"), ("j", "none"), ("k", "none")]
            )
        ],
    )
    assert coverage(models) == {
        ("j", "people", "accounts_matched"): (1.0, 3.0, pytest.approx(1 / 3)),
        ("k", "people", "accounts_matched"): (0.0, 1.0, 0.0),
    }
