"""HubSpot: companies, contacts, deals, tickets, products, line items, survey answers and the rest.

Belongs here: the pulls of a window and the pages of objects. Does not belong here: what depends on
objects (see `related`), which properties are asked for (see `portal`), rows of the lake (`shapes`).

A full pull walks the list of an object type. An incremental one searches by the date of the last
edit, page after page above the highest id so far, because a search never shows more than 10,000
results. Neither tells of archived records, which are swept after the live ones: what is archived
in between is told once too often, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

from dagster_project.errors import MissionError, suggestion
from dagster_project.sources.credentials import Credentials
from dagster_project.sources.crm.api import REMEDIES, UNEXPECTED, WHERE, Api, Page, page
from dagster_project.sources.crm.portal import (
    HISTORIES,
    OBJECT_TYPES,
    OWNERS,
    RELATIONS,
    WITH_PIPELINE,
    ObjectType,
)
from dagster_project.sources.crm.related import history, owners, pipeline_stages, related
from dagster_project.sources.http import Session, Usage
from dagster_project.sources.pulls import Answer, Gap, Json, Pull, Seen

_LIST_PAGE, _SEARCH_PAGE = 100, 200
_KEPT = ("id", "createdAt", "updatedAt", "archived", "archivedAt")


class HubSpot:
    """One HubSpot account.

    `version` is v3, or the date of a version such as 2026-03. `properties`: stream -> field -> the
    company's own property that holds it. `options` are those of Session. Raises MissionError where
    `properties` names what no stream has.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        credentials: Credentials,
        *,
        version: str = "v3",
        properties: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        **options: Any,
    ) -> None:
        _check_properties(source, properties)
        self.name = source
        self._session = Session(source, base_url, credentials, remedies=REMEDIES, **options)
        self._api = Api(self._session, version)
        self._properties = properties

    @property
    def endpoint(self) -> str:
        """The address of the API."""
        return self._session.base_url

    @property
    def gaps(self) -> Sequence[Gap]:
        """What the token may not see, as noted so far."""
        return self._session.gaps

    def usage(self, resource: str | None = None) -> Usage:
        """What was done for one stream, or for all."""
        return self._session.usage(resource)

    def now(self) -> datetime:
        """HubSpot's time at the first answer."""
        if self._session.began is None:
            self._owners_seen()
        assert self._session.began is not None
        return self._session.began

    def plan(self, since: datetime | None) -> list[Pull]:
        """Objects, what depends on them, and the short lists."""
        load: Any = "snapshot" if since is None else "incremental"
        edited: Json = {}
        if since is not None:
            edited["since"] = since.astimezone(UTC).isoformat(timespec="milliseconds")
        pulls = [Pull(stream, {**edited, **self._asked(stream)}, load) for stream in OBJECT_TYPES]
        for stream, (objects, tracked) in HISTORIES.items():
            pulls.append(Pull(stream, {"property": tracked}, load, after=objects, concurrency=4))
        for stream, relation in RELATIONS.items():
            request = {"from": OBJECT_TYPES[relation.stream].name, "to": relation.to}
            pulls.append(Pull(stream, request, load, after=relation.stream))
        pulls.append(Pull("owners", {}, "snapshot"))
        pulls.append(Pull("pipeline_stages", {"of": list(WITH_PIPELINE)}, "snapshot"))
        return pulls

    def fetch(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        """One page; see Client."""
        try:
            answer = self._page(pull, position, ids)
        except UNEXPECTED as error:
            unexpected = f"{type(error).__name__}: {error}"
        else:
            self._session.count_rows(pull.stream, len(answer.records))
            return answer
        raise self._api.strange(pull.stream, unexpected)

    def check(self) -> list[Seen]:
        """How many objects of each type there are, and which scopes or properties are missing."""
        return [*(self._objects_seen(stream) for stream in OBJECT_TYPES), self._owners_seen()]

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def _page(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        if pull.stream in HISTORIES:
            return history(self._api, pull, position, ids)
        if pull.stream in RELATIONS:
            return related(self._api, pull, position, ids)
        if pull.stream == "owners":
            return owners(self._api, position)
        if pull.stream == "pipeline_stages":
            return pipeline_stages(self._api, position)
        return self._objects(pull, position or {"archived": False})

    def _asked(self, stream: str) -> Json:
        """What a pull of objects asks for: the type, HubSpot's properties, the company's own."""
        kind, named = OBJECT_TYPES[stream], self._properties.get(stream, {})
        own = {field: named[field] for field in kind.custom if field in named}
        return {"type": kind.name, "properties": list(kind.properties), "custom": own}

    def _objects(self, pull: Pull, position: Json) -> Answer:
        """Live objects first, then archived ones."""
        is_archived, since = position["archived"], pull.request.get("since")
        if since is None or is_archived:
            results, after = self._listed(pull, position)
        else:
            results, after = self._edited(pull, position, datetime.fromisoformat(since))
        records = [self._kept(pull, record) for record in results]
        if since is not None and is_archived:
            start = datetime.fromisoformat(since)
            records = [record for record in records if _archived_at(record) >= start]
        if after is not None:
            return Answer(records, {"archived": is_archived, "after": after})
        return Answer(records, None if is_archived else {"archived": True})

    def _listed(self, pull: Pull, position: Json) -> Page:
        """A page of the list of an object type."""
        kind = OBJECT_TYPES[pull.stream]
        params = {
            "limit": _LIST_PAGE,
            "archived": "true" if position["archived"] else "false",
            "properties": ",".join(_requested(pull)),
        }
        if "after" in position:
            params["after"] = position["after"]
        path = f"{self._api.path('objects')}/{kind.name}"
        return page(self._api.ask("GET", path, kind, resource=pull.stream, params=params))

    def _edited(self, pull: Pull, position: Json, since: datetime) -> Page:
        """Objects edited since, above the highest id so far; `after` is the highest one now."""
        kind = OBJECT_TYPES[pull.stream]
        filters = [
            _filter(kind.modified, "GTE", str(int(since.timestamp() * 1000))),
            _filter("hs_object_id", "GT", position.get("after", "0")),
        ]
        search = {
            "filterGroups": [{"filters": filters}],
            "sorts": ["hs_object_id"],
            "properties": _requested(pull),
            "limit": _SEARCH_PAGE,
        }
        path = f"{self._api.path('objects')}/{kind.name}/search"
        body = self._api.ask("POST", path, kind, resource=pull.stream, body=search)
        results, more = page(body)
        return Page(results, str(results[-1]["id"]) if results and more else None)

    def _kept(self, pull: Pull, record: Json) -> Json:
        """A record as the journal keeps it, with the company's own properties under our names.

        What was asked for and not told is absent, so that the landing can tell it from no value.
        """
        found, own = record["properties"], pull.request["custom"]
        for name in _requested(pull):
            if name not in found:
                self._api.note_untold(f"{pull.request['type']}.{name}")
        kept: Json = {name: record[name] for name in _KEPT if name in record}
        kept["properties"] = {
            name: found[name] for name in pull.request["properties"] if name in found
        }
        kept["custom"] = {
            field: found.get(own[field]) if field in own else None
            for field in OBJECT_TYPES[pull.stream].custom
            if field not in own or own[field] in found
        }
        return kept

    def _objects_seen(self, stream: str) -> Seen:
        kind = OBJECT_TYPES[stream]
        lacks = _without(kind)
        body = self._session.ask(
            "POST",
            f"{self._api.path('objects')}/{kind.name}/search",
            resource=stream,
            body={"filterGroups": [], "properties": [], "limit": 1},
            lacking=lacks,
        )
        if body is None:
            return Seen(kind.name, None, lacks[403])
        path = f"{self._api.path('properties')}/{kind.name}"
        listed = self._session.ask("GET", path, resource=stream, lacking=lacks)
        asked = self._asked(stream)
        wanted = {*asked["properties"], *asked["custom"].values()}
        absent = sorted(wanted - {each["name"] for each in page(listed).results})
        if listed is None or not absent:
            return Seen(kind.name, body["total"])
        told = f"the properties {', '.join(absent)}: correct `properties` in mission.yaml"
        return Seen(kind.name, body["total"], told)

    def _owners_seen(self) -> Seen:
        lacks = _without(OWNERS)
        path = f"{self._api.path('owners')}/"
        body = self._session.ask("GET", path, resource="owners", params={"limit": 1}, lacking=lacks)
        return Seen("owners", None, lacks[403] if body is None else None)


def _check_properties(source: str, properties: Mapping[str, Mapping[str, str]]) -> None:
    """Only fields for which HubSpot has no property of its own can be mapped."""
    known = [f"{stream}.{field}" for stream, kind in OBJECT_TYPES.items() for field in kind.custom]
    for stream, fields in properties.items():
        for field in fields:
            if f"{stream}.{field}" not in known:
                raise MissionError(
                    f"source `{source}`: `{stream}.{field}` is no field that a property of your "
                    "own can fill",
                    f"correct `properties`; {suggestion(f'{stream}.{field}', known)}",
                )


def _requested(pull: Pull) -> list[str]:
    """HubSpot's properties and the company's own, each once."""
    return list(dict.fromkeys([*pull.request["properties"], *pull.request["custom"].values()]))


def _filter(name: str, operator: str, value: str) -> Json:
    return {"propertyName": name, "operator": operator, "value": value}


def _without(kind: ObjectType) -> Mapping[int, str]:
    return {403: f"the scope {kind.scope}: grant it to the private app ({WHERE})"}


def _archived_at(record: Json) -> datetime:
    """When a record was archived; HubSpot may write milliseconds where it promises ISO 8601."""
    value = record.get("archivedAt")
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    return datetime.fromisoformat(value) if value else datetime.max.replace(tzinfo=UTC)
