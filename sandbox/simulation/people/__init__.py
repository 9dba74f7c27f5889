"""Everybody who acts in the company: who they are, their posts, their absences.

What belongs here: the truth about people. What does not: how their moves come about (`careers`),
and what is known of them (`identities`, `hr_posts`).
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import HORIZON, START, offset
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.organisation.departments import Department, departments
from sandbox.simulation.people import hr_posts, identities
from sandbox.simulation.people.careers import (
    FIRST_PERSON,
    FIXED,
    OPEN,
    PLACES,
    Careers,
    Ints,
    Posts,
    careers,
)
from sandbox.simulation.people.names import full_names
from sandbox.spec import Spec

MAIL_DOMAIN = "tidewater.example.com"
CONTRACTOR_DOMAIN = "brightforge.example.com"
CONTRACTORS = 0.01
"""Beside the employees; HR does not know them."""
SAME_NAME = 0.004
"""Employees who share their full name with a colleague."""

_VACATIONS = ((7, 18), (12, 10), (4, 8))
"""Month in which it begins (or in the 45 days from then), and the days it stays below."""
_SICK_A_YEAR = 1.4
_LONG_A_YEAR = 0.015
"""Chance of a parental leave of 90 to 270 days."""
_FIRST_DAY = np.datetime64(START.isoformat())


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill person, post, absence, hr_post, account."""
    teams = [unit for unit in departments(spec.size) if unit.project_key]
    rng = random_stream(spec, "people")
    found = careers(spec.size, teams, rng)
    outsiders = _outsiders(len(found), teams, spec, rng)
    twins = _persons(connection, found, outsiders.person, rng)
    _keep_posts(connection, found, outsiders, teams)
    _keep_absences(connection, found, random_stream(spec, "absences"))
    identities.simulate(connection, spec, twins)
    hr_posts.simulate(connection, spec)


def dates(days: Ints) -> npt.NDArray[np.datetime64]:
    """Day offsets as midnights (DuckDB takes no arrays of dates), NaT for an unknown end."""
    found = _FIRST_DAY + np.minimum(days, OPEN).astype("timedelta64[D]")
    found[days >= OPEN] = np.datetime64("NaT")
    return found.astype("datetime64[s]")


# -- who they are ------------------------------------------------------------------------------


def _outsiders(
    employees: int, teams: list[Department], spec: Spec, rng: np.random.Generator
) -> Posts:
    """Posts of the first contractor, of the service desk, and of further contractors.

    Numbered 9001, 9002 ... or, in larger companies, from a number beyond all employees.
    """
    first = 9_001
    while first <= FIRST_PERSON + employees:
        first = (first - 1) * 10 + 1
    keys = [team.project_key for team in teams]
    lasting = np.array([n for n, team in enumerate(teams) if team.merged_into is None])
    more = max(1, round(CONTRACTORS * spec.size.people)) - 1
    team = np.concatenate(([keys.index("PLAT"), keys.index("CARE")], rng.choice(lasting, more)))
    days = np.full(more + 2, offset(START) - 181)
    days[1] -= 1461
    return Posts(
        np.arange(more + 2) + first - FIRST_PERSON,
        team,
        days,
        np.full(more + 2, OPEN),
        np.zeros(more + 2, dtype=np.int64),
        np.ones(more + 2),
    )


def _persons(
    connection: duckdb.DuckDBPyConnection,
    found: Careers,
    outsiders: Ints,
    rng: np.random.Generator,
) -> Ints:
    """Keep everybody with a name and an address; the people who bear somebody else's name."""
    count = len(found)
    first, last = full_names(count + len(outsiders), rng)
    first[count : count + 2] = ["Rafael", "Service"]
    last[count : count + 2] = ["Quint", "Desk"]
    # Both there at all times, neither of them in the story: HR cannot tell them apart by name.
    steady = found.is_steady & ~np.isin(np.arange(count) + FIRST_PERSON, FIXED)
    candidates = rng.permutation(np.flatnonzero(steady))
    pairs = max(1, round(SAME_NAME * count / 2))
    one, other = candidates[:pairs], candidates[pairs : 2 * pairs]
    first[other], last[other] = first[one], last[one]
    kind = np.repeat(["employee", "contractor"], [count, len(outsiders)])
    kind[count + 1] = "mailbox"
    number = np.concatenate((np.arange(count), outsiders)) + FIRST_PERSON
    keep(
        connection,
        "person",
        {"person_id": number, "kind": kind, "first_name": first, "last_name": last},
        f"""
        select
            person_id, case when kind = 'employee' then person_id::text end as employee_id,
            kind, first_name, last_name,
            address
            || case when namesakes > 1 then namesakes::text else '' end
            || case kind when 'contractor' then '@{CONTRACTOR_DOMAIN}' else '@{MAIL_DOMAIN}' end
            as email
        from (
            select *, row_number() over (partition by address order by person_id) as namesakes
            from (
                select
                    *,
                    case
                        when kind = 'contractor' then left(lower(first_name), 1) || '.'
                        when kind = 'mailbox' then 'service-'
                        else mail_first || '.'
                    end || mail_last as address
                from (
                    select
                        *,
                        regexp_replace(lower(strip_accents(first_name)), '[ .]', '', 'g')
                        as mail_first,
                        regexp_replace(lower(strip_accents(last_name)), '[ .]', '', 'g')
                        as mail_last
                    from given
                )
            )
        )
        order by person_id
        """,
    )
    return np.sort(other) + FIRST_PERSON


def _keep_posts(
    connection: duckdb.DuckDBPyConnection,
    found: Careers,
    outsiders: Posts,
    teams: list[Department],
) -> None:
    team_ids = np.array([team.department_id for team in teams])
    places = np.array(PLACES)
    for posts, fte in ((found.posts, found.fte[found.posts.person]), (outsiders, None)):
        keep(
            connection,
            "post",
            {
                "person_id": posts.person + FIRST_PERSON,
                "department_id": team_ids[posts.team],
                "location_id": places[posts.place],
                "fte": np.ones(len(posts)) if fte is None else fte,
                "share": posts.share,
                "from_date": dates(posts.first),
                "to_date": dates(posts.last),
            },
        )


# -- absences ----------------------------------------------------------------------------------


def _keep_absences(
    connection: duckdb.DuckDBPyConnection, found: Careers, rng: np.random.Generator
) -> None:
    """Vacations, sick days and long leave, never two at once, only while employed."""
    plans = [*_vacations(len(found), rng), _sick(len(found), rng), _long(found, rng)]
    person, first, days, kind = (np.concatenate([plan[n] for plan in plans]) for n in range(4))
    held = _is_employed(found.posts, person, first, first + days) & (first >= 0)
    person, first, days, kind = (column[held] for column in (person, first, days, kind))
    order = np.lexsort((kind, days, first, person))
    person, first, days, kind = (column[order] for column in (person, first, days, kind))
    # The latest end among the person's earlier plans; each person has a range of its own.
    base = person * (4 * OPEN)
    latest = np.maximum.accumulate(base + first + days)
    before = np.concatenate(([-1], latest[:-1]))
    free = before <= base + first
    person, first, days, kind = (column[free] for column in (person, first, days, kind))
    order = np.lexsort((person, first))
    names = np.array(["vacation", "sick", "parental"])
    keep(
        connection,
        "absence",
        {
            "absence_id": np.arange(len(order)) + 1,
            "person_id": person[order] + FIRST_PERSON,
            "from_date": dates(first[order]),
            "to_date": dates((first + days)[order]),
            "leave_type": names[kind[order]],
        },
    )


Plan = tuple[Ints, Ints, Ints, Ints]
"""person, first day, days, kind of the leave (0 vacation, 1 sick, 2 parental)."""
_YEARS = range(START.year, HORIZON.year + 1)


def _vacations(people: int, rng: np.random.Generator) -> list[Plan]:
    plans = []
    for year in _YEARS:
        for month, longest in _VACATIONS:
            begins = int((np.datetime64(f"{year}-{month:02d}-01") - _FIRST_DAY).astype(int))
            first = begins + rng.integers(0, 45, people)
            days = rng.integers(4, longest, people)
            plans.append((np.arange(people), first, days, np.zeros(people, dtype=np.int64)))
    return plans


def _sick(people: int, rng: np.random.Generator) -> Plan:
    times = rng.poisson(_SICK_A_YEAR * OPEN / 365, people)
    person = np.repeat(np.arange(people), times)
    first = rng.integers(0, OPEN, len(person))
    return person, first, rng.integers(1, 5, len(person)), np.ones(len(person), dtype=np.int64)


def _long(found: Careers, rng: np.random.Generator) -> Plan:
    """Somebody who was there all the time takes one in any case."""
    chosen = rng.random(len(found)) < _LONG_A_YEAR * OPEN / 365
    first = rng.integers(0, OPEN, len(found))
    steady = found.is_steady & ~np.isin(np.arange(len(found)) + FIRST_PERSON, FIXED)
    sure = rng.choice(np.flatnonzero(steady))
    chosen[sure], first[sure] = True, rng.integers(60, 400)
    person = np.flatnonzero(chosen)
    days = rng.integers(90, 271, len(person))
    return person, first[person], days, np.full(len(person), 2, dtype=np.int64)


def _is_employed(posts: Posts, person: Ints, first: Ints, last: Ints) -> npt.NDArray[np.bool_]:
    """Whether each interval lies within one unbroken time of employment."""
    count = int(posts.person.max()) + 1
    begins, ends = np.full(count, OPEN), np.full(count, 0)
    np.minimum.at(begins, posts.person, posts.first)
    np.maximum.at(ends, posts.person, posts.last)
    # Rows are sorted by person and day: a row that begins after all earlier ones is a return.
    same = posts.person[1:] == posts.person[:-1]
    is_return = same & (posts.first[1:] > posts.last[:-1])
    gone, back = np.full(count, OPEN), np.full(count, OPEN)
    gone[posts.person[1:][is_return]] = posts.last[:-1][is_return]
    back[posts.person[1:][is_return]] = posts.first[1:][is_return]
    away = (first < back[person]) & (last > gone[person])
    inside = (first >= begins[person]) & (last <= np.minimum(ends[person], OPEN - 1))
    return np.asarray(inside & ~away)
