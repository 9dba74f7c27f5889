"""Rows of Jira files as records: issues are taken apart, noise is left out.

Belongs here: the shapes of REST answers (v2, v3, bulk changelogs). Does not belong here: which
fields must be there (see `entities`), formats of files. What is kept of a record is what the REST
API gave, minus texts (descriptions, comments), avatars and rendered copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from dagster_project.errors import MissionError, suggestion
from dagster_project.settings import NEEDS_JSON_COLUMN
from dagster_project.sources.fields import Reading, reason
from dagster_project.sources.files import DataFile, Row, parse_json
from dagster_project.sources.jira.entities import (
    Comment,
    History,
    Issue,
    IssueHistories,
    IssueWorklog,
    Status,
    User,
    Version,
    Worklog,
)
from dagster_project.sources.jira.slim import (
    ISSUE,
    slim_comment,
    slim_history,
    slim_person,
    slim_worklog,
)
from dagster_project.sources.rows import Accepted, Refused

Outcomes = Iterator[Accepted | Refused]


def jira_records(
    file: DataFile,
    header: tuple[str, ...] | None,
    rows: Iterator[Row],
    *,
    entity: str,
    reading: Reading,
    cut_short: Counter[str],
) -> Outcomes:
    """Typed records of one file.

    `cut_short` counts, by stream, issues whose inline list is shorter than Jira says it is.
    Raises MissionError where the JSON column is missing.
    """
    if header is not None:
        rows = _from_json_column(file, header, rows)
    split = _SPLITTERS[entity]
    for row in rows:
        if row.columns is None:
            yield Refused(entity, row.line, row.reason or "", row.raw)
            continue
        try:
            yield from split(row.columns, row.line, reading, cut_short)
        except ValidationError as error:
            yield Refused(entity, row.line, reason(error), row.raw)


def _from_json_column(
    file: DataFile, header: tuple[str, ...], rows: Iterator[Row]
) -> Iterator[Row]:
    column = file.reading.json_column
    if column is None:
        raise MissionError(f"{file.name}: {NEEDS_JSON_COLUMN[0]}", NEEDS_JSON_COLUMN[1])
    if column not in header:
        raise MissionError(
            f"{file.name}: there is no column `{column}`",
            f"correct {file.place}.json_column; {suggestion(column, header)}",
        )
    for row in rows:
        text = row.columns[column] if row.columns else None
        if isinstance(text, dict):
            yield Row(row.line, text, text)
        elif isinstance(text, str | bytes):
            yield parse_json(row.line, text, text)
        else:
            yield Row(row.line, None, row.raw, row.reason or f"{column} is missing")


def _issue(
    record: dict[str, Any], line: int, reading: Reading, cut_short: Counter[str]
) -> Outcomes:
    """The lists inside an issue first, then the issue without them."""
    issue = Issue.model_validate(record, context=reading)
    kept = {name: record[name] for name in ISSUE if name in record}
    fields = kept["fields"]
    fields.pop("description", None)
    lists = (
        ("changelogs", record.get("changelog"), "histories", _history),
        ("worklogs", fields.get("worklog"), "worklogs", _inline_worklog),
        ("comments", fields.get("comment"), "comments", _comment),
    )
    for stream, holder, name, read in lists:
        if not isinstance(holder, dict):
            continue
        found = holder.pop(name, None) or []
        if not isinstance(found, list):
            yield Refused(stream, line, f"{name} is no list", found)
            continue
        total = holder.get("total")
        if isinstance(total, int) and total > len(found):
            cut_short[stream] += 1
        for element in found:
            yield _element(stream, element, line, issue.id, read, reading)
    if "changelog" in record:
        kept["changelog"] = record["changelog"]
    yield Accepted(
        "issues",
        line,
        {
            "issue_id": issue.id,
            "issue_key": issue.key,
            "created_at": issue.fields.created,
            "updated_at": issue.fields.updated,
        },
        kept,
        issue.fields.updated or issue.fields.created,
    )


def _element(
    stream: str,
    element: Any,
    line: int,
    issue_id: str,
    read: Callable[[dict[str, Any], int, str, Reading], Accepted],
    reading: Reading,
) -> Accepted | Refused:
    if not isinstance(element, dict):
        return Refused(stream, line, f"not a JSON object but {type(element).__name__}", element)
    try:
        return read(element, line, issue_id, reading)
    except ValidationError as error:
        return Refused(stream, line, f"issue {issue_id}: {reason(error)}", element)


def _history(record: dict[str, Any], line: int, issue_id: str, reading: Reading) -> Accepted:
    history = History.model_validate(record, context=reading)
    keys = {"issue_id": issue_id, "history_id": history.id, "created_at": history.created}
    return Accepted("changelogs", line, keys, slim_history(record), history.created)


def _inline_worklog(record: dict[str, Any], line: int, issue_id: str, reading: Reading) -> Accepted:
    return _worklog(Worklog.model_validate(record, context=reading), record, line, issue_id)


def _worklog(worklog: Worklog, record: dict[str, Any], line: int, issue_id: str) -> Accepted:
    keys = {
        "issue_id": issue_id,
        "worklog_id": worklog.id,
        "started_at": worklog.started,
        "updated_at": worklog.updated,
    }
    newest = _newest(worklog.started, worklog.updated)
    return Accepted("worklogs", line, keys, slim_worklog(record), newest)


def _comment(record: dict[str, Any], line: int, issue_id: str, reading: Reading) -> Accepted:
    comment = Comment.model_validate(record, context=reading)
    keys = {"issue_id": issue_id, "comment_id": comment.id, "created_at": comment.created}
    newest = _newest(comment.created, comment.updated)
    return Accepted("comments", line, keys, slim_comment(record), newest)


def _histories(
    record: dict[str, Any], line: int, reading: Reading, cut_short: Counter[str]
) -> Outcomes:
    """One history with its issue's id, or an answer of changelog/bulkfetch, whole or by issue."""
    if isinstance(pages := record.get("issueChangeLogs"), list):
        for page in pages:
            if isinstance(page, dict):
                yield from _histories(page, line, reading, cut_short)
            else:
                yield Refused("changelogs", line, "a page of the bulk answer is no object", page)
        return
    issue_id = IssueHistories.model_validate(record, context=reading).issueId
    found = record.get("changeHistories", record.get("histories", [record]))
    if not isinstance(found, list):
        yield Refused("changelogs", line, "the histories are no list", found)
        return
    for element in found:
        yield _element("changelogs", element, line, issue_id, _history, reading)


def _issue_worklog(
    record: dict[str, Any], line: int, reading: Reading, _: Counter[str]
) -> Outcomes:
    worklog = IssueWorklog.model_validate(record, context=reading)
    yield _worklog(worklog, record, line, worklog.issueId)


def _user(record: dict[str, Any], line: int, reading: Reading, _: Counter[str]) -> Outcomes:
    user = User.model_validate(record, context=reading)
    yield Accepted("users", line, {"user_id": user.user_id}, slim_person(record), None)


def _status(record: dict[str, Any], line: int, reading: Reading, _: Counter[str]) -> Outcomes:
    status = Status.model_validate(record, context=reading)
    yield Accepted("statuses", line, {"status_id": status.id}, record, None)


def _version(record: dict[str, Any], line: int, reading: Reading, _: Counter[str]) -> Outcomes:
    version = Version.model_validate(record, context=reading)
    yield Accepted("versions", line, {"version_id": version.id}, record, None)


def _newest(first: datetime, second: datetime | None) -> datetime:
    return first if second is None else max(first, second)


_SPLITTERS: dict[str, Callable[[dict[str, Any], int, Reading, Counter[str]], Outcomes]] = {
    "issues": _issue,
    "changelogs": _histories,
    "worklogs": _issue_worklog,
    "users": _user,
    "statuses": _status,
    "versions": _version,
}
