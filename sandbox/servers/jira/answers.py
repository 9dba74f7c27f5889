"""How Jira answers: JSON, refusals, pages by offset.

What belongs here: the forms that all its endpoints share. What does not: any endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

JSON = "application/json;charset=UTF-8"


class Refused(Exception):
    """A request that Jira does not answer: `status`, and the messages it gives."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = messages

    def response(self) -> Response:
        """Jira's error collection."""
        body = {"errorMessages": list(self.messages), "errors": {}}
        return answer(json.dumps(body), self.status)


def answer(text: str, status: int = 200) -> Response:
    """A response whose body is JSON text already."""
    return Response(text, status, media_type=JSON)


def told(value: Any) -> Response:
    """A response of plain values."""
    return answer(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def array(texts: Sequence[str]) -> str:
    """JSON text of an array of JSON texts."""
    return f"[{','.join(texts)}]"


def offset_page(
    texts: Sequence[str], start_at: int, size: int, total: int, address: str = ""
) -> Response:
    """A page bean: `texts` are the JSON texts of the page that begins at `start_at`.

    With an `address` (without these two parameters) the page names itself and the next one.
    """
    is_last = start_at + len(texts) >= total
    page: dict[str, Any] = {
        "maxResults": size,
        "startAt": start_at,
        "total": total,
        "isLast": is_last,
    }
    if address:
        joint = "&" if "?" in address else "?"
        page["self"] = f"{address}{joint}startAt={start_at}&maxResults={size}"
        if not is_last:
            following = start_at + len(texts)
            page["nextPage"] = f"{address}{joint}startAt={following}&maxResults={size}"
    head = json.dumps(page, separators=(",", ":"))
    return answer(f'{head[:-1]},"values":{array(texts)}}}')


def whole_number(text: str | None, default: int, name: str) -> int:
    """A parameter that has to be a whole number >= 0."""
    if text is None or text == "":
        return default
    try:
        number = int(text)
    except ValueError:
        raise Refused(400, f"The value '{text}' of {name} is not a whole number.") from None
    if number < 0:
        raise Refused(400, f"The value of {name} must not be negative.")
    return number
