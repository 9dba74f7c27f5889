"""Status history: synthesised beginnings, unsorted histories, reopenings, and the milestones drawn
from them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from model_runner import Models


def issue(
    models: Models,
    status: str,
    changes: Sequence[tuple[str, str, str]],
    *,
    created: str = "2026-01-01 09:00",
    issue_type: str = "Initiative",
    **fields: Any,
) -> None:
    """One issue with status changes (time, from, to), written newest first as Jira does."""
    payload = {
        "fields": {
            "project": {"key": "P"},
            "issuetype": {"name": issue_type},
            "status": {"name": status},
            "summary": "s",
            **fields,
        }
    }
    common = {"source_id": "j", "window_id": "w", "window_seq": 1, "is_latest_window": True}
    models.given(
        "raw_jira.issues",
        [
            common
            | {
                "issue_id": "1",
                "issue_key": "P-1",
                "created_at": created,
                "updated_at": created,
                "payload": json.dumps(payload),
            }
        ],
    )
    models.given(
        "raw_jira.changelogs",
        [
            common
            | {
                "issue_id": "1",
                "history_id": str(95 + number),
                "created_at": at,
                "payload": json.dumps(
                    {"items": [{"field": "status", "fromString": before, "toString": after}]}
                ),
            }
            for number, (at, before, after) in reversed(list(enumerate(changes)))
        ],
    )
    models.run(
        "stg_jira__issues",
        "stg_jira__changelog_items",
        "int_jira__issues",
        "int_jira__field_changes",
        "int_jira__field_spans",
        "int_jira__status_phases",
        "int_jira__status_spans",
        "int_jira__issue_milestones",
    )


def spans(models: Models) -> list[tuple[str, str]]:
    return [
        (r["status"], r["phase"])
        for r in models.rows(
            "select status, phase from {int_jira__status_spans} order by span_number"
        )
    ]


def milestones(models: Models) -> dict[str, Any]:
    (row,) = models.rows("select * from {int_jira__issue_milestones}")
    return row


def test_issue_without_changelog_has_one_current_span_in_todays_status(models: Models) -> None:
    issue(models, "Approved", [])
    assert spans(models) == [("Approved", "approved")]
    (row,) = models.rows("select entered_at, exited_at, is_current from {int_jira__status_spans}")
    assert row == {"entered_at": datetime(2026, 1, 1, 9), "exited_at": None, "is_current": True}


def test_initial_status_is_the_first_changes_from(models: Models) -> None:
    issue(
        models,
        "In Progress",
        [("2026-01-05 09:00", "Idea", "Approved"), ("2026-01-06 09:00", "Approved", "In Progress")],
    )
    assert [s for s, _ in spans(models)] == ["Idea", "Approved", "In Progress"]


def test_changes_of_one_millisecond_keep_the_order_of_their_numeric_ids(models: Models) -> None:
    changes = [(f"2026-01-05 09:00:0{int(i >= 98)}", f"s{i}", f"s{i + 1}") for i in range(101)]
    issue(models, "s101", changes)  # history ids 95 to 195; as text, 100 < 95
    assert [s for s, _ in spans(models)] == [f"s{i}" for i in range(102)]


def test_reopening_voids_the_end_and_keeps_the_first_pass(models: Models) -> None:
    issue(
        models,
        "Released",
        [
            ("2026-01-05 09:00", "Approved", "In Progress"),
            ("2026-02-01 09:00", "In Progress", "Released"),
            (
                "2026-02-10 09:00",
                "Released",
                "In Progress",
            ),  # 9 days later: within the window of 14
            ("2026-03-01 09:00", "In Progress", "Released"),
        ],
    )
    row = milestones(models)
    assert row["first_available_at"] == datetime(2026, 2, 1, 9)
    assert row["available_at"] == datetime(2026, 3, 1, 9)
    assert row["reopen_count"] == 1


def test_reopening_after_the_window_leaves_the_release_standing(models: Models) -> None:
    issue(
        models,
        "In Progress",
        [
            ("2026-02-01 09:00", "Approved", "Released"),
            ("2026-02-15 09:00", "Released", "In Progress"),
        ],
    )
    row = milestones(models)
    assert row["available_at"] == datetime(2026, 2, 1, 9)
    assert (row["done_at"], row["reopen_count"]) == (None, 1)


def test_closing_soon_after_the_release_takes_nothing_back(models: Models) -> None:
    issue(
        models,
        "Closed",
        [("2026-02-01 09:00", "Approved", "Released"), ("2026-02-05 09:00", "Released", "Closed")],
    )
    row = milestones(models)
    assert row["available_at"] == row["done_at"] == datetime(2026, 2, 1, 9)
    assert row["reopen_count"] == 0


def test_cancelled_after_release_stays_available(models: Models) -> None:
    issue(
        models,
        "Cancelled",
        [
            ("2026-02-01 09:00", "Approved", "Released"),
            ("2026-05-01 09:00", "Released", "Cancelled"),
        ],
    )
    row = milestones(models)
    assert (row["available_at"], row["cancelled_at"]) == (datetime(2026, 2, 1, 9), None)


def test_changes_at_or_after_as_of_do_not_exist_yet(models: Models) -> None:
    issue(
        models,
        "Released",
        [
            ("2026-06-30 23:59", "Approved", "In Progress"),
            ("2026-07-01 00:00", "In Progress", "Released"),
        ],
    )
    assert [s for s, _ in spans(models)] == ["Approved", "In Progress"]
    assert milestones(models)["available_at"] is None


def test_status_nobody_mapped_takes_the_category_its_site_declares(models: Models) -> None:
    common = {"source_id": "j", "window_id": "w", "window_seq": 1, "is_latest_window": True}
    models.given(
        "raw_jira.statuses",
        [
            common
            | {
                "status_id": "7",
                "payload": json.dumps(
                    {"name": "Brewing", "statusCategory": {"key": "indeterminate"}}
                ),
            }
        ],
    )
    models.run("stg_jira__statuses")
    issue(models, "Nowhere", [("2026-02-01 09:00", "Brewing", "Nowhere")])
    assert spans(models) == [("Brewing", "in_progress"), ("Nowhere", "Unknown")]


def test_project_level_mapping_wins_over_the_general_one(models: Models) -> None:
    models.given(
        "jira_status_map",
        [
            {"source_id": "*", "project_key": "*", "status": "Review", "phase": "in_progress"},
            {"source_id": "j", "project_key": "P", "status": "Review", "phase": "waiting"},
        ],
    )
    issue(models, "Review", [])
    assert spans(models) == [("Review", "waiting")]


@pytest.mark.parametrize(
    ("status", "resolution", "outcome"),
    [
        ("Done", {"name": "Done"}, "delivered"),
        (
            "Done",
            {"name": "Won't Do"},
            "abandoned",
        ),  # "Won't Do" is no delivery, whatever the status says
        ("Done", {"name": "Duplicate"}, "duplicate"),
        ("Done", {"name": "Invented"}, "unknown"),
        ("Done", None, "delivered"),
        ("Cancelled", None, "abandoned"),
        ("In Progress", {"name": "Done"}, None),
    ],
)
def test_outcome_needs_an_end_and_follows_the_resolution(
    models: Models, status: str, resolution: dict[str, str] | None, outcome: str | None
) -> None:
    issue(models, status, [], resolution=resolution)
    models.run("int_jira__issue_outcomes")
    assert models.rows("select outcome from {int_jira__issue_outcomes}") == [{"outcome": outcome}]
