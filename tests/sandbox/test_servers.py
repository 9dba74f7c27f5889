"""What all servers stand on: clock, stage, control endpoint, start and stop, the file drop.

Belongs here: what holds for every vendor. What one vendor answers belongs to its own tests.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import duckdb
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.calendars import END, START, first_instant
from sandbox.files import write_world
from sandbox.records import bamboohr as hr_records
from sandbox.records import hubspot as crm_records
from sandbox.servers import bamboohr
from sandbox.servers.clock import FIRST, LAST, Clock
from sandbox.servers.drop import FileDrop
from sandbox.servers.middleware import Staged
from sandbox.servers.run import Running, Vendor, running, vendors
from sandbox.servers.stage import Stage
from sandbox.spec import SandboxError
from sandbox.world import World

FIELDS = "/api/v1/meta/fields"
EMPLOYEES = "/api/v1/employees/directory"
YESTERDAY = LAST - timedelta(days=400)
HR = Vendor("bamboohr", "BAMBOOHR_TOKEN", hr_records.prepare, bamboohr.app)


@pytest.fixture
def served(world: World) -> Iterator[Running]:
    with running(world, vendors=[HR], tokens={"bamboohr": "key"}) as found:
        yield found


def client(served: Running, name: str = "bamboohr") -> httpx.Client:
    server = served.servers[name]
    return httpx.Client(
        base_url=server.address,
        auth=(server.token, "x"),
        headers={"Accept": "application/json"},
        timeout=30,
    )


class Wall:
    """A clock on the wall that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


# The clock


def test_a_clock_stands_until_it_is_moved() -> None:
    wall = Wall()
    clock = Clock(real_time=wall)
    wall.seconds += 3_600
    assert clock.now() == LAST == first_instant(END)
    clock.move(YESTERDAY)
    assert clock.now() == YESTERDAY


def test_a_running_clock_moves_in_steps_and_stops_at_the_end() -> None:
    wall = Wall()
    clock = Clock(LAST - timedelta(days=3), real_time=wall)
    clock.run(1)
    seen = []
    for _ in range(9):
        seen.append((LAST - clock.now()) / timedelta(days=1))
        wall.seconds += 0.5
    assert seen == [3, 3, 2, 2, 1, 1, 0, 0, 0]


def test_a_clock_that_is_stopped_stays_where_it_was() -> None:
    wall = Wall()
    clock = Clock(FIRST, real_time=wall)
    clock.run(2)
    wall.seconds += 5
    clock.run(0)
    wall.seconds += 5
    assert clock.now() == FIRST + timedelta(days=10)


@pytest.mark.parametrize(
    "moment",
    [FIRST - timedelta(seconds=1), LAST + timedelta(seconds=1), datetime(2025, 1, 1)],
)
def test_an_instant_outside_of_the_simulation_or_without_zone_is_refused(moment: datetime) -> None:
    with pytest.raises(SandboxError):
        Clock().move(moment)


# The stage


def test_tables_are_prepared_when_the_clock_has_moved_and_not_before(world: World) -> None:
    prepared: list[datetime] = []

    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        prepared.append(now)
        hr_records.prepare(connection, now)

    stage = Stage(world, "counted", prepare)

    def people() -> int:
        rows = asyncio.run(stage.query("select count(*) from bamboohr_now.employee"))
        return int(rows[0][0])

    assert prepared == []
    today = [people() for _ in range(3)]
    assert prepared == [LAST]
    stage.move(YESTERDAY)
    assert people() < today[0]
    stage.move(LAST)
    assert people() == today[0] == today[2]
    assert prepared == [LAST, YESTERDAY, LAST]


def test_readers_never_see_a_preparation_in_the_making(world: World) -> None:
    """Every query of a view agrees with its instant while others move the clock."""

    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        connection.execute("drop schema if exists reading_now cascade; create schema reading_now")
        for table in ("a", "b"):
            connection.execute(
                f"create table reading_now.{table} as "
                f"select timestamp '{now:%Y-%m-%d %H:%M:%S}' as instant from range(20000)"
            )

    stage = Stage(world, "reading", prepare)
    failures: list[object] = []
    views = 0
    stop = threading.Event()

    def read() -> None:
        nonlocal views
        while not stop.is_set():
            try:
                with stage.reading() as view:
                    found = set(view.rows("select distinct instant from reading_now.a"))
                    time.sleep(0.002)
                    found |= set(view.rows("select distinct instant from reading_now.b"))
                if found != {(view.now.replace(tzinfo=None),)}:
                    failures.append(found)
                views += 1
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for day in range(60):
        stage.move(FIRST + timedelta(days=day))
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert views > 20


def test_a_preparation_that_fails_leaves_the_earlier_one(world: World) -> None:
    fails = False

    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        connection.execute("create or replace table failing as select 1 as n")
        if fails:
            connection.execute("drop table failing; select * from nowhere")

    stage = Stage(world, "failing", prepare)
    assert asyncio.run(stage.query("from failing")) == [(1,)]
    fails = True
    stage.move(YESTERDAY)
    with pytest.raises(duckdb.CatalogException):
        asyncio.run(stage.query("from failing"))
    fails = False
    assert asyncio.run(stage.query("from failing")) == [(1,)]
    world.connection.cursor().execute("drop table failing")


# Start, stop and control


def test_servers_of_one_company_share_clock_and_faults_and_have_ports_of_their_own(
    world: World,
) -> None:
    other = Vendor("second", "SECOND_TOKEN", hr_records.prepare, bamboohr.app)
    with running(world, vendors=[HR, other]) as served:
        addresses = {server.address for server in served.servers.values()}
        assert len(addresses) == 2
        assert all(address.startswith("http://127.0.0.1:") for address in addresses)
        with client(served) as first, client(served, "second") as second:
            first.post("/_sandbox/clock", json={"now": YESTERDAY.isoformat()})
            assert second.get("/_sandbox/clock").json()["now"] == "2025-05-26T22:00:00Z"
            assert first.get(EMPLOYEES).content == second.get(EMPLOYEES).content


def test_a_token_is_that_of_the_environment_or_a_new_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BAMBOOHR_TOKEN", raising=False)
    with running(world, vendors=[HR]) as one, running(world, vendors=[HR]) as two:
        new = [found.servers["bamboohr"] for found in (one, two)]
        assert all(server.is_token_new and len(server.token) >= 32 for server in new)
        assert new[0].token != new[1].token
    monkeypatch.setenv("BAMBOOHR_TOKEN", "from outside")
    with running(world, vendors=[HR]) as served:
        server = served.servers["bamboohr"]
        assert (server.token, server.is_token_new) == ("from outside", False)
        with client(served) as known:
            assert known.get(FIELDS).status_code == 200


def test_a_port_that_is_taken_is_named_with_the_remedy(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SandboxError, match=f"Port {port} for bamboohr .* --bamboohr-port"),
            running(world, vendors=[HR], ports={"bamboohr": port}),
        ):
            pass


def test_yesterdays_and_todays_answers_in_turn_by_the_control_endpoint(served: Running) -> None:
    with client(served) as hr:

        def people(now: datetime) -> int:
            set_to = hr.post("/_sandbox/clock", json={"now": now.isoformat()})
            assert set_to.status_code == 200
            return len(hr.get("/api/v1/employees/all/tables/employmentStatus").json())

        counts = [people(now) for now in (YESTERDAY, LAST, YESTERDAY)]
    assert counts[0] == counts[2] < counts[1]


def test_a_clock_can_be_set_running_and_refuses_nonsense(served: Running) -> None:
    with client(served) as hr:
        moved = {"now": "2025-01-01T00:00:00Z", "days_a_second": 2}
        assert hr.post("/_sandbox/clock", json=moved).json() == moved
        served.clock.run(0)
        for wrong, said in (
            ({"now": "tomorrow"}, '"tomorrow" is no instant'),
            ({"now": "2030-01-01T00:00:00Z"}, "outside of the simulation"),
            ({"now": "2025-01-01T00:00:00"}, "needs a zone"),
            ({"days_a_second": "fast"}, '"fast" is no number'),
            ({"days_a_second": -1}, "0 to 1000"),
            ({"then": 1}, 'set with "now"'),
            ([], 'set with "now"'),
        ):
            refused = hr.post("/_sandbox/clock", json=wrong)
            assert refused.status_code == 400
            assert said in refused.json()["error"]
        assert hr.post("/_sandbox/clock", content=b"{").status_code == 400


def test_requests_are_logged_and_counted_but_not_those_of_the_control(served: Running) -> None:
    with client(served) as hr:
        hr.get(FIELDS)
        hr.get(FIELDS, params={"format": "json"})
        hr.get(FIELDS, auth=("wrong", "x"))
        hr.get("/_sandbox/state")
        log = hr.get("/_sandbox/requests").json()
        assert log["counts"] == {f"GET {FIELDS}": 3}
        assert [(row["query"], row["status"]) for row in log["newest"]] == [
            ("", 200),
            ("format=json", 200),
            ("", 401),
        ]
        assert hr.delete("/_sandbox/requests").json() == {"counts": {}, "newest": []}


def test_state_tells_which_company_it_is(served: Running) -> None:
    state = httpx.get(served.servers["bamboohr"].address + "/_sandbox/state").json()
    assert (state["size"], state["seed"], state["profile"]) == ("tiny", 7, "messy")
    assert state["clock"] == {"now": "2026-06-30T22:00:00Z", "days_a_second": 0}
    assert (state["server"], state["faults"]) == ("bamboohr", [])


def test_the_control_endpoint_answers_this_machine_only(world: World) -> None:
    stage = Stage(world, "bamboohr", hr_records.prepare)
    app = Staged(bamboohr.app(stage, "key"), stage)

    async def status(caller: str) -> int:
        transport = httpx.ASGITransport(app, client=(caller, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as some:
            return (await some.get("/_sandbox/state")).status_code

    assert [asyncio.run(status(caller)) for caller in ("127.0.0.1", "10.0.0.7")] == [200, 403]


def test_servers_stop_at_once_whatever_they_are_doing(world: World) -> None:
    begun = threading.Event()

    def app(stage: Stage, token: str) -> Starlette:
        async def endless(request: Request) -> Response:
            begun.set()
            rows = await stage.query(
                "select count(*) from range(1000000000) as a, range(1000) as b "
                "where a.range + b.range = 7"
            )
            return JSONResponse(rows)

        return Starlette(routes=[Route("/", endless)])

    def ask(address: str) -> None:
        with pytest.raises(httpx.HTTPError):
            httpx.get(address, timeout=30).raise_for_status()

    busy = Vendor("busy", "BUSY_TOKEN", hr_records.prepare, app)
    with running(world, vendors=[busy]) as served:
        address = served.servers["busy"].address
        asking = threading.Thread(target=ask, args=(address,))
        asking.start()
        assert begun.wait(20)
        time.sleep(0.2)
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 3
    asking.join(5)
    assert not asking.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


# The file drop


def test_the_file_drop_is_what_write_makes_and_follows_the_clock(
    world: World, tmp_path: Path
) -> None:
    clock = Clock(YESTERDAY)
    people = Stage(world, "bamboohr", hr_records.prepare, clock=clock)
    market = Stage(world, "hubspot", crm_records.prepare, clock=clock)
    folder = tmp_path / "drop"

    def dropped() -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")
        }

    with FileDrop(folder, people, market).kept_up():
        before = dropped()
        clock.move(LAST)
        last = "crm/survey_invitations.csv"
        for _ in range(400):
            if dropped()[last] != before[last]:
                break
            time.sleep(0.05)
    after = dropped()
    assert before.keys() == after.keys() >= {"hr/employees.csv", "crm/surveys.csv"}
    assert not any(name.startswith(("jira", "crm/deals")) for name in after)
    for day, found in ((YESTERDAY.date(), before), (END, after)):
        written = write_world(tmp_path / f"{day}", world, day).folder
        for name, content in found.items():
            assert content == (written / name).read_bytes(), name


# The command


def test_serve_shows_how_to_reach_it_and_stops_on_a_signal(tmp_path: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if not key.endswith("_TOKEN")
    } | {"JIRA_TOKEN": "known"}
    run = "import typer; from sandbox.serve_command import serve; typer.run(serve)"
    options = ["--until", "2025-03-01", "--drop", str(tmp_path / "drop"), "--fault-seed", "3"]
    with subprocess.Popen(
        [sys.executable, "-c", run, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as command:
        assert command.stdout and command.stderr
        lines: list[str] = []
        for line in command.stdout:
            lines.append(line.strip())
            if "exports of HR" in line:
                break
        said = dict(
            line.removeprefix("export ").split("=") for line in lines if "export " in line[:7]
        )
        assert {"JIRA_URL", "HUBSPOT_URL", "BAMBOOHR_URL", "BAMBOOHR_TOKEN"} <= said.keys()
        assert "JIRA_TOKEN" not in said, "what the environment holds is not repeated"
        assert (tmp_path / "drop" / "hr" / "leave.csv").is_file()
        state = httpx.get(f"{said['BAMBOOHR_URL']}/_sandbox/state").json()
        assert state["clock"]["now"] == "2025-02-28T23:00:00Z"
        assert {fault["server"] for fault in state["faults"]} == {"jira", "hubspot", "bamboohr"}
        for url in ("JIRA_URL", "HUBSPOT_URL"):
            assert httpx.get(f"{said[url]}/_sandbox/state").status_code == 200
        stopped = time.monotonic()
        command.send_signal(signal.SIGTERM)
        assert command.wait(10) == 0
        assert time.monotonic() - stopped < 3
        assert command.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "huge"], "Unknown size 'huge'"),
        (["--until", "2031-01-01"], "outside of the simulation"),
        (["--faults", "missing.json"], "--faults missing.json cannot be read"),
    ],
)
def test_serve_names_the_remedy(options: list[str], said: str) -> None:
    run = "import typer; from sandbox.serve_command import serve; typer.run(serve)"
    done = subprocess.run(
        [sys.executable, "-c", run, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_every_vendor_has_a_server() -> None:
    assert list(vendors()) == ["jira", "hubspot", "bamboohr"]
    assert START < END


def test_the_time_on_the_wire_is_the_simulated_one(served: Running) -> None:
    with client(served) as http:
        before = http.get(FIELDS)
        served.clock.move(YESTERDAY)
        after = http.get(FIELDS)
    assert before.headers.get_list("date") == ["Tue, 30 Jun 2026 22:00:00 GMT"]
    assert parsedate_to_datetime(after.headers["date"]) == YESTERDAY
