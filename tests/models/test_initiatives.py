"""Cross-departmental success: when an initiative is decided, by whom it was shared, and how."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from model_runner import Models

DECIDED = ("int_initiatives__decisions", "int_initiatives__department_shares")
JUDGED = ("int_initiatives__scope", "dim_initiative", "fct_cross_departmental_success")


def initiative(
    models: Models,
    *,
    due: str | None = "2026-03-31",
    available: str | None = None,
    cancelled: str | None = None,
    started: str | None = "2026-01-12 09:00",
    done: str | None = None,
    justified: bool = False,
    outcome: str | None = None,
    effort: dict[tuple[str, str], tuple[str, float]] | None = None,
    children: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """One initiative j:1; effort maps (person, department) to (day, days). Returns its fact row."""
    models.given(
        "int_jira__issues",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "issue_key": "P-1",
                "role": "initiative",
                "created_at": "2026-01-02",
            }
        ]
        + [
            {"source_id": "j", "issue_id": str(n), "role": child.get("role", "work")}
            for n, child in enumerate(children or [], 10)
        ],
    )
    models.given(
        "int_jira__issue_milestones",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "approved_at": "2026-01-05 09:00",
                "started_at": started,
                "available_at": available,
                "cancelled_at": cancelled,
                "done_at": done,
            }
        ],
    )
    models.given(
        "int_initiatives__due_dates",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "latest_due_date": due,
                "original_due_date": due,
                "baseline_changes_n": 0,
            }
        ],
    )
    models.given(
        "int_jira__issue_outcomes",
        [{"source_id": "j", "issue_id": "1", "is_justified": justified, "outcome": outcome}],
    )
    models.given(
        "fct_contribution",
        [
            {
                "person_key": person,
                "department_id": department,
                "initiative_id": "j:1",
                "source_id": "j",
                "issue_id": "1",
                "work_date": day,
                "effort_days": days,
                "evidence": "worklog",
            }
            for (person, department), (day, days) in (effort or {}).items()
        ],
    )
    models.given(
        "fct_work_item",
        [
            {
                "source_id": "j",
                "issue_id": str(n),
                "initiative_id": "j:1",
                **{k: v for k, v in child.items() if k not in ("role", "reopened_at")},
            }
            for n, child in enumerate(children or [], 10)
        ],
    )
    models.given(
        "int_jira__status_spans",
        [
            {
                "source_id": "j",
                "issue_id": str(n),
                "span_number": 2,
                "entered_at": child["done_at"],
                "exited_at": child.get("reopened_at"),
                "is_terminal": True,
            }
            for n, child in enumerate(children or [], 10)
            if child.get("done_at")
        ],
    )
    models.run("int_calendar__days", *DECIDED, *JUDGED)
    (row,) = models.rows("select * from {fct_cross_departmental_success}")
    return row


@pytest.mark.parametrize(
    ("history", "decided_on", "reason", "success_class"),
    [
        ({"available": "2026-03-31 23:59"}, date(2026, 3, 31), "delivered", "success"),
        ({"available": "2026-04-01 00:00"}, date(2026, 3, 31), "overdue", "failure"),
        ({}, date(2026, 3, 31), "overdue", "failure"),
        ({"cancelled": "2026-02-01 09:00"}, date(2026, 2, 1), "cancelled", "failure"),
        (
            {"cancelled": "2026-02-01 09:00", "justified": True},
            date(2026, 2, 1),
            "cancelled",
            "justified_cancellation",
        ),
        (  # justified too late: by then it had failed
            {"cancelled": "2026-06-15 09:00", "justified": True},
            date(2026, 3, 31),
            "overdue",
            "failure",
        ),
        (  # "Won't Do" in a status called Closed
            {"done": "2026-02-01 09:00", "outcome": "abandoned"},
            date(2026, 2, 1),
            "cancelled",
            "failure",
        ),
        (
            {"done": "2026-02-01 09:00", "outcome": "abandoned", "justified": True, "due": None},
            date(2026, 2, 1),
            "cancelled",
            "justified_cancellation",
        ),
        ({"due": None, "available": "2026-05-01"}, date(2026, 5, 1), "delivered", "success"),
        ({"due": None}, None, None, "undecided"),
        ({"due": "2026-07-01"}, None, None, "undecided"),  # as_of: the day is not over yet
        ({"due": "2026-06-30"}, date(2026, 6, 30), "overdue", "failure"),
    ],
)
def test_an_initiative_is_decided_by_its_end_or_its_due_date(
    models: Models,
    history: dict[str, Any],
    decided_on: date | None,
    reason: str | None,
    success_class: str,
) -> None:
    row = initiative(models, **history)
    assert (row["decided_on"], row["decision_reason"], row["success_class"]) == (
        decided_on,
        reason,
        success_class,
    )


def test_departments_count_by_their_effort_up_to_the_decision(models: Models) -> None:
    effort = {
        ("p1", "A"): ("2026-02-02", 5.0),
        ("p2", "B"): ("2026-02-03", 3.0),
        ("p3", "C"): ("2026-02-04", 2.0),
        ("p4", "Unknown"): ("2026-02-05", 4.0),
        ("p5", "D"): ("2026-05-04", 90.0),  # after the decision
    }
    row = initiative(models, available="2026-03-31 12:00", effort=effort)
    assert row["effective_departments"] == pytest.approx(2.632, abs=5e-4)
    assert row["second_share"] == pytest.approx(0.3)
    assert (row["people_n"], row["is_cross_departmental"]) == (4, True)
    (shares,) = models.rows(
        "select * from {int_initiatives__department_shares} where cutoff = 'decision'"
    )
    assert (shares["effort_days"], shares["attributed_days"]) == (14.0, 10.0)


@pytest.mark.parametrize(
    ("second", "people", "is_cross"),
    [(2.7, ("p1", "p2"), True), (2.0, ("p1", "p2"), False), (2.7, ("p1", "p1"), False)],
)
def test_one_and_a_half_departments_and_two_people_make_it_cross_departmental(
    models: Models, second: float, people: tuple[str, str], is_cross: bool
) -> None:
    effort = {
        (people[0], "A"): ("2026-02-02", 10 - second),
        (people[1], "B"): ("2026-02-03", second),
    }
    row = initiative(models, available="2026-03-01 12:00", effort=effort)
    assert row["is_cross_departmental"] is is_cross


def test_landmark_judges_by_what_was_known_then_and_only_what_was_still_open(
    models: Models,
) -> None:
    late_helper = {
        ("p1", "A"): ("2026-01-13", 5.0),
        ("p2", "B"): ("2026-03-16", 5.0),  # joins after the landmark of 30 working days
    }
    row = initiative(models, available="2026-03-31 12:00", effort=late_helper)
    assert (row["is_cross_departmental"], row["is_cross_at_landmark"]) == (True, False)
    row = initiative(models, available="2026-02-10 12:00", effort=late_helper)
    assert row["is_cross_at_landmark"] is None


def test_scope_is_what_existed_at_the_start_and_was_delivered_by_the_decision(
    models: Models,
) -> None:
    before, after = datetime(2026, 1, 8), datetime(2026, 2, 8)
    done = {"outcome": "delivered", "done_at": datetime(2026, 3, 1)}
    late = {"outcome": "delivered", "done_at": datetime(2026, 4, 1)}
    row = initiative(
        models,
        available="2026-03-31 12:00",
        children=[
            *[{"created_at": before, **done}] * 3,
            {"created_at": before, **late},
            {"created_at": before, "outcome": "duplicate", "done_at": datetime(2026, 2, 1)},
            {"created_at": before, **done, "role": "sub_task"},
            {"created_at": after, "outcome": None},
        ],
    )
    assert (row["scope_ratio"], row["is_scope_met"], row["scope_growth_n"]) == (0.75, False, 1)
    assert row["success_class"] == "failure"


def test_scope_is_judged_by_the_status_at_the_decision(models: Models) -> None:
    child = {"created_at": datetime(2026, 1, 8), "done_at": datetime(2026, 3, 1)}
    reopened = {**child, "outcome": "delivered", "reopened_at": datetime(2026, 5, 1)}
    row = initiative(models, available="2026-03-31 12:00", children=[reopened])
    assert row["scope_ratio"] == 1.0
    never_started = [{"created_at": datetime(2026, 1, 8)}] * 3
    row = initiative(models, available="2026-03-31 12:00", started=None, children=never_started)
    assert (row["scope_ratio"], row["success_class"]) == (0.0, "failure")


def test_scope_that_never_existed_is_not_applicable(models: Models) -> None:
    row = initiative(models, available="2026-03-31 12:00", children=[])
    assert (row["scope_ratio"], row["is_scope_met"], row["success_class"]) == (
        None,
        None,
        "success",
    )


def test_a_promised_key_result_that_nobody_measured_is_undetermined(models: Models) -> None:
    models.given("key_results", [{"source_id": "j", "key_result_id": "k", "initiative_key": "P-1"}])
    row = initiative(models, available="2026-03-31 12:00")
    assert (row["success_class"], row["is_success"]) == ("undetermined", None)


def due_dates(
    models: Models, *spans: tuple[str, str | None], available: str | None = None
) -> dict[str, Any]:
    """Baselines of an initiative approved on 2026-01-05, from (entered, due date) in order."""
    models.given("int_jira__issues", [{"source_id": "j", "issue_id": "1", "role": "initiative"}])
    models.given(
        "int_jira__issue_milestones",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "approved_at": "2026-01-05",
                "available_at": available,
            }
        ],
    )
    ends = [entered for entered, _ in spans[1:]] + [None]
    models.given(
        "int_jira__field_spans",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "field": "due_date",
                "span_number": n,
                "value_id": due,
                "entered_at": entered,
                "exited_at": end,
                "is_current": end is None,
            }
            for n, ((entered, due), end) in enumerate(zip(spans, ends, strict=True))
        ],
    )
    models.run("int_initiatives__due_dates")
    (row,) = models.rows("select * from {int_initiatives__due_dates}")
    return row


def test_original_due_date_is_the_one_in_force_at_approval(models: Models) -> None:
    row = due_dates(
        models,
        ("2026-01-01", "2026-02-01"),
        ("2026-01-04", "2026-03-01"),
        ("2026-02-20", "2026-04-01"),
        ("2026-03-20", "2026-05-01"),
    )
    assert row["original_due_date"] == date(2026, 3, 1)
    assert (row["latest_due_date"], row["baseline_changes_n"]) == (date(2026, 5, 1), 2)


def test_a_due_date_moved_after_the_delivery_changes_nothing(models: Models) -> None:
    row = due_dates(
        models,
        ("2026-01-01", "2026-03-31"),
        ("2026-06-01", "2026-04-30"),
        available="2026-04-20",
    )
    assert (row["latest_due_date"], row["baseline_changes_n"]) == (date(2026, 3, 31), 0)


def test_a_due_date_replaced_in_the_instant_it_was_set_never_was_in_force(models: Models) -> None:
    row = due_dates(
        models,
        ("2026-01-01", None),
        ("2026-01-20", "2026-03-01"),
        ("2026-01-20", "2026-04-01"),
    )
    assert row["original_due_date"] == date(2026, 4, 1)


def test_first_due_date_set_after_approval_is_the_original_and_no_change(models: Models) -> None:
    row = due_dates(models, ("2026-01-01", None), ("2026-01-20", "2026-03-01"))
    assert row["original_due_date"] == row["latest_due_date"] == date(2026, 3, 1)
    assert row["baseline_changes_n"] == 0


def test_objectives_share_an_initiative_while_their_labels_are_set(models: Models) -> None:
    models.given(
        "objectives",
        [
            {"objective_id": "O1", "jira_label": "obj-1"},
            {"objective_id": "O2", "jira_label": "obj-2"},
        ],
    )
    models.given("int_jira__issues", [{"source_id": "j", "issue_id": "1", "role": "initiative"}])
    start = datetime(2026, 1, 1, 12)
    spans = [(0, "obj-1 x"), (10, "obj-1 obj-2"), (20, "obj-10"), (30, "obj-2")]
    models.given(
        "int_jira__field_spans",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "field": "labels",
                "span_number": n,
                "value": labels,
                "entered_at": start + timedelta(days),
                "exited_at": start + timedelta(days + 10) if n < 3 else None,
            }
            for n, (days, labels) in enumerate(spans)
        ],
    )
    models.run("bridge_initiative_objective")
    rows = models.rows("select * from {bridge_initiative_objective} order by 4, 2")
    assert [(r["objective_id"], r["weight"], r["valid_from"], r["valid_to"]) for r in rows] == [
        ("O1", 1.0, date(2026, 1, 1), date(2026, 1, 11)),
        ("O1", 0.5, date(2026, 1, 11), date(2026, 1, 21)),
        ("O2", 0.5, date(2026, 1, 11), date(2026, 1, 21)),
        ("O2", 1.0, date(2026, 1, 31), None),
    ]
