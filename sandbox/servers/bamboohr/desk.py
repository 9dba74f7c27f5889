"""What every request to BambooHR goes through.

What belongs here: who may ask, in which format, what they may see, what time it is for them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.records.bamboohr_catalogue import Field
from sandbox.servers.stage import Stage

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


class Desk:
    """The part of a server that all its answers share."""

    def __init__(self, stage: Stage, token: str) -> None:
        self.stage = stage
        self._token = token.encode()

    def guarded(self, answer: Answer) -> Answer:
        """`answer` for those who may ask, in a format that is served."""

        async def checked(request: Request) -> Response:
            if not self._is_known(request.headers.get("authorization", "")):
                raise HTTPException(401, "Invalid API key")
            if self.stage.takes("permission_403", request.url.path):
                raise HTTPException(403, "You do not have access to this resource")
            wants_json = "application/json" in request.headers.get("accept", "")
            if not wants_json and request.query_params.get("format", "").lower() != "json":
                raise HTTPException(406, "Only JSON is served: send Accept: application/json")
            return await answer(request)

        return checked

    def _is_known(self, authorization: str) -> bool:
        """The key is the user name; the password may be anything."""
        scheme, _, given = authorization.partition(" ")
        try:
            key, _, _ = base64.b64decode(given, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(key, self._token)

    def visible(self, request: Request, fields: Sequence[Field]) -> list[Field]:
        """The fields that the caller may see; the others are left out without a word."""
        fault = self.stage.takes("permission_silent", request.url.path)
        hidden = fault.parameters.get("fields", ["workEmail"]) if fault else []
        return [field for field in fields if field.alias not in hidden]

    def since(self, request: Request) -> tuple[datetime, ZoneInfo]:
        """The instant asked for, in UTC, and the zone in which the server reckons."""
        fault = self.stage.takes("clock_zone", request.url.path)
        zone = ZoneInfo(fault.parameters.get("zone", "Pacific/Auckland") if fault else "UTC")
        try:
            since = datetime.fromisoformat(request.query_params["since"])
        except (KeyError, ValueError) as error:
            raise HTTPException(400, "Missing or invalid since") from error
        aware = since if since.tzinfo else since.replace(tzinfo=zone)
        return aware.astimezone(UTC), zone


async def refused(request: Request, error: Exception) -> Response:
    """Refusals have no body; the reason is in a header."""
    assert isinstance(error, HTTPException)
    headers = {"X-BambooHR-Error-Message": error.detail}
    if error.status_code == 401:
        headers["WWW-Authenticate"] = 'Basic realm="BambooHR"'
    return Response(status_code=error.status_code, headers=headers)
