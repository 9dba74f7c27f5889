"""What Jira, the CRM and HR say of people, with all that they do not know.

Belongs here: accounts and HR's rows, clean and messy. Does not belong here: the truth
(test_simulated_people) and the records made of it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb
import pytest
from simulated_company import company, rows

from sandbox.calendars import COMPANY_ZONE, END, HORIZON, START
from sandbox.spec import PROFILES

# -- accounts ----------------------------------------------------------------------------------

TROUBLES = """
    select
        count(*) filter (account_id is null and kind = 'employee'),
        count(*) filter (not is_email_shown),
        count(*) filter (
            display_name <> first_name || ' ' || last_name or renamed_at is not null
        )
    from hidden.person
    left join hidden.account on account.person_id = person.person_id and system = 'jira'
"""


def test_in_a_clean_company_every_identity_is_plain() -> None:
    for size in ("tiny", "small"):
        assert rows(company(size, profile="clean"), TROUBLES) == [(0, 0, 0)]


def test_in_a_messy_company_identities_differ_as_often_as_the_profile_says() -> None:
    profile = PROFILES["messy"]
    connection = company("small")
    ((without, hidden, odd),) = rows(connection, TROUBLES)
    ((employees,),) = rows(connection, "select count(*) from hidden.person where kind = 'employee'")
    for number, share in (
        (without, profile.no_account),
        (hidden, profile.hidden_emails),
        (odd, profile.odd_names),
    ):
        assert number / employees == pytest.approx(share, rel=0.06)


def test_the_story_of_the_tiny_company_has_its_fixed_places() -> None:
    connection = company()
    without = rows(
        connection,
        """
        select person_id from hidden.person
        where person_id not in (select person_id from hidden.account where system = 'jira')
        order by person_id
        """,
    )
    assert without == [(1049,), (1059,), (1060,)]
    accounts = {
        person: rest
        for person, *rest in rows(
            connection,
            """
            select person_id, account_id, display_name, is_email_shown, email, renamed_at
            from hidden.account where system = 'jira'
            """,
        )
    }
    prefix = "712020:0000000a-5eed-4000-8000-00000000"
    assert accounts[1013][:3] == [f"{prefix}1013", "Kenji Morimoto", False]
    assert accounts[1035][:3] == [f"{prefix}1035", "Chloe Bennett", False]
    assert accounts[1017][:3] == [f"{prefix}1017", "Niko", False]
    assert accounts[9001][1:4] == ["Rafael Quint", True, "r.quint@brightforge.example.com"]
    assert accounts[9002][1:4] == ["Service Desk", True, "service-desk@tidewater.example.com"]
    assert sum(renamed is not None for *_, renamed in accounts.values()) == 1


def test_a_typo_differs_and_a_change_of_name_falls_into_the_time_of_the_account() -> None:
    found = rows(
        company("small"),
        """
        select
            account.display_name, person.first_name || ' ' || last_name, renamed_to,
            renamed_at > opened_at and renamed_at < coalesce(closed_at, '9999-01-01')
        from hidden.account inner join hidden.person on person.person_id = account.person_id
        where system = 'jira'
        """,
    )
    renamed = [row for row in found if row[2] is not None]
    typos = [row for row in found if row[0] != row[1] and len(row[0]) == len(row[1]) - 1]
    nicknames = [row for row in found if row[0].endswith(".") or row[0] == "Niko"]
    assert len(renamed) >= 10
    assert all(inside and shown == name != new for shown, name, new, inside in renamed)
    assert len(typos) >= 10
    assert len(nicknames) >= 10


def test_two_people_of_one_name_cannot_be_told_apart_where_an_address_is_hidden() -> None:
    found = rows(
        company("small"),
        """
        select count(*) from hidden.account
        where system = 'jira' and not is_email_shown and display_name in (
            select first_name || ' ' || last_name from hidden.person
            group by all having count(*) > 1
        )
        """,
    )
    assert found[0][0] >= 1


def test_owners_are_the_people_of_customer_facing_teams() -> None:
    for profile in ("messy", "clean"):
        assert not rows(
            company(profile=profile),
            """
            (select person_id from hidden.account where system = 'crm')
            except
            (select person_id from hidden.post where department_id in ('21', '22'))
            union all (
                (select person_id from hidden.post where department_id in ('21', '22'))
                except
                (select person_id from hidden.account where system = 'crm')
            )
            """,
        )
    ids = rows(company(), "select account_id from hidden.account where system = 'crm'")
    assert all(number.isdigit() for (number,) in ids)


# -- HR ----------------------------------------------------------------------------------------


def told(connection: duckdb.DuckDBPyConnection, when: datetime) -> set[tuple[Any, ...]]:
    """HR's rows as of a moment."""
    at = when.astimezone(UTC).replace(tzinfo=None)
    return set(
        rows(
            connection,
            f"""
            select person_id, department_id, location_id, fte, share, from_date, to_date
            from hidden.hr_post
            where known_from <= '{at}' and (known_to is null or '{at}' < known_to)
            """,
        )
    )


def posts_on(connection: duckdb.DuckDBPyConnection, day: date) -> set[tuple[Any, ...]]:
    """The posts of employees begun by a day; ends to come are open."""
    return set(
        rows(
            connection,
            f"""
            select
                person_id, department_id, location_id, fte, share, from_date,
                case when to_date <= '{day}' then to_date end
            from hidden.post
            where from_date <= '{day}' and person_id in (
                select person_id from hidden.person where kind = 'employee'
            )
            """,
        )
    )


def morning(day: date) -> datetime:
    return datetime.combine(day, time(), COMPANY_ZONE)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_in_a_clean_company_hr_tells_the_posts_from_the_day_they_begin(size: str) -> None:
    connection = company(size, profile="clean")
    for number in range(0, 730, 31):
        day = START + timedelta(number)
        assert told(connection, morning(day)) == posts_on(connection, day), day


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_in_the_end_hr_knows_all_posts_but_for_one_overlap(size: str) -> None:
    connection = company(size)
    known, true = told(connection, morning(HORIZON)), posts_on(connection, HORIZON)
    (mistake,), (post,) = known - true, true - known
    assert mistake[:-1] == post[:-1]
    assert mistake[-1] == (post[-1] + timedelta(32)).replace(day=1)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_moves_are_told_late_as_often_as_the_profile_says(size: str) -> None:
    connection = company(size)
    found = rows(
        connection,
        f"""
        select post.person_id, date_diff('day', post.from_date, min(known_from)::date)
        from hidden.post
        inner join hidden.post as earlier
            on earlier.person_id = post.person_id and earlier.to_date = post.from_date
            and earlier.department_id <> post.department_id
        inner join hidden.hr_post
            on hr_post.person_id = post.person_id
            and hr_post.department_id = post.department_id and hr_post.from_date = post.from_date
        where post.share = 1 and earlier.share = 1 and post.from_date < '{HORIZON}'
        group by post.person_id, post.from_date
        """,
    )
    delays = [days for _, days in found if days > 0]
    assert len(delays) / len(found) == pytest.approx(PROFILES["messy"].late_hr_rows, abs=0.02)
    assert all(14 <= days < 75 for days in delays)
    # Entered with a wrong day first, and corrected.
    corrected = rows(
        connection,
        """
        select row_id from hidden.hr_post
        group by row_id having count(distinct from_date) > 1
        """,
    )
    assert 0 < len(corrected) < len(delays)
    clean = rows(
        company(size, profile="clean"),
        "select row_id from hidden.hr_post group by row_id having count(distinct from_date) > 1",
    )
    assert clean == []


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_at_no_moment_hr_tells_of_more_than_one_whole_person_but_for_the_overlap(
    size: str,
) -> None:
    over = rows(
        company(size),
        f"""
        select person_id, min(day), max(day), min(shares), max(shares)
        from (
            select one.person_id, now, day, sum(one.share) as shares
            from (
                select unnest(range(timestamp '{START}', timestamp '{END}', interval 20 day))
                as now
            ) as moments
            inner join hidden.hr_post as one
                on one.known_from <= now and now < coalesce(one.known_to, '9999-01-01')
            inner join (
                select unnest(range(date '{START}', date '{END}', interval 3 day))::date as day
            ) as days
                on one.from_date <= day and day < coalesce(one.to_date, '9999-01-01')
                and day <= now::date
            group by all
        )
        where shares <> 1 group by person_id
        """,
    )
    assert len(over) == 1
    ((_, first, last, least, most),) = over
    assert (least, most) == (2, 2)
    assert last - first < timedelta(31)


def test_versions_of_a_row_follow_each_other() -> None:
    assert not rows(
        company("small"),
        """
        select * from (
            select
                known_from, known_to,
                lead(known_from) over (partition by row_id order by known_from) as next_from
            from hidden.hr_post
        )
        where known_to is distinct from next_from or known_to <= known_from
        """,
    )
