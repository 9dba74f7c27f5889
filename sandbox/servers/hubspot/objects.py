"""Records: pages of them, single ones, batches and searches.

What belongs here: endpoints under objects/{type}. What does not: how a search is understood
(`search`), and associations asked for by themselves (`associations`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.requests import Request

from sandbox.records.hubspot.catalogue import ObjectType
from sandbox.servers.hubspot import search as searches
from sandbox.servers.hubspot.associations import inline
from sandbox.servers.hubspot.errors import invalid, not_found, partial
from sandbox.servers.hubspot.portal import Portal, known_type, known_types
from sandbox.servers.hubspot.wire import (
    LONGEST_SEARCH,
    Wire,
    body_of,
    flag,
    inputs_of,
    listed,
    literal,
    strings,
    whole,
    words,
)
from sandbox.servers.stage import View

LARGEST_PAGE, LARGEST_PAGE_WITH_HISTORY, DEFAULT_PAGE, LARGEST_BATCH = 100, 50, 10, 100

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[int, Json]
"""Status and body."""


@dataclass(frozen=True)
class Wanted:
    """What a request wants to know of each record."""

    properties: Sequence[str] = ()
    """Empty: the defaults."""
    history: Sequence[str] = ()
    associations: Sequence[ObjectType] = field(default_factory=list)


async def page(portal: Portal, request: Request) -> Answer:
    """GET objects/{type}: records in the order of their ids."""
    kind, path, wire = _kind(request), request.url.path, portal.wire(request)
    wanted = _wanted(request)
    most = LARGEST_PAGE_WITH_HISTORY if wanted.history else LARGEST_PAGE
    limit = whole(request.query_params.get("limit", DEFAULT_PAGE), "limit", 1, most)
    after = request.query_params.get("after")
    start = whole(after, "after", 0, 10**18 - 1) if after else 0
    _check_token(portal, path, after)
    archived = "archived_at is not null" if flag(request, "archived") else "archived_at is null"
    condition = f"{archived} and {portal.seen(kind, path)}"
    async with portal.stage.view() as view:
        if after:
            rows = f"select id from {portal.source(kind, view.now)} where {condition} order by id"
            await portal.meddle(view, kind, path, rows)
        found = await _rows(
            view,
            portal.source(kind, view.now),
            kind,
            f"{condition} and id >= {start} order by id limit {limit + 1}",
        )
        body: Json = {"results": await _records(view, kind, found[:limit], wanted, wire)}
    if len(found) > limit:
        following = _token(portal, path, after, str(found[limit]["id"]))
        link = str(request.url.include_query_params(after=following))
        body["paging"] = {"next": {"after": following, "link": link}}
    return 200, body


async def one(portal: Portal, request: Request) -> Answer:
    """GET objects/{type}/{id}; idProperty names another property that identifies it."""
    kind, wire, wanted = _kind(request), portal.wire(request), _wanted(request)
    archived = "is not null" if flag(request, "archived") else "is null"
    condition = _identified(
        kind, request.query_params.get("idProperty"), [request.path_params["id"]]
    )
    async with portal.stage.view() as view:
        source = portal.source(kind, view.now)
        seen = portal.seen(kind, request.url.path)
        found = await _rows(
            view, source, kind, f"{condition} and archived_at {archived} and {seen} limit 1"
        )
        if not found:
            raise not_found()
        return 200, (await _records(view, kind, found, wanted, wire))[0]


async def batch_read(portal: Portal, request: Request) -> Answer:
    """POST objects/{type}/batch/read: up to 100 records; 207 where some are not there."""
    kind, wire, body = _kind(request), portal.wire(request), await body_of(request)
    ids = strings([each.get("id") for each in inputs_of(body, LARGEST_BATCH)], "inputs.id")
    wanted = Wanted(
        strings(body.get("properties", []), "properties"),
        strings(body.get("propertiesWithHistory", []), "propertiesWithHistory"),
    )
    if wanted.history and len(ids) > LARGEST_PAGE_WITH_HISTORY:
        raise invalid(
            f"At most {LARGEST_PAGE_WITH_HISTORY} objects can be read with their history", "inputs"
        )
    archived = "is not null" if flag(request, "archived") else "is null"
    by = body.get("idProperty")
    async with portal.stage.view() as view:
        source = portal.source(kind, view.now)
        seen = portal.seen(kind, request.url.path)
        found = await _rows(
            view,
            source,
            kind,
            f"{_identified(kind, by, ids)} and archived_at {archived} and {seen} order by id",
        )
        answer = wire.batch(view.now, await _records(view, kind, found, wanted, wire))
    there = {str(row[by or "hs_object_id"]).lower() for row in found}
    absent = [each for each in dict.fromkeys(ids) if each.lower() not in there]
    if not absent:
        return 200, answer
    answer["numErrors"] = len(absent)
    answer["errors"] = [
        partial(
            "OBJECT_NOT_FOUND",
            f"Could not get some {kind.singular.upper()} objects, they may be deleted or not "
            "exist. Check that ids are valid.",
            {"ids": absent},
        )
    ]
    return 207, answer


async def search(portal: Portal, request: Request) -> Answer:
    """POST objects/{type}/search: records that are not archived, at most 10,000 of them."""
    kind, path, wire = _kind(request), request.url.path, portal.wire(request)
    body = await body_of(request, LONGEST_SEARCH)
    wish = searches.understood(body, kind, wire)
    after = str(wish.offset) if wish.is_continued else None
    _check_token(portal, path, after)
    lag = portal.stage.takes("eventual_consistency", path)
    async with portal.stage.view() as view:
        condition = f"archived_at is null and {wish.condition} and {portal.seen(kind, path)}"
        if lag:
            seconds = int(lag.parameters.get("seconds", 60))
            condition += f" and updated_at < {literal(view.now)} - interval {seconds} second"
        if after:
            rows = f"select id from {portal.source(kind, view.now)} where {condition}"
            await portal.meddle(view, kind, path, f"{rows} order by {wish.order}")
        source = portal.source(kind, view.now)
        counted = await view.query(f"select count(*) from {source} where {condition}")
        found = await _rows(
            view,
            source,
            kind,
            f"{condition} order by {wish.order} limit {wish.limit} offset {wish.offset}",
        )
        results = await _records(view, kind, found, Wanted(wish.properties), wire)
    answer: Json = {"total": counted[0][0], "results": results}
    end = wish.offset + wish.limit
    if end < counted[0][0]:
        answer["paging"] = {"next": {"after": _token(portal, path, after, str(end))}}
    return 200, answer


def _kind(request: Request) -> ObjectType:
    return known_type(request.path_params["type"])


def _wanted(request: Request) -> Wanted:
    return Wanted(
        words(request, "properties"),
        words(request, "propertiesWithHistory"),
        known_types(words(request, "associations")),
    )


def _check_token(portal: Portal, path: str, after: str | None) -> None:
    if after and portal.stage.takes("expired_token", path):
        raise invalid("The paging token is invalid or has expired", "after")


def _token(portal: Portal, path: str, used: str | None, following: str) -> str:
    """The token of the next page, or on demand the one just used."""
    return used if used and portal.stage.takes("repeated_token", path) else following


def _identified(kind: ObjectType, by: Any, values: list[str]) -> str:
    if by is None:
        return f"hs_object_id in {listed(values)}"
    if not isinstance(by, str) or by not in kind.properties:
        raise invalid(f"{str(by)[:80]} is not a unique property", "idProperty")
    return f"lower({by}) in {listed(value.lower() for value in values)}"


async def _rows(view: View, source: str, kind: ObjectType, rest: str) -> list[Json]:
    """Records as dictionaries of columns; `rest` follows the word `where`."""
    names = ["id", "created_at", "updated_at", "archived_at", *kind.properties]
    found = await view.query(f"select {', '.join(names)} from {source} where {rest}")
    return [dict(zip(names, row, strict=True)) for row in found]


async def _records(
    view: View, kind: ObjectType, rows: list[Json], wanted: Wanted, wire: Wire
) -> list[Json]:
    """Records as HubSpot writes them."""
    names = _shown(kind, wanted)
    ids = [row["id"] for row in rows]
    past = await _history(view, kind, rows, wanted.history, wire)
    related = await inline(view, kind, ids, wanted.associations, wire)
    records = []
    for row in rows:
        record: Json = {
            "id": str(row["id"]),
            "properties": {name: row[name] for name in names},
            "createdAt": wire.moment(row["created_at"]),
            "updatedAt": wire.moment(row["updated_at"]),
            "archived": row["archived_at"] is not None,
        }
        if row["archived_at"] is not None:
            record["archivedAt"] = wire.moment(row["archived_at"])
        if wanted.history:
            record["propertiesWithHistory"] = past[row["id"]]
        if related[row["id"]]:
            record["associations"] = related[row["id"]]
        records.append(record)
    return records


def _shown(kind: ObjectType, wanted: Wanted) -> Iterable[str]:
    """Existing properties asked for, else the defaults, and always the system's."""
    asked = wanted.properties or (() if wanted.history else kind.defaults)
    names = [*asked, *wanted.history, kind.created, kind.modified, "hs_object_id"]
    return [name for name in dict.fromkeys(names) if name in kind.properties]


async def _history(
    view: View, kind: ObjectType, rows: list[Json], names: Sequence[str], wire: Wire
) -> dict[int, Json]:
    """Values of properties, newest first; one that never changed was set with the record."""
    known = [name for name in dict.fromkeys(names) if name in kind.properties]
    past: dict[int, Json] = {row["id"]: {name: [] for name in known} for row in rows}
    if not known or not rows:
        return past
    found = await view.query(
        "select id, property, value, changed_at from hubspot_now.history "
        f"where object_type = '{kind.name}' and property in {listed(known)} "
        f"and id in {listed(past)} order by id, changed_at desc, position desc"
    )
    tracked = defaultdict(list)
    for object_id, name, value, at in found:
        tracked[object_id, name].append((value, at))
    for row in rows:
        for name in known:
            at = row["updated_at"] if name == kind.modified else row["created_at"]
            first = [] if row[name] is None else [(row[name], at)]
            is_calculated = kind.properties[name].calculated
            past[row["id"]][name] = [
                {
                    "value": value,
                    "timestamp": wire.moment(moment),
                    "sourceType": "CALCULATED" if is_calculated else "CRM_UI",
                }
                for value, moment in tracked.get((row["id"], name), first)
            ]
    return past
