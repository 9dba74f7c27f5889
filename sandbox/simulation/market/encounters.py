"""When customers are met, and by whom.

What belongs here: hours of business, the staff that faces customers, and which customers there
were at a moment; deals, tickets and surveys draw from them. What does not: what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, START, offset

Numbers: TypeAlias = npt.NDArray[np.int64]
Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Moments: TypeAlias = npt.NDArray[np.datetime64]
"""Seconds, UTC."""

DAY = np.timedelta64(86_400, "s")
MINUTE = np.timedelta64(60, "s")
MONTHS = (END.year - START.year) * 12 + END.month - START.month
"""That are simulated."""
NEVER = np.datetime64("NaT", "s")
EPOCH = np.datetime64(START.isoformat(), "s")
SALES_DEPARTMENTS = "sales|account|partner|market"
CARE_DEPARTMENTS = "care|support|service|success"
_STEP_DAYS = 30


def business_hours(rng: np.random.Generator, days: Reals | Numbers) -> Moments:
    """Some second of each day (days since START) within the day of both hemispheres.

    Weekends wait for Monday. 07:00 to 17:00 UTC is the same date everywhere between Boston and
    Berlin, so that no sale changes its date with the zone.
    """
    whole = np.floor(days).astype(np.int64)
    weekday = whole % 7  # START is a Monday
    whole += np.where(weekday == 5, 2, np.where(weekday == 6, 1, 0))
    seconds = 7 * 3_600 + rng.integers(0, 36_000, len(whole))
    return EPOCH + (whole * 86_400 + seconds).astype("timedelta64[s]")


def days_since_start(when: Moments) -> Reals:
    """Days since START, with their fractions."""
    return (when - EPOCH).astype(np.int64) / 86_400.0


def text(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, npt.NDArray[Any]]:
    """The columns of an ordered query; nulls must not occur in it."""
    return {name: np.asarray(values) for name, values in connection.sql(sql).fetchnumpy().items()}


@dataclass(frozen=True)
class Customers:
    """Customers that do business, ordered by `created_at`: index -> value."""

    customer_id: npt.NDArray[np.str_]
    created_at: Moments
    charm: Reals
    currency: npt.NDArray[np.str_]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> Customers:
        """Those of hidden.customer that were never archived."""
        found = text(
            connection,
            """
            select
                customer_id, created_at, charm,
                case country when 'US' then 'USD' when 'GB' then 'GBP' when 'SG' then 'SGD'
                    else 'EUR' end as currency
            from hidden.customer where archived_at is null
            order by created_at, cast(customer_id as bigint)
            """,
        )
        return cls(
            found["customer_id"].astype(str),  # DuckDB imports pandas for arrays of objects
            found["created_at"].astype("datetime64[s]"),
            found["charm"],
            found["currency"].astype(str),
        )

    def pick(self, rng: np.random.Generator, when: Moments) -> Numbers:
        """The index of one customer for each moment, known the day before."""
        known = np.maximum(np.searchsorted(self.created_at, when - DAY), 1)
        return np.floor(rng.random(len(when)) * known).astype(np.int64)


@dataclass(frozen=True)
class Staff:
    """Employees of departments that face customers, with the days of their posts there."""

    person_id: Numbers
    begins: Numbers
    ends: Numbers

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, departments: str) -> Staff:
        """The staff of the customer-facing teams whose name holds a word of `departments`.

        `departments` is a pattern such as `sales|partner`; where no name fits, all teams do.
        """
        found = text(
            connection,
            f"""
            with team as (
                select department_id, bool_or(regexp_matches(lower(name), '{departments}')) as fits
                from hidden.department
                where function = 'customer_facing' and project_key is not null
                group by department_id
            )
            select
                person_id,
                datediff('day', date '{START}', from_date) as begins,
                datediff('day', date '{START}', coalesce(to_date, date '9999-01-01')) as ends
            from hidden.post join hidden.person using (person_id) join team using (department_id)
            where kind = 'employee' and (fits or not (select bool_or(fits) from team))
            order by person_id, from_date
            """,
        )
        return cls(found["person_id"], found["begins"], found["ends"])

    def steady(self) -> Numbers:
        """Those who were there at START and stay for good: they can look after a customer."""
        return np.unique(self.person_id[(self.begins <= 0) & (self.ends > offset(END) + 3_650)])

    def pick(self, rng: np.random.Generator, when: Moments) -> Numbers:
        """One person for each moment, who is in the department for the month around it."""
        step = np.floor(days_since_start(when) / _STEP_DAYS).astype(np.int64)
        luck = rng.random(len(when))
        people = np.zeros(len(when), dtype=np.int64)
        for number in np.unique(step):
            begins, ends = number * _STEP_DAYS, (number + 1) * _STEP_DAYS
            there = np.unique(self.person_id[(self.begins <= begins) & (self.ends > ends)])
            now = step == number
            people[now] = there[np.floor(luck[now] * len(there)).astype(np.int64)]
        return people
