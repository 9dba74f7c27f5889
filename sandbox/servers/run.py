"""All servers of one company, started and stopped together.

What belongs here: ports, tokens, threads. What does not: what any server answers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import duckdb
import uvicorn
from starlette.types import ASGIApp

from sandbox.servers.clock import Clock
from sandbox.servers.faults import Faults
from sandbox.servers.middleware import Staged
from sandbox.servers.stage import Prepare, Stage
from sandbox.spec import SandboxError

if TYPE_CHECKING:
    from sandbox.world import World

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Vendor:
    """A server that a company can have."""

    name: str
    variable: str
    """The environment variable that holds its token."""
    prepare: Prepare
    app: Callable[[Stage, str], ASGIApp]


def vendors() -> Mapping[str, Vendor]:
    """All vendors by name."""
    from sandbox.records import bamboohr as bamboohr_records
    from sandbox.records import hubspot as hubspot_records
    from sandbox.records import jira as jira_records
    from sandbox.servers import bamboohr, hubspot, jira

    return MappingProxyType(
        {
            vendor.name: vendor
            for vendor in (
                Vendor("jira", "JIRA_TOKEN", jira_records.prepare, jira.app),
                Vendor("hubspot", "HUBSPOT_TOKEN", hubspot_records.prepare, hubspot.app),
                Vendor("bamboohr", "BAMBOOHR_TOKEN", bamboohr_records.prepare, bamboohr.app),
            )
        }
    )


@dataclass(frozen=True)
class Server:
    """A server that answers: its address, and the token it asks for."""

    name: str
    address: str
    variable: str
    token: str
    is_token_new: bool
    """Neither given nor in the environment."""
    stage: Stage


@dataclass(frozen=True)
class Running:
    """The servers of a company by name, and what they share."""

    servers: Mapping[str, Server]
    clock: Clock
    faults: Faults


@contextmanager
def running(
    world: World,
    *,
    vendors: Sequence[Vendor],
    clock: Clock | None = None,
    faults: Faults | None = None,
    ports: Mapping[str, int] = MappingProxyType({}),
    tokens: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """Serve a company on 127.0.0.1 until the context ends, which cuts what is being answered.

    `ports` and `tokens` are by server; without a port a free one is taken, without a token that of
    the environment, else a new one. Raises SandboxError where a port is not free.
    """
    clock, faults = clock or Clock(), faults or Faults()
    servers: dict[str, Server] = {}
    listening: list[tuple[uvicorn.Server, socket.socket]] = []
    with ExitStack() as stack:
        for vendor in vendors:
            stage = Stage(world, vendor.name, vendor.prepare, clock=clock, faults=faults)
            bound = stack.enter_context(_bound(vendor.name, ports.get(vendor.name, 0)))
            server = _server(vendor, stage, bound, tokens.get(vendor.name))
            servers[vendor.name] = server
            app = Staged(vendor.app(stage, server.token), stage)
            listening.append((_uvicorn(app), bound))
        stack.enter_context(_serving(listening, [server.stage for server in servers.values()]))
        yield Running(MappingProxyType(servers), clock, faults)


def _server(vendor: Vendor, stage: Stage, bound: socket.socket, token: str | None) -> Server:
    known = token or os.environ.get(vendor.variable)
    return Server(
        name=vendor.name,
        address=f"http://{HOST}:{bound.getsockname()[1]}",
        variable=vendor.variable,
        token=known or secrets.token_urlsafe(24),
        is_token_new=not known,
        stage=stage,
    )


def _bound(name: str, port: int) -> socket.socket:
    # With the protocol spelled out asyncio sends small packets at once (40 ms a request less).
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise SandboxError(
            f"Port {port} for {name} is not free ({error.strerror}). Choose another "
            f"--{name}-port, or none to take a free one."
        ) from error
    return bound


class _Unexpected(logging.Filter):
    """Lets failures of an app through, but not what is ordered: cut answers, a sudden stop."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is duckdb.InterruptException:
            return False
        message = record.getMessage()
        return not message.startswith(("ASGI callable returned without completing", "Cancel "))


def _uvicorn(app: ASGIApp) -> uvicorn.Server:
    logging.getLogger("uvicorn.error").addFilter(_UNEXPECTED)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            date_header=False,
            lifespan="off",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=0,
        )
    )


_UNEXPECTED = _Unexpected()


@contextmanager
def _serving(
    uvicorns: Sequence[tuple[uvicorn.Server, socket.socket]], stages: Sequence[Stage]
) -> Iterator[None]:
    """All servers in one event loop in a thread of its own."""

    async def serve() -> None:
        await asyncio.gather(*(server.serve([bound]) for server, bound in uvicorns))

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="sandbox", daemon=True)
    thread.start()
    try:
        while not all(server.started for server, _ in uvicorns):
            if not thread.is_alive():
                raise SandboxError("The servers did not start; the error stands above.")
            time.sleep(0.01)
        yield
    finally:
        for server, _ in uvicorns:
            server.should_exit = server.force_exit = True
        while thread.is_alive():
            for stage in stages:
                stage.interrupt()  # again and again: a query may just be about to begin
            thread.join(0.05)
