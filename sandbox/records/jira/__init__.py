"""The company's work as Jira Cloud tells it (REST v3 shapes), as of any instant.

What belongs here: wire format and the view of a past instant. What does not: invented facts;
whatever is told follows from the hidden state. `prepare` makes the tables, `files` the bulk form
in which changelog, worklogs and comments come uncapped inside of issues; `sandbox/servers/jira`
asks the same SQL for its pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import duckdb

from sandbox.records import RecordFile
from sandbox.records.jira import places
from sandbox.records.jira.catalogue import API
from sandbox.records.jira.fields import FIELDS
from sandbox.records.jira.issues import Inline, issues
from sandbox.records.jira.state import prepare
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import json_object, plain, quoted

__all__ = ["files", "prepare"]

_WIRE = Wire()


def files(connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[RecordFile]:
    """Files of all that Jira shows at `now`, which `prepare` must have been told before.

    One file of issues per month of creation, so that a query needs memory for a month only.
    """
    months = connection.execute(
        f"""
        select strftime({_WIRE.local("created_at")}, '%Y-%m') as month, min(issue_id), max(issue_id)
        from jira_now.issue group by month order by month
        """
    ).fetchall()
    for month, first, last in months:
        yield RecordFile(
            "jira/issues",
            f"jira/issues-{month}.jsonl.gz",
            _whole_issues(f"issue_id between {first} and {last}"),
            "lines",
            "gzip",
        )
    for name, sql in _lists().items():
        yield RecordFile(f"jira/{name}", f"jira/{name}.jsonl", sql, "lines")


def _whole_issues(where: str) -> str:
    """SQL of issues as lines: text that is put together is not read and written once more."""
    line = json_object(
        {
            "id": plain("issue_id::varchar"),
            "key": plain("issue_key"),
            "self": places.link(f"{API}/issue", "issue_id"),
            "fields": "fields",
            "changelog": "changelog",
        }
    )
    return f"""
        select {line} as line
        from ({issues(_WIRE, where, inline=Inline())})
        order by issue_id
    """


def _lists() -> dict[str, str]:
    """Name of a list: SQL of its records as JSON texts."""
    fields = ", ".join(
        f"({number}, {quoted(json.dumps(field.details()))})" for number, field in enumerate(FIELDS)
    )
    return {
        "users": """
            select listed as line
            from jira_now.account, jira_now.setting
            where opened_at < now
            order by account_id
        """,
        "statuses": f"""
            select record as line from ({places.statuses(_WIRE)}) where is_there order by status_id
        """,
        "versions": f"select record as line from ({places.versions(_WIRE)}) order by version_id",
        "projects": f"select record as line from ({places.projects(_WIRE)}) order by project_id",
        "sprints": f"select record as line from ({places.sprints(_WIRE)}) order by sprint_id",
        "fields": f"""
            select json as line from (values {fields}) as t(number, json) order by number
        """,
        "boards": f"select record as line from ({places.boards()}) order by board_id",
    }
