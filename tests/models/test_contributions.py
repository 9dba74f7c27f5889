"""Contributions: at most one day of effort per person and day, shared fairly, in the right
department.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from model_runner import Models

MONDAY = date(2026, 3, 2)


def company(
    models: Models,
    issues: dict[str, str | None],
    in_progress: list[tuple[str, str, datetime, datetime]],
    worklogs: list[tuple[str, str | None, datetime, float]],
    *,
    person: dict[str, Any] | None = None,
    locations: list[dict[str, str]] | None = None,
    holidays: list[dict[str, Any]] | None = None,
) -> None:
    """People p1, p2 ... are their own accounts and live on UTC unless `person` says otherwise of
    everybody; a span gives status and assignee alike; the account `Unknown` has no author's id.
    """
    accounts = sorted(
        {p for _, p, *_ in in_progress} | {p or "Unknown" for _, p, *_ in worklogs} | {"p1"}
    )
    models.given("locations", locations or [])
    models.given("holidays", holidays or [])
    models.given(
        "int_people__account_people",
        [
            {
                "source_id": "j",
                "source_user_id": p,
                "person_key": p,
                "calendar_location_id": "*",
                "timezone": "UTC",
            }
            | (person or {})
            for p in accounts
        ],
    )
    models.given(
        "int_jira__issues",
        [
            {
                "source_id": "j",
                "issue_id": i,
                "parent_issue_id": parent,
                "role": "work",
                "created_at": "2026-03-01",
            }
            for i, parent in issues.items()
        ],
    )
    models.given(
        "int_jira__status_spans",
        [
            {
                "source_id": "j",
                "issue_id": i,
                "span_number": n,
                "phase": "in_progress",
                "entered_at": a,
                "exited_at": b,
            }
            for n, (i, _, a, b) in enumerate(in_progress)
        ],
    )
    models.given(
        "int_jira__field_spans",
        [
            {
                "source_id": "j",
                "issue_id": i,
                "field": "assignee",
                "span_number": n,
                "value_id": p,
                "entered_at": a,
                "exited_at": b,
            }
            for n, (i, p, a, b) in enumerate(in_progress)
        ],
    )
    models.given(
        "stg_jira__worklogs",
        [
            {
                "source_id": "j",
                "issue_id": i,
                "worklog_id": str(n),
                "author_id": p,
                "started_at": at,
                "worklog_hours": hours,
            }
            for n, (i, p, at, hours) in enumerate(worklogs)
        ],
    )
    models.run(
        "int_calendar__days",
        "int_work__assignee_days",
        "int_work__worklog_days",
        "int_work__effort",
        "fct_contribution",
    )


def effort(models: Models) -> dict[tuple[str, str, date], float]:
    rows = models.rows(
        "select person_key, issue_id, work_date, sum(effort_days) as days "
        "from {fct_contribution} group by all"
    )
    return {
        (r["person_key"], r["issue_id"], r["work_date"]): r["days"] for r in rows if r["days"] > 0
    }


def at(day: date, hour: float = 0) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour)


def test_a_day_is_split_in_proportion_to_the_overlap(models: Models) -> None:
    company(
        models,
        {"1": None, "2": None},
        [("1", "p1", at(MONDAY, 6), at(MONDAY, 18)), ("2", "p1", at(MONDAY, 12), at(MONDAY, 16))],
        [],
    )
    assert effort(models) == pytest.approx({("p1", "1", MONDAY): 0.75, ("p1", "2", MONDAY): 0.25})


def test_worklogs_come_first_and_eleven_hours_are_one_day(models: Models) -> None:
    tuesday = MONDAY + timedelta(1)
    company(
        models,
        {"1": None, "2": None},
        [("1", "p1", at(MONDAY), at(tuesday, 24))],
        [("2", "p1", at(MONDAY, 9), 2.0), ("2", "p1", at(tuesday, 9), 11.0)],
    )
    assert effort(models) == pytest.approx(
        {("p1", "2", MONDAY): 0.25, ("p1", "1", MONDAY): 0.75, ("p1", "2", tuesday): 1.0}
    )
    (hours,) = models.rows("select sum(worklog_hours) as raw_hours from {fct_contribution}")
    assert hours["raw_hours"] == 13.0


def test_weekends_earn_nothing_and_parents_earn_nothing(models: Models) -> None:
    friday, monday = MONDAY + timedelta(4), MONDAY + timedelta(7)
    spans = [("1", "p1", at(friday), at(monday, 24)), ("child", "p2", at(monday), at(monday, 24))]
    company(
        models,
        {"1": None, "parent": None, "child": "parent"},
        [*spans, ("parent", "p2", at(monday), at(monday, 24))],
        [],
    )
    assert effort(models) == pytest.approx(
        {("p1", "1", friday): 1.0, ("p1", "1", monday): 1.0, ("p2", "child", monday): 1.0}
    )


def test_leave_earns_nothing(models: Models) -> None:
    models.given("int_people__leave_days", [{"person_key": "p1", "leave_date": MONDAY}])
    company(models, {"1": None}, [("1", "p1", at(MONDAY), at(MONDAY + timedelta(1), 24))], [])
    assert set(effort(models)) == {("p1", "1", MONDAY + timedelta(1))}


EMPLOYED = {"hired_on": MONDAY + timedelta(1), "terminated_on": MONDAY + timedelta(2)}


def test_an_assignee_earns_nothing_before_the_first_and_after_the_last_day_in_the_company(
    models: Models,
) -> None:
    company(
        models,
        {"1": None},
        [("1", "p1", at(MONDAY), at(MONDAY + timedelta(10)))],
        [],
        person=EMPLOYED,
    )
    assert effort(models) == {
        ("p1", "1", MONDAY + timedelta(1)): 1.0,
        ("p1", "1", MONDAY + timedelta(2)): 1.0,
    }


def test_a_return_earns_again_while_its_post_lasts(models: Models) -> None:
    friday = MONDAY + timedelta(4)
    models.given(
        "int_people__assignments",
        [
            {
                "person_key": "p1",
                "department_id": d,
                "from_date": friday,
                "to_date": friday + timedelta(1),
            }
            for d in "AB"
        ],
    )
    company(
        models,
        {"1": None},
        [("1", "p1", at(MONDAY), at(MONDAY + timedelta(10)))],
        [],
        person=EMPLOYED,
    )
    assert {day for _, _, day in effort(models)} == {
        MONDAY + timedelta(1),
        MONDAY + timedelta(2),
        friday,
    }


def test_dates_of_employment_reach_the_account(models: Models) -> None:
    dates = {"hired_on": date(2025, 1, 1), "terminated_on": date(2026, 1, 1)}
    models.given("dim_person", [{"person_key": "p", **dates}])
    models.given(
        "bridge_person_identity", [{"source_id": "j", "source_user_id": "a", "person_key": "p"}]
    )
    models.run("int_people__account_people")
    (row,) = models.rows("select hired_on, terminated_on from {int_people__account_people}")
    assert row == dates


def test_work_that_nobody_signed_counts_in_the_unknown_department(models: Models) -> None:
    company(models, {"1": None}, [], [("1", None, at(MONDAY, 9), 6.0)])
    event = {"source_id": "j", "issue_id": "1", "author_id": None}
    models.given("stg_jira__comments", [event | {"comment_id": "1", "created_at": at(MONDAY, 30)}])
    models.given(
        "int_jira__field_changes",
        [event | {"field": "status", "change_number": 1, "created_at": at(MONDAY, 60)}],
    )
    models.run("int_work__event_days", "int_work__effort", "fct_contribution")
    rows = models.rows(
        "select person_key, department_id, work_date, worklog_hours, effort_days "
        "from {fct_contribution} order by work_date"
    )
    assert [tuple(r.values()) for r in rows] == [
        ("Unknown", "Unknown", MONDAY, 6.0, 0.75),
        ("Unknown", "Unknown", MONDAY + timedelta(1), None, 0.0),
        ("Unknown", "Unknown", MONDAY + timedelta(2), None, 0.0),
    ]


BOSTON: dict[str, Any] = {
    "person": {"calendar_location_id": "BOS", "timezone": "America/New_York"},
    "locations": [{"location_id": "BOS", "timezone": "America/New_York", "calendar_id": "US-MA"}],
}


def test_work_date_is_the_day_on_the_clock_of_the_person(models: Models) -> None:
    tuesday, wednesday = MONDAY + timedelta(1), MONDAY + timedelta(2)
    company(
        models,
        {"1": None, "2": None},
        [("2", "p1", at(wednesday, 2), at(wednesday, 4))],
        [("1", "p1", at(tuesday, 4.9), 4.0)],
        **BOSTON,
    )
    models.given(
        "stg_jira__comments",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "comment_id": "1",
                "author_id": "p1",
                "created_at": at(wednesday + timedelta(1), 1),
            }
        ],
    )
    models.run("int_work__event_days", "int_work__effort", "fct_contribution")
    rows = models.rows("select work_date, evidence from {fct_contribution} order by 1")
    assert [tuple(r.values()) for r in rows] == [
        (MONDAY, "worklog"),
        (tuesday, "in_progress_assignee"),
        (wednesday, "event"),
    ]


def test_a_holiday_of_the_persons_location_earns_nothing(models: Models) -> None:
    company(
        models,
        {"1": None},
        [("1", "p1", at(MONDAY, 5), at(MONDAY + timedelta(3), 5))],
        [],
        **BOSTON,
        holidays=[
            {"calendar_id": "US-MA", "holiday_date": MONDAY + timedelta(1)},
            {"calendar_id": "DE-HH", "holiday_date": MONDAY},
        ],
    )
    assert set(effort(models)) == {("p1", "1", MONDAY), ("p1", "1", MONDAY + timedelta(2))}


def test_work_at_or_after_as_of_does_not_count(models: Models) -> None:
    as_of = datetime(2026, 7, 1)
    company(
        models,
        {"1": None},
        [],
        [
            ("1", "p1", as_of - timedelta(seconds=1), 1.0),
            ("1", "p1", as_of, 2.0),
            ("1", "p1", as_of + timedelta(days=3), 4.0),
        ],
    )
    models.given(
        "stg_jira__comments",
        [
            {
                "source_id": "j",
                "issue_id": "1",
                "comment_id": "1",
                "author_id": "p1",
                "created_at": as_of,
            }
        ],
    )
    models.run("int_work__event_days", "int_work__effort", "fct_contribution")
    rows = models.rows("select work_date, worklog_hours from {fct_contribution}")
    assert [tuple(r.values()) for r in rows] == [(date(2026, 6, 30), 1.0)]


def test_work_belongs_to_the_nearest_initiative_above_it_only(models: Models) -> None:
    company(
        models,
        {"1": None, "2": "1", "3": "2", "4": "3", "5": None},
        [],
        [(issue, "p1", at(MONDAY, 9), 1.0) for issue in "12345"],
    )
    models.connection.execute(
        "update " + models._relation("int_jira__issues") + " set role = 'initiative' "
        "where issue_id in ('1', '2')"
    )
    models.run("int_jira__issue_initiatives", "fct_contribution")
    rows = models.rows(
        "select issue_id, initiative_id, worklog_hours from {fct_contribution} order by 1"
    )
    assert [tuple(r.values()) for r in rows] == [
        ("1", "j:1", 1.0),
        ("2", "j:2", 1.0),
        ("3", "j:2", 1.0),
        ("4", "j:2", 1.0),
        ("5", None, 1.0),
    ]


def test_the_epic_link_is_the_parent_where_the_parent_field_is_empty(models: Models) -> None:
    models.given(
        "jira_field_map",
        [{"source_id": "*", "field": "epic_link", "field_id": "customfield_10014"}],
    )
    models.given(
        "stg_jira__issues",
        [
            {
                "source_id": source,
                "issue_id": issue_id,
                "issue_key": f"P-{number}",
                "issue_type": "Story",
                "parent_issue_id": parent,
                "created_at": "2026-01-01",
                "payload": json.dumps({"fields": {"customfield_10014": epic}}),
            }
            for source, issue_id, number, parent, epic in [
                ("j", "1", 1, None, None),
                ("k", "9", 1, None, None),  # the same key on another site
                ("j", "2", 2, None, "P-1"),
                ("j", "3", 3, "2", "P-1"),
            ]
        ],
    )
    models.run("int_jira__issues")
    rows = models.rows("select issue_id, parent_issue_id from {int_jira__issues} order by 1")
    assert [tuple(r.values()) for r in rows] == [("1", None), ("2", "1"), ("3", "2"), ("9", None)]


def test_credit_goes_to_the_department_of_the_day_and_is_conserved(models: Models) -> None:
    tuesday = MONDAY + timedelta(1)
    models.given(
        "dim_worker_assignment",
        [
            {
                "person_key": "p1",
                "department_id": "A",
                "fte_weight": 1.0,
                "valid_from": "2026-01-01",
                "valid_to": tuesday,
            },
            {"person_key": "p1", "department_id": "A", "fte_weight": 0.25, "valid_from": tuesday},
            {"person_key": "p1", "department_id": "B", "fte_weight": 0.75, "valid_from": tuesday},
        ],
    )
    wednesday = MONDAY + timedelta(2)
    company(
        models,
        {"1": None},
        [("1", "p1", at(MONDAY), at(wednesday)), ("1", "p2", at(wednesday), at(wednesday, 24))],
        [],
    )
    rows = models.rows(
        "select work_date, department_id, effort_days from {fct_contribution} order by 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        (MONDAY, "A", 1.0),
        (tuesday, "A", 0.25),
        (tuesday, "B", 0.75),
        (wednesday, "Unknown", 1.0),
    ]


@pytest.mark.parametrize("seed", range(15))
def test_effort_equals_an_independent_oracle(models: Models, seed: int) -> None:
    draw = random.Random(seed)
    issues: dict[str, str | None] = {str(i): None for i in range(6)} | {"6": "0"}
    spans, worklogs = [], []
    for issue in issues:
        moment = at(MONDAY, draw.uniform(0, 100))
        for _ in range(draw.randint(0, 3)):
            end = moment + timedelta(hours=draw.uniform(1, 60))
            spans.append((issue, draw.choice(["p1", "p2"]), moment, end))
            moment = end + timedelta(hours=draw.uniform(0, 30))
    for _ in range(draw.randint(0, 8)):
        worklogs.append(
            (
                draw.choice(list(issues)),
                draw.choice(["p1", "p2"]),
                at(MONDAY, draw.uniform(0, 200)),
                draw.uniform(0.5, 6),
            )
        )
    company(models, issues, spans, worklogs)

    logged: dict[tuple[str, date], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for issue, person, start, hours in worklogs:
        logged[person, start.date()][issue] += hours / 8
    expected: dict[tuple[str, str, date], float] = defaultdict(float)
    for (person, day), by_issue in logged.items():
        for issue, days in by_issue.items():
            expected[person, issue, day] += days / max(1, sum(by_issue.values()))
    for person in ("p1", "p2"):
        for offset in range(30):
            day = MONDAY + timedelta(offset)
            overlap = {
                issue: sum(
                    max(0.0, (min(b, at(day, 24)) - max(a, at(day))).total_seconds())
                    for i, p, a, b in spans
                    if i == issue and p == person
                )
                for issue in issues
                if issue != "0"  # has a child
            }
            if day.weekday() > 4 or not sum(overlap.values()):
                continue
            rest = max(0.0, 1 - sum(logged[person, day].values()))
            for issue, seconds in overlap.items():
                expected[person, issue, day] += rest * seconds / sum(overlap.values())
    assert effort(models) == pytest.approx({k: v for k, v in expected.items() if v > 0}, abs=1e-9)
    per_day: dict[Any, float] = defaultdict(float)
    for (person, _, day), days in effort(models).items():
        per_day[person, day] += days
    assert max(per_day.values(), default=0) <= 1 + 1e-9
