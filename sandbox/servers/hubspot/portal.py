"""The company's account as requests reach it.

What belongs here: who is let in, how an answer is written, and edits that a fault makes while
somebody reads. What does not: what is answered.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request

from sandbox.records.hubspot.catalogue import OBJECT_TYPES, ObjectType, object_type
from sandbox.servers.hubspot.errors import invalid, missing_scopes, unauthenticated
from sandbox.servers.hubspot.wire import DEFAULT_ZONE, Wire, literal
from sandbox.servers.stage import Stage, View

CALLS_A_DAY, CALLS_A_WINDOW, WINDOW_MILLISECONDS, CALLS_A_SECOND = 500_000, 190, 10_000, 19
OWNERS_SCOPE = "crm.objects.owners.read"


@dataclass(frozen=True)
class Edit:
    """What a fault did to a record at an instant: it was touched, or archived."""

    type_name: str
    object_id: int
    at: datetime
    is_removal: bool


class Portal:
    """One account with its token. Edits of faults stay until the server ends."""

    def __init__(self, stage: Stage, token: str) -> None:
        self.stage = stage
        self._token = token
        self._edits: list[Edit] = []
        self._calls = 0

    def admit(self, request: Request) -> None:
        """Let a request in; refuses a wrong token and, on demand, for want of a scope."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            token.strip().encode(), self._token.encode()
        ):
            raise unauthenticated()
        if self.stage.takes("permission_403", request.url.path):
            kind = object_type(request.path_params.get("type", ""))
            raise missing_scopes([kind.scope if kind else OWNERS_SCOPE])

    def wire(self, request: Request) -> Wire:
        """How the answer to a request writes its values."""
        path = request.url.path
        zone = self.stage.takes("clock_zone", path)
        return Wire(
            ZoneInfo(str(zone.parameters.get("zone", DEFAULT_ZONE))) if zone else None,
            self.stage.takes("epoch_integers", path) is not None,
        )

    def headers(self, is_search: bool) -> dict[str, str]:
        """The rate limits, as HubSpot states them on all answers but those of searches.

        The sandbox counts calls of the day and enforces nothing: order fault 429 for that.
        """
        self._calls += 1
        if is_search:
            return {}
        return {
            "X-HubSpot-RateLimit-Daily": str(CALLS_A_DAY),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(CALLS_A_DAY - self._calls, 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(WINDOW_MILLISECONDS),
            "X-HubSpot-RateLimit-Max": str(CALLS_A_WINDOW),
            "X-HubSpot-RateLimit-Remaining": str(CALLS_A_WINDOW - 1),
            "X-HubSpot-RateLimit-Secondly": str(CALLS_A_SECOND),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(CALLS_A_SECOND - 1),
        }

    def source(self, kind: ObjectType, now: datetime) -> str:
        """The table of an object type, with the edits that faults made before `now`."""
        table = f"hubspot_now.{kind.name}"
        edits = [e for e in self._edits if e.type_name == kind.name and e.at <= now]
        if not edits:
            return table
        touched = _cases("updated_at", [e for e in edits if not e.is_removal])
        removed = _cases("archived_at", [e for e in edits if e.is_removal])
        return (
            f"(select * replace ({touched} as updated_at, {removed} as archived_at, "
            f"hubspot_now.stamp({touched}) as {kind.modified}) from {table})"
        )

    async def meddle(self, view: View, kind: ObjectType, path: str, rows: str) -> None:
        """Touch or archive the first record of `rows` (SQL that ends in its order) on demand."""
        for fault, is_removal in (("change_while_paging", False), ("delete_between_pages", True)):
            if self.stage.takes(fault, path):
                found = await view.query(f"{rows} limit 1")
                edit = Edit(kind.name, found[0][0], view.now, is_removal) if found else None
                self._edits += [edit] if edit else []

    def seen(self, kind: ObjectType, path: str) -> str:
        """A condition on records: true, or on demand only what one of the owners holds."""
        if not self.stage.takes("permission_silent", path):
            return "true"
        if "hubspot_owner_id" not in kind.properties:
            return "false"
        return f"hubspot_owner_id = (select min(hubspot_owner_id) from hubspot_now.{kind.name})"


def _cases(column: str, edits: list[Edit]) -> str:
    """The column, or the moment of the newest edit of a record."""
    newest = {edit.object_id: edit.at for edit in edits}
    cases = "".join(f" when {number} then {literal(at)}" for number, at in newest.items())
    return f"case id{cases} else {column} end" if cases else column


def known_type(word: str) -> ObjectType:
    """The object type of a path; refuses an unknown one."""
    kind = object_type(word)
    if kind is None:
        raise invalid(f"Unable to infer object type from: {word[:80]}")
    return kind


def known_types(names: list[str]) -> list[ObjectType]:
    """Object types of a list, without those that do not exist."""
    found = {kind.name: kind for kind in map(object_type, names) if kind}
    return [OBJECT_TYPES[name] for name in found]
