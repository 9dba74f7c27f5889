"""HubSpot's API: what it answers conforms, is complete, and goes wrong in HubSpot's way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
from hubspot_shown import prepare_once
from vendor_documents import check_request, check_response

import sandbox
from sandbox.records.hubspot.catalogue import ASSOCIATIONS, OBJECT_TYPES
from sandbox.servers import hubspot
from sandbox.servers.clock import LAST, Clock
from sandbox.servers.faults import Fault, Faults
from sandbox.servers.middleware import Staged
from sandbox.servers.stage import Stage
from sandbox.spec import Spec
from sandbox.world import World

TOKEN = "pat-eu1-for-tests"
EVERYTHING = {name: list(kind.properties) for name, kind in OBJECT_TYPES.items()}


@dataclass
class Client:
    """Requests to an app without a socket, one after the other."""

    asynchronous: httpx.AsyncClient
    runner: asyncio.Runner

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Whatever the app answers."""
        return self.runner.run(self.asynchronous.request(method, url, **more))

    def get(self, url: str) -> httpx.Response:
        """A page, or a refusal."""
        return self.request("GET", url)

    def post(self, url: str, **more: Any) -> httpx.Response:
        """The answer to a body."""
        return self.request("POST", url, **more)


@dataclass
class Api:
    """A client that keeps every answer to the contract."""

    client: Client
    stage: Stage
    every_record: bool = False
    """Check all records of an answer, not the first and last few of them."""

    def ask(self, method: str, url: str, body: Any = None, *, status: int = 200) -> Any:
        """The parsed answer, which conforms to HubSpot's documents and has this status."""
        response = self.client.request(method, url, json=body)
        assert response.status_code == status, response.text
        path = urlsplit(url).path
        if status < 400:
            assert check_request("hubspot", method, url, body) == []
        answer = response.json()
        checked = answer
        if not self.every_record and len(answer.get("results", [])) > 10:
            checked = {**answer, "results": answer["results"][:5] + answer["results"][-5:]}
        assert check_response("hubspot", method, path, status, checked) == []
        return answer

    def pages(self, url: str) -> Iterator[dict[str, Any]]:
        """All records of a collection, page by page."""
        after = ""
        while True:
            joint = "&" if "?" in url else "?"
            answer = self.ask("GET", f"{url}{joint}after={after}" if after else url)
            yield from answer["results"]
            if "paging" not in answer:
                return
            after = answer["paging"]["next"]["after"]

    def search(self, name: str, *filters: tuple[str, str, Any], **more: Any) -> Any:
        """One page of a search whose filters all hold."""
        listed = [
            {"propertyName": one, "operator": operator, **_operand(value)}
            for one, operator, value in filters
        ]
        body = {"filterGroups": [{"filters": listed}], **more}
        return self.ask("POST", f"/crm/v3/objects/{name}/search", body)

    def changed(self, name: str, since: datetime) -> dict[str, dict[str, Any]]:
        """Records by id that were modified since, by keyset on their id."""
        kind = OBJECT_TYPES[name]
        found: dict[str, dict[str, Any]] = {}
        last = "0"
        while True:
            page = self.search(
                name,
                (kind.modified, "GTE", str(int(since.timestamp() * 1000))),
                ("hs_object_id", "GT", last),
                sorts=["hs_object_id"],
                properties=EVERYTHING[name],
                limit=200,
            )["results"]
            found |= {record["id"]: record for record in page}
            if len(page) < 200:
                return found
            last = page[-1]["id"]


def _operand(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, list):
        return {"values": value}
    if isinstance(value, tuple):
        return {"value": value[0], "highValue": value[1]}
    return {"value": value}


@contextmanager
def served(world: World, *faults: Fault, now: datetime = LAST) -> Iterator[Api]:
    """The API over a company, with faults, as the sandbox serves it."""
    stage = Stage(world, "hubspot", prepare_once, clock=Clock(now), faults=Faults(faults))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(Staged(hubspot.app(stage, TOKEN), stage)),
        base_url="http://hubspot.example",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    with asyncio.Runner() as runner:
        yield Api(Client(client, runner), stage)
        runner.run(client.aclose())


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with served(world) as found:
        yield found


def shown(api: Api, sql: str) -> list[tuple[Any, ...]]:
    """A query on the records of the instant that the API shows."""
    prepare_once(api.stage.world.connection, api.stage.now())
    return api.stage.world.connection.execute(sql).fetchall()


# Complete ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(OBJECT_TYPES))
def test_sweeps_hold_every_record_once_archived_ones_only_where_asked_for(
    api: Api, name: str
) -> None:
    api.every_record = True
    properties = ",".join(EVERYTHING[name])
    url = f"/crm/v3/objects/{name}?limit=100&properties={properties}"
    live, archived = list(api.pages(url)), list(api.pages(f"{url}&archived=true"))
    for found, condition, is_archived in ((live, "null", False), (archived, "not null", True)):
        columns = ", ".join(EVERYTHING[name])
        expected = shown(
            api,
            f"select {columns} from hubspot_now.{name} "
            f"where archived_at is {condition} order by id",
        )
        assert [tuple(record["properties"].values()) for record in found] == expected
        assert all(record["archived"] is is_archived for record in found)
        assert all(("archivedAt" in record) is is_archived for record in found)
    assert len(live) > 5
    has_archived = name not in ("products", "feedback_submissions")
    assert bool(archived) == has_archived
    for record in archived[:3]:
        api.ask("GET", f"/crm/v3/objects/{name}/{record['id']}", status=404)
        alone = api.ask("GET", f"/crm/v3/objects/{name}/{record['id']}?archived=true")
        assert alone["id"] == record["id"]
        assert api.search(name, ("hs_object_id", "EQ", record["id"]))["total"] == 0


@pytest.mark.parametrize(
    ("name", "stage"), [("deals", "dealstage"), ("tickets", "hs_pipeline_stage")]
)
def test_histories_hold_every_stage_newest_first(api: Api, name: str, stage: str) -> None:
    url = f"/crm/v3/objects/{name}?limit=50&propertiesWithHistory={stage},hs_object_id"
    found = [*api.pages(url), *api.pages(f"{url}&archived=true")]
    told = [
        (record["id"], entry["value"], entry["timestamp"])
        for record in found
        for entry in reversed(record["propertiesWithHistory"][stage])
    ]
    expected = shown(
        api,
        "select id::text, value, hubspot_now.stamp(changed_at) from hubspot_now.history "
        f"where object_type = '{name}' and property = '{stage}'",
    )
    assert sorted(told) == sorted(expected)
    assert len(told) > 2 * len(found) > 100
    for record in found:
        history = record["propertiesWithHistory"]
        assert history[stage][0]["value"] == record["properties"][stage]
        assert [e["value"] for e in history["hs_object_id"]] == [record["id"]]
    problem = api.ask("GET", url.replace("=50", "=51"), status=400)
    assert problem["category"] == "VALIDATION_ERROR"


def test_associations_of_batches_of_one_and_within_records_agree(api: Api) -> None:
    for (name, to), labels in ASSOCIATIONS.items():
        expected: dict[str, list[str]] = {}
        for one, other in shown(
            api,
            "select from_id::text, to_id::text from hubspot_now.associations "
            f"where from_type = '{name}' and to_type = '{to}' order by from_id, to_id",
        ):
            expected.setdefault(one, []).append(other)
        path = f"/crm/v4/associations/{name}/{to}/batch/read"
        ids = list(expected)
        batch: dict[str, list[str]] = {}
        for start in range(0, len(ids), 1000):
            inputs = [{"id": each} for each in ids[start : start + 1000]]
            for result in api.ask("POST", path, {"inputs": inputs})["results"]:
                batch[result["from"]["id"]] = [each["toObjectId"] for each in result["to"]]
                types = result["to"][0]["associationTypes"]
                assert {each["label"]: each["typeId"] for each in types} == labels
        assert batch == expected != {}
        alone = api.ask("GET", f"/crm/v4/objects/{name}/{ids[0]}/associations/{to}")
        assert [each["toObjectId"] for each in alone["results"]] == expected[ids[0]]
        within = api.ask("GET", f"/crm/v3/objects/{name}/{ids[0]}?associations={to},nothing")
        told = within["associations"][to.replace("_", " ")]["results"]
        assert sorted({each["id"] for each in told}) == sorted(expected[ids[0]])
        assert len(told) == len(labels) * len(expected[ids[0]])
        plain = api.ask("GET", f"/crm/v3/objects/{name}/{ids[0]}/associations/{to}")
        assert plain["results"] == told


def test_a_batch_says_what_it_lacks(api: Api) -> None:
    (deal,) = shown(api, "select min(id)::text from hubspot_now.deals where archived_at is null")[0]
    body = {
        "inputs": [{"id": deal}, {"id": "1"}],
        "properties": ["dealname"],
        "propertiesWithHistory": ["dealstage"],
    }
    answer = api.ask("POST", "/crm/v3/objects/deals/batch/read", body, status=207)
    assert [record["id"] for record in answer["results"]] == [deal]
    assert answer["results"][0]["propertiesWithHistory"]["dealstage"]
    assert (answer["numErrors"], answer["errors"][0]["context"]) == (1, {"ids": ["1"]})
    many = {**body, "inputs": [{"id": str(n)} for n in range(101)]}
    api.ask("POST", "/crm/v3/objects/deals/batch/read", many, status=400)
    nobody = {"inputs": [{"id": deal}, {"id": "7"}]}
    told = api.ask("POST", "/crm/v4/associations/deals/companies/batch/read", nobody, status=207)
    assert len(told["results"]) == 1
    assert told["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    by_mail = shown(
        api, "select email, id::text from hubspot_now.contacts where archived_at is null"
    )
    found = api.ask("GET", f"/crm/v3/objects/contacts/{by_mail[0][0]}?idProperty=email")
    assert found["id"] in {number for mail, number in by_mail if mail == by_mail[0][0]}


def test_owners_pipelines_and_properties(api: Api) -> None:
    active = list(api.pages("/crm/v3/owners/?limit=3"))
    left = list(api.pages("/crm/v3/owners?archived=true"))
    ids = shown(api, "select id::text, archived_at is null from hubspot_now.owners order by id")
    assert [owner["id"] for owner in active] == [number for number, is_active in ids if is_active]
    assert [owner["id"] for owner in left] == [n for n, is_active in ids if not is_active] != []
    assert all("userId" in owner for owner in active) and not any("userId" in o for o in left)
    user = active[0]["userId"]
    assert api.ask("GET", f"/crm/v3/owners/{user}?idProperty=userId") == active[0]
    assert api.ask("GET", f"/crm/v3/owners?email={active[0]['email']}")["results"] == active[:1]
    api.ask("GET", f"/crm/v3/owners/{left[0]['id']}", status=404)
    for name, count in (("deals", 7), ("tickets", 4)):
        (pipeline,) = api.ask("GET", f"/crm/v3/pipelines/{name}")["results"]
        assert len(pipeline["stages"]) == count
        path = f"/crm/v3/pipelines/{name}/{pipeline['id']}"
        assert api.ask("GET", path) == pipeline
        assert api.ask("GET", f"{path}/stages")["results"] == pipeline["stages"]
    won = api.ask("GET", "/crm/v3/pipelines/deals/default/stages")["results"][5]
    assert won["metadata"] == {"isClosed": "true", "probability": "1.0"}
    for name, kind in OBJECT_TYPES.items():
        found = api.ask("GET", f"/crm/v3/properties/{name}")["results"]
        assert [field["name"] for field in found] == list(kind.properties)
        assert api.ask("GET", f"/crm/v3/properties/{name}/{found[0]['name']}") == found[0]
    api.ask("GET", "/crm/v3/properties/deals/nothing", status=404)


def test_the_addresses_with_a_date_answer_the_same(api: Api) -> None:
    for old, new in (
        ("/crm/v3/objects/deals?limit=3", "/crm/objects/2025-09/deals?limit=3"),
        ("/crm/v3/objects/0-3?limit=3", "/crm/objects/2026-03/deal?limit=3"),
        ("/crm/v3/owners?limit=500", "/crm/owners/2026-03?limit=500"),
        ("/crm/v3/pipelines/tickets", "/crm/pipelines/2026-09/tickets"),
        ("/crm/v3/properties/deals", "/crm/properties/2026-03/deals"),
    ):
        one, other = api.ask("GET", old), api.ask("GET", new)
        assert one["results"] == other["results"] != []
    body = {"filterGroups": [], "limit": 1}
    found = api.ask("POST", "/crm/objects/2026-03/tickets/search", body)
    assert found == api.ask("POST", "/crm/v3/objects/tickets/search", body)
    inputs = {"inputs": [{"id": found["results"][0]["id"]}]}
    path = "/crm/{}/tickets/companies/batch/read"
    dated = api.ask("POST", path.format("associations/2026-03"), inputs)
    assert dated == api.ask("POST", path.format("v4/associations"), inputs)
    assert api.client.get("/crm/objects/2020-01/deals").status_code == 404


# Search -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "condition"),
    [
        (("hs_object_id", "GT", "50050"), "id > 50050"),
        (("amount", "GTE", "40000"), "amount::double >= 40000"),
        (("amount", "LT", "40000.5"), "amount::double < 40000.5"),
        (("amount", "BETWEEN", ("10000", "20000")), "amount::double between 10000 and 20000"),
        (("dealstage", "EQ", "closedWon"), "dealstage = 'closedwon'"),
        (("dealstage", "NEQ", "closedwon"), "dealstage <> 'closedwon'"),
        (
            ("dealstage", "IN", ["closedwon", "closedlost"]),
            "dealstage in ('closedwon', 'closedlost')",
        ),
        (("dealstage", "NOT_IN", ["closedwon"]), "dealstage <> 'closedwon'"),
        (("closedate", "HAS_PROPERTY", None), "closedate is not null"),
        (("closedate", "NOT_HAS_PROPERTY", None), "closedate is null"),
        (("closedate", "LTE", "2025-03-01"), "closedate::timestamp <= timestamp '2025-03-01'"),
        (("createdate", "GTE", "1735689600000"), "created_at >= timestamp '2025-01-01'"),
        (
            ("hs_lastmodifieddate", "GT", "2025-01-01T01:00:00+01:00"),
            "updated_at > timestamp '2025-01-01'",
        ),
        (("hs_is_closed_won", "EQ", "true"), "dealstage = 'closedwon'"),
        (("dealname", "CONTAINS_TOKEN", "wave buoy"), "dealname ilike '%Wave Buoy %'"),
        (("dealname", "CONTAINS_TOKEN", "calibr*"), "dealname ilike '% Calibr%'"),
        (("dealname", "NOT_CONTAINS_TOKEN", "buoy"), "dealname not ilike '%Buoy%'"),
    ],
)
def test_filters_find_what_they_say(api: Api, wish: tuple[str, str, Any], condition: str) -> None:
    total = api.search("deals", wish, limit=1)["total"]
    expected = shown(
        api,
        f"select count(*), (select count(*) from hubspot_now.deals) from hubspot_now.deals "
        f"where archived_at is null and {condition}",
    )[0]
    assert 0 < total == expected[0] < expected[1]


def test_groups_sorts_and_queries(api: Api) -> None:
    groups = [
        {"filters": [{"propertyName": "amount", "operator": "GT", "value": "60000"}]},
        {"filters": [{"propertyName": "dealstage", "operator": "EQ", "value": "contractsent"}]},
    ]
    body = {"filterGroups": groups, "sorts": ["-amount"], "limit": 200, "query": "tide"}
    found = api.ask("POST", "/crm/v3/objects/deals/search", body)["results"]
    expected = shown(
        api,
        """
        select id::text from hubspot_now.deals
        where archived_at is null and (amount::double > 60000 or dealstage = 'contractsent')
            and dealname ilike '%tide%'
        order by amount::double desc, id
        """,
    )
    assert [record["id"] for record in found] == [number for (number,) in expected] != []
    # HubSpot's guide writes sorts as objects, which its document does not have.
    as_object = {**body, "sorts": [{"propertyName": "amount", "direction": "DESCENDING"}]}
    guided = api.client.post("/crm/v3/objects/deals/search", json=as_object).json()
    assert guided["results"] == found
    oldest = api.ask("POST", "/crm/v3/objects/deals/search", {"limit": 5})["results"]
    assert [record["createdAt"] for record in oldest] == sorted(r["createdAt"] for r in oldest)


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 0},
        {"limit": "ten"},
        {"after": "x"},
        {"sorts": ["amount", "createdate"]},
        {"sorts": ["nothing"]},
        {"filterGroups": [{"filters": []}] * 6},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "amount", "operator": "HAS_PROPERTY"}] * 7}
            ]
        },
        {"filterGroups": [{"filters": [{"propertyName": "nothing", "operator": "EQ"}]}]},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "amount", "operator": "IS", "value": "1"}]}
            ]
        },
        {
            "filterGroups": [
                {"filters": [{"propertyName": "amount", "operator": "EQ", "value": "1 or 1=1"}]}
            ]
        },
        {
            "filterGroups": [
                {"filters": [{"propertyName": "createdate", "operator": "GT", "value": "today"}]}
            ]
        },
        {"query": "x" * 3_000},
    ],
)
def test_a_search_that_makes_no_sense_is_a_validation_error(api: Api, body: Any) -> None:
    problem = api.ask("POST", "/crm/v3/objects/deals/search", body, status=400)
    assert (problem["status"], problem["category"]) == ("error", "VALIDATION_ERROR")


def test_quotes_in_values_are_only_text(api: Api) -> None:
    found = api.search("companies", ("name", "EQ", "x' or 'a' = 'a"))
    assert found == {"total": 0, "results": []}
    api.ask("GET", "/crm/v3/objects/deals/1' or '1'='1", status=404)
    assert api.ask("GET", "/crm/v3/owners?email=x' or '1'='1")["results"] == []


@pytest.fixture(scope="module")
def crowded() -> World:
    """A company with nothing but 12,000 deals of one customer that came in the same second."""
    connection = duckdb.connect()
    connection.execute("set global timezone = 'UTC'")
    schema = Path(sandbox.__file__).with_name("hidden.sql")
    connection.execute(schema.read_text(encoding="utf-8"))
    connection.execute(
        """
        insert into hidden.customer by name
        select '7001' as customer_id, 'Wind Farms' as name, timestamp '2024-01-01' as created_at;
        insert into hidden.deal by name
        select cast(50001 + n as varchar) as deal_id, '7001' as customer_id, 'd' as name,
            'EUR' as currency
        from range(12000) as t (n);
        insert into hidden.deal_stage
        select deal_id, 'qualifiedtobuy', timestamp '2025-02-17 08:00:00' from hidden.deal;
        """
    )
    return World(Spec.of("tiny"), connection)


def test_no_search_shows_more_than_ten_thousand_but_a_keyset_gets_all(crowded: World) -> None:
    with served(crowded) as api:
        url = "/crm/v3/objects/deals/search"
        last = api.ask("POST", url, {"limit": 200, "after": "9800"})
        assert (last["total"], len(last["results"])) == (12_000, 200)
        assert last["paging"]["next"]["after"] == "10000"
        problem = api.ask("POST", url, {"limit": 200, "after": "10000"}, status=400)
        assert problem["category"] == "VALIDATION_ERROR" and "10000" in problem["message"]
        api.ask("POST", url, {"limit": 200, "after": "9801"}, status=400)
        found = api.changed("deals", datetime(2025, 2, 17, 8, tzinfo=UTC))
        assert sorted(found) == [str(50_001 + n) for n in range(12_000)]
        related = list(api.pages("/crm/v4/objects/companies/7001/associations/deals"))
        assert len({each["toObjectId"] for each in related}) == 12_000
        page = api.ask("GET", "/crm/v3/objects/companies?associations=deals")
        within = page["results"][0]["associations"]["deals"]
        assert len({each["id"] for each in within["results"]}) == 100
        assert within["paging"]["next"]["after"] == "50101"


# Step by step -----------------------------------------------------------------------------------


def test_fetching_step_by_step_ends_with_what_one_fetch_finds(world: World) -> None:
    """Searches by modification and sweeps of archived records, kept over time, miss nothing."""
    start, days = datetime(2025, 1, 25, tzinfo=UTC), [0, 1, 2, 7, 8, 30, 60, 120]
    names = ("companies", "contacts", "deals", "tickets", "line_items", "feedback_submissions")
    kept: dict[str, dict[str, Any]] = {name: {} for name in names}
    with served(world, now=start) as api:
        since = datetime(2000, 1, 1, tzinfo=UTC)
        changes = 0
        for day in days:
            api.stage.move(start + timedelta(days=day))
            for name in names:
                changed = api.changed(name, since)
                changes += len(changed) if day else 0
                kept[name] |= changed
                url = f"/crm/v3/objects/{name}?limit=100&archived=true"
                for record in api.pages(url + "&properties=" + ",".join(EVERYTHING[name])):
                    kept[name][record["id"]] = record
            since = api.stage.now()
        assert changes > 100
        began = f"{start:%Y-%m-%dT%H:%M:%S}.000Z"
        kept_records = [record for found in kept.values() for record in found.values()]
        # Some were archived meanwhile: without the sweeps they would look alive.
        assert any(record.get("archivedAt", "") > began for record in kept_records)
        for name in names:
            url = f"/crm/v3/objects/{name}?limit=100&properties={','.join(EVERYTHING[name])}"
            at_once = [*api.pages(url), *api.pages(f"{url}&archived=true")]
            assert kept[name] == {record["id"]: record for record in at_once}, name


# Refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_a_wrong_token_is_refused_in_hubspots_words(api: Api, header: str) -> None:
    headers = {"Authorization": header}
    for method, path in (("GET", "/crm/v3/owners"), ("POST", "/crm/v3/objects/deals/search")):
        response = api.client.request(method, path, headers=headers)
        body = response.json()
        assert response.status_code == 401
        assert body["status"] == "error" and body["category"] == "INVALID_AUTHENTICATION"
        assert body["message"].startswith("Authentication credentials not found.")
        assert len(body["correlationId"]) == 36
        assert check_response("hubspot", method, path, 401, body) == []


def test_a_missing_scope_and_too_many_requests_are_refused_in_hubspots_words(
    world: World,
) -> None:
    faults = (
        Fault("permission_403", path="*/tickets*"),
        Fault("429", path="*/owners", count=1, parameters={"retry_after": 2}),
    )
    with served(world, *faults) as api:
        body = api.ask("GET", "/crm/v3/objects/tickets", status=403)
        assert body["category"] == "MISSING_SCOPES"
        assert body["errors"][0]["context"] == {"requiredGranularScopes": ["tickets"]}
        api.ask("GET", "/crm/v3/objects/deals")
        response = api.client.get("/crm/v3/owners")
        assert (response.status_code, response.headers["retry-after"]) == (429, "2")
        assert response.json()["policyName"] == "TEN_SECONDLY_ROLLING"
        api.ask("GET", "/crm/v3/owners")


def test_rate_limits_are_stated_but_for_searches(api: Api) -> None:
    first = api.client.get("/crm/v3/owners").headers
    second = api.client.get("/crm/v3/pipelines/deals").headers
    left = "x-hubspot-ratelimit-daily-remaining"
    assert int(first[left]) - int(second[left]) == 1
    assert first["x-hubspot-ratelimit-daily"] == "500000"
    assert first["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    found = api.client.post("/crm/v3/objects/deals/search", json={})
    assert found.status_code == 200 and left not in found.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/crm/v3/objects/nothing", 400),
        ("/crm/v3/objects/deals?limit=101", 400),
        ("/crm/v3/objects/deals?limit=x", 400),
        ("/crm/v3/objects/deals?after=x", 400),
        ("/crm/v3/objects/deals?archived=perhaps", 400),
        ("/crm/v3/objects/deals/1", 404),
        ("/crm/v3/objects/deals/1?idProperty=nothing", 400),
        ("/crm/v3/owners/1", 404),
        ("/crm/v3/owners/x", 400),
        ("/crm/v3/pipelines/deals/nothing", 404),
        ("/crm/v4/objects/products/4001/associations/deals", 400),
        ("/crm/v4/objects/deals/1/associations/companies", 404),
    ],
)
def test_mistakes_get_hubspots_error(api: Api, path: str, status: int) -> None:
    body = api.ask("GET", path, status=status)
    assert body["status"] == "error" and body["message"] and body["category"]


def test_bodies_that_are_no_json_objects_are_refused(api: Api) -> None:
    for content in (b"", b"[]", b"{", b'{"inputs": 3}', b'{"inputs": [{}]}'):
        for path in ("objects/deals/batch/read", "associations/deals/companies/batch/read"):
            response = api.client.post(f"/crm/v3/{path}", content=content)
            assert response.status_code == 400, (path, content)
            assert response.json()["category"] == "VALIDATION_ERROR"


# Faults -----------------------------------------------------------------------------------------


def test_page_tokens_can_repeat_and_expire(world: World) -> None:
    faults = (Fault("repeated_token", count=1), Fault("expired_token", count=1, after=2))
    with served(world, *faults) as api:
        url = "/crm/v3/objects/deals?limit=2"
        first = api.ask("GET", url)["paging"]["next"]["after"]
        second = api.ask("GET", f"{url}&after={first}")
        assert second["paging"]["next"]["after"] == first
        again = api.ask("GET", f"{url}&after={first}")
        assert again["results"] == second["results"]
        following = again["paging"]["next"]["after"]
        assert following != first
        problem = api.ask("GET", f"{url}&after={following}", status=400)
        assert problem["category"] == "VALIDATION_ERROR"
        assert api.ask("GET", f"{url}&after={following}")["results"]


def test_a_fresh_edit_is_missing_from_search_for_a_while(world: World) -> None:
    newest = "select max(updated_at) from hubspot_now.deals"
    with served(world, Fault("eventual_consistency", parameters={"seconds": 3600})) as api:
        api.ask("GET", "/crm/v3/objects/deals?limit=1")
        at = shown(api, newest)[0][0].replace(tzinfo=UTC)
        api.stage.move(at + timedelta(minutes=10))
        wish = ("hs_lastmodifieddate", "GTE", str(int(at.timestamp() * 1000)))
        assert api.search("deals", wish)["total"] == 0
        assert list(api.changed("deals", at)) == []
        api.stage.move(at + timedelta(minutes=70))
        assert api.search("deals", wish)["total"] == 1


def test_a_change_between_two_pages_makes_a_search_by_modification_skip_a_record(
    world: World,
) -> None:
    body = {"sorts": ["hs_lastmodifieddate"], "limit": 20, "properties": ["dealname"]}
    with served(world, Fault("change_while_paging", count=1)) as api:
        url = "/crm/v3/objects/deals/search"
        first = api.ask("POST", url, body)["results"]
        undisturbed = api.client.post(url, json={**body, "after": "0"}).json()
        assert [r["id"] for r in undisturbed["results"]] == [r["id"] for r in first]
        second = api.ask("POST", url, {**body, "after": "20"})["results"]
        touched = api.ask("GET", f"/crm/v3/objects/deals/{first[0]['id']}")
        assert touched["updatedAt"] == f"{api.stage.now():%Y-%m-%dT%H:%M:%S}.000Z"
        assert touched["properties"]["hs_lastmodifieddate"] == touched["updatedAt"]
        ids = [record["id"] for record in [*first, *second]]
        in_order = shown(
            api,
            "select id::text from hubspot_now.deals where archived_at is null "
            "order by updated_at, id limit 41",
        )
        skipped = {number for (number,) in in_order} - set(ids)
        assert skipped == {in_order[20][0]}


def test_a_record_that_disappears_between_two_pages_is_archived(world: World) -> None:
    with served(world, Fault("delete_between_pages", count=1)) as api:
        url = "/crm/v3/objects/tickets"
        first = api.ask("GET", f"{url}?limit=5")
        gone = first["results"][0]["id"]
        api.ask("GET", f"{url}?limit=5&after={first['paging']['next']['after']}")
        api.ask("GET", f"{url}/{gone}", status=404)
        archived = {record["id"]: record for record in api.pages(f"{url}?limit=100&archived=true")}
        assert archived[gone]["archivedAt"] == f"{api.stage.now():%Y-%m-%dT%H:%M:%S}.000Z"
        assert api.search("tickets", ("hs_object_id", "EQ", gone))["total"] == 0


def test_moments_can_be_numbers_or_in_another_zone(world: World) -> None:
    with served(world) as api:
        plain = api.ask("GET", "/crm/v3/objects/deals?limit=1")["results"][0]
    moment = datetime.fromisoformat(plain["createdAt"])
    with served(world, Fault("epoch_integers"), Fault("clock_zone", after=10**6)) as api:
        body = api.client.get("/crm/v3/objects/deals?limit=1").json()
        assert body["results"][0]["createdAt"] == int(moment.timestamp()) * 1000
        assert check_response("hubspot", "GET", "/crm/v3/objects/deals", 200, body) != []
        path = f"/crm/v4/objects/deals/{plain['id']}/associations/companies"
        assert isinstance(api.client.get(path).json()["results"][0]["toObjectId"], int)
    zone = Fault("clock_zone", parameters={"zone": "Asia/Singapore"})
    with served(world, zone) as api:
        there = api.ask("GET", "/crm/v3/objects/deals?limit=1")["results"][0]["createdAt"]
        assert there.endswith("+08:00") and datetime.fromisoformat(there) == moment
        day = f"{moment + timedelta(days=1):%Y-%m-%d}"
        found = api.search("deals", ("createdate", "LT", day), limit=1)["total"]
        expected = shown(
            api,
            "select count(*) from hubspot_now.deals where archived_at is null "
            f"and created_at < timestamp '{day}' - interval 8 hour",
        )
        assert found == expected[0][0]


def test_what_may_not_be_seen_is_missing_without_a_word(world: World) -> None:
    with served(world, Fault("permission_silent", count=3)) as api:
        url = "/crm/v3/objects/deals?limit=100&properties=hubspot_owner_id"
        part = api.ask("GET", url)["results"]
        assert len({record["properties"]["hubspot_owner_id"] for record in part}) == 1
        assert api.ask("GET", "/crm/v3/objects/contacts")["results"] == []
        some = api.ask("POST", "/crm/v3/objects/deals/search", {})["total"]
        assert 0 < some < api.ask("POST", "/crm/v3/objects/deals/search", {})["total"]
