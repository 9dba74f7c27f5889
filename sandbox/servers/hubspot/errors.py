"""How HubSpot refuses a request.

What belongs here: the body of each refusal. What does not: when to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

SCOPES_PAGE = "https://developers.hubspot.com/scopes"


class Refused(Exception):
    """A request that is answered with `status` and the JSON `body`."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Mapping[str, Any] = {
            "status": "error",
            "message": message,
            "correlationId": str(uuid4()),
            "category": category,
            **more,
        }


def unauthenticated() -> Refused:
    """401: no token, or a wrong one."""
    return Refused(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
        "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
    )


def missing_scopes(scopes: Sequence[str]) -> Refused:
    """403: the private app was not granted one of `scopes`."""
    return Refused(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about "
        f"required scopes here: {SCOPES_PAGE}.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        links={"scopes": SCOPES_PAGE},
    )


def not_found() -> Refused:
    """404: no such record, or it is archived and that was not asked for."""
    return Refused(404, "OBJECT_NOT_FOUND", "resource not found")


def invalid(message: str, where: str | None = None) -> Refused:
    """400: what is wrong with the request, and the field or parameter it is found in."""
    if where is None:
        return Refused(400, "VALIDATION_ERROR", message)
    return Refused(400, "VALIDATION_ERROR", message, errors=[{"message": message, "in": where}])


def partial(category: str, message: str, context: Mapping[str, list[str]], **more: Any) -> Any:
    """One entry of `errors` in an answer 207."""
    return {
        "status": "error",
        "category": category,
        "message": message,
        "context": dict(context),
        "errors": [],
        "links": {},
        **more,
    }
