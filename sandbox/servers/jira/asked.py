"""One request to Jira: who asks, what may be seen, as of when.

What belongs here: what every endpoint needs to know of its request, and the faults that concern
all of them. What does not: what is answered.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sandbox.calendars import COMPANY_ZONE
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import quoted
from sandbox.servers.clock import LAST
from sandbox.servers.faults import Fault
from sandbox.servers.jira.answers import Refused, whole_number
from sandbox.servers.jira.tokens import Tokens, expired
from sandbox.servers.stage import Stage, View

RATE_LIMIT = 10_000
"""Requests that the headers promise per window; only the fault `429` really refuses one."""


@dataclass
class Site:
    """The Jira site that a server plays."""

    stage: Stage
    token: str
    zone: ZoneInfo = COMPANY_ZONE
    """The zone of the API user, in which Jira writes instants and reads those in JQL."""
    gone: set[int] = field(default_factory=set)
    """Issues that the fault `delete_between_pages` has deleted; they do not come back."""
    requests: int = 0

    def __post_init__(self) -> None:
        self.tokens = Tokens(hmac.digest(self.token.encode(), b"page tokens", "sha256"))

    def knows(self, request: Request) -> bool:
        """Whether the request carries our token, as a bearer or behind an e-mail."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                _, _, given = base64.b64decode(given, validate=True).decode().partition(":")
            except ValueError:
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self.token.encode())


@dataclass
class Asked:
    """A request that is allowed in, and the company as of its instant."""

    site: Site
    request: Request
    body: dict[str, Any]
    view: View
    wire: Wire
    hidden_projects: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path of what is asked."""
        return self.request.url.path

    @property
    def now(self) -> datetime:
        """The simulated instant that is shown."""
        return self.view.now

    @property
    def address(self) -> str:
        """The address of what is asked, without its query."""
        return str(self.request.url.replace(query=""))

    def fault(self, kind: str) -> Fault | None:
        """A fault that strikes this request."""
        return self.site.stage.takes(kind, self.path)

    def sees_project(self, column: str = "project_key") -> str:
        """SQL that is true for projects that the user may see."""
        if not self.hidden_projects:
            return "true"
        return f"{column} not in ({', '.join(map(quoted, self.hidden_projects))})"

    def sees_issue(self, alias: str = "issue") -> str:
        """SQL that is true for rows of jira_now.issue (as `alias`) that the user may see."""
        gone = ", ".join(map(str, sorted(self.site.gone)))
        there = f"{alias}.issue_id not in ({gone})" if gone else "true"
        return f"({there} and {self.sees_project(f'{alias}.project_key')})"

    def texts(self, name: str) -> list[str]:
        """Values of a parameter that may be repeated, each a list with commas."""
        given = self.request.query_params.getlist(name)
        return [part.strip() for text in given for part in text.split(",") if part.strip()]

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A whole number of the query; at most `most`."""
        number = whole_number(self.request.query_params.get(name), default, name)
        return number if most is None else min(number, most)


Handler: TypeAlias = Callable[[Asked], Awaitable[Response]]


def endpoint(site: Site, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A handler as Starlette calls it: behind the door, with Jira's errors and headers."""

    async def answered(request: Request) -> Response:
        try:
            async with _let_in(site, request) as asked:
                response = await handler(asked)
        except Refused as refused:
            response = refused.response()
        site.requests += 1
        response.headers.update(_limits(site))
        return response

    async def guarded(request: Request) -> Response:
        if not site.knows(request):
            return unknown_client()
        return await answered(request)

    return guarded


def unknown_client() -> Response:
    """What Jira says to a wrong token or none: plain words, no JSON."""
    return PlainTextResponse(
        "Client must be authenticated to access this resource.",
        401,
        {
            "WWW-Authenticate": 'OAuth realm="https%3A%2F%2Ftidewater.example.com"',
            "X-Seraph-LoginReason": "AUTHENTICATED_FAILED",
        },
    )


@asynccontextmanager
async def _let_in(site: Site, request: Request) -> AsyncIterator[Asked]:
    body = await _body(request)
    stage, path = site.stage, request.url.path
    if stage.takes("permission_403", path):
        raise Refused(403, "You do not have the permission to see the specified resource.")
    if _is_later_page(request, body):
        if stage.takes("expired_token", path):
            raise expired()
        if change := stage.takes("change_while_paging", path):
            # What the company did next: real edits, which later requests see as well.
            passed = timedelta(seconds=float(change.parameters.get("seconds", 86_400)))
            stage.move(min(stage.now() + passed, LAST))
    zone = site.zone
    if shifted := stage.takes("clock_zone", path):
        zone = ZoneInfo(str(shifted.parameters.get("zone", "Pacific/Auckland")))
    silent = stage.takes("permission_silent", path)
    async with stage.view() as view:
        hidden = await _hidden_projects(view, silent) if silent else ()
        yield Asked(site, request, body, view, Wire(zone, is_full=True), hidden)


def _is_later_page(request: Request, body: dict[str, Any]) -> bool:
    query = request.query_params
    start_at = query.get("startAt", "0")
    return bool(
        query.get("nextPageToken") or body.get("nextPageToken") or start_at not in ("", "0")
    )


async def _hidden_projects(view: View, fault: Fault) -> tuple[str, ...]:
    """Keys of the projects that the user may not see: as ordered, else the largest one."""
    if "projects" in fault.parameters:
        return tuple(map(str, fault.parameters["projects"]))
    rows = await view.query(
        "select project_key from jira_now.issue group by 1 order by count(*) desc, 1 limit 1"
    )
    return tuple(key for (key,) in rows)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; empty where nothing was."""
    data = await request.body()
    if not data:
        return {}
    unreadable = Refused(
        400, "Invalid request payload. Refer to the REST API documentation and try again."
    )
    try:
        body = json.loads(data)
    except ValueError:
        raise unreadable from None
    if not isinstance(body, dict):
        raise unreadable
    return body


def _limits(site: Site) -> dict[str, str]:
    """Headers about what is left of the window, which is an hour of the virtual clock."""
    used = site.requests % RATE_LIMIT
    ends = site.stage.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    left = RATE_LIMIT - used
    return {
        "X-RateLimit-Limit": str(RATE_LIMIT),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{ends:%Y-%m-%dT%H:%MZ}",
        "X-RateLimit-NearLimit": "true" if left < RATE_LIMIT // 5 else "false",
    }
