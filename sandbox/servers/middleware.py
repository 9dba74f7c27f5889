"""What is put around every vendor's app: request log, control endpoint and generic faults.

What belongs here: what happens to a request whatever it means. What does not: faults that only
the vendor's module can do, because they are about what is answered.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.servers.control import PREFIX, control
from sandbox.servers.faults import Fault
from sandbox.servers.stage import Stage

KEPT_REQUESTS = 1_000

PROXY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n"
    "</html>\r\n"
)
BODIES: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType(
    {
        ("jira", "429"): {"errorMessages": ["Rate limit exceeded."], "errors": {}},
        ("jira", "500"): {"errorMessages": ["Internal server error"], "errors": {}},
        ("jira", "503"): {"errorMessages": ["Service unavailable"], "errors": {}},
        ("hubspot", "429"): {
            "status": "error",
            "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": "00000000-0000-4000-8000-000000000429",
            "policyName": "TEN_SECONDLY_ROLLING",
        },
        ("hubspot", "500"): {
            "status": "error",
            "message": "internal error",
            "correlationId": "00000000-0000-4000-8000-000000000500",
        },
    }
)
"""Where a vendor has a body for a failure; BambooHR sends none."""


class RequestLog:
    """What a server was asked: counts by method and path, and the newest requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._newest: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)

    def add(self, scope: Scope, status: int) -> None:
        """Note an answered request; status 0: the connection was cut before."""
        with self._lock:
            self._counts[f"{scope['method']} {scope['path']}"] += 1
            self._newest.append(
                {
                    "method": scope["method"],
                    "path": scope["path"],
                    "query": scope["query_string"].decode("latin-1"),
                    "status": status,
                }
            )

    def state(self) -> dict[str, Any]:
        """`counts` by "METHOD path", and the `newest` requests, oldest of them first."""
        with self._lock:
            return {"counts": dict(sorted(self._counts.items())), "newest": list(self._newest)}

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._newest.clear()


class Staged:
    """A vendor's app as it is served: `app` answers what no fault strikes."""

    def __init__(self, app: ASGIApp, stage: Stage) -> None:
        self._app = app
        self._stage = stage
        self.log = RequestLog()
        self._control = control(stage, self.log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the start and end of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(PREFIX):
            await self._control(scope, receive, send)
        else:
            await self._logged(scope, receive, send)

    async def _logged(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        # Clients take the vendor's time from here, and the vendor's clock is the simulated one.
        date = (b"date", _http_date(self._stage.now()))

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if message["type"] == "http.response.start":
                told = [(k, v) for k, v in message.get("headers", ()) if k.lower() != b"date"]
                message = {**message, "headers": [*told, date]}
            await send(message)

        try:
            await self._answer(scope, receive, watched)
        finally:
            self.log.add(scope, status)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if slow := self._stage.takes("slow", path):
            await asyncio.sleep(float(slow.parameters.get("delay", 1.0)))
        for kind in ("429", "500", "502", "503"):
            if fault := self._stage.takes(kind, path):
                await _failure(self._stage.server, fault)(scope, receive, send)
                return
        if cut := self._stage.takes("cut", path):
            await _cut(self._app, cut)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _http_date(moment: datetime) -> bytes:
    return format_datetime(moment.astimezone(UTC), usegmt=True).encode()


def _failure(server: str, fault: Fault) -> Response:
    status = int(fault.kind)
    headers = {}
    if (seconds := fault.parameters.get("retry_after")) is not None:
        headers["Retry-After"] = str(seconds)
        if fault.parameters.get("form") == "date":
            # By the clock on the wall: the client waits in real time.
            until = datetime.now(UTC) + timedelta(seconds=float(seconds))
            headers["Retry-After"] = format_datetime(until, usegmt=True)
    if status == 502:
        return HTMLResponse(PROXY_PAGE, status, headers)
    if body := BODIES.get((server, fault.kind)):
        return JSONResponse(body, status, headers)
    return Response(status_code=status, headers=headers)


def _cut(app: ASGIApp, fault: Fault) -> ASGIApp:
    """`app`, whose answer ends in the middle: the announced length is never reached."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await app(scope, receive, collect)
        announced = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
        announced.append((b"content-length", str(len(body)).encode()))
        cut_at = int(fault.parameters.get("cut_at", len(body) // 2))
        await send({**start, "headers": announced})
        # More is promised and does not come: the server closes the connection.
        rest = bytes(body[: min(cut_at, len(body) - 1)])
        await send({"type": "http.response.body", "body": rest, "more_body": True})

    return answer
