"""Which records belong to which.

What belongs here: associations within records, of one record, and of many, plain (v3) and with
labels (v4). What does not: the kinds of associations (`sandbox/records/hubspot/catalogue`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from starlette.requests import Request

from sandbox.records.hubspot.catalogue import ASSOCIATIONS, PRIMARY, ObjectType
from sandbox.servers.hubspot.errors import invalid, not_found, partial
from sandbox.servers.hubspot.portal import Portal, known_type
from sandbox.servers.hubspot.wire import Wire, body_of, inputs_of, listed, whole
from sandbox.servers.stage import View

LARGEST_PAGE = 500
"""Associations of one record in one answer."""
INLINE = 100
"""Associations of one type told within a record."""
LARGEST_BATCH, LARGEST_LABELLED_BATCH = 100, 1_000

Json: TypeAlias = dict[str, Any]
Labels: TypeAlias = Mapping[str | None, int]


def _labels(kind: ObjectType, to: ObjectType) -> Labels:
    labels = ASSOCIATIONS.get((kind.name, to.name))
    if labels is None:
        raise invalid(f"No association types exist between {kind.name} and {to.name}")
    return labels


async def _related(
    view: View, kind: ObjectType, to: ObjectType, starts: Mapping[int, int], limit: int
) -> dict[int, list[int]]:
    """Ids associated with each record, from a given one on (`starts`), at most `limit` + 1."""
    found = await view.query(
        "select from_id, to_id from hubspot_now.associations "
        f"where from_type = '{kind.name}' and to_type = '{to.name}' "
        f"and from_id in {listed(starts)} order by from_id, to_id"
    )
    related: dict[int, list[int]] = defaultdict(list)
    for one, other in found:
        if other >= starts[one] and len(related[one]) <= limit:
            related[one].append(other)
    return related


def _plain(kind: ObjectType, to: ObjectType, labels: Labels, ids: list[int]) -> list[Json]:
    """v3: an entry a type of association, so that a main company stands there twice."""
    name = f"{kind.singular}_to_{to.singular}"
    names = [name, f"{name}_unlabeled"] if PRIMARY in labels else [name]
    return [{"id": str(each), "type": kind_of} for each in ids for kind_of in names]


def _labelled(labels: Labels, ids: list[int], wire: Wire) -> list[Json]:
    """v4: an entry a record, with all types of its association."""
    types = [
        {"category": "HUBSPOT_DEFINED", "typeId": number, "label": label}
        for label, number in labels.items()
    ]
    return [{"toObjectId": wire.associated(each), "associationTypes": types} for each in ids]


def _paging(ids: list[int], limit: int, link: str) -> Json:
    if len(ids) <= limit:
        return {}
    after = str(ids[limit])
    return {"paging": {"next": {"after": after, "link": f"{link}?after={after}"}}}


async def inline(
    view: View, kind: ObjectType, ids: Sequence[int], to: Sequence[ObjectType], wire: Wire
) -> dict[int, Json]:
    """By record, then by name of the type, what is told within it; nothing: no such key."""
    told: dict[int, Json] = {each: {} for each in ids}
    for other in to:
        if not ids or (kind.name, other.name) not in ASSOCIATIONS:
            continue
        labels = _labels(kind, other)
        related = await _related(view, kind, other, dict.fromkeys(ids, 0), INLINE)
        for each, found in related.items():
            link = f"/crm/v3/objects/{kind.name}/{each}/associations/{other.name}"
            told[each][other.name.replace("_", " ")] = {
                "results": _plain(kind, other, labels, found[:INLINE]),
                **_paging(found, INLINE, link),
            }
    return told


async def of_one(portal: Portal, request: Request) -> tuple[int, Json]:
    """GET objects/{type}/{id}/associations/{to}."""
    kind, to = known_type(request.path_params["type"]), known_type(request.path_params["to"])
    labels, wire = _labels(kind, to), portal.wire(request)
    limit = whole(request.query_params.get("limit", LARGEST_PAGE), "limit", 1, LARGEST_PAGE)
    start = whole(request.query_params.get("after", 0), "after", 0, 10**18 - 1)
    number = whole(request.path_params["id"], "objectId", 0, 10**18 - 1)
    async with portal.stage.view() as view:
        live = f"from {portal.source(kind, view.now)} where id = {number} and archived_at is null"
        if not await view.query(f"select 1 {live}"):
            raise not_found()
        found = (await _related(view, kind, to, {number: start}, limit))[number]
    ids = found[:limit]
    is_plain = request.url.path.startswith("/crm/v3/")
    results = _plain(kind, to, labels, ids) if is_plain else _labelled(labels, ids, wire)
    return 200, {"results": results, **_paging(found, limit, str(request.url.replace(query="")))}


async def of_many(portal: Portal, request: Request) -> tuple[int, Json]:
    """POST associations/{type}/{to}/batch/read; 207 where a record has none."""
    kind, to = known_type(request.path_params["type"]), known_type(request.path_params["to"])
    labels, wire, body = _labels(kind, to), portal.wire(request), await body_of(request)
    is_plain = request.url.path.startswith("/crm/v3/")
    starts = _starts(body, LARGEST_BATCH if is_plain else LARGEST_LABELLED_BATCH)
    async with portal.stage.view() as view:
        related = await _related(view, kind, to, starts, LARGEST_PAGE)
    results = []
    for each, found in sorted(related.items()):
        ids = found[:LARGEST_PAGE]
        told = _plain(kind, to, labels, ids) if is_plain else _labelled(labels, ids, wire)
        link = f"/crm/v4/objects/{kind.name}/{each}/associations/{to.name}"
        results.append(
            {"from": {"id": str(each)}, "to": told, **_paging(found, LARGEST_PAGE, link)}
        )
    answer = wire.batch(view.now, results)
    alone = [each for each in starts if each not in related]
    if not alone:
        return 200, answer
    return 207, {
        **answer,
        "numErrors": len(alone),
        "errors": [_none_found(kind, to, each) for each in alone],
    }


def _starts(body: Mapping[str, Any], most: int) -> dict[int, int]:
    """Ids of the inputs, and from which associated id on each is to be told."""
    return {
        whole(each.get("id"), "inputs.id", 0, 10**18 - 1): whole(
            each.get("after") or 0, "inputs.after", 0, 10**18 - 1
        )
        for each in inputs_of(body, most)
    }


def _none_found(kind: ObjectType, to: ObjectType, object_id: int) -> Json:
    found: Json = partial(
        "OBJECT_NOT_FOUND",
        f"No {to.singular} is associated with {kind.singular} {object_id}.",
        {
            "fromObjectId": [str(object_id)],
            "fromObjectType": [kind.singular],
            "toObjectType": [to.singular],
        },
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    return found
