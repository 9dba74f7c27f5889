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


def test_a_change_still_to_come_tells_the_value_before_it_and_nothing_else(
    models: Models,
) -> None:
    issue(models, "Released", [("2026-07-05 09:00", "Approved", "Released")])
    assert spans(models) == [("Approved", "approved")]
    assert milestones(models)["available_at"] is None


def test_cancelled_is_dated_by_its_own_beginning(models: Models) -> None:
    issue(
        models,
        "Cancelled",
        [("2026-02-01 09:00", "Approved", "Done"), ("2026-05-01 09:00", "Done", "Cancelled")],
    )
    row = milestones(models)
    assert row["cancelled_at"] == datetime(2026, 5, 1, 9)
    assert row["done_at"] == datetime(2026, 2, 1, 9)


def test_a_status_nobody_mapped_takes_no_release_back(models: Models) -> None:
    issue(
        models,
        "Archived",
        [
            ("2026-02-01 09:00", "Approved", "Released"),
            ("2026-02-05 09:00", "Released", "Archived"),
        ],
    )
    assert milestones(models)["available_at"] == datetime(2026, 2, 1, 9)


def test_going_back_to_the_ideas_is_no_new_idea(models: Models) -> None:
    issue(
        models,
        "Idea",
        [("2026-02-01 09:00", "Approved", "Released"), ("2026-04-01 09:00", "Released", "Idea")],
    )
    row = milestones(models)
    assert (row["idea_at"], row["approved_at"]) == (None, datetime(2026, 1, 1, 9))


def test_imported_history_before_creation_gives_no_negative_duration(models: Models) -> None:
    issue(models, "Done", [("2025-12-01 09:00", "Approved", "Done")])
    models.run("int_jira__issue_outcomes", "int_calendar__days", "fct_work_item")
    (row,) = models.rows("select elapsed_days, working_days from {fct_work_item}")
    assert (row["elapsed_days"], row["working_days"]) == (0.0, 0.0)


def test_a_custom_field_called_status_is_not_the_status(models: Models) -> None:
    issue(models, "In Progress", [("2026-02-01 09:00", "Approved", "In Progress")])
    payload = {
        "items": [
            {
                "field": "status",
                "fieldId": "customfield_10099",
                "fromString": "red",
                "toString": "green",
            }
        ]
    }
    models.connection.execute(
        "insert into raw_jira.changelogs select * replace ('999' as history_id, ? as payload)"
        " from raw_jira.changelogs",
        [json.dumps(payload)],
    )
    models.run("stg_jira__changelog_items", "int_jira__field_changes", "int_jira__field_spans")
    rows = models.rows(
        "select value from {int_jira__field_spans} where field = 'status' order by span_number"
    )
    assert [row["value"] for row in rows] == ["Approved", "In Progress"]


def test_a_sites_own_field_id_wins_over_the_general_one(models: Models) -> None:
    models.given(
        "jira_field_map",
        [
            {"source_id": "*", "field": "due_date", "field_id": "duedate"},
            {"source_id": "j", "field": "due_date", "field_id": "customfield_1"},
        ],
    )
    issue(models, "Approved", [("2026-02-01 09:00", "x", "Approved")])
    models.run("int_jira__field_changes")
    items = [
        {"field": "duedate", "fieldId": "duedate", "from": None, "to": "2026-12-31"},
        {"field": "Target", "fieldId": "customfield_1", "from": None, "to": "2026-05-05"},
    ]
    models.connection.execute(
        "update raw_jira.changelogs set payload = ?", [json.dumps({"items": items})]
    )
    models.run("stg_jira__changelog_items", "int_jira__field_changes")
    rows = models.rows(
        "select field, to_id from {int_jira__field_changes} where field = 'due_date'"
    )
    assert rows == [{"field": "due_date", "to_id": "2026-05-05"}]


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
