"""People: who is where on which day, and when they are away.

Belongs here: what holds for every seed, profile and size of these tables. Does not belong here:
the department tree (test_simulated_organisation), what systems say of people
(test_simulated_identities) and office hours (test_worktime).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import pytest
from simulated_company import company, fresh, rows, table

from sandbox.calendars import HORIZON, START

TRUTH = ("person", "post", "absence")
ALL = (*TRUTH, "hr_post", "account", "department", "project", "objective")
GRAINS = {
    "location": "location_id",
    "holiday": "calendar_id, holiday_date",
    "department": "department_id, valid_from",
    "project": "project_key",
    "workflow_status": "workflow, status",
    "objective": "objective_id, valid_from",
    "person": "person_id",
    "post": "person_id, from_date, department_id",
    "absence": "absence_id",
    "hr_post": "row_id, known_from",
    "account": "system, account_id",
}
SOME = [("tiny", 7), ("tiny", 8), ("small", 7)]


def wrong_person_days(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Person-days whose shares do not sum to exactly 1, or that are at two sites."""
    return rows(
        connection,
        f"""
        select post.person_id, days.day, sum(share), count(distinct location_id)
        from hidden.post
        inner join (
            select unnest(range(date '{START}', date '{HORIZON}', interval 1 day))::date as day
        ) as days on post.from_date <= days.day and days.day < coalesce(to_date, '{HORIZON}')
        group by all
        having sum(share) <> 1 or count(distinct location_id) <> 1 or min(fte) <> max(fte)
        """,
    )


# -- the tables --------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "seed"), SOME)
def test_every_table_keeps_its_grain(size: str, seed: int) -> None:
    connection = company(size, seed)
    for name, grain in GRAINS.items():
        found = rows(connection, f"select count(*), count(distinct ({grain})) from hidden.{name}")
        ((number, distinct),) = found
        assert number == distinct > 0, name


@pytest.mark.parametrize(("size", "seed"), SOME)
def test_shares_of_a_person_day_sum_to_one_at_one_site(size: str, seed: int) -> None:
    assert wrong_person_days(company(size, seed)) == []


def test_an_unequal_share_would_be_seen() -> None:
    connection = fresh("tiny", 7)
    connection.execute("update hidden.post set share = 0.5 where share = 0.4")
    assert {share for _, _, share, _ in wrong_person_days(connection)} == {1.1}


@pytest.mark.parametrize(("size", "seed"), SOME)
def test_nobody_is_absent_twice_or_while_not_employed(size: str, seed: int) -> None:
    connection = company(size, seed)
    assert not rows(
        connection,
        """
        select * from hidden.absence as one
        inner join hidden.absence as other
            on one.person_id = other.person_id and one.absence_id < other.absence_id
            and one.from_date < other.to_date and other.from_date < one.to_date
        """,
    )
    assert not rows(
        connection,
        f"""
        select absence.absence_id, day
        from (
            select *, unnest(range(from_date, to_date, interval 1 day))::date as day
            from hidden.absence
        ) as absence
        left join hidden.post
            on post.person_id = absence.person_id and post.from_date <= day
            and day < coalesce(post.to_date, '{HORIZON}')
        where post.person_id is null or day < '{START}' or absence.to_date <= absence.from_date
        """,
    )
    assert {"vacation", "sick", "parental"} == {
        kind for (kind,) in rows(connection, "select distinct leave_type from hidden.absence")
    }


def test_same_seed_same_rows_another_seed_another_company() -> None:
    again, other = fresh("tiny", 7), company("tiny", 8)
    for name in ALL:
        assert table(again, name) == table(company(), name), name
    for name in ("post", "absence", "hr_post"):
        assert table(other, name) != table(company(), name), name
    for name in GRAINS.keys() - {"person", "post", "absence", "hr_post", "account"}:
        assert table(other, name) == table(company(), name), name


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_the_truth_does_not_depend_on_what_is_observed(size: str) -> None:
    messy, clean = company(size), company(size, profile="clean")
    for name in TRUTH:
        assert table(messy, name) == table(clean, name), name
    for name in ("account", "hr_post"):
        assert table(messy, name) != table(clean, name), name


# -- people ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_people_come_go_return_and_move(seed: int) -> None:
    connection = company("tiny", seed)
    posts: dict[int, list[tuple[Any, ...]]] = {}
    for person, *post in rows(
        connection,
        """
        select post.* exclude (fte) from hidden.post
        inner join hidden.person on person.person_id = post.person_id
        where kind = 'employee' order by person_id, from_date, share desc
        """,
    ):
        posts.setdefault(person, []).append(tuple(post))
    at_start = [p for p, held in posts.items() if held[0][3] < START]
    gone = [p for p, held in posts.items() if all(to_date for *_, to_date in held)]
    pairs = [held for held in posts.values() if len(held) == 2]
    transfers = [held for held in pairs if held[0][0] != held[1][0]]
    returned = [held for held in pairs if held[0][0] == held[1][0]]
    assert sorted(at_start) == list(range(1001, 1061))
    assert 12 <= len(gone) <= 18
    assert len(posts) - len(at_start) == len(gone) + 3
    assert len(transfers) == 12
    assert all(one[-1] == other[3] for one, other in transfers)
    assert any(one[1] != other[1] for one, other in transfers)
    assert len(returned) == 1
    assert returned[0][1][3] - returned[0][0][-1] > timedelta(150)
    concurrent = [held for held in posts.values() if len(held) == 4]
    assert [[post[2] for post in held] for held in concurrent] == [[1.0, 0.6, 0.4, 1.0]]
    assert concurrent[0][2][0] == "21"
    part_time = rows(connection, "select count(distinct person_id) from hidden.post where fte < 1")
    assert part_time[0][0] >= 3
    sites = rows(connection, "select distinct location_id from hidden.post order by 1")
    assert sites == [("BOS",), ("HAM",), ("SIN",)]


def test_about_twelve_percent_leave_in_a_year() -> None:
    ((left, people_at_start),) = rows(
        company("small"),
        f"""
        select
            count(*) filter (to_date is not null),
            count(*) filter (from_date < '{START}')
        from (
            select
                person_id, min(from_date) as from_date,
                case when count(*) = count(to_date) then max(to_date) end as to_date
            from hidden.post where person_id < 9000 group by person_id
        )
        """,
    )
    assert people_at_start == 600
    assert 0.10 <= left / people_at_start / 2 <= 0.14


def test_addresses_are_unique_and_two_people_share_a_name() -> None:
    for size, pairs in (("tiny", 1), ("small", 2)):
        names = rows(
            company(size),
            f"""
            select first_name, last_name, count(*), count(distinct email)
            from hidden.person
            where person_id not in (
                -- Both are there from the first day to the last.
                select person_id from hidden.post group by person_id
                having min(from_date) >= '{START}' or count(*) = count(to_date)
            )
            group by all having count(*) > 1
            """,
        )
        assert [tuple(counts) for _, _, *counts in names] == [(2, 2)] * pairs
        ((number, mails),) = rows(
            company(size), "select count(*), count(distinct email) from hidden.person"
        )
        assert number == mails
