"""Worklogs of the whole site: which changed, which are gone, and what they say.

What belongs here: /worklog. What does not: the worklogs of one issue (`history`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from sandbox.records.jira.notes import worklogs
from sandbox.records.jira.wire import instant
from sandbox.servers.jira.answers import Refused, answer, array, told
from sandbox.servers.jira.asked import Asked

PAGE = 1_000
SETTLED = timedelta(minutes=1)
"""What changed within the last minute is not told yet."""


async def updated(asked: Asked) -> Response:
    """GET /worklog/updated: worklogs that were booked after `since` and are still there."""
    return await _feed(
        asked,
        f"""
        select w.worklog_id, w.logged_at as happened_at
        from hidden.worklog as w
        inner join jira_now.issue as issue on issue.issue_id = w.issue_id
        where (w.deleted_at is null or w.deleted_at >= (select now from jira_now.setting))
            and {asked.sees_issue()}
        """,
    )


async def deleted(asked: Asked) -> Response:
    """GET /worklog/deleted: worklogs that went after `since`, by themselves or with their issue."""
    return await _feed(
        asked,
        """
        select w.worklog_id, least(w.deleted_at, i.deleted_at) as happened_at
        from hidden.worklog as w
        inner join hidden.issue as i on i.issue_id = w.issue_id
        where least(w.deleted_at, i.deleted_at) is not null
            and w.logged_at < least(w.deleted_at, i.deleted_at)
        """,
    )


async def listed(asked: Asked) -> Response:
    """POST /worklog/list: worklogs by id; those that are not there are passed over."""
    ids = asked.body.get("ids")
    if not isinstance(ids, list) or not ids:
        raise Refused(400, "The list of worklog ids must not be empty.")
    if len(ids) > PAGE:
        raise Refused(400, f"At most {PAGE} worklog ids can be given.")
    if not all(isinstance(number, int) for number in ids):
        raise Refused(400, "Worklog ids are whole numbers.")
    where = f"w.worklog_id in ({', '.join(map(str, ids))})"
    seen = f"select issue_id from jira_now.issue as issue where {asked.sees_issue()}"
    where += f" and w.issue_id in ({seen})"
    rows = await asked.view.query(
        f"select record from ({worklogs(asked.wire, where)}) order by note_id"
    )
    return answer(array([record for (record,) in rows]))


async def _feed(asked: Asked, sql: str) -> Response:
    """A page of (worklog_id, happened_at), oldest first, of those after `since`.

    Rows of one instant stay on one page, which is shorter therefor, since the next page begins
    after the instant of the last row.
    """
    since = asked.number("since", 0)
    rows = await asked.view.query(
        f"""
        select worklog_id, epoch_ms(happened_at) as ms
        from ({sql})
        where epoch_ms(happened_at) > {since} and happened_at < {instant(asked.now - SETTLED)}
        order by ms, worklog_id
        limit {PAGE + 1}
        """
    )
    page = await _whole_instants(asked, sql, rows)
    until = page[-1][1] if page else since
    is_last = len(rows) <= PAGE
    body: dict[str, Any] = {
        "values": [
            {"worklogId": number, "updatedTime": ms, "properties": []} for number, ms in page
        ],
        "since": since,
        "until": until,
        "self": f"{asked.address}?since={since}",
        "lastPage": is_last,
    }
    if not is_last:
        body["nextPage"] = f"{asked.address}?since={until}"
    return told(body)


async def _whole_instants(
    asked: Asked, sql: str, rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """The rows of a page: those of the last instant only where all of them fit."""
    if len(rows) <= PAGE:
        return rows
    border = rows[PAGE][1]
    whole = [row for row in rows if row[1] < border]
    if whole:
        return whole
    # More of one instant than a page holds: Jira would never get past it, so take them all.
    return await asked.view.query(
        f"""
        select worklog_id, epoch_ms(happened_at) from ({sql})
        where epoch_ms(happened_at) = {border} order by worklog_id
        """
    )
