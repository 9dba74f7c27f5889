"""The one error that a user of Mission Metrics is meant to read.

Belongs here: errors that say what is wrong and what to do about it. Does not belong here:
programming errors, which stay ordinary exceptions with a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MissionError(Exception):
    """Something that the user can put right.

    `message` names the file, line or key; `remedy` says what to do. `str()` shows both.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  Remedy: {self.remedy}"


class SourceError(MissionError):
    """A live source refused a request, or answered with something that cannot be used.

    `status` is the HTTP status, None where there was no answer; `told` are the vendor's words. Both
    are in the message as well.
    """

    def __init__(
        self, message: str, remedy: str, *, status: int | None = None, told: str = ""
    ) -> None:
        super().__init__(message, remedy)
        self.status = status
        self.told = told


class SourceUnavailable(SourceError):
    """A live source did not answer in time; the same request may succeed later."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """A sentence for a remedy: the close matches of a misspelt word, else all known words."""
    names = sorted(known)
    close = get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    return "known here: " + ", ".join(f"`{name}`" for name in names) + "."
