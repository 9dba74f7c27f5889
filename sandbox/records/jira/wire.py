"""In which form Jira's records are told: zone of the stamps, short or full objects.

What belongs here: what every record's SQL needs of its reader. What does not: any record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sandbox.calendars import COMPANY_ZONE, END, START

_FROM = datetime.combine(START - timedelta(days=62), time(), UTC)
_TO = datetime.combine(END + timedelta(days=62), time(), UTC)
"""Changes of clocks outside of these days are not known here: nothing happens then."""


@dataclass(frozen=True)
class Wire:
    """A reader of Jira: Jira writes instants in the zone of the user who asks."""

    zone: ZoneInfo = COMPANY_ZONE
    is_full: bool = False
    """Objects with all that the API gives (links, activity), not just what files need."""

    def stamp(self, sql: str) -> str:
        """SQL of Jira's text of a UTC timestamp, null of null: 2024-07-01T09:15:22.000+0200."""
        hours = _cases(self.zone, sql, str)
        suffix = _cases(self.zone, sql, _suffix)
        return f"strftime({sql} + to_seconds({hours}), '%Y-%m-%dT%H:%M:%S.000') || {suffix}"

    def local(self, sql: str) -> str:
        """SQL of the local timestamp of a UTC timestamp."""
        return f"({sql} + to_seconds({_cases(self.zone, sql, str)}))"


def instant(now: datetime) -> str:
    """A SQL literal of an aware instant, as the hidden state keeps it."""
    return f"timestamp '{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"


def _suffix(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"'{sign}{hours:02d}{minutes:02d}'"


def _cases(zone: ZoneInfo, sql: str, told: object) -> str:
    """SQL that picks by the offset in force, newest first.

    Twenty times faster than DuckDB's own zones, which ask a calendar for every row.
    """
    assert callable(told)
    *later, (_, first) = _offsets(zone)
    if not later:
        return str(told(first))
    cases = " ".join(f"when {sql} >= {instant(since)} then {told(o)}" for since, o in later)
    return f"case {cases} else {told(first)} end"


@cache
def _offsets(zone: ZoneInfo) -> list[tuple[datetime, int]]:
    """(since when, seconds east of UTC), newest first."""
    found = [(_FROM, _offset(zone, _FROM))]
    day = _FROM
    while day < _TO:
        following = day + timedelta(days=1)
        if _offset(zone, following) != found[-1][1]:
            moment = day
            while _offset(zone, moment) == found[-1][1]:
                moment += timedelta(minutes=15)
            found.append((moment, _offset(zone, moment)))
        day = following
    return found[::-1]


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
