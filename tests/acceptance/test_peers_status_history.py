"""Peers' own inputs through our models: Apache DevLake's issue_trace and jirametrics' changes of
SP-10.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from model_runner import Models

TRACE = "jira_devlake/issue_trace"
Rows = Callable[[str], list[dict[str, str]]]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


@pytest.fixture
def traced(models: Models, read_rows: Rows) -> Models:
    """DevLake's 32 issues and 693 changes in our staging."""
    models.given(
        "stg_jira__issues",
        [
            {
                "source_id": "devlake",
                "issue_id": row["id"],
                "issue_key": row["issue_key"],
                "project_key": "EE",
                "issue_type": row["original_type"],
                "status": row["original_status"],
                "assignee_id": row["assignee_id"] or None,
                "created_at": utc(row["created_date"]),
                "payload": "{}",
            }
            for row in read_rows(f"{TRACE}/raw_tables/issues.csv")
        ],
    )
    items: Counter[tuple[str, str]] = Counter()
    changes = []
    for row in read_rows(f"{TRACE}/raw_tables/issue_changelogs.csv"):
        history = row["id"].split(":")[3]
        key = (row["issue_id"], history)
        named = row["field_name"] == "assignee"
        changes.append(
            {
                "source_id": "devlake",
                "issue_id": row["issue_id"],
                "history_id": history,
                "item_index": items[key],
                "field": row["field_name"],
                "from_id": row["original_from_value"] or None if named else None,
                "from_value": None if named else row["original_from_value"],
                "to_id": row["original_to_value"] or None if named else None,
                "to_value": None if named else row["original_to_value"],
                "created_at": utc(row["created_date"]),
            }
        )
        items[key] += 1
    models.given("stg_jira__changelog_items", changes)
    models.run("int_jira__issues", "int_jira__field_changes", "int_jira__field_spans")
    return models


def test_devlakes_200_status_rows_are_our_status_spans(traced: Models, read_rows: Rows) -> None:
    ours = traced.rows(
        "select issue_id, value, entered_at, is_current "
        "from {int_jira__field_spans} where field = 'status'"
    )
    theirs = read_rows(f"{TRACE}/snapshot_tables/issue_status_history.csv")
    assert len(ours) == 200
    assert Counter((r["issue_id"], r["value"], r["entered_at"]) for r in ours) == Counter(
        (r["issue_id"], r["original_status"], utc(r["start_date"])) for r in theirs
    )
    # The peer marks the only status of an issue that never changed as not current; to us it is.
    assert sum(r["is_current"] for r in ours) == 32
    assert sum(r["is_current_status"] == "1" for r in theirs) == 31


def test_devlakes_42_assignee_rows_are_our_assignee_spans(traced: Models, read_rows: Rows) -> None:
    ours = traced.rows(
        "select issue_id, value_id, entered_at "
        "from {int_jira__field_spans} where field = 'assignee' and value_id is not null"
    )
    theirs = read_rows(f"{TRACE}/snapshot_tables/issue_assignee_history.csv")
    assert len(ours) == len(theirs) == 42
    left = Counter((r["issue_id"], r["value_id"], r["entered_at"]) for r in ours)
    right = Counter((r["issue_id"], r["assignee"], utc(r["start_date"])) for r in theirs)
    # One issue of the peer begins with two assignees at once ("a,b"), which Jira itself cannot
    # express. The peer gives each of them a row from the beginning and the survivor none when the
    # other leaves; to us "a,b" and then "b" are two values of one field, as for every other field.
    shared_issue = "jira:JiraIssue:2:10088"
    both, survivor, other = (
        "jira:JiraAccount:2:5ecfbd0ba04d9c0c220c18d8,jira:JiraAccount:2:5ecfbd0a47d31e0c2a15fd87",
        "jira:JiraAccount:2:5ecfbd0a47d31e0c2a15fd87",
        "jira:JiraAccount:2:5ecfbd0ba04d9c0c220c18d8",
    )
    assert left - right == Counter(
        {
            (shared_issue, both, datetime(2020, 6, 12, 0, 41, 1, 683000)): 1,
            (shared_issue, survivor, datetime(2020, 6, 12, 0, 44, 34, 880000)): 1,
        }
    )
    assert right - left == Counter(
        {
            (shared_issue, survivor, datetime(2020, 6, 12, 0, 41, 1, 683000)): 1,
            (shared_issue, other, datetime(2020, 6, 12, 0, 41, 1, 683000)): 1,
        }
    )


@pytest.mark.parametrize(("key", "count"), [("SP-2", 3), ("SP-10", 14)])
def test_jirametrics_changes_are_our_changes(
    models: Models, shared: Path, key: str, count: int
) -> None:
    folder = shared / "jira_jirametrics"
    issue: dict[str, Any] = json.loads((folder / "testdata" / f"{key}.json").read_text())
    common = {
        "source_id": "sp",
        "window_id": "w",
        "window_seq": 1,
        "is_latest_window": True,
        "issue_id": issue["id"],
    }

    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(
            tzinfo=None
        )  # the peer drops the offset as well

    created = moment(issue["fields"]["created"])
    models.given(
        "raw_jira.issues",
        [
            common
            | {
                "issue_key": key,
                "created_at": created,
                "updated_at": created,
                "payload": json.dumps(issue),
            }
        ],
    )
    models.given(
        "raw_jira.changelogs",
        [
            common
            | {"history_id": h["id"], "created_at": moment(h["created"]), "payload": json.dumps(h)}
            for h in issue["changelog"]["histories"]
        ],
    )
    models.run(
        "stg_jira__issues",
        "stg_jira__changelog_items",
        "int_jira__issues",
        "int_jira__field_changes",
        "int_jira__field_spans",
    )
    # The peer's list: every change, after the fabricated beginnings of status and priority.
    ours = models.rows("""
        select field, value, entered_at as happened_at
        from {int_jira__field_spans}
        where field in ('status', 'priority') and span_number = 1
        union all
        select field, to_value, created_at from {int_jira__field_changes}
    """)
    expected = json.loads((folder / "expected_changes.json").read_text())[key]
    assert len(expected) == count

    def comparable(field: str, value: str | None, at: datetime) -> tuple[str, str, str]:
        return field, value or "", at.isoformat(timespec="seconds")

    assert sorted(comparable(r["field"], r["value"], r["happened_at"]) for r in ours) == sorted(
        comparable(field, value, moment(at)) for field, value, _, at in expected
    )
