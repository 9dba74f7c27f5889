"""Jira's issues: fields, with changelog, worklogs and comments inside.

What belongs here: SQL of whole issues. What does not: changelog items (`changes`), and which
issues somebody asked for (`sandbox/servers/jira`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sandbox.records.jira import places
from sandbox.records.jira.catalogue import API, RANK, SPRINT, STORY_POINTS
from sandbox.records.jira.changes import histories
from sandbox.records.jira.notes import comments, worklogs
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import bare, json_list, json_object, plain, quoted, string

FILE_FIELDS = (
    "summary",
    "issuetype",
    "project",
    "status",
    "priority",
    "resolution",
    "resolutiondate",
    "created",
    "updated",
    "duedate",
    "labels",
    "assignee",
    "reporter",
    "creator",
    STORY_POINTS,
    SPRINT,
    "fixVersions",
    "worklog",
    "comment",
    "parent",
)
"""Fields of an issue in files, where everything is inline."""
ALL_FIELDS = (*FILE_FIELDS, "description", "timespent", RANK)


@dataclass(frozen=True)
class Inline:
    """How much of what hangs on an issue comes with it; None: all of it."""

    histories: int | None = None
    worklogs: int | None = None
    comments: int | None = None
    has_changelog: bool = True


def issues(
    wire: Wire,
    where: str,
    fields: Collection[str] = FILE_FIELDS,
    inline: Inline = Inline(),
) -> str:
    """SQL of issues: (issue_id, issue_key, fields, changelog), the last two as JSON texts.

    `where` chooses issue ids, over a column issue_id: it is applied to changes and notes as well.
    """
    texts = {name: text for name, text in _fields(wire).items() if name in fields}
    optional = {"parent": _parent(wire)} if "parent" in fields else {}
    named = json_object({name: texts[name] for name in ALL_FIELDS if name in texts}, optional)
    parts = {"picked": f"select * from jira_now.issue where {where}"}
    joins = [_JOINS[name] for name in _JOINS if name in fields]
    for name, (table, sql) in _tables(wire, where, inline).items():
        if name in fields:
            parts[table] = sql
            joins.append(
                f"left join {table} on {table}.{_KEYS.get(table, 'issue_id = i.issue_id')}"
            )
    changelog = "null"
    if inline.has_changelog:
        changelog = _or_empty("changelog", "histories", inline.histories)
        parts["changelog"] = _latest_first(wire, where, inline.histories)
        joins.append("left join changelog on changelog.issue_id = i.issue_id")
    return f"""
        with {", ".join(f"{name} as ({sql})" for name, sql in parts.items())}
        select
            i.issue_id,
            i.issue_key,
            {named if texts or optional else "'{}'"} as fields,
            {changelog} as changelog
        from picked as i
        {" ".join(dict.fromkeys(joins))}
        order by i.issue_id
    """


_CREATOR = "left join jira_now.person as creator on creator.person_id = i.creator_id"
_JOINS = {
    "assignee": "left join jira_now.person as assignee on assignee.person_id = i.assignee_id",
    "reporter": _CREATOR,
    "creator": _CREATOR,
    "status": "left join jira_now.status as status on status.status = i.status",
    "parent": "left join jira_now.issue as parent on parent.issue_id = i.parent_issue_id",
}
"""What a field needs beside the issue itself."""
_KEYS = {
    "project": "project_key = i.project_key",
    "version": "version_id = i.fix_version",
    "sprint": "value = i.sprint",
}


def _tables(wire: Wire, where: str, inline: Inline) -> Mapping[str, tuple[str, str]]:
    """Field: the table that it needs, and its SQL."""
    return {
        "project": ("project", f"select project_key, record from ({places.projects(wire)})"),
        "fixVersions": ("version", f"select version_id, short from ({places.versions(wire)})"),
        SPRINT: ("sprint", _sprint_lists(wire)),
        "worklog": (
            "worklog",
            _page(
                worklogs(wire, f"{_aliased(where, 'w')} and w.{_THERE}"),
                "worklogs",
                "note_id",
                inline.worklogs,
            ),
        ),
        "comment": (
            "comment",
            _page(
                comments(wire, f"{_aliased(where, 'c')} and c.{_THERE}"),
                "comments",
                "note_id",
                inline.comments,
            ),
        ),
    }


_THERE = "issue_id in (select issue_id from picked)"


def _aliased(where: str, alias: str) -> str:
    return where.replace("issue_id", f"{alias}.issue_id")


def _sprint_lists(wire: Wire) -> str:
    """SQL of (value, short): the sprints that an issue has been in, as it holds them."""
    return f"""
        select value, {json_list("short", "sprint_id")} as short
        from (
            select
                sprint as value,
                unnest(regexp_split_to_array(sprint, '[, ]+'))::integer as sprint_id
            from (select distinct sprint from picked where sprint is not null)
        )
        inner join ({places.sprints(wire)}) using (sprint_id)
        group by value
    """


def _fields(wire: Wire) -> Mapping[str, str]:
    """JSON text of each field, over the joins of `issues`."""
    user = '"full"' if wire.is_full else "brief"
    creator = bare(f"creator.{user}")
    return {
        "summary": string("i.summary"),
        "issuetype": places.issue_type("i.issue_type", wire),
        "project": bare("project.record"),
        "status": bare('status."full"' if wire.is_full else "status.record"),
        "priority": places.priority("i.priority", wire),
        "resolution": places.resolution("i.resolution", wire),
        "resolutiondate": plain(wire.stamp("i.resolved_at")),
        "created": plain(wire.stamp("i.created_at")),
        "updated": plain(wire.stamp("i.updated_at")),
        "duedate": plain("i.due_date::varchar"),
        "labels": "coalesce(to_json(string_split(i.labels, ' '))::varchar, '[]')",
        "assignee": bare(f"assignee.{user}"),
        "reporter": creator,
        "creator": creator,
        STORY_POINTS: bare("i.story_points"),
        SPRINT: bare("sprint.short"),
        "fixVersions": "concat('[', version.short, ']')",
        "worklog": _or_empty("worklog", "worklogs", 20 if wire.is_full else None),
        "comment": _or_empty("comment", "comments", None),
        "description": document("i.description"),
        "timespent": bare("i.time_spent"),
        RANK: plain("'0|i' || lpad(i.issue_id::varchar, 7, '0') || ':'"),
    }


def document(sql: str) -> str:
    """JSON text of a text as Jira's rich text document, or null."""
    text = json_object({"type": quoted('"text"'), "text": string(sql)})
    paragraph = f"""concat('{{"type":"paragraph","content":[', {text}, ']}}')"""
    whole = f"""concat('{{"type":"doc","version":1,"content":[', {paragraph}, ']}}')"""
    return f"case when {sql} is null then 'null' else {whole} end"


def _parent(wire: Wire) -> str:
    """JSON text of the parent, null where there is none (any more)."""
    keys = {"id": plain("parent.issue_id::varchar"), "key": plain("parent.issue_key")}
    if wire.is_full:
        keys["self"] = places.link(f"{API}/issue", "parent.issue_id")
        keys["fields"] = json_object(
            {
                "summary": string("parent.summary"),
                "issuetype": places.issue_type("parent.issue_type", wire),
            }
        )
    return f"case when parent.issue_id is not null then {json_object(keys)} end"


def _latest_first(wire: Wire, where: str, limit: int | None) -> str:
    source = histories(wire, f"{_aliased(where, 'c')} and c.{_THERE}")
    return _page(source, "histories", "change_id desc", limit)


def _page(source: str, name: str, order_by: str, limit: int | None) -> str:
    """SQL of (issue_id, page): the records of each issue as one of Jira's inline pages."""
    column = name.rstrip("s") if name != "histories" else "changelog"
    size = "count(*)" if limit is None else str(limit)
    where = "" if limit is None else f"place <= {limit}"
    numbered = source
    if limit is not None:
        numbered = f"""
            select *, row_number() over (partition by issue_id order by {order_by}) as place
            from ({source})
        """
    return f"""
        select
            issue_id,
            concat('{{"startAt":0,"maxResults":', {size}, ',"total":', count(*), ',"{name}":',
                {json_list("record", order_by, where)}, '}}') as {column}
        from ({numbered})
        group by issue_id
    """


def _or_empty(column: str, name: str, limit: int | None) -> str:
    size = limit or 0
    empty = f'{{"startAt":0,"maxResults":{size},"total":0,"{name}":[]}}'
    return f"coalesce({column}.{column}, {quoted(empty)})"
