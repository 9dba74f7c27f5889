"""How Jira's live records become rows of the lake.

Belongs here: keys and required parts of each stream. Does not belong here: what is asked of Jira
(see `cloud`), the SQL around these expressions (see `landing.load`). A row's payload equals what
the same record would leave when it came in a file (see `records`).
"""

from __future__ import annotations

from dagster_project.sources.shapes import (
    Shape,
    is_day,
    is_number,
    is_time,
    moment,
    required,
    text,
)

_UPDATED = "json_extract_string(payload, '$.updated')"
_ISSUE = Shape(
    stream="issues",
    values={
        "id": "$.id",
        "issue": "$.key",
        "created": "$.fields.created",
        "updated": "$.fields.updated",
        "status": "$.fields.status.name",
        "issuetype": "$.fields.issuetype.name",
        "project": "$.fields.project.key",
        "resolutiondate": "$.fields.resolutiondate",
        "duedate": "$.fields.duedate",
    },
    keys={
        "issue_id": text("id"),
        "issue_key": text("issue"),
        "created_at": moment("created"),
        "updated_at": moment("updated"),
    },
    rules=(
        required("id", text("id")),
        required("key", text("issue")),
        required("fields.created", "created"),
        is_time("fields.created", "created"),
        is_time("fields.updated", "updated"),
        required("fields.status.name", text("status")),
        required("fields.issuetype.name", text("issuetype")),
        required("fields.project.key", text("project")),
        is_time("fields.resolutiondate", "resolutiondate"),
        is_day("fields.duedate", "duedate"),
    ),
)
_HISTORY = Shape(
    stream="changelogs",
    values={
        "issue": "$.issueId",
        "history": "$.history",
        "id": "$.history.id",
        "created": "$.history.created",
    },
    keys={
        "issue_id": text("issue"),
        "history_id": text("id"),
        "created_at": moment("created"),
    },
    payload="history",
    rules=(
        required("issueId", text("issue")),
        required("id", text("id")),
        required("created", "created"),
        is_time("created", "created"),
    ),
)
_WORKLOG = Shape(
    stream="worklogs",
    values={
        "issue": "$.issueId",
        "id": "$.id",
        "started": "$.started",
        "updated": "$.updated",
        "spent": "$.timeSpentSeconds",
    },
    keys={
        "issue_id": text("issue"),
        "worklog_id": text("id"),
        "started_at": moment("started"),
        "updated_at": moment("updated"),
    },
    rules=(
        required("issueId", text("issue")),
        required("id", text("id")),
        required("started", "started"),
        is_time("started", "started"),
        is_time("updated", "updated"),
        is_number("timeSpentSeconds", "spent"),
    ),
)
_DELETION = Shape(
    stream="worklog_deletions",
    values={"id": "$.worklogId", "deleted": "$.updatedTime"},
    keys={"worklog_id": text("id"), "deleted_at": moment("deleted")},
    rules=(
        required("worklogId", text("id")),
        required("updatedTime", "deleted"),
        is_time("updatedTime", "deleted"),
    ),
)
_COMMENT = Shape(
    stream="comments",
    values={
        "issue": "$.issueId",
        "comment": "$.comment",
        "id": "$.comment.id",
        "created": "$.comment.created",
        "updated": "$.comment.updated",
    },
    keys={
        "issue_id": text("issue"),
        "comment_id": text("id"),
        "created_at": moment("created"),
    },
    payload="comment",
    newest=f"greatest(created_at, {moment(_UPDATED)})",
    rules=(
        required("issueId", text("issue")),
        required("id", text("id")),
        required("created", "created"),
        is_time("created", "created"),
        is_time("updated", "updated"),
    ),
)
_USER = Shape(
    stream="users",
    values={"account": "$.accountId"},
    keys={"user_id": text("account")},
    rules=(required("accountId", text("account")),),
)
_VERSION = Shape(
    stream="versions",
    values={"id": "$.id", "released": "$.releaseDate"},
    keys={"version_id": text("id")},
    rules=(required("id", text("id")), is_day("releaseDate", "released")),
)


def _named(stream: str, key: str) -> Shape:
    """Records of which an id and a name must be there."""
    return Shape(
        stream=stream,
        values={"id": "$.id", "title": "$.name"},
        keys={key: text("id")},
        rules=(required("id", text("id")), required("name", text("title"))),
    )


#: In the order of the client's pulls.
SHAPES: tuple[Shape, ...] = (
    _ISSUE,
    _HISTORY,
    _COMMENT,
    _WORKLOG,
    _DELETION,
    _USER,
    _named("statuses", "status_id"),
    _named("fields", "field_id"),
    _named("projects", "project_id"),
    _VERSION,
    _named("sprints", "sprint_id"),
)
