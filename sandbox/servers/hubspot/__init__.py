"""HubSpot's CRM API over the company's market, as of the virtual clock.

What belongs here: addresses and the way of a request to its answer; one module a group of
endpoints beside it. What does not: the records themselves (`sandbox/records/hubspot`).

The version is part of the address: v3, v4 for associations with labels, or a date (2025-09 and
later), which stands behind the name of the API and answers like v3, or v4 where there is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.servers.hubspot import associations, objects, settings
from sandbox.servers.hubspot.errors import Refused
from sandbox.servers.hubspot.portal import Portal
from sandbox.servers.stage import Stage

DATED = ("2025-09", "2026-03", "2026-09")

Handler: TypeAlias = Callable[[Portal, Request], Awaitable[tuple[int, dict[str, Any]]]]


def app(stage: Stage, token: str) -> Starlette:
    """The API over `stage`, whose tables `sandbox.records.hubspot.prepare` makes.

    Every request needs the header `Authorization: Bearer <token>`.
    """
    portal = Portal(stage, token)
    routes = [
        Route(path, _endpoint(portal, handler), methods=[method])
        for method, path, handler in _addresses()
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _unknown})


def _addresses() -> list[tuple[str, str, Handler]]:
    """Method, path and handler; what is spelled out goes before what is a parameter."""
    found: list[tuple[str, str, Handler]] = []
    for base in _versions("objects", "v3"):
        found += [
            ("POST", f"{base}/{{type}}/search", objects.search),
            ("POST", f"{base}/{{type}}/batch/read", objects.batch_read),
            ("GET", f"{base}/{{type}}", objects.page),
            ("GET", f"{base}/{{type}}/{{id}}", objects.one),
        ]
    for base in _versions("objects", "v3", "v4"):
        path = f"{base}/{{type}}/{{id}}/associations/{{to}}"
        found.append(("GET", path, associations.of_one))
    for base in _versions("associations", "v3", "v4"):
        found.append(("POST", f"{base}/{{type}}/{{to}}/batch/read", associations.of_many))
    for base in _versions("owners", "v3"):
        found += [
            ("GET", base, settings.owners),
            ("GET", f"{base}/", settings.owners),
            ("GET", f"{base}/{{id}}", settings.owner),
        ]
    for base in _versions("pipelines", "v3"):
        found += [
            ("GET", f"{base}/{{type}}", settings.pipelines),
            ("GET", f"{base}/{{type}}/{{id}}", settings.pipeline),
            ("GET", f"{base}/{{type}}/{{id}}/stages", settings.stages),
        ]
    for base in _versions("properties", "v3"):
        found += [
            ("GET", f"{base}/{{type}}", settings.properties),
            ("GET", f"{base}/{{type}}/{{name}}", settings.property_of),
        ]
    return found


def _versions(api: str, *numbered: str) -> list[str]:
    return [f"/crm/{n}/{api}" for n in numbered] + [f"/crm/{api}/{date}" for date in DATED]


def _endpoint(portal: Portal, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    is_search = handler is objects.search

    async def answer(request: Request) -> Response:
        try:
            portal.admit(request)
            status, body = await handler(portal, request)
        except Refused as refused:
            status, body = refused.status, dict(refused.body)
        return JSONResponse(body, status, headers=portal.headers(is_search))

    return answer


async def _unknown(request: Request, error: Exception) -> Response:
    """An address or method that the API does not have."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    refused = Refused(status, "OBJECT_NOT_FOUND", "resource not found")
    return JSONResponse(dict(refused.body), status)
