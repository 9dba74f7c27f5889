"""People and departments: who is behind an account, and where they were on a day."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
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
        for p in active:
            expected[p["department_id"]] = expected.get(p["department_id"], 0) + p["fte"] / sum(
                q["fte"] for q in active
            )
        actual = {
            d: w
            for d, begin, end, w in rows
            if str(begin) <= day and (end is None or day < str(end))
        }
        assert actual == pytest.approx(expected), day
