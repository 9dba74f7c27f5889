"""Faults on demand: each kind as a client sees it over a socket, and whom they strike."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sandbox.records import bamboohr as records
from sandbox.servers import bamboohr
from sandbox.servers.control import ordered
from sandbox.servers.faults import GENERIC, KINDS, Fault, Faults, schedule
from sandbox.servers.run import Running, Vendor, running
from sandbox.spec import SandboxError
from sandbox.world import World

FIELDS = "/api/v1/meta/fields"
HR = Vendor("bamboohr", "BAMBOOHR_TOKEN", records.prepare, bamboohr.app)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Running]:
    with running(world, vendors=[HR], tokens={"bamboohr": "key"}) as served:
        yield served


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    server.faults.clear()
    with httpx.Client(
        base_url=server.servers["bamboohr"].address,
        auth=("key", "x"),
        headers={"Accept": "application/json"},
        timeout=10,
    ) as found:
        yield found
    server.faults.clear()


def order(client: httpx.Client, **fault: object) -> None:
    answer = client.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 200, answer.text


def test_too_many_requests_with_seconds_then_the_answer(client: httpx.Client) -> None:
    order(client, kind="429", count=1, parameters={"retry_after": 2})
    refused = client.get(FIELDS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert client.get(FIELDS).status_code == 200


def test_too_many_requests_with_a_date_of_the_clock_on_the_wall(client: httpx.Client) -> None:
    order(client, kind="429", count=1, parameters={"retry_after": 60, "form": "date"})
    moment = parsedate_to_datetime(client.get(FIELDS).headers["Retry-After"])
    assert 55 <= (moment - datetime.now(UTC)).total_seconds() <= 60


def test_too_many_requests_without_a_word_when_to_come_back(client: httpx.Client) -> None:
    order(client, kind="429", count=1)
    refused = client.get(FIELDS)
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers


def test_server_errors_and_a_proxys_page(client: httpx.Client) -> None:
    for kind in ("500", "502"):
        order(client, kind=kind, count=1)
    order(client, kind="503", count=1, parameters={"retry_after": 3})
    error, proxy, closed = (client.get(FIELDS) for _ in range(3))
    assert error.status_code == 500
    assert (proxy.status_code, proxy.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert proxy.text.startswith("<html>")
    assert (closed.status_code, closed.headers["Retry-After"]) == (503, "3")
    assert client.get(FIELDS).status_code == 200


def test_a_slow_answer_is_right_but_late(client: httpx.Client) -> None:
    prompt = client.get(FIELDS)
    order(client, kind="slow", count=1, parameters={"delay": 0.4})
    started = time.monotonic()
    late = client.get(FIELDS)
    assert time.monotonic() - started >= 0.4
    assert late.content == prompt.content


@pytest.mark.parametrize(("parameters", "arrives"), [({}, 0.5), ({"cut_at": 0}, 0.0)])
def test_a_cut_answer_ends_before_its_announced_length(
    client: httpx.Client, parameters: dict[str, int], arrives: float
) -> None:
    whole = len(client.get(FIELDS).content)
    order(client, kind="cut", count=1, parameters=parameters)
    received = 0
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", FIELDS) as answer,
    ):
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == whole
        for chunk in answer.iter_raw():
            received += len(chunk)
    assert received == int(whole * arrives)
    assert len(client.get(FIELDS).content) == whole


def test_a_fault_strikes_the_requests_it_is_meant_for(client: httpx.Client) -> None:
    order(client, kind="503", path="*/meta/*", server="bamboohr", after=1, count=2)
    order(client, kind="500", path="/nowhere/*")
    order(client, kind="500", server="jira")
    statuses = [client.get(FIELDS).status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]
    assert client.get("/api/v1/employees/directory").status_code == 200
    counts = [
        (fault["kind"], fault["matched"], fault["fired"])
        for fault in client.get("/_sandbox/faults").json()["faults"]
    ]
    assert counts == [("503", 5, 2), ("500", 0, 0), ("500", 0, 0)]


def test_faults_can_be_withdrawn(client: httpx.Client) -> None:
    order(client, kind="500")
    assert client.get(FIELDS).status_code == 500
    assert client.delete("/_sandbox/faults").json()["faults"] == []
    assert client.get(FIELDS).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "flood"}, "Unknown fault 'flood'"),
        ({"kind": "500", "chance": 1}, "A fault has no chance"),
        ({"kind": "500", "probability": 2}, "between 0 and 1"),
        ({"kind": "500", "count": "two"}, "count is a whole number"),
        ({"kind": "slow", "parameters": 3}, "parameters is an object"),
        ("500", "A fault is an object"),
    ],
)
def test_an_order_that_cannot_be_understood_is_refused(
    client: httpx.Client, wrong: object, said: str
) -> None:
    refused = client.post("/_sandbox/faults", json=wrong)
    assert refused.status_code == 400
    assert said in refused.json()["error"]
    assert client.get("/_sandbox/faults").json()["faults"] == []


def test_the_same_schedule_strikes_the_same_requests(client: httpx.Client) -> None:
    def statuses(seed: int) -> list[int]:
        client.delete("/_sandbox/faults")
        for fault in schedule(seed, ["bamboohr"]):
            if fault.kind in ("429", "500", "502", "503"):
                order(client, **vars(fault) | {"parameters": dict(fault.parameters)})
        return [client.get(FIELDS).status_code for _ in range(60)]

    first = statuses(3)
    assert set(first) == {200, 429, 500, 502, 503}
    assert statuses(3) == first
    assert statuses(4) != first


def test_a_schedule_has_every_kind_for_every_server_and_comes_from_its_seed() -> None:
    faults = schedule(1, ["jira", "hubspot"])
    assert [(fault.server, fault.kind) for fault in faults] == [
        (server, kind) for server in ("jira", "hubspot") for kind in KINDS
    ]
    assert faults == schedule(1, ["jira", "hubspot"]) != schedule(2, ["jira", "hubspot"])
    assert all(fault.count for fault in faults), "a client that tries again gets through"
    assert ordered({"schedule": 1}, ["jira", "hubspot"]) == faults


def test_chance_is_reproducible_and_about_as_high_as_ordered() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults([Fault("500", probability=0.3, seed=seed)])
        return [faults.takes("jira", "500", "/a") is not None for _ in range(1_000)]

    assert struck(1) == struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


def test_other_requests_do_not_change_whom_chance_strikes() -> None:
    def struck(between: int) -> list[bool]:
        faults = Faults([Fault("500", path="/a", probability=0.5)])
        found = []
        for _ in range(20):
            found.append(faults.takes("jira", "500", "/a") is not None)
            for _ in range(between):
                assert faults.takes("jira", "500", "/b") is None
        return found

    assert struck(0) == struck(3)


def test_faults_can_be_read_from_json() -> None:
    text = '[{"kind": "429", "count": 2, "parameters": {"retry_after": 1}}, {"kind": "cut"}]'
    assert ordered(json.loads(text), []) == [
        Fault("429", count=2, parameters={"retry_after": 1}),
        Fault("cut"),
    ]
    with pytest.raises(SandboxError):
        ordered([["429"]], [])


def test_generic_faults_are_told_from_those_that_vendors_do() -> None:
    assert set(GENERIC) == {"429", "500", "502", "503", "slow", "cut"}
    assert len(KINDS) == len(GENERIC) + 9
