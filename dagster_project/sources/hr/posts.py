"""Posts out of BambooHR's tables, whose rows have a date and no end.

Belongs here: which row ends which. Does not belong here: requests (see `bamboohr`), what a record
of the lake looks like (see `entities`). Dates are ISO 8601 texts, which order as dates do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Dated:
    """A row: `value` holds for an employee from `day` on. `day` need not be a date."""

    employee_id: str
    day: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """A row of jobInfo."""

    employee_id: str
    day: str
    department: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """An employee's stay in a department and place with an FTE, in [from_day, to_day)."""

    employee_id: str
    department: str | None
    location: str | None
    fte: str | None
    from_day: str
    to_day: str | None = None


def posts(jobs: Iterable[Job], statuses: Iterable[Dated], ftes: Iterable[Dated]) -> Iterator[Post]:
    """Posts by employee and day.

    A job lasts until the next one and while the person is employed. A termination is dated on the
    last day at work. Jobs without a readable date come as they are, so that they can be refused.
    """
    status_of, fte_of = _by_employee(statuses), _by_employee(ftes)
    jobs_of: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if _is_day(job.day):
            jobs_of[job.employee_id].append(job)
        else:
            yield Post(job.employee_id, job.department, job.location, None, job.day)
    for employee_id, found in jobs_of.items():
        found.sort(key=lambda job: job.day)
        gone = _absences(status_of.get(employee_id, []))
        yield from _merged(_pieces(found, gone, fte_of.get(employee_id, [])))


def _pieces(
    jobs: Sequence[Job], gone: Sequence[tuple[str, str | None]], ftes: Sequence[Dated]
) -> Iterator[Post]:
    """The jobs of one employee, cut wherever something begins or ends."""
    cuts = {job.day for job in jobs} | {fte.day for fte in ftes}
    cuts |= {day for absence in gone for day in absence if day is not None}
    days = [day for day in sorted(cuts) if day >= jobs[0].day]
    for start, end in pairwise([*days, None]):
        assert start is not None
        if any(left <= start and (back is None or start < back) for left, back in gone):
            continue
        job = [each for each in jobs if each.day <= start][-1]
        fte = [each.value for each in ftes if each.day <= start]
        yield Post(
            job.employee_id, job.department, job.location, fte[-1] if fte else None, start, end
        )


def _merged(pieces: Iterable[Post]) -> Iterator[Post]:
    """A new title or manager is a new row of jobInfo, but no new post."""
    last: Post | None = None
    for post in pieces:
        if (
            last is not None
            and replace(post, from_day=last.from_day) == replace(last, to_day=post.to_day)
            and last.to_day == post.from_day
        ):
            last = replace(last, to_day=post.to_day)
            continue
        if last is not None:
            yield last
        last = post
    if last is not None:
        yield last


def _absences(statuses: Sequence[Dated]) -> list[tuple[str, str | None]]:
    """Intervals [first day away, first day back) between a termination and a return."""
    found: list[tuple[str, str | None]] = []
    left: str | None = None
    for status in statuses:
        is_gone = (status.value or "").strip().lower() == TERMINATED
        if is_gone and left is None:
            left = _day_after(status.day)
        elif not is_gone and left is not None:
            found.append((left, max(left, status.day)))
            left = None
    return [*found, (left, None)] if left is not None else found


def _by_employee(rows: Iterable[Dated]) -> dict[str, list[Dated]]:
    """Rows with a date, in its order."""
    found: defaultdict[str, list[Dated]] = defaultdict(list)
    for row in rows:
        if _is_day(row.day):
            found[row.employee_id].append(row)
    for dated in found.values():
        dated.sort(key=lambda row: row.day)
    return found


def _is_day(text: str) -> bool:
    """BambooHR writes 0000-00-00 for no date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
