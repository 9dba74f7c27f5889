"""The control endpoint `/_sandbox` that every server has beside the vendor's API.

What belongs here: what a test may see and set of a running company. Nothing here needs the
vendor's token, so it answers callers on this machine only.

    GET    /_sandbox/state     size, seed, clock, faults and requests at once
    GET    /_sandbox/clock     {"now", "days_a_second"}; POST {"now"?, "days_a_second"?} sets it
    GET    /_sandbox/faults    what is ordered and what fired; POST orders a fault, or a list, or
                               {"schedule": SEED}; DELETE clears
    GET    /_sandbox/requests  counts by method and path, newest requests; DELETE forgets them
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.servers.faults import KINDS, Fault, schedule
from sandbox.servers.stage import Stage
from sandbox.spec import SandboxError

PREFIX = "/_sandbox/"
LOOPBACK = ("127.0.0.1", "::1")


class Log(Protocol):
    """What was asked of a server."""

    def state(self) -> dict[str, Any]:
        """Counts and newest requests."""

    def clear(self) -> None:
        """Forget them."""


def control(stage: Stage, log: Log) -> ASGIApp:
    """The app that answers below PREFIX."""
    panel = _Panel(stage, log)
    app = Starlette(
        routes=[
            Route(PREFIX + "state", panel.state),
            Route(PREFIX + "clock", panel.clock, methods=["GET", "POST"]),
            Route(PREFIX + "faults", panel.faults, methods=["GET", "POST", "DELETE"]),
            Route(PREFIX + "requests", panel.requests, methods=["GET", "DELETE"]),
        ],
        exception_handlers={SandboxError: _refused},
    )

    async def on_this_machine_only(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client and client[0] in LOOPBACK:
            await app(scope, receive, send)
        else:
            await Response(status_code=403)(scope, receive, send)

    return on_this_machine_only


class _Panel:
    def __init__(self, stage: Stage, log: Log) -> None:
        self._stage = stage
        self._log = log

    async def state(self, request: Request) -> Response:
        spec = self._stage.world.spec
        return JSONResponse(
            {
                "server": self._stage.server,
                "size": spec.size.name,
                "seed": spec.seed,
                "profile": spec.profile.name,
                "clock": self._clock(),
                "faults": self._stage.faults.state(),
                "requests": self._log.state(),
            }
        )

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            order = await _json(request)
            if not isinstance(order, Mapping) or not set(order) <= {"now", "days_a_second"}:
                raise SandboxError('A clock is set with "now", "days_a_second" or both.')
            if "now" in order:
                self._stage.move(_instant(order["now"]))
            if "days_a_second" in order:
                self._stage.clock.run(_number(order["days_a_second"]))
        return JSONResponse(self._clock())

    async def faults(self, request: Request) -> Response:
        faults = self._stage.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            for fault in ordered(await _json(request), [self._stage.server]):
                faults.add(fault)
        return JSONResponse({"kinds": dict(KINDS), "faults": faults.state()})

    async def requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._log.clear()
        return JSONResponse(self._log.state())

    def _clock(self) -> dict[str, Any]:
        clock = self._stage.clock
        return {
            "now": clock.now().isoformat().replace("+00:00", "Z"),
            "days_a_second": clock.days_a_second,
        }


def ordered(order: object, servers: list[str]) -> list[Fault]:
    """The faults that parsed JSON orders: one, a list, or {"schedule": seed} for `servers`.

    SandboxError says what is wrong with it.
    """
    if isinstance(order, Mapping) and set(order) == {"schedule"}:
        return schedule(int(_number(order["schedule"])), servers)
    orders = order if isinstance(order, list) else [order]
    if not all(isinstance(one, Mapping) for one in orders):
        raise SandboxError('A fault is an object, e.g. {"kind": "429", "count": 1}.')
    return [Fault.of(one) for one in orders]


async def _json(request: Request) -> object:
    try:
        value: object = await request.json()
    except ValueError as error:
        raise SandboxError(f"The body is not JSON: {error}.") from error
    return value


def _instant(value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise SandboxError(f'"{value}" is no instant, e.g. 2026-06-30T22:00:00Z.') from error


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise SandboxError(f'"{value}" is no number.')
    return float(value)


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
