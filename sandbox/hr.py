"""The company's people as a BambooHR export tells it, as of any day.

What belongs here: vendor columns and the view of a past day. What does not: invented facts, and
fields that the platform must not see (salary, birth date, gender): they do not even exist.

End dates are inclusive and an unknown date is 0000-00-00 in the employee table, as in the
vendor's exports. What ends after the day of the view is still open in it, except leave, which
is known in full once it has begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np

from sandbox.calendars import LOCATIONS, offset, working_days
from sandbox.company import DEPARTMENT_SINCE, DEPARTMENTS, Company, Person
from sandbox.market import Market

Row: TypeAlias = dict[str, Any]

UNKNOWN_DATE = "0000-00-00"
HOURS_A_DAY = 8

COLUMNS = {
    name: columns.split()
    for name, columns in {
        "employees": "employeeNumber firstName lastName workEmail hireDate terminationDate "
        "location",
        "departments": "id name parentId function effectiveFrom effectiveTo",
        "department_history": "employeeNumber departmentId startDate endDate fte share location",
        "leave": "employeeNumber start end type amount",
        "engagement_responses": "responseId wave submittedOn answer scaleMax departmentId",
    }.items()
}
"""Table: its columns in order."""


def tables(company: Company, market: Market, until: date) -> dict[str, Iterator[Row]]:
    """All tables as of `until`."""
    return {
        "employees": employees(company, until),
        "departments": departments(),
        "department_history": department_history(company, until),
        "leave": leave(company, until),
        "engagement_responses": engagement_responses(market, until),
    }


def employees(company: Company, until: date) -> Iterator[Row]:
    """One row for everybody hired before `until`; a rehired person keeps the first hire date."""
    for person in _known(company, until):
        begun = [post for post in person.posts if post.from_date < until]
        ends = [_last_day(post.to_date, until) for post in begun]
        newest = max(begun, key=lambda post: (post.from_date, post.share))
        yield {
            "employeeNumber": person.number,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "workEmail": person.email,
            "hireDate": person.hired_on,
            "terminationDate": UNKNOWN_DATE if "" in ends else max(ends),
            "location": newest.location_id,
        }


def departments() -> Iterator[Row]:
    """The tree; it does not change."""
    for department in DEPARTMENTS:
        yield {
            "id": department.department_id,
            "name": department.name,
            "parentId": department.parent_id or "",
            "function": department.function,
            "effectiveFrom": DEPARTMENT_SINCE,
            "effectiveTo": "",
        }


def department_history(company: Company, until: date) -> Iterator[Row]:
    """Posts begun before `until`."""
    for person in _known(company, until):
        for post in person.posts:
            if post.from_date < until:
                yield {
                    "employeeNumber": person.number,
                    "departmentId": post.department_id,
                    "startDate": post.from_date,
                    "endDate": _last_day(post.to_date, until),
                    "fte": post.fte,
                    "share": post.share,
                    "location": post.location_id,
                }


def leave(company: Company, until: date) -> Iterator[Row]:
    """Leave begun before `until`; hours count working days only."""
    for person in _known(company, until):
        for absence in person.leaves:
            post = person.post_on(absence.from_date)
            if absence.from_date < until and post:
                span = slice(offset(absence.from_date), offset(absence.to_date))
                days = np.count_nonzero(working_days(LOCATIONS[post.location_id])[span])
                yield {
                    "employeeNumber": person.number,
                    "start": absence.from_date,
                    "end": absence.to_date - timedelta(1),
                    "type": absence.leave_type,
                    "amount": round(float(days) * HOURS_A_DAY * post.fte, 2),
                }


def engagement_responses(market: Market, until: date) -> Iterator[Row]:
    """Answers given before `until`: with a department, without a person."""
    for answer in market.engagement:
        if answer.responded_on < until:
            yield {
                "responseId": answer.response_id,
                "wave": answer.wave,
                "submittedOn": answer.responded_on,
                "answer": answer.score,
                "scaleMax": 5,
                "departmentId": answer.department_id,
            }


def _known(company: Company, until: date) -> Iterator[Person]:
    return (person for person in company.people if person.hired_on < until)


def _last_day(to_date: date | None, until: date) -> str:
    """The inclusive end, empty while it is still to come."""
    if to_date is None or to_date > until:
        return ""
    return (to_date - timedelta(1)).isoformat()
