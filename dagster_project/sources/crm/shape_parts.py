"""What HubSpot's shapes have in common: joins, times, owners, stages.

Belongs here: parts of shapes, as SQL. Does not belong here: the shape of a stream (see `shapes`).
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this module)

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.sources.shapes import (
    Rule,
    Shape,
    flag,
    flat,
    is_time,
    moment,
    required,
    text,
    time_text,
)

# The main one of several, else the oldest one.
_MAIN = (
    "max_by(record->>'$.to', (coalesce(cast(record->>'$.primary' as boolean), false), "
    "-cast(record->>'$.to' as bigint)))"
)


def joined(pull: str, told: str) -> str:
    """A join to what a record belongs to, as the column `told`."""
    return (
        f"left join (select record->>'$.from' as {pull}_from, {_MAIN} as {told} from {pull} "
        f"group by 1) as {pull}_of on {pull}_of.{pull}_from = pulled.id"
    )


#: A join to the e-mail of whom a record belongs to, as the column `owner_email`.
OWNERS = (
    "left join (select record->>'$.id' as known_owner_id, "
    "max(record->>'$.email') as owner_email from owners group by 1) as owner_of "
    "on owner_of.known_owner_id = pulled.owner_id"
)
_CREATED = "coalesce(created_text, record_created_text)"


def objects(
    stream: str,
    values: Mapping[str, str],
    keys: Mapping[str, str],
    fields: Mapping[str, str],
    *,
    rules: tuple[Rule, ...] = (),
    source: str = "pulled",
    joins: tuple[str, ...] = (),
) -> Shape:
    """A shape of objects, which all have an id and may be archived."""
    return Shape(
        stream,
        values={"id": "$.id", "archived": "$.archived", **values},
        keys=keys,
        payload=flat({**fields, "is_deleted": flag("archived")}),
        rules=rules,
        source=source,
        joins=joins,
    )


def history(stream: str, key: str) -> Shape:
    """A shape of stages that objects went through."""
    entered = moment("entered_text")
    return Shape(
        stream,
        values={"id": "$.id", "stage": "$.value", "entered_text": "$.timestamp"},
        keys={key: text("id"), "stage": text("stage"), "entered_at": entered},
        payload=flat({key: text("id"), "stage": text("stage"), "entered_at": time_text(entered)}),
        rules=(is_time("timestamp", "entered_text"),),
    )


def prop(name: str) -> str:
    """The path of one of HubSpot's properties."""
    return f"$.properties.{name}"


#: What objects of several types have in common: values, fields of the payload, rules.
CREATED_VALUES = {
    "created_text": prop("createdate"),
    "record_created_text": "$.createdAt",
}
CREATED_FIELD = {"created_at": time_text(moment(_CREATED))}
CREATED_RULES = (
    required("properties.createdate", _CREATED),
    is_time("properties.createdate", _CREATED),
)
OWNER_VALUE = {"owner_id": prop("hubspot_owner_id")}
OWNER_FIELDS = {"owner_id": text("owner_id"), "owner_email": text("owner_email")}


def closable(closed: str) -> tuple[dict[str, str], dict[str, str], tuple[Rule, ...]]:
    """Values, fields and rules of objects that are closed one day; `closed` is its property."""
    values = {
        "closed_text": prop(closed),
        "updated_text": prop("hs_lastmodifieddate"),
    }
    fields = {
        **CREATED_FIELD,
        "closed_at": time_text(moment(text("closed_text"))),
        "updated_at": time_text(moment("updated_text")),
    }
    rules = (
        *CREATED_RULES,
        is_time(f"properties.{closed}", text("closed_text")),
        is_time("properties.hs_lastmodifieddate", "updated_text"),
    )
    return {**CREATED_VALUES, **values}, fields, rules
