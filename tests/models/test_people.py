"""People and departments: who is behind an account, and where they were on a day."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from model_runner import Models

RAW = {"window_id": "w", "window_seq": 1, "is_latest_window": True}


def employees(models: Models, *rows: dict[str, Any]) -> None:
    models.given(
        "raw_hr.employees",
        [
            RAW | {"source_id": "hr", "employee_id": row["employee_id"], "payload": json.dumps(row)}
            for row in rows
        ],
    )
    models.run("stg_hr__employees", "int_people__employees")


def users(models: Models, *rows: dict[str, Any]) -> None:
    models.given(
        "raw_jira.users",
        [
            RAW | {"source_id": "j", "user_id": row["accountId"], "payload": json.dumps(row)}
            for row in rows
        ],
    )
    models.run(
        "stg_jira__users",
        "int_people__accounts",
        "int_people__identity_evidence",
        "bridge_person_identity",
    )


def methods(models: Models) -> dict[str, str]:
    rows = models.rows(
        "select source_user_id, method from {bridge_person_identity} where source_id = 'j'"
    )
    return {row["source_user_id"]: row["method"] for row in rows}


ADA = {"employee_id": "1", "full_name": "Ada Byron", "email": "Ada@Example.com"}
BOB = {"employee_id": "2", "full_name": "Bob Stone", "email": "bob@example.com"}


def test_email_links_whatever_its_case(models: Models) -> None:
    employees(models, ADA, BOB)
    users(models, {"accountId": "a", "displayName": "adab", "emailAddress": " ada@example.COM "})
    assert methods(models) == {"a": "email"}
    (link,) = models.rows(
        "select count(distinct person_key) as persons "
        "from {bridge_person_identity} where source_user_id in ('a', '1')"
    )
    assert link["persons"] == 1


def test_full_name_links_only_where_it_is_unique(models: Models) -> None:
    employees(models, ADA, BOB, {"employee_id": "3", "full_name": "Bob Stone"})
    users(
        models,
        {"accountId": "a", "displayName": "Ada Byron"},
        {"accountId": "b", "displayName": "Bob Stone"},
    )
    assert methods(models) == {"a": "full_name", "b": "none"}


@pytest.mark.parametrize(
    ("dates", "method"),
    [
        ({"terminated_on": "2026-06-30"}, "none"),
        ({"terminated_on": "2026-07-01"}, "full_name"),  # the last day is one in the company
        ({"hired_on": "2026-07-01"}, "full_name"),
        ({"hired_on": "2026-07-02"}, "none"),
    ],
)
def test_a_name_alone_links_only_employees_active_on_the_day_of_the_build(
    models: Models, dates: dict[str, str], method: str
) -> None:
    employees(models, ADA | dates)
    users(
        models,
        {"accountId": "a", "displayName": "Ada Byron"},
    )
    assert methods(models) == {"a": method}


def test_a_leaver_of_the_same_name_leaves_it_to_the_active_employee(models: Models) -> None:
    namesake = BOB | {"employee_id": "3", "email": None, "terminated_on": "2020-01-01"}
    employees(models, BOB, namesake)
    users(models, {"accountId": "b", "displayName": "Bob Stone"})
    assert methods(models) == {"b": "full_name"}


def test_an_email_links_leavers_and_is_unique_over_all_employees(models: Models) -> None:
    gone = {"terminated_on": "2020-01-01"}
    employees(models, ADA | gone, BOB, BOB | gone | {"employee_id": "3", "full_name": "x"})
    users(
        models,
        {"accountId": "a", "emailAddress": "ada@example.com"},
        {"accountId": "b", "emailAddress": "bob@example.com"},
    )
    assert methods(models) == {"a": "email", "b": "none"}


def changelog(number: int, at: str, **item: str | None) -> dict[str, Any]:
    return RAW | {
        "source_id": "j",
        "issue_id": "1",
        "history_id": str(number),
        "created_at": at,
        "payload": json.dumps({"items": [{"field": "assignee", **item}]}),
    }


def test_a_renamed_account_is_known_by_the_users_list_then_the_issue_then_the_newest_mention(
    models: Models,
) -> None:
    models.given(
        "raw_jira.changelogs",
        [
            changelog(1, "2026-01-01", to="listed", toString="Zz Nick"),
            changelog(2, "2026-01-02", to="assigned", toString="Zz Nick"),
            changelog(3, "2026-01-03", to="mentioned", toString="Zz Maiden"),
            changelog(4, "2026-01-04", to="mentioned", toString="Aa Married"),
        ],
    )
    assignee = {"accountId": "assigned", "displayName": "Issue Name", "emailAddress": "i@x.com"}
    models.given(
        "raw_jira.issues",
        [
            RAW
            | {
                "source_id": "j",
                "issue_id": issue_id,
                "issue_key": f"P-{issue_id}",
                "created_at": "2026-01-01",
                "updated_at": updated_at,
                "payload": json.dumps({"fields": {"assignee": assignee | more}}),
            }
            for issue_id, updated_at, more in [
                ("1", "2026-02-02", {}),
                ("2", "2026-02-01", {"displayName": "Zz Former", "emailAddress": "z@x.com"}),
                ("3", "2026-02-03", {"accountId": "listed", "displayName": "Zz Issue"}),
            ]
        ],
    )
    models.run("stg_jira__changelog_items", "stg_jira__issues")
    users(models, {"accountId": "listed", "displayName": "Ada Byron"})
    rows = models.rows("select source_user_id, full_name, email from {int_people__accounts}")
    assert {r["source_user_id"]: (r["full_name"], r["email"]) for r in rows} == {
        "listed": ("ada byron", "i@x.com"),
        "assigned": ("issue name", "i@x.com"),
        "mentioned": ("aa married", None),
        "Unknown": (None, None),  # nobody signed the changes
    }


def test_what_nobody_signed_belongs_to_an_unknown_account_of_its_source(models: Models) -> None:
    employees(models, ADA)
    # A name without an account stays on records of deleted users; it identifies nobody.
    author = {"author": {"displayName": "Ada Byron", "emailAddress": "ada@example.com"}}
    record = RAW | {"issue_id": "1", "created_at": "2026-01-01", "updated_at": "2026-01-01"}
    models.given(
        "raw_jira.worklogs",
        [
            {k: v for k, v in record.items() if k != "created_at"}
            | {"source_id": "j", "worklog_id": "1", "started_at": "2026-01-01"}
            | {"payload": json.dumps(author)}
        ],
    )
    models.given(
        "raw_jira.comments",
        [
            {k: v for k, v in record.items() if k != "updated_at"}
            | {"source_id": "k", "comment_id": "1", "payload": "{}"}
        ],
    )
    models.given("raw_jira.changelogs", [changelog(1, "2026-01-01", to=None) | {"source_id": "l"}])
    models.run("stg_jira__worklogs", "stg_jira__comments", "stg_jira__changelog_items")
    users(models)
    models.run("dim_person")
    rows = models.rows(
        "select i.source_id, source_user_id, method, is_employee from {bridge_person_identity} i "
        "join {dim_person} using (person_key) where method <> 'hr_record' order by 1"
    )
    assert [tuple(r.values()) for r in rows] == [
        (source, "Unknown", "none", False) for source in "jkl"
    ]


def test_shared_mailbox_and_email_of_two_accounts_prove_nothing(models: Models) -> None:
    employees(models, ADA, BOB)
    models.given("shared_mailboxes", [{"email": "ada@example.com", "reason": "desk"}])
    users(
        models,
        {"accountId": "a", "displayName": "Ada Byron", "emailAddress": "ada@example.com"},
        {"accountId": "b1", "displayName": "x", "emailAddress": "bob@example.com"},
        {"accountId": "b2", "displayName": "y", "emailAddress": "bob@example.com"},
    )
    assert methods(models) == {"a": "none", "b1": "none", "b2": "none"}


def test_override_outranks_an_email_while_it_is_valid(models: Models) -> None:
    employees(models, ADA, BOB)
    override = {
        "source_id": "j",
        "source_user_id": "a",
        "person_source_id": "hr",
        "person_native_id": "2",
    }
    models.given("identity_overrides", [override])
    users(models, {"accountId": "a", "emailAddress": "ada@example.com"})
    assert methods(models) == {"a": "override"}
    models.given("identity_overrides", [override | {"valid_to": "2026-01-01"}])
    users(models, {"accountId": "a", "emailAddress": "ada@example.com"})
    assert methods(models) == {"a": "email"}


def test_person_key_is_the_hmac_of_the_secret(models: Models) -> None:
    import hashlib
    import hmac

    secret = b"0123456789abcdef0123456789abcdef"
    padded = secret.ljust(64, b"\0")
    models.connection.execute(
        "create or replace table pii.person_secret as select ? as inner_pad, ? as outer_pad",
        [bytes(b ^ 0x36 for b in padded).hex(), bytes(b ^ 0x5C for b in padded).hex()],
    )
    models.run("stg_mission__person_secret")
    employees(models, ADA)
    (row,) = models.rows("select person_key from {int_people__employees}")
    assert row["person_key"] == hmac.new(secret, b"hr:1", hashlib.sha256).hexdigest()


def post(department: str, begin: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "employee_id": "1",
        "department_id": department,
        "from_date": begin,
        "to_date": end,
        **more,
    }


def assign(models: Models, *posts: dict[str, Any]) -> list[tuple[str, date, date | None, float]]:
    models.given(
        "raw_hr.department_history",
        [
            RAW
            | {
                "source_id": "hr",
                "employee_id": p["employee_id"],
                "department_id": p["department_id"],
                "from_date": p["from_date"],
                "payload": json.dumps(p),
            }
            for p in posts
        ],
    )
    models.run(
        "stg_hr__department_history",
        "int_people__assignments",
        "int_people__assignment_segments",
        "dim_worker_assignment",
    )
    rows = models.rows(
        "select department_id, valid_from, valid_to, fte_weight "
        "from {dim_worker_assignment} order by valid_from, department_id"
    )
    return [
        (r["department_id"].removeprefix("hr:"), r["valid_from"], r["valid_to"], r["fte_weight"])
        for r in rows
    ]


def test_overlap_is_shared_out_and_not_fanned_out(models: Models) -> None:
    employees(models, ADA)
    assert assign(models, post("A", "2025-01-01", "2025-03-01"), post("B", "2025-02-01")) == [
        ("A", date(2025, 1, 1), date(2025, 2, 1), 1.0),
        ("A", date(2025, 2, 1), date(2025, 3, 1), 0.5),
        ("B", date(2025, 2, 1), date(2025, 3, 1), 0.5),
        ("B", date(2025, 3, 1), None, 1.0),
    ]


def test_stated_shares_outrank_contracted_time(models: Models) -> None:
    employees(models, ADA)
    rows = assign(models, post("A", "2025-01-01", share=0.75), post("B", "2025-01-01", share=0.25))
    assert [(d, w) for d, _, _, w in rows] == [("A", 0.75), ("B", 0.25)]


def test_the_last_day_in_the_company_ends_an_open_post(models: Models) -> None:
    employees(models, ADA | {"terminated_on": "2025-05-31"})
    assert assign(models, post("A", "2025-01-01")) == [
        ("A", date(2025, 1, 1), date(2025, 6, 1), 1.0)
    ]


def test_a_return_outlives_the_old_termination_date(models: Models) -> None:
    employees(models, ADA | {"terminated_on": "2025-05-31"})
    assert assign(models, post("A", "2025-01-01", "2025-06-01"), post("B", "2025-09-01")) == [
        ("A", date(2025, 1, 1), date(2025, 6, 1), 1.0),
        ("B", date(2025, 9, 1), None, 1.0),
    ]


def test_rows_of_one_department_are_one_post_at_most(models: Models) -> None:
    employees(models, ADA)
    rows = assign(
        models,
        post("A", "2025-01-01"),
        post("A", "2025-02-01"),
        post("B", "2025-02-01"),
        post("C", "2025-02-01", fte=0.25),
        post("C", "2025-01-31", "2025-03-01", fte=0.25),
    )
    assert {d: w for d, begin, _, w in rows if begin == date(2025, 2, 1)} == pytest.approx(
        {"A": 0.4, "B": 0.4, "C": 0.2}
    )
    full = models.rows(
        "select department_id, fte from {dim_worker_assignment} where valid_from = '2025-02-01' "
        "order by 1"
    )
    assert [r["fte"] for r in full] == [1.0, 1.0, 0.5]


def test_a_single_post_above_full_time_stays_as_contracted(models: Models) -> None:
    employees(models, ADA)
    assign(models, post("A", "2025-01-01", fte=1.2), post("A", "2024-12-01", "2025-02-01"))
    rows = models.rows("select valid_from, fte from {dim_worker_assignment} order by 1")
    assert [tuple(r.values()) for r in rows] == [
        (date(2024, 12, 1), 1.0),
        (date(2025, 1, 1), 1.2),
    ]


def test_window_of_another_source_with_the_same_id_fans_nothing_out(models: Models) -> None:
    models.given(
        "raw_mission.windows",
        [
            {
                "system": "hr",
                "source_id": source,
                "stream": "department_history",
                "window_id": "w",
                "window_seq": 1,
                "newest_record_at": at,
            }
            for source, at in [("hr", "2026-01-01"), ("hr2", "2026-02-02")]
        ],
    )
    models.run("stg_mission__windows")
    employees(models, ADA)
    assign(models, post("A", "2025-01-01", fte=0.5))
    rows = models.rows("select fte, recorded_from from {dim_worker_assignment}")
    assert [tuple(r.values()) for r in rows] == [(0.5, datetime(2026, 1, 1))]


@pytest.mark.parametrize(
    ("own", "timezone"), [(None, "America/New_York"), ("SIN", "Asia/Singapore")]
)
def test_location_is_the_employees_else_that_of_the_latest_post(
    models: Models, own: str | None, timezone: str
) -> None:
    employees(models, ADA | {"location_id": own})
    assign(
        models,
        post("A", "2024-01-01", "2025-01-01", location_id="HAM"),
        post("A", "2025-01-01", location_id="BOS"),
        post("A", "2026-08-01", location_id="HAM"),  # begins after the build
    )
    users(models, {"accountId": "a", "emailAddress": "ada@example.com"})
    models.run("dim_person", "int_people__account_people")
    (row,) = models.rows(
        "select timezone from {int_people__account_people} where source_user_id = 'a'"
    )
    assert row["timezone"] == timezone


@pytest.mark.parametrize(
    ("hours", "days_n"),
    [(None, 4), (32, 4), (16, 4), (15.9, 0), (8, 0)],
)
def test_leave_by_the_hour_takes_no_whole_day(
    models: Models, hours: float | None, days_n: int
) -> None:
    employees(models, ADA)
    models.given(
        "raw_hr.leave",
        [
            RAW
            | {
                "source_id": "hr",
                "employee_id": "1",
                "from_date": "2026-03-02",
                "payload": json.dumps({"to_date": "2026-03-06", "hours": hours}),
            }
        ],
    )
    models.run("stg_hr__leave", "int_people__leave_days")
    assert len(models.rows("select * from {int_people__leave_days}")) == days_n


def test_half_a_day_of_leave_follows_the_hours_of_a_working_day(models: Models) -> None:
    models.given(
        "metric_parameters",
        [
            {
                "parameter": "hours_per_day",
                "version": 1,
                "valid_from": "2000-01-01",
                "parameter_value": 6,
            }
        ],
    )
    test_leave_by_the_hour_takes_no_whole_day(models, 12, 4)
    test_leave_by_the_hour_takes_no_whole_day(models, 11.9, 0)


@pytest.mark.parametrize("seed", range(20))
def test_every_day_equals_a_day_by_day_oracle(models: Models, seed: int) -> None:
    draw = random.Random(seed)
    start = date(2025, 1, 1)
    employees(models, ADA)
    posts: dict[tuple[str, date], dict[str, Any]] = {}
    for _ in range(draw.randint(1, 6)):
        begin = start + timedelta(draw.randint(0, 40))
        end = None if draw.random() < 0.3 else begin + timedelta(draw.randint(1, 30))
        department = draw.choice("ABC")
        posts[department, begin] = post(
            department, str(begin), end and str(end), fte=draw.choice([0.5, 1.0])
        )
    rows = assign(models, *posts.values())
    for offset in range(90):
        day = str(start + timedelta(offset))
        active = [
            p
            for p in posts.values()
            if p["from_date"] <= day and (p["to_date"] is None or day < p["to_date"])
        ]
        expected: dict[str, float] = {}
        for department in {p["department_id"] for p in active}:
            ftes = [p["fte"] for p in active if p["department_id"] == department]
            expected[department] = min(sum(ftes), max(1.0, *ftes))
        total = sum(expected.values())
        expected = {department: fte / total for department, fte in expected.items()}
        actual = {
            d: w
            for d, begin, end, w in rows
            if str(begin) <= day and (end is None or day < str(end))
        }
        assert actual == pytest.approx(expected), day
