"""Values as HubSpot writes and reads them.

What belongs here: moments, page tokens, numbers in requests, SQL literals. What does not: which
value is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from sandbox.servers.hubspot.errors import invalid

DEFAULT_ZONE = "Pacific/Auckland"
LONGEST_SEARCH = 3_000


@dataclass(frozen=True)
class Wire:
    """How one answer writes moments: as documented, unless a fault says otherwise."""

    zone: ZoneInfo | None = None
    """Reckon in this zone, and show its offset."""
    integers: bool = False
    """Epoch milliseconds, and numbers for ids of associated records."""

    def moment(self, when: datetime) -> str | int:
        """A moment (UTC, aware or not), e.g. 2024-07-01T07:15:22.000Z."""
        aware = when.replace(tzinfo=UTC)
        if self.integers:
            return int(aware.timestamp()) * 1_000
        if self.zone is None:
            return f"{aware:%Y-%m-%dT%H:%M:%S}.000Z"
        return aware.astimezone(self.zone).isoformat(timespec="milliseconds")

    def batch(self, now: datetime, results: list[dict[str, Any]]) -> dict[str, Any]:
        """The answer to a batch; it takes no time on a clock that stands still."""
        at = self.moment(now)
        return {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}

    def associated(self, object_id: int) -> str | int:
        """The id of an associated record: text as documented, a number as often observed."""
        return object_id if self.integers else str(object_id)

    def parsed(self, text: str, where: str) -> datetime:
        """The moment (UTC, naive) of epoch milliseconds or of ISO text; refuses anything else."""
        try:
            if text.lstrip("-").isdigit():
                return datetime.fromtimestamp(int(text) / 1_000, UTC).replace(tzinfo=None)
            moment = datetime.fromisoformat(text)
        except (ValueError, OverflowError, OSError):
            raise invalid(f"{text} was not a valid date.", where) from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self.zone or UTC)
        return aware.astimezone(UTC).replace(tzinfo=None)


def literal(value: str | int | float | datetime) -> str:
    """A value as SQL; a moment is one in UTC."""
    if isinstance(value, datetime):
        return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, str):
        return "'" + value.replace("\0", "").replace("'", "''") + "'"
    return repr(value)


def listed(values: Iterable[str | int]) -> str:
    """Values as an SQL list in brackets; never empty, so that `in` can take it."""
    return f"({', '.join(literal(value) for value in values) or 'null'})"


def whole(text: Any, name: str, least: int, most: int) -> int:
    """A whole number of a request between bounds; refuses anything else."""
    word = str(text)
    if isinstance(text, bool) or not word.isascii() or not word.isdigit() or len(word) > 18:
        raise invalid(f"{name} must be a whole number, not {word[:40]}", name)
    if not least <= int(word) <= most:
        raise invalid(f"{name} must be between {least} and {most}", name)
    return int(word)


def flag(request: Request, name: str) -> bool:
    """A true or false of the query; false where it is absent."""
    word = request.query_params.get(name, "false").lower()
    if word not in ("true", "false"):
        raise invalid(f"{name} must be true or false", name)
    return word == "true"


def words(request: Request, name: str) -> list[str]:
    """A list of the query, given once with commas, several times, or both."""
    given = ",".join(request.query_params.getlist(name)).split(",")
    return [word.strip() for word in given if word.strip()]


def strings(value: Any, name: str) -> list[str]:
    """A list of strings in a body; refuses anything else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid(f"{name} must be a list of strings", name)
    return value


async def body_of(request: Request, most: int | None = None) -> Mapping[str, Any]:
    """The JSON object of a request, of at most `most` characters; refuses anything else."""
    text = await request.body()
    if most is not None and len(text) > most:
        raise invalid(f"The request body must not exceed {most} characters")
    try:
        body = json.loads(text)
    except ValueError:
        raise invalid("Invalid input JSON") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON")
    return body


def inputs_of(body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
    """The inputs of a batch; refuses none, and more than `most`."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
        raise invalid("inputs must be a list of objects", "inputs")
    if not 1 <= len(inputs) <= most:
        raise invalid(f"The number of inputs must be between 1 and {most}", "inputs")
    return inputs
