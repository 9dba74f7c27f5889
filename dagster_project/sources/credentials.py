"""What identifies us to a vendor, so that it shows in no message, repr, log or traceback.

Belongs here: signing requests, hiding secrets in texts. Does not belong here: where secrets come
from (see `settings`).
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from typing import Self

import httpx

from dagster_project.errors import MissionError


class Credentials(httpx.Auth):
    """What identifies us to a vendor. Its secret cannot be read off it by accident."""

    def __init__(self, header: str, secrets: Sequence[str]) -> None:
        self._header = header
        self._secrets = sorted({header, *secrets}, key=len, reverse=True)

    @classmethod
    def bearer(cls, token: str) -> Self:
        """A bearer token. Raises MissionError where no header can hold it."""
        return cls(f"Bearer {_sendable(token)}", (token,))

    @classmethod
    def basic(cls, user: str, password: str) -> Self:
        """A name, which is no secret, and a password. Raises MissionError as `bearer` does."""
        pair = f"{_sendable(user)}:{_sendable(password)}"
        encoded = base64.b64encode(pair.encode()).decode()
        return cls(f"Basic {encoded}", (encoded, pair, password))

    @classmethod
    def basic_key(cls, key: str) -> Self:
        """A key that is sent as a name, the password being a mere `x`. Raises as `bearer` does."""
        encoded = base64.b64encode(f"{_sendable(key)}:x".encode()).decode()
        return cls(f"Basic {encoded}", (encoded, key))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request."""
        request.headers["Authorization"] = self._header
        yield request

    def hide(self, text: str) -> str:
        """The text with stars where a secret stood."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def __repr__(self) -> str:
        return "Credentials(***)"


def _sendable(text: str) -> str:
    if text and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise MissionError(
        "a token, a password or the name that goes with it is empty, or holds blanks, line breaks "
        "or letters that HTTP cannot send",
        "copy it again into the environment variable, without anything before or after it.",
    )
