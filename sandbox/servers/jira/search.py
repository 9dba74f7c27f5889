"""Search: pages of issues by JQL.

What belongs here: /search and all below it, and issues by id as other endpoints show them. What
does not: reading JQL (`jql`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from sandbox.records.jira.catalogue import API
from sandbox.records.jira.fields import FIELDS
from sandbox.records.jira.issues import Inline, issues
from sandbox.records.json_text import quoted
from sandbox.servers.jira.answers import Refused, answer, array, told, whole_number
from sandbox.servers.jira.asked import Asked
from sandbox.servers.jira.jql import Order, Query, read
from sandbox.servers.jira.tokens import invalid

LARGEST_PAGE = 100
LARGEST_PAGE_OF_IDS = 5_000
INLINE = Inline(histories=40, worklogs=20, comments=20)
"""What Jira gives inside of an issue at most; the totals tell of the rest."""
MOST_RECONCILED = 50


async def search(asked: Asked) -> Response:
    """GET and POST /search/jql."""
    given = _parameters(asked)
    jql, place = _place(asked, given.get("jql"), given.get("nextPageToken"))
    query = await understood(asked, jql)
    fields = chosen_fields(given["fields"] or ["id"])
    has_changelog = "changelog" in given["expand"]
    is_ids = not fields and not has_changelog
    most = LARGEST_PAGE_OF_IDS if is_ids else LARGEST_PAGE
    size = min(whole_number(str(given.get("maxResults", 50)), 50, "maxResults"), most)
    if size == 0:
        raise Refused(400, "maxResults must be at least 1.")
    where = f"{query.where} and {_is_consistent(asked, given['reconcile'])}"
    if place is not None and asked.fault("delete_between_pages"):
        asked.site.gone.update(row[0] for row in await _ids(asked, query, where, place, 1))
    rows = await _ids(asked, query, where, place, size + 1)
    page = rows[:size]
    keys = {row[0]: row[1] for row in page}
    records = (
        [f'{{"id":"{issue_id}"}}' for issue_id in keys]
        if is_ids and "key" not in given["fields"]
        else await records_of(asked, list(keys), fields, has_changelog=has_changelog)
    )
    is_last = len(rows) <= size
    tail = f',"isLast":{str(is_last).lower()}'
    if not is_last:
        token = asked.site.tokens.write(jql, _as_text(page[-1]), asked.now)
        if given.get("nextPageToken") and asked.fault("repeated_token"):
            token = given["nextPageToken"]
        tail = f',"nextPageToken":"{token}"{tail}'
    return answer(f'{{"issues":{array(records)}{tail}}}')


async def approximate_count(asked: Asked) -> Response:
    """POST /search/approximate-count."""
    query = await understood(asked, str(asked.body.get("jql", "")))
    rows = await asked.view.query(
        f"select count(*) from jira_now.issue as issue where {query.where} and {asked.sees_issue()}"
    )
    return told({"count": rows[0][0]})


async def removed(asked: Asked) -> Response:
    """GET and POST /search, which are no more."""
    raise Refused(
        410,
        "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
        "A full migration guideline is available at "
        "https://developer.atlassian.com/changelog/#CHANGE-2046",
    )


def chosen_fields(asked_for: Collection[str], *, starts_with: str = "") -> list[str]:
    """Ids of the fields that a list like `*all,-comment` means; unknown ones are passed over.

    `starts_with`: what an empty list, or one that only takes away, starts from.
    """
    wanted: dict[str, None] = {}
    if asked_for and all(name.startswith("-") for name in asked_for):
        starts_with = starts_with or "*navigable"
        wanted = dict.fromkeys(_named(starts_with))
    elif not asked_for:
        wanted = dict.fromkeys(_named(starts_with))
    for name in asked_for:
        if name.startswith("-"):
            wanted.pop(name[1:], None)
        else:
            wanted |= dict.fromkeys(_named(name))
    return list(wanted)


def _named(name: str) -> list[str]:
    if name == "*all":
        return [field.field_id for field in FIELDS]
    if name == "*navigable":
        return [field.field_id for field in FIELDS if field.is_navigable]
    return [field.field_id for field in FIELDS if field.field_id == name]


async def understood(asked: Asked, jql: str) -> Query:
    """A query whose projects are all there for the user to see."""
    query = read(jql, asked.wire.zone, asked.now)
    if query.projects:
        rows = await asked.view.query(
            "select upper(project_key), project_id::varchar, upper(name) from hidden.project "
            f"where created_at < (select now from jira_now.setting) and {asked.sees_project()}"
        )
        known = {name for row in rows for name in row}
        for name in query.projects:
            if name.upper() not in known:
                raise Refused(400, f"The value '{name}' does not exist for the field 'project'.")
    return query


async def records_of(
    asked: Asked,
    ids: Sequence[int],
    fields: Collection[str],
    *,
    has_changelog: bool = False,
    inline: Inline = INLINE,
) -> list[str]:
    """JSON texts of issues, in the order of `ids`."""
    if not ids:
        return []
    inline = Inline(inline.histories, inline.worklogs, inline.comments, has_changelog)
    where = f"issue_id in ({', '.join(map(str, ids))})"
    sql = issues(asked.wire, where, fields, inline)
    expand = '"expand":"operations,versionedRepresentations,editmeta,changelog,renderedFields"'
    with_fields = """ || ',"fields":' || fields""" if fields else ""
    with_changelog = """ || ',"changelog":' || changelog""" if has_changelog else ""
    rows = await asked.view.query(
        f"""
        select
            issue_id,
            '{{{expand},"id":"' || issue_id || '","self":"{API}/issue/' || issue_id || '","key":"'
                || issue_key || '"' {with_fields} {with_changelog} || '}}'
        from ({sql})
        """
    )
    texts: dict[int, str] = dict(rows)
    return [texts[issue_id] for issue_id in ids]


def _parameters(asked: Asked) -> dict[str, Any]:
    """What was asked, from the query or the body; fields and expand as lists."""
    if asked.request.method == "POST":
        body = asked.body
        fields, reconcile = body.get("fields") or [], body.get("reconcileIssues") or []
        expand = str(body.get("expand") or "")
        return {**body, "fields": fields, "expand": expand.split(","), "reconcile": reconcile}
    return {
        **asked.request.query_params,
        "fields": asked.texts("fields"),
        "expand": asked.texts("expand"),
        "reconcile": asked.texts("reconcileIssues"),
    }


def _place(asked: Asked, jql: str | None, token: str | None) -> tuple[str, list[Any] | None]:
    """(the query, where the page begins). A token holds its query, and goes with no other."""
    if not token:
        return jql or "", None
    embedded, place = asked.site.tokens.read(token, asked.now)
    if jql is not None and jql != embedded:
        raise invalid()
    return embedded, place


def _is_consistent(asked: Asked, reconcile: Sequence[Any]) -> str:
    """SQL that leaves out what the index has not caught up with."""
    if len(reconcile) > MOST_RECONCILED:
        raise Refused(400, f"reconcileIssues accepts at most {MOST_RECONCILED} ids.")
    fault = asked.fault("eventual_consistency")
    if fault is None:
        return "true"
    lag = timedelta(seconds=float(fault.parameters.get("seconds", 60)))
    since = quoted(f"{asked.now - lag:%Y-%m-%d %H:%M:%S}")
    known = ", ".join(str(int(number)) for number in reconcile) or "null"
    return f"(issue.updated_at < timestamp {since} or coalesce(issue.issue_id in ({known}), false))"


async def _ids(
    asked: Asked, query: Query, where: str, place: list[Any] | None, limit: int
) -> list[tuple[Any, ...]]:
    """(issue_id, issue_key, *values of the order) of a page."""
    after = "true" if place is None else _after(query.orders, place)
    values = ", ".join(order.sql for order in query.orders)
    order_by = ", ".join(
        f"{order.sql} {'desc' if order.is_descending else 'asc'}" for order in query.orders
    )
    return await asked.view.query(
        f"""
        select issue_id, issue_key, {values}
        from jira_now.issue as issue
        where {where} and {asked.sees_issue()} and {after}
        order by {order_by}
        limit {limit}
        """
    )


def _after(orders: Sequence[Order], place: Sequence[Any]) -> str:
    """SQL that is true behind a place in the order."""
    terms: list[str] = []
    same: list[str] = []
    for order, value in zip(orders, place, strict=True):
        literal = str(value) if isinstance(value, int) else quoted(str(value))
        terms.append(
            " and ".join([*same, f"{order.sql} {'<' if order.is_descending else '>'} {literal}"])
        )
        same.append(f"{order.sql} = {literal}")
    return f"(({') or ('.join(terms)}))"


def _as_text(row: Sequence[Any]) -> list[Any]:
    """The place of a row in the order, as a token can hold it."""
    return [str(v) if isinstance(v, datetime) else v for v in row[2:]]
