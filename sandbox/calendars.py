"""Places, their working days and office hours.

What belongs here: when somebody at a location may act. What does not: who works there
(`simulation.people`), and the governed seeds of the platform, which describe the same calendars
independently; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

START = date(2024, 7, 1)
"""First simulated day."""
END = date(2026, 7, 1)
"""First day that is not simulated any more (the mission's `as_of`)."""
HORIZON = date(2027, 12, 31)
"""Plans run on beyond END, so that what is open at END is open for a natural reason."""
COMPANY_ZONE = ZoneInfo("Europe/Berlin")

OPENS = time(9, 0)
CLOSES = time(17, 30)
OFFICE_MINUTES = 510


@dataclass(frozen=True)
class Location:
    """A site: its zone and its public holidays (Saturdays and Sundays are never worked)."""

    location_id: str
    zone: ZoneInfo
    calendar_id: str
    holidays: frozenset[date]


_HOLIDAYS = {
    "DE-HH": """
        New Year's Day: 2024-01-01 2025-01-01 2026-01-01 2027-01-01
        Good Friday: 2024-03-29 2025-04-18 2026-04-03 2027-03-26
        Easter Monday: 2024-04-01 2025-04-21 2026-04-06 2027-03-29
        Labour Day: 2024-05-01 2025-05-01 2026-05-01 2027-05-01
        Ascension Day: 2024-05-09 2025-05-29 2026-05-14 2027-05-06
        Whit Monday: 2024-05-20 2025-06-09 2026-05-25 2027-05-17
        German Unity Day: 2024-10-03 2025-10-03 2026-10-03 2027-10-03
        Reformation Day: 2024-10-31 2025-10-31 2026-10-31 2027-10-31
        Christmas Day: 2024-12-25 2025-12-25 2026-12-25 2027-12-25
        Second Day of Christmas: 2024-12-26 2025-12-26 2026-12-26 2027-12-26
    """,
    "US-MA": """
        New Year's Day: 2024-01-01 2025-01-01 2026-01-01 2027-01-01
        Martin Luther King Jr. Day: 2024-01-15 2025-01-20 2026-01-19 2027-01-18
        Presidents' Day: 2024-02-19 2025-02-17 2026-02-16 2027-02-15
        Patriots' Day: 2024-04-15 2025-04-21 2026-04-20 2027-04-19
        Memorial Day: 2024-05-27 2025-05-26 2026-05-25 2027-05-31
        Juneteenth: 2024-06-19 2025-06-19 2026-06-19 2027-06-19
        Independence Day: 2024-07-04 2025-07-04 2026-07-04 2027-07-04
        Labor Day: 2024-09-02 2025-09-01 2026-09-07 2027-09-06
        Columbus Day: 2024-10-14 2025-10-13 2026-10-12 2027-10-11
        Veterans Day: 2024-11-11 2025-11-11 2026-11-11 2027-11-11
        Thanksgiving Day: 2024-11-28 2025-11-27 2026-11-26 2027-11-25
        Christmas Day: 2024-12-25 2025-12-25 2026-12-25 2027-12-25
    """,
    "SG": """
        New Year's Day: 2024-01-01 2025-01-01 2026-01-01 2027-01-01
        Chinese New Year: 2024-02-10 2025-01-29 2025-01-30 2026-02-17 2026-02-18 2027-02-06
        Chinese New Year (observed): 2024-02-12 2027-02-08
        Good Friday: 2024-03-29 2025-04-18 2026-04-03 2027-03-26
        Hari Raya Puasa: 2024-04-10 2025-03-31 2026-03-21 2027-03-10
        Labour Day: 2024-05-01 2025-05-01 2026-05-01 2027-05-01
        Vesak Day: 2024-05-22 2025-05-12 2027-05-20
        Vesak Day (observed): 2026-06-01
        Hari Raya Haji: 2024-06-17 2025-06-07 2026-05-27 2027-05-17
        National Day: 2024-08-09 2025-08-09 2027-08-09
        National Day (observed): 2026-08-10
        Deepavali: 2024-10-31 2025-10-20 2027-10-28
        Deepavali (observed): 2026-11-09
        Christmas Day: 2024-12-25 2025-12-25 2026-12-25 2027-12-25
    """,
}
HOLIDAYS = {
    calendar_id: {
        date.fromisoformat(day): name
        for name, days in (line.strip().split(": ") for line in lines.strip().splitlines())
        for day in days.split()
    }
    for calendar_id, lines in _HOLIDAYS.items()
}
"""Names of public holidays by calendar and day. Those of 2027 follow from today's rules."""


LOCATIONS = {
    location_id: Location(
        location_id, ZoneInfo(zone), calendar_id, frozenset(HOLIDAYS[calendar_id])
    )
    for location_id, zone, calendar_id in (
        ("HAM", "Europe/Berlin", "DE-HH"),
        ("BOS", "America/New_York", "US-MA"),
        ("SIN", "Asia/Singapore", "SG"),
    )
}


def offset(day: date) -> int:
    """Days since START (negative before it)."""
    return (day - START).days


def first_instant(day: date) -> datetime:
    """The start of `day` at the company's seat."""
    return datetime.combine(day, time(), COMPANY_ZONE)


@cache
def working_days(location: Location) -> npt.NDArray[np.bool_]:
    """One flag a day from START to HORIZON: the site is open."""
    days = [START + timedelta(n) for n in range(offset(HORIZON))]
    return np.array([day.weekday() < 5 and day not in location.holidays for day in days])
