"""What a record is on its way to the lake.

Belongs here: the two outcomes of reading a record. Does not belong here: how they come about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Accepted(NamedTuple):
    """A typed record. `keys` fill the stream's columns; times are naive UTC.

    `newest` is the latest time at which the record is known to have changed.
    """

    stream: str
    line: int
    keys: Mapping[str, Any]
    payload: Mapping[str, Any]
    newest: datetime | None


class Refused(NamedTuple):
    """A record that could not be typed, and why. `raw` is what quarantine keeps of it."""

    stream: str
    line: int
    reason: str
    raw: object
