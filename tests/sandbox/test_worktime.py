"""Office hours, against an oracle in plain Python that walks from day to day.

Belongs here: every zone, clock changes, holidays, leave, hires, returns and moves between sites.
Does not belong here: who is really where (test_simulated_people).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.calendars import HORIZON, LOCATIONS, START
from sandbox.simulation.work_days import DAYS
from sandbox.simulation.worktime import ARRIVAL_SECONDS, OFFICE_SECONDS, WorkTime

NEVER = np.datetime64("NaT")


@dataclass(frozen=True)
class Post:
    place: str
    from_date: date
    to_date: date | None

    def covers(self, day: date) -> bool:
        return self.from_date <= day and (self.to_date is None or day < self.to_date)


@dataclass(frozen=True)
class Worker:
    """Posts by first day, and leave over [first, second)."""

    posts: tuple[Post, ...]
    leave: tuple[tuple[date, date], ...] = ()

    def place(self, day: date) -> str:
        begun = [post for post in self.posts if post.from_date <= day]
        return (begun[-1] if begun else self.posts[0]).place

    def works(self, day: date) -> bool:
        return (
            START <= day < HORIZON
            and any(post.covers(day) for post in self.posts)
            and day.weekday() < 5
            and day not in LOCATIONS[self.place(day)].holidays
            and not any(first <= day < last for first, last in self.leave)
        )

    def opens(self, day: date) -> datetime:
        return datetime.combine(day, time(9), LOCATIONS[self.place(day)].zone).astimezone(UTC)

    def next_window(self, when: datetime) -> tuple[datetime, datetime] | None:
        """Earliest and latest allowed answer of next_moment."""
        day = max(when.date() - timedelta(2), START)
        while day < HORIZON:
            opens = self.opens(day)
            if self.works(day) and when < opens + timedelta(seconds=OFFICE_SECONDS):
                if when >= opens:
                    return when, when
                return opens, opens + timedelta(seconds=ARRIVAL_SECONDS - 1)
            day += timedelta(1)
        return None

    def later(self, moment: datetime, seconds: int) -> datetime | None:
        """So many seconds of office time after a moment at work."""
        day = moment.astimezone(LOCATIONS[self.place(moment.date())].zone).date()
        left = int((moment - self.opens(day)).total_seconds()) + seconds
        while day < HORIZON:
            if self.works(day):
                if left < OFFICE_SECONDS:
                    return self.opens(day) + timedelta(seconds=left)
                left -= OFFICE_SECONDS
            day += timedelta(1)
        return None


def office_of(workers: list[Worker]) -> WorkTime:
    """The work time of people 1001, 1002, ..."""
    connection = duckdb.connect()
    connection.execute((Path(__file__).parents[2] / "sandbox/hidden.sql").read_text("utf-8"))
    rows: dict[str, list[str]] = {"location": [], "holiday": [], "person": [], "post": []}
    rows["absence"] = []
    for place in LOCATIONS.values():
        rows["location"].append(f"('{place.location_id}', '{place.zone}', '{place.calendar_id}')")
        rows["holiday"] += [f"('{place.calendar_id}', '{day}', '')" for day in place.holidays]
    for number, worker in enumerate(workers, start=1001):
        rows["person"].append(f"({number}, '{number}', 'employee', '', '', '')")
        for post in worker.posts:
            end = f"'{post.to_date}'" if post.to_date else "null"
            rows["post"].append(
                f"({number}, '11', '{post.place}', 1, 1, '{post.from_date}', {end})"
            )
        for first, last in worker.leave:
            rows["absence"].append(f"(1, {number}, '{first}', '{last}', 'vacation')")
    for table, values in rows.items():
        if values:
            connection.execute(f"insert into hidden.{table} values {', '.join(values)}")
    return WorkTime.of(connection)


def stamp(when: datetime) -> np.datetime64:
    return np.datetime64(when.astimezone(UTC).replace(tzinfo=None), "s")


def moment(value: np.datetime64) -> datetime | None:
    return None if np.isnat(value) else value.astype(datetime).replace(tzinfo=UTC)


days = st.integers(-40, DAYS + 20).map(lambda n: START + timedelta(n))


@st.composite
def workers(draw: st.DrawFn) -> Worker:
    """Up to three posts, with gaps or without, and some leave."""
    bounds = sorted(draw(st.lists(days, min_size=2, max_size=6, unique=True)))
    posts = [
        Post(draw(st.sampled_from(sorted(LOCATIONS))), first, last)
        for first, last in list(pairwise(bounds))[:3]
        if len(bounds) == 2 or draw(st.booleans()) or first == bounds[0]
    ]
    if draw(st.booleans()):
        posts[-1] = Post(posts[-1].place, posts[-1].from_date, None)
    off = sorted(draw(st.lists(days, max_size=4, unique=True)))
    return Worker(tuple(posts), tuple(zip(off[::2], off[1::2], strict=False)))


moments = st.datetimes(datetime(2024, 6, 20), datetime(2028, 1, 3), timezones=st.just(UTC)).map(
    lambda when: when.replace(microsecond=0)
)
near_clock_changes = st.builds(
    lambda day, seconds: datetime.combine(day, time(), UTC) + timedelta(seconds=seconds),
    st.sampled_from([date(2024, 10, 25), date(2024, 11, 1), date(2025, 3, 7), date(2025, 3, 28)]),
    st.integers(0, 4 * 86_400),
)

HAM_YEAR = Worker((Post("HAM", date(2020, 1, 1), None),))
MOVED_ON = Worker(
    (Post("HAM", date(2020, 1, 1), date(2025, 3, 31)), Post("SIN", date(2025, 3, 31), None)),
    ((date(2025, 4, 7), date(2025, 4, 11)),),
)
BACK_AGAIN = Worker(
    (
        Post("BOS", date(2024, 8, 1), date(2024, 11, 1)),
        Post("SIN", date(2024, 11, 1), date(2024, 12, 1)),
        Post("BOS", date(2025, 3, 1), None),
    )
)


@settings(max_examples=40, deadline=None)
@given(
    workers=st.lists(workers(), min_size=1, max_size=6),
    when=st.one_of(moments, near_clock_changes),
    length=st.one_of(st.floats(0, 40), st.sampled_from([0.0, 0.5, 1.0, 250.0])),
)
@example([HAM_YEAR, MOVED_ON, BACK_AGAIN], datetime(2025, 3, 28, 16, 29, 59, tzinfo=UTC), 0.5)
@example([HAM_YEAR, MOVED_ON, BACK_AGAIN], datetime(2024, 10, 31, 21, 0, tzinfo=UTC), 3.25)
@example([HAM_YEAR], datetime(2025, 3, 28, 16, 30, tzinfo=UTC), 0.0)  # at closing
@example([HAM_YEAR, MOVED_ON, BACK_AGAIN], datetime(2024, 12, 24, 8, 0, tzinfo=UTC), 2.0)
def test_answers_are_those_of_walking_from_day_to_day(
    workers: list[Worker], when: datetime, length: float
) -> None:
    office = office_of(workers)
    index = office.index_of(np.arange(1001, 1001 + len(workers)))
    at = np.full(len(workers), stamp(when))
    firsts = office.next_moment(index, at)
    laters = office.add(index, at, length)
    calendar = np.arange(-2, DAYS + 2)
    for number, worker in enumerate(workers):
        every = np.full(len(calendar), number)
        worked = [worker.works(START + timedelta(int(day))) for day in calendar]
        assert office.is_at_work(every, calendar).tolist() == worked
        window, first = worker.next_window(when), moment(firsts[number])
        if window is None:
            assert first is None
            assert moment(laters[number]) is None
            continue
        assert first is not None
        assert window[0] <= first <= window[1]
        expected = worker.later(first, round(length * OFFICE_SECONDS))
        assert moment(laters[number]) == expected


def test_the_half_day_after_a_clock_change_ends_at_the_same_local_time() -> None:
    office = office_of([HAM_YEAR])
    friday = np.array([np.datetime64("2025-03-28T15:00:00")])  # 16:00 in Hamburg, UTC+1
    # Ninety minutes on Friday, the other 165 from Monday 09:00, which is UTC+2 by then.
    assert office.add(np.array([0]), friday, 0.5)[0] == np.datetime64("2025-03-31T09:45:00")


def test_opening_follows_the_site_and_the_season() -> None:
    office = office_of([HAM_YEAR, MOVED_ON, BACK_AGAIN])
    index, july, march = np.arange(3), np.zeros(3, dtype=int), np.full(3, 274)  # 2025-04-01
    assert office.office(index, july)[0].astype(str).tolist() == [
        "2024-07-01T07:00:00",
        "2024-07-01T07:00:00",
        "2024-07-01T13:00:00",
    ]
    opens, closes = office.office(index, march)
    assert opens.astype(str).tolist() == [
        "2025-04-01T07:00:00",
        "2025-04-01T01:00:00",
        "2025-04-01T13:00:00",
    ]
    assert set((closes - opens).astype(int)) == {OFFICE_SECONDS}
    # Before the first post the site is that of the first post already.
    newcomer = office_of([Worker((Post("SIN", date(2025, 1, 1), None),))])
    assert str(newcomer.office(index[:1], july[:1])[0][0]) == "2024-07-01T01:00:00"


def test_the_local_day_is_not_the_utc_day() -> None:
    office = office_of([Worker((Post(place, date(2020, 1, 1), None),)) for place in LOCATIONS])
    index = np.arange(3)
    late = np.full(3, np.datetime64("2025-01-10T22:30:00"))  # HAM 23:30, BOS 17:30, SIN next day
    early = np.full(3, np.datetime64("2025-01-10T04:30:00"))  # BOS the evening before
    number = (date(2025, 1, 10) - START).days
    assert office.local_day(index, late).tolist() == [number, number, number + 1]
    assert office.local_day(index, early).tolist() == [number, number - 1, number]


def test_days_at_work_are_counted_without_holidays_and_leave() -> None:
    office = office_of([HAM_YEAR, MOVED_ON])
    index = np.array([0, 1])
    first, last = ((day - START).days for day in (date(2025, 4, 7), date(2025, 4, 26)))
    # Three weeks: Good Friday and Easter Monday off in Hamburg, Good Friday and leave (4 days)
    # in Singapore.
    found = office.work_days(index, np.full(2, first), np.full(2, last))
    assert found.tolist() == [13, 10]
    assert office.work_days(index, np.full(2, last), np.full(2, first)).tolist() == [0, 0]


def test_what_waits_for_the_morning_is_scattered_and_always_the_same() -> None:
    office = office_of([HAM_YEAR] * 40)
    index = np.arange(40)
    night = np.full(40, np.datetime64("2025-01-14T01:00:00"))
    found = office.next_moment(index, night)
    assert (found == office.next_moment(index, night)).all()
    minutes = (found - np.datetime64("2025-01-14T08:00:00")).astype(int) / 60
    assert minutes.min() >= 0
    assert minutes.max() < 75
    assert len(set(minutes)) > 35
    assert 25 < minutes.mean() < 50


def test_unknown_people_and_missing_moments() -> None:
    office = office_of([HAM_YEAR, MOVED_ON])
    assert office.index_of(np.array([1002, 1001])).tolist() == [1, 0]
    with pytest.raises(KeyError, match="1003"):
        office.index_of(np.array([1001, 1003]))
    nothing = np.array([NEVER, np.datetime64("2025-01-14T10:00:00")], dtype="datetime64[s]")
    assert np.isnat(office.next_moment(np.array([0, 0]), nothing)).tolist() == [True, False]
    assert np.isnat(office.add(np.array([0, 0]), nothing, 1.0)).tolist() == [True, False]
