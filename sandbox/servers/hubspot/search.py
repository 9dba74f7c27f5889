"""Searches as SQL.

What belongs here: filters, sorts and their limits. What does not: the reading of what is found
(`objects`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sandbox.records.hubspot.catalogue import ObjectType, Property
from sandbox.servers.hubspot.errors import invalid
from sandbox.servers.hubspot.wire import Wire, literal, strings, whole

MOST_GROUPS, MOST_FILTERS, MOST_FILTERS_IN_GROUP = 5, 18, 6
LARGEST_PAGE, DEFAULT_PAGE = 200, 10
LAST_RESULT = 10_000
"""No search shows more: what lies beyond needs another search."""

_COMPARISONS: Mapping[str, str] = MappingProxyType(
    {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
)


@dataclass(frozen=True)
class Search:
    """A search, understood."""

    condition: str
    order: str
    limit: int
    offset: int
    properties: list[str]
    """As asked for; empty: the defaults."""
    is_continued: bool
    """It asks for a further page."""


def understood(body: Mapping[str, Any], kind: ObjectType, wire: Wire) -> Search:
    """The search that the body of a request asks for; refuses what HubSpot would."""
    limit = whole(body.get("limit", DEFAULT_PAGE), "limit", 1, LARGEST_PAGE)
    offset = whole(body.get("after") or 0, "after", 0, 10**15)
    if offset + limit > LAST_RESULT:
        raise invalid(
            f"The maximum number of results of a search is {LAST_RESULT}: limit and after must "
            f"not add up to more. Narrow the search by filters instead.",
            "after",
        )
    return Search(
        _condition(body, kind, wire),
        _order(body.get("sorts", []), kind),
        limit,
        offset,
        strings(body.get("properties", []), "properties"),
        offset > 0,
    )


def column(kind: ObjectType, prop: Property) -> str:
    """A property as SQL of a type that compares as it should."""
    if prop.name == "hs_object_id":
        return "id"
    if prop.name in (kind.created, kind.modified):
        return "created_at" if prop.name == kind.created else "updated_at"
    if prop.type == "number":
        return f"try_cast({prop.name} as double)"
    if prop.type in ("datetime", "date"):
        return f"try_cast({prop.name} as timestamp)"
    return f"lower({prop.name})"


def _condition(body: Mapping[str, Any], kind: ObjectType, wire: Wire) -> str:
    groups = body.get("filterGroups", [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise invalid("filterGroups must be a list of objects", "filterGroups")
    filters = [group.get("filters", []) for group in groups]
    if not all(isinstance(each, list) for each in filters):
        raise invalid("filters must be a list", "filters")
    if len(groups) > MOST_GROUPS:
        raise invalid(f"The maximum number of filterGroups is {MOST_GROUPS}", "filterGroups")
    if any(len(each) > MOST_FILTERS_IN_GROUP for each in filters) or (
        sum(map(len, filters)) > MOST_FILTERS
    ):
        raise invalid(
            f"The maximum number of filters is {MOST_FILTERS_IN_GROUP} in a group and "
            f"{MOST_FILTERS} in total",
            "filters",
        )
    found = " or ".join(
        "(" + " and ".join(_filter(each, kind, wire) for each in group) + ")"
        for group in filters
        if group
    )
    return f"({found or 'true'}) and {_matches(body.get('query'), kind)}"


def _matches(query: Any, kind: ObjectType) -> str:
    """Every word of a free query stands in some text of the record."""
    if query is None:
        return "true"
    if not isinstance(query, str):
        raise invalid("query must be a string", "query")
    texts = [name for name, prop in kind.properties.items() if prop.type == "string"]
    text = f"lower(concat_ws(' ', {', '.join(texts)}))"
    return (
        " and ".join(f"contains({text}, {literal(word)})" for word in query.lower().split())
        or "true"
    )


def _property(name: Any, kind: ObjectType) -> Property:
    prop = kind.properties.get(name) if isinstance(name, str) else None
    if prop is None:
        raise invalid(
            f'Property "{str(name)[:80]}" does not exist for object type {kind.type_id}',
            "propertyName",
        )
    return prop


def _filter(given: Any, kind: ObjectType, wire: Wire) -> str:
    if not isinstance(given, dict):
        raise invalid("a filter must be an object", "filters")
    prop = _property(given.get("propertyName"), kind)
    operator = str(given.get("operator"))
    sql = column(kind, prop)

    def value(name: str) -> str:
        return _operand(given.get(name), prop, name, wire)

    def values() -> str:
        listed = strings(given.get("values"), "values")
        if not listed:
            raise invalid(f"operator {operator} requires values", "values")
        return ", ".join(_operand(each, prop, "values", wire) for each in listed)

    operators: Mapping[str, Callable[[], str]] = {
        "BETWEEN": lambda: f"{sql} between {value('value')} and {value('highValue')}",
        "IN": lambda: f"{sql} in ({values()})",
        "NOT_IN": lambda: f"({sql} not in ({values()}) or {sql} is null)",
        "HAS_PROPERTY": lambda: f"{sql} is not null",
        "NOT_HAS_PROPERTY": lambda: f"{sql} is null",
        "CONTAINS_TOKEN": lambda: _token(given.get("value"), prop),
        "NOT_CONTAINS_TOKEN": lambda: f"not coalesce({_token(given.get('value'), prop)}, false)",
    }
    if operator in _COMPARISONS:
        return f"{sql} {_COMPARISONS[operator]} {value('value')}"
    if operator not in operators:
        raise invalid(f"Invalid filter operator {operator[:40]}", "operator")
    return operators[operator]()


def _operand(value: Any, prop: Property, name: str, wire: Wire) -> str:
    """A value to compare a property with, as SQL."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, str):
        raise invalid(f"operator requires {name} for property {prop.name}", name)
    if prop.type == "number":
        if not re.fullmatch(r"-?\d{1,18}(\.\d{1,9})?", value):
            raise invalid(f"{value[:40]} was not a valid number.", prop.name)
        return value
    if prop.type in ("datetime", "date"):
        return literal(wire.parsed(value, prop.name))
    return literal(value.lower())


def _token(value: Any, prop: Property) -> str:
    """The property holds the words one after another; * stands for any part of a word."""
    if not isinstance(value, str) or not value.strip():
        raise invalid("operator requires value", "value")
    words = [re.escape(word).replace(r"\*", "[a-z0-9]*") for word in value.lower().split()]
    pattern = "(^|[^a-z0-9])" + "[^a-z0-9]+".join(words) + "($|[^a-z0-9])"
    return f"regexp_matches(lower({prop.name}), {literal(pattern)})"


def _order(sorts: Any, kind: ObjectType) -> str:
    """Oldest first, unless one property is named: "name", "-name" or an object."""
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("sorts must be a list of at most one sort", "sorts")
    if not sorts:
        return "created_at, id"
    name, is_descending = sorts[0], False
    if isinstance(name, dict):
        is_descending = name.get("direction") == "DESCENDING"
        name = name.get("propertyName")
    elif isinstance(name, str) and name.startswith("-"):
        name, is_descending = name[1:], True
    sql = column(kind, _property(name, kind))
    return f"{sql} {'desc' if is_descending else 'asc'} nulls last, id"
