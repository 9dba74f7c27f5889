"""Servers of the tiny company for tests of clients: what they were asked, what they know.

Belongs here: starting servers, recording requests, missions that hold live sources. Does not
belong here: expectations.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dagster_project.landing.lake import current_windows, windows
from dagster_project.settings import Mission, Source
from dagster_project.sources.streams import stream
from sandbox.servers.clock import LAST, Clock
from sandbox.servers.faults import Fault, Faults
from sandbox.servers.run import Server, running, vendors
from sandbox.spec import Spec
from sandbox.world import World, build

Rows = list[tuple[Any, ...]]
TOKEN = "c4nary-of-a-test"


@cache
def company() -> World:
    """The default company: tiny, seed 7, messy. Nobody may change its hidden rows."""
    return build(Spec.of("tiny"))


@dataclass(frozen=True)
class Asked:
    """A request that reached the vendor's app."""

    method: str
    url: str
    body: Any
    status: int

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.url.partition("?")[0]


@dataclass
class Recorder:
    """A vendor's app that notes what it is asked."""

    app: ASGIApp
    asked: list[Asked] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer and note it."""
        body, status = bytearray(), 0

        async def heard() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def said(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self.app(scope, heard, said)
        query = scope["query_string"].decode()
        url = scope["path"] + (f"?{query}" if query else "")
        self.asked.append(Asked(scope["method"], url, json.loads(body) if body else None, status))


@dataclass
class Vendor:
    """A running server."""

    server: Server
    recorder: Recorder
    clock: Clock
    faults: Faults

    @property
    def asked(self) -> list[Asked]:
        """Requests that no generic fault struck, oldest first."""
        return self.recorder.asked

    def paths(self) -> Counter[str]:
        """How often each method and path was asked."""
        return Counter(f"{asked.method} {asked.path}" for asked in self.asked)

    def query(self, sql: str) -> Rows:
        """What the server's tables hold now."""
        with self.server.stage.reading() as view:
            return view.rows(sql)


@contextmanager
def vendor(
    name: str,
    *faults: Fault,
    now: datetime = LAST,
    prepare: Callable[[duckdb.DuckDBPyConnection, datetime], None] | None = None,
    world: World | None = None,
) -> Iterator[Vendor]:
    """One server of the company. `prepare` makes its tables in place of the usual ones."""
    recorders: list[Recorder] = []
    usual = vendors()[name]

    def app(*given: Any) -> Recorder:
        recorders.append(Recorder(usual.app(*given)))
        return recorders[0]

    recorded = replace(usual, app=app, prepare=prepare or usual.prepare)
    clock, ordered = Clock(now), Faults(faults)
    with running(
        world or company(),
        vendors=[recorded],
        clock=clock,
        faults=ordered,
        tokens={name: TOKEN},
    ) as served:
        yield Vendor(served.servers[name], recorders[0], clock, ordered)


def lake(mission: Mission, source: Source, name: str, *columns: str) -> Rows:
    """Expressions over the rows that count: of each record the newest version."""
    found = current_windows(windows(mission, source, name), source)
    paths = [str(path) for window in found for path in window.directory.glob("*.parquet")]
    if not paths:
        return []
    identity = ", ".join(stream(source.system, name).identity)
    return duckdb.sql(
        f"select {', '.join(columns)} from (from read_parquet({paths}, hive_partitioning = false) "
        f"qualify row_number() over (partition by {identity} "
        "order by window_seq desc, payload desc) = 1) order by all"
    ).fetchall()


def fields(*names: str) -> Sequence[str]:
    """Payload fields as texts."""
    return [f"payload->>'$.{name}'" for name in names]


def everything_in(folder: Path) -> bytes:
    """All bytes below a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
