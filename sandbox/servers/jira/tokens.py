"""Page tokens: opaque to clients, signed, bound to what was asked, good for a while.

What belongs here: how a place in a list is written and read. What does not: any list.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.servers.jira.answers import Refused

GOOD_FOR = timedelta(days=7)
"""By the virtual clock."""


@dataclass(frozen=True)
class Tokens:
    """Writes and reads the tokens of one server; `secret` signs them."""

    secret: bytes

    def write(self, asked: str, place: list[Any], now: datetime) -> str:
        """A token for the page after `place` in what was `asked`."""
        expires = int((now + GOOD_FOR).timestamp())
        payload = json.dumps([asked, place, expires], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(payload) + payload).decode().rstrip("=")

    def read(self, token: str, now: datetime) -> tuple[str, list[Any]]:
        """(what was asked, place). Refused where the token is not ours or too old."""
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except ValueError:
            raise invalid() from None
        signature, payload = data[:16], data[16:]
        if not hmac.compare_digest(signature, self._sign(payload)):
            raise invalid()
        asked, place, expires = json.loads(payload)
        if now.timestamp() >= expires:
            raise expired()
        return asked, place

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self.secret, payload, hashlib.sha256)[:16]


def invalid() -> Refused:
    """A token that was made for something else, or by somebody else."""
    return Refused(400, "The provided next page token is invalid.")


def expired() -> Refused:
    """A token that was good once."""
    return Refused(400, "The provided next page token has expired.")
