"""What depends on HubSpot's objects: stages they went through, what they belong to; short lists.

Belongs here: pages of histories, associations, owners and pipelines. Does not belong here: the
objects themselves (see `hubspot`), addresses (see `api`).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.sources.crm.api import Api, batch, lacking, next_batch, page
from dagster_project.sources.crm.portal import (
    HISTORIES,
    OBJECT_TYPES,
    OWNERS,
    RELATIONS,
    WITH_PIPELINE,
)
from dagster_project.sources.pulls import Answer, Json, Pull

_HISTORY_BATCH, _RELATION_BATCH, _OWNERS_PAGE = 50, 1_000, 500


def history(api: Api, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
    """Stages that up to 50 objects went through, archived ones included."""
    number = (position or {"batch": 0})["batch"]
    wanted = batch(ids, number, _HISTORY_BATCH)
    if not wanted:
        return Answer([], None)
    results = _with_history(api, pull, wanted, archived=False)
    absent = sorted(set(wanted) - {str(record["id"]) for record in results})
    if absent:
        results += _with_history(api, pull, absent, archived=True)
    tracked = pull.request["property"]
    records = [
        {"id": record["id"], "value": entry["value"], "timestamp": entry["timestamp"]}
        for record in results
        for entry in record["propertiesWithHistory"].get(tracked, [])
        if entry["value"]
    ]
    return Answer(records, next_batch(ids, number, _HISTORY_BATCH))


def _with_history(api: Api, pull: Pull, ids: Sequence[str], *, archived: bool) -> list[Json]:
    kind = OBJECT_TYPES[HISTORIES[pull.stream][0]]
    body = api.ask(
        "POST",
        f"{api.path('objects')}/{kind.name}/batch/read",
        kind,
        resource=pull.stream,
        params={"archived": "true" if archived else "false"},
        body={
            "inputs": [{"id": each} for each in ids],
            "properties": [],
            "propertiesWithHistory": [pull.request["property"]],
        },
    )
    return api.results(pull.stream, body)


def related(api: Api, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
    """What up to 1,000 objects belong to; archived ones belong to nothing."""
    position = position or {"batch": 0}
    number = position["batch"]
    inputs = position.get("inputs") or [
        {"id": each} for each in batch(ids, number, _RELATION_BATCH)
    ]
    if not inputs:
        return Answer([], None)
    relation = RELATIONS[pull.stream]
    kind = OBJECT_TYPES[relation.stream]
    body = api.ask(
        "POST",
        f"{api.path('associations')}/{kind.name}/{relation.to}/batch/read",
        kind,
        resource=pull.stream,
        body={"inputs": inputs},
    )
    results = api.results(pull.stream, body)
    records = [
        {"from": result["from"]["id"], "to": str(to["toObjectId"]), "primary": _is_primary(to)}
        for result in results
        for to in result["to"]
    ]
    more = [
        {"id": result["from"]["id"], "after": result["paging"]["next"]["after"]}
        for result in results
        if "paging" in result
    ]
    if more:
        return Answer(records, {"batch": number, "inputs": more})
    return Answer(records, next_batch(ids, number, _RELATION_BATCH))


def _is_primary(to: Json) -> bool:
    return any(kind["label"] == "Primary" for kind in to["associationTypes"])


def owners(api: Api, position: Json | None) -> Answer:
    """Users of the CRM: those who are there, then those who left."""
    position = position or {"archived": False}
    params = {"limit": _OWNERS_PAGE, "archived": "true" if position["archived"] else "false"}
    if "after" in position:
        params["after"] = position["after"]
    body = api.ask("GET", f"{api.path('owners')}/", OWNERS, resource="owners", params=params)
    results, after = page(body)
    records = [
        {"id": each["id"], "email": each.get("email"), "archived": each["archived"]}
        for each in results
    ]
    if after is not None:
        return Answer(records, {"archived": position["archived"], "after": after})
    return Answer(records, None if position["archived"] else {"archived": True})


def pipeline_stages(api: Api, position: Json | None) -> Answer:
    """All stages of one object type."""
    number = (position or {"number": 0})["number"]
    kind = OBJECT_TYPES[WITH_PIPELINE[number]]
    path = f"{api.path('pipelines')}/{kind.name}"
    body = api.session.ask("GET", path, resource="pipeline_stages", lacking=lacking(kind))
    records = [
        {
            "type": kind.name,
            "pipeline": pipeline["id"],
            "id": stage["id"],
            "label": stage["label"],
            "metadata": stage["metadata"],
        }
        for pipeline in page(body).results
        for stage in pipeline["stages"]
    ]
    return Answer(records, {"number": number + 1} if number + 1 < len(WITH_PIPELINE) else None)
