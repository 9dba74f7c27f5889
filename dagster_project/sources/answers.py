"""Reading a vendor's HTTP answer: its JSON, its words about a failure, its times.

Belongs here: forms that several vendors share. Does not belong here: what to do about an answer
(see `http`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import orjson


class Answered(NamedTuple):
    """Parsed JSON, or None for a declared lack."""

    value: Any


def parsed(content: bytes) -> Answered | None:
    """The JSON of a body; None where it is none."""
    try:
        return Answered(orjson.loads(content))
    except orjson.JSONDecodeError:
        pass
    try:
        # Half of an emoji that was cut in two is refused by orjson only, and would block for ever.
        return Answered(json.loads(content))
    except ValueError:
        return None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date; at least 0."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        until = http_date(text)
        return None if until is None else max(0.0, (until - datetime.now(UTC)).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """The time of an HTTP header in UTC; None where there is none."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def words_of(response: httpx.Response) -> str:
    """What the vendor says of a failure, in one line; empty where it says nothing readable."""
    if response.is_success:
        return ""
    answer = parsed(response.content)
    body = answer.value if answer else None
    if isinstance(body, dict):
        errors = body.get("errors")
        parts = [
            *_texts(body.get("errorMessages")),
            *(_texts([f"{k}: {v}" for k, v in errors.items()]) if isinstance(errors, dict) else []),
            *_texts([body.get("message"), body.get("error")]),
        ]
    else:
        parts = _texts([response.headers.get("x-bamboohr-error-message")])
        if not parts and "html" not in response.headers.get("content-type", ""):
            parts = [response.text]
    return " ".join(" ".join(parts).split())


def _texts(values: Any) -> list[str]:
    return [v for v in values if isinstance(v, str) and v] if isinstance(values, list) else []
