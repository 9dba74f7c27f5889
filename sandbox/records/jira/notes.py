"""What is noted on Jira's issues: time and talk.

What belongs here: worklogs and comments. What does not: changes of fields (`changes`).
"""

from __future__ import annotations

from sandbox.records.jira.catalogue import API
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import bare, json_object, plain, quoted, string


def worklogs(wire: Wire, where: str) -> str:
    """SQL of (issue_id, note_id, record) for time that is booked and not taken back by now.

    `where` chooses rows of hidden.worklog as `w`.
    """
    author = bare(_user(wire))
    logged = plain(wire.stamp("w.logged_at"))
    keys = {
        "id": plain("w.worklog_id::varchar"),
        "issueId": plain("w.issue_id::varchar"),
        "author": author,
        "updateAuthor": author,
        "created": logged,
        "updated": logged,
        "started": plain(wire.stamp("w.started_at")),
        "timeSpentSeconds": bare("w.seconds"),
    }
    if wire.is_full:
        keys["timeSpent"] = plain(_spent("w.seconds"))
        keys["self"] = _link("w", "worklog", "worklog_id")
    return f"""
        select w.issue_id, w.worklog_id as note_id, {json_object(keys)} as record
        from hidden.worklog as w
        left join jira_now.person as person on person.person_id = w.person_id
        where w.logged_at < (select now from jira_now.setting)
            and (w.deleted_at is null or w.deleted_at >= (select now from jira_now.setting))
            and ({where})
    """


def comments(wire: Wire, where: str) -> str:
    """SQL of (issue_id, note_id, record) for comments. What they say is nobody's business.

    `where` chooses rows of hidden.comment as `c`.
    """
    author = bare(_user(wire))
    written = plain(wire.stamp("c.written_at"))
    keys = {
        "id": plain("c.comment_id::varchar"),
        "author": author,
        "body": quoted('{"type":"doc","version":1,"content":[]}'),
        "created": written,
        "updated": written,
    }
    if wire.is_full:
        keys["updateAuthor"] = author
        keys["jsdPublic"] = quoted("true")
        keys["self"] = _link("c", "comment", "comment_id")
    return f"""
        select c.issue_id, c.comment_id as note_id, {json_object(keys)} as record
        from hidden.comment as c
        left join jira_now.person as person on person.person_id = c.person_id
        where c.written_at < (select now from jira_now.setting) and ({where})
    """


def _user(wire: Wire) -> str:
    return 'person."full"' if wire.is_full else "person.brief"


def _link(alias: str, path: str, column: str) -> str:
    issue = f"{quoted(API + '/issue/')}, {alias}.issue_id, {quoted(f'/{path}/')}"
    return string(f"concat({issue}, {alias}.{column})")


def _spent(seconds: str) -> str:
    """SQL of Jira's words for a duration, e.g. 2d 3h 15m (days of 8 hours)."""
    parts = (
        (f"{seconds} // 28800", "d"),
        (f"{seconds} % 28800 // 3600", "h"),
        (f"{seconds} % 3600 // 60", "m"),
    )
    words = ", ".join(
        f"case when {number} > 0 then concat({number}, '{unit}') end" for number, unit in parts
    )
    return f"coalesce(nullif(concat_ws(' ', {words}), ''), '0m')"
