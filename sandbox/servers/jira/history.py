"""Single issues and what hangs on them: changelog, worklogs, comments.

What belongs here: /issue and all below it, /changelog/bulkfetch. What does not: search, and the
feeds of worklogs.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from sandbox.records.jira.changes import hidden_fields, histories
from sandbox.records.jira.issues import Inline
from sandbox.records.jira.notes import comments, worklogs
from sandbox.records.json_text import quoted
from sandbox.servers.jira.answers import Refused, answer, array, offset_page, whole_number
from sandbox.servers.jira.asked import Asked
from sandbox.servers.jira.search import chosen_fields, records_of
from sandbox.servers.jira.tokens import invalid

MOST_ISSUES = 1_000
MOST_FIELDS = 10
MOST_HISTORIES = 10_000
_EPOCH = "epoch_ms(changed_at)::varchar"


async def issue(asked: Asked) -> Response:
    """GET /issue/{id or key}."""
    issue_id = await _found(asked)
    fields = chosen_fields(asked.texts("fields"), starts_with="*all")
    inline = Inline(histories=100, worklogs=20, comments=100)
    records = await records_of(
        asked, [issue_id], fields, has_changelog="changelog" in asked.texts("expand"), inline=inline
    )
    return answer(records[0])


async def changelog(asked: Asked) -> Response:
    """GET /issue/{id or key}/changelog: oldest first."""
    issue_id = await _found(asked)
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", 100, 100)
    sql = histories(asked.wire, f"c.issue_id = {issue_id}")
    page, total = await _slice(asked, sql, "change_id", start_at, size)
    return offset_page(page, start_at, size, total, asked.address)


async def issue_worklogs(asked: Asked) -> Response:
    """GET /issue/{id or key}/worklog."""
    issue_id = await _found(asked)
    where = f"w.issue_id = {issue_id}"
    if after := asked.number("startedAfter", 0):
        where += f" and epoch_ms(w.started_at) > {after}"
    if before := asked.number("startedBefore", 0):
        where += f" and epoch_ms(w.started_at) < {before}"
    return await _notes(asked, worklogs(asked.wire, where), "worklogs", 5_000)


async def issue_comments(asked: Asked) -> Response:
    """GET /issue/{id or key}/comment."""
    issue_id = await _found(asked)
    order = asked.request.query_params.get("orderBy", "created")
    if order.lstrip("+- ") != "created":
        raise Refused(400, f"Cannot order comments by '{order}'.")
    sql = comments(asked.wire, f"c.issue_id = {issue_id}")
    return await _notes(asked, sql, "comments", 100, is_newest_first=order.startswith("-"))


async def bulk_changelogs(asked: Asked) -> Response:
    """POST /changelog/bulkfetch: histories of many issues, oldest first, grouped by issue."""
    named = _named(asked.body)
    fields = asked.body.get("fieldIds") or []
    if len(fields) > MOST_FIELDS:
        raise Refused(400, f"At most {MOST_FIELDS} fieldIds can be given.")
    size = whole_number(str(asked.body.get("maxResults", 1_000)), 1_000, "maxResults")
    if not 1 <= size <= MOST_HISTORIES:
        raise Refused(400, f"maxResults must be between 1 and {MOST_HISTORIES}.")
    question = json.dumps([sorted(named), sorted(fields)])
    token = asked.body.get("nextPageToken")
    after = _after(asked, question, token) if token else 0
    where = await _chosen(asked, named, fields)
    ids = await asked.view.query(
        f"""
        select distinct c.change_id from hidden.change as c
        where c.changed_at < (select now from jira_now.setting)
            and c.change_id > {after} and {where}
        order by 1 limit {size + 1}
        """
    )
    page = [row[0] for row in ids[:size]]
    answered = (
        await _grouped(asked, f"{where} and c.change_id between {page[0]} and {page[-1]}")
        if page
        else []
    )
    tail = ""
    if len(ids) > size:
        following = asked.site.tokens.write(question, [page[-1]], asked.now)
        if token and asked.fault("repeated_token"):
            following = str(token)
        tail = f',"nextPageToken":"{following}"'
    return answer(f'{{"issueChangeLogs":{array(answered)}{tail}}}')


def _named(body: dict[str, Any]) -> list[str]:
    named = body.get("issueIdsOrKeys")
    if not isinstance(named, list) or not named:
        raise Refused(400, "issueIdsOrKeys must not be empty.")
    if len(named) > MOST_ISSUES:
        raise Refused(400, f"At most {MOST_ISSUES} issueIdsOrKeys can be given.")
    return [str(name) for name in named]


def _after(asked: Asked, question: str, token: Any) -> int:
    embedded, place = asked.site.tokens.read(str(token), asked.now)
    if embedded != question:
        raise invalid()
    return int(place[0])


async def _chosen(asked: Asked, named: list[str], fields: list[str]) -> str:
    """SQL that chooses changes of the issues that are there, in the fields."""
    rows = await asked.view.query(
        f"""
        select distinct known.issue_id from jira_now.known_key as known
        inner join jira_now.issue as issue on issue.issue_id = known.issue_id
        where {_is_named(named)} and {asked.sees_issue()}
        """
    )
    where = f"c.issue_id in ({', '.join(str(row[0]) for row in rows) or 'null'})"
    if fields:
        chosen = ", ".join(map(quoted, hidden_fields(fields))) or "null"
        where += f" and c.field in ({chosen})"
    return where


def _is_named(named: list[str]) -> str:
    ids = ", ".join(name for name in named if name.isdigit()) or "null"
    keys = ", ".join(quoted(name.upper()) for name in named)
    return f"(known.issue_id in ({ids}) or known.issue_key in ({keys}))"


async def _grouped(asked: Asked, where: str) -> list[str]:
    """JSON texts of the histories of each issue, in the order of their first ones."""
    # The document declares a date-time; its own example, and Jira, give epoch milliseconds.
    created = _EPOCH if asked.fault("epoch_integers") else ""
    rows = await asked.view.query(
        f"select issue_id, record from ({histories(asked.wire, where, created)}) order by change_id"
    )
    groups: dict[int, list[str]] = {}
    for issue_id, record in rows:
        groups.setdefault(issue_id, []).append(record)
    return [
        f'{{"issueId":"{issue_id}","changeHistories":{array(records)}}}'
        for issue_id, records in groups.items()
    ]


async def _found(asked: Asked) -> int:
    """The id of the issue in the path, which may be named by a key it had before a move."""
    rows = await asked.view.query(
        f"""
        select known.issue_id from jira_now.known_key as known
        inner join jira_now.issue as issue on issue.issue_id = known.issue_id
        where {_is_named([asked.request.path_params["issue"]])} and {asked.sees_issue()}
        """
    )
    if not rows:
        raise Refused(404, "Issue does not exist or you do not have permission to see it.")
    return int(rows[0][0])


async def _notes(
    asked: Asked, sql: str, name: str, most: int, *, is_newest_first: bool = False
) -> Response:
    """A page of worklogs or comments, which bear the older form of pages."""
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", most, most)
    order = "note_id desc" if is_newest_first else "note_id"
    page, total = await _slice(asked, sql, order, start_at, size)
    head = f'"startAt":{start_at},"maxResults":{size},"total":{total}'
    return answer(f'{{{head},"{name}":{array(page)}}}')


async def _slice(
    asked: Asked, sql: str, order: str, start_at: int, size: int
) -> tuple[list[str], int]:
    """(records of a page, how many there are in all).

    The records are only made where they are asked for: an issue may have thousands.
    """
    number = order.split()[0]
    rows = await asked.view.query(f"select {number} from ({sql}) order by {order}")
    chosen = ", ".join(str(row[0]) for row in rows[start_at : start_at + size]) or "null"
    page = await asked.view.query(
        f"select record from ({sql}) where {number} in ({chosen}) order by {order}"
    )
    return [record for (record,) in page], len(rows)
