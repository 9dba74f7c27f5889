"""Owners, pipelines and properties.

What belongs here: endpoints beside the records. What does not: what is set up
(`sandbox/records/hubspot/catalogue`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from starlette.requests import Request

from sandbox.records.hubspot.catalogue import (
    FIELD_TYPES,
    OPENED_AT,
    PIPELINES,
    ObjectType,
    Property,
    Stage,
)
from sandbox.servers.hubspot.errors import invalid, not_found
from sandbox.servers.hubspot.portal import Portal, known_type
from sandbox.servers.hubspot.wire import Wire, flag, literal, whole

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = tuple[int, Json]

LARGEST_PAGE, DEFAULT_PAGE = 500, 100
USER_OFFSET = 1_000_000
"""From the id of an owner to that of the user."""

_OWNER = "select id, email, first_name, last_name, created_at, updated_at, archived_at"


async def owners(portal: Portal, request: Request) -> Answer:
    """GET owners: active ones, or with archived=true those who left."""
    wire, path = portal.wire(request), request.url.path
    limit = whole(request.query_params.get("limit", DEFAULT_PAGE), "limit", 1, LARGEST_PAGE)
    after = request.query_params.get("after")
    start = whole(after, "after", 0, 10**18 - 1) if after else 0
    if after and portal.stage.takes("expired_token", path):
        raise invalid("The paging token is invalid or has expired", "after")
    email = request.query_params.get("email")
    found = await portal.stage.query(
        f"{_OWNER} from hubspot_now.owners where id >= {start} and {_archived(request)}"
        + (f" and lower(email) = {literal(email.lower())}" if email else "")
        + f" order by id limit {limit + 1}"
    )
    body: Json = {"results": [_owner(row, wire) for row in found[:limit]]}
    if len(found) > limit:
        following = str(found[limit][0])
        if after and portal.stage.takes("repeated_token", path):
            following = after
        link = str(request.url.include_query_params(after=following))
        body["paging"] = {"next": {"after": following, "link": link}}
    return 200, body


async def owner(portal: Portal, request: Request) -> Answer:
    """GET owners/{id}, by the owner's id or with idProperty=userId by the user's."""
    by = request.query_params.get("idProperty", "id")
    if by not in ("id", "userId"):
        raise invalid("idProperty must be id or userId", "idProperty")
    number = whole(request.path_params["id"], "ownerId", 0, 10**12)
    number -= USER_OFFSET if by == "userId" else 0
    wire = portal.wire(request)
    found = await portal.stage.query(
        f"{_OWNER} from hubspot_now.owners where id = {number} and {_archived(request)}"
    )
    if not found:
        raise not_found()
    return 200, _owner(found[0], wire)


def _archived(request: Request) -> str:
    return f"archived_at is {'not null' if flag(request, 'archived') else 'null'}"


def _owner(row: tuple[Any, ...], wire: Wire) -> Json:
    number, email, first_name, last_name, created_at, updated_at, archived_at = row
    user = {"userIdIncludingInactive": number + USER_OFFSET}
    if archived_at is None:
        user["userId"] = number + USER_OFFSET
    return {
        "id": str(number),
        "email": email,
        "type": "PERSON",
        "firstName": first_name,
        "lastName": last_name or "",
        **user,
        "createdAt": wire.moment(created_at),
        "updatedAt": wire.moment(max(updated_at, archived_at or updated_at)),
        "archived": archived_at is not None,
    }


async def pipelines(portal: Portal, request: Request) -> Answer:
    """GET pipelines/{type}: none for records without stages."""
    kind, wire = known_type(request.path_params["type"]), portal.wire(request)
    return 200, {"results": [_pipeline(kind, wire)] if kind.name in PIPELINES else []}


async def pipeline(portal: Portal, request: Request) -> Answer:
    """GET pipelines/{type}/{id}."""
    return 200, _pipeline(_with_pipeline(request), portal.wire(request))


async def stages(portal: Portal, request: Request) -> Answer:
    """GET pipelines/{type}/{id}/stages."""
    return 200, {"results": _pipeline(_with_pipeline(request), portal.wire(request))["stages"]}


def _with_pipeline(request: Request) -> ObjectType:
    """The object type of a path whose pipeline the path names."""
    kind = known_type(request.path_params["type"])
    if PIPELINES.get(kind.name, ("",))[0] != request.path_params["id"]:
        raise not_found()
    return kind


def _pipeline(kind: ObjectType, wire: Wire) -> Json:
    pipeline_id, label, columns = PIPELINES[kind.name]
    return {
        "id": pipeline_id,
        "label": label,
        "displayOrder": 0,
        "stages": [_stage(kind, stage, order, wire) for order, stage in enumerate(columns)],
        **_always(wire, OPENED_AT),
    }


def _stage(kind: ObjectType, stage: Stage, order: int, wire: Wire) -> Json:
    metadata = {"isClosed": str(stage.is_closed).lower()}
    if kind.name == "deals":
        metadata["probability"] = str(stage.probability)
    else:
        metadata["ticketState"] = "CLOSED" if stage.is_closed else "OPEN"
    return {
        "id": stage.stage_id,
        "label": stage.label,
        "displayOrder": order,
        "metadata": metadata,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        **_always(wire, OPENED_AT),
    }


def _always(wire: Wire, since: datetime) -> Json:
    return {"createdAt": wire.moment(since), "updatedAt": wire.moment(since), "archived": False}


async def properties(portal: Portal, request: Request) -> Answer:
    """GET properties/{type}; none was ever archived."""
    kind, wire = known_type(request.path_params["type"]), portal.wire(request)
    fields = [] if flag(request, "archived") else list(kind.properties.values())
    return 200, {"results": [_property(kind, field, wire) for field in fields]}


async def property_of(portal: Portal, request: Request) -> Answer:
    """GET properties/{type}/{name}."""
    kind, wire = known_type(request.path_params["type"]), portal.wire(request)
    field = kind.properties.get(request.path_params["name"])
    if field is None or flag(request, "archived"):
        raise not_found()
    return 200, _property(kind, field, wire)


def _property(kind: ObjectType, field: Property, wire: Wire) -> Json:
    is_owner = field.name == "hubspot_owner_id"
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "fieldType": "calculation_equation" if field.calculated else FIELD_TYPES[field.type],
        "description": "",
        "groupName": f"{kind.singular}information",
        "options": [
            {"label": label, "value": value, "displayOrder": order, "hidden": False}
            for order, (value, label) in enumerate(field.options)
        ],
        **({"referencedObjectType": "OWNER"} if is_owner else {}),
        "displayOrder": -1,
        "calculated": field.calculated,
        "externalOptions": is_owner,
        "hasUniqueValue": field.name in ("hs_object_id", "email"),
        "hidden": False,
        "hubspotDefined": not field.custom,
        "modificationMetadata": {
            "archivable": field.custom,
            "readOnlyDefinition": not field.custom,
            "readOnlyValue": field.calculated,
        },
        "formField": not field.calculated,
        **_always(wire, OPENED_AT),
    }
