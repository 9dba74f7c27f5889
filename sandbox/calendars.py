"""Places, their working days and office hours.

What belongs here: when somebody at a location may act. What does not: who works there
(`company`), and the governed seeds of the platform, which describe the same calendars
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


def _days(years: dict[int, str]) -> frozenset[date]:
    """Dates from `{year: "MM-DD MM-DD ..."}`."""
    return frozenset(
        date.fromisoformat(f"{year}-{day}") for year, days in years.items() for day in days.split()
    )


LOCATIONS = {
    location.location_id: location
    for location in (
        Location(
            "HAM",
            ZoneInfo("Europe/Berlin"),
            "DE-HH",
            _days(
                {
                    2024: "01-01 03-29 04-01 05-01 05-09 05-20 10-03 10-31 12-25 12-26",
                    2025: "01-01 04-18 04-21 05-01 05-29 06-09 10-03 10-31 12-25 12-26",
                    2026: "01-01 04-03 04-06 05-01 05-14 05-25 10-03 10-31 12-25 12-26",
                }
            ),
        ),
        Location(
            "BOS",
            ZoneInfo("America/New_York"),
            "US-MA",
            _days(
                {
                    2024: "01-01 01-15 02-19 04-15 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
                    2025: "01-01 01-20 02-17 04-21 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
                    2026: "01-01 01-19 02-16 04-20 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25",
                }
            ),
        ),
        Location(
            "SIN",
            ZoneInfo("Asia/Singapore"),
            "SG",
            _days(
                {
                    2024: "01-01 02-10 02-12 03-29 04-10 05-01 05-22 06-17 08-09 10-31 12-25",
                    2025: "01-01 01-29 01-30 03-31 04-18 05-01 05-12 06-07 08-09 10-20 12-25",
                    2026: "01-01 02-17 02-18 03-21 04-03 05-01 05-27 06-01 08-10 11-09 12-25",
                }
            ),
        ),
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
