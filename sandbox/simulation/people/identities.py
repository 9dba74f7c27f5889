"""Accounts of people in Jira and the CRM.

What belongs here: observation, which the profile decides. What does not: the truth (`people`),
on which nothing here has an influence, and HR's rows (`hr_posts`).
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, START
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.people.names import LAST
from sandbox.spec import Spec

Ints = npt.NDArray[np.int64]

HIDDEN_EMAILS = (1013, 1017, 1035)
"""The story's: a unique name resolves two of them, a governed override the nicknamed one."""
NICKNAMED = 1017
NICKNAME = "Niko"
NO_ACCOUNT = (1049, 1059, 1060)
ACCOUNT_PREFIX = "712020:0000000a-5eed-4000-8000-"
FIRST_OWNER = 41_000_000
"""Added to the person's number, the owner's id in the CRM."""


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec, twins: Ints) -> None:
    """Fill account. `twins`: numbers of people who share a colleague's name."""
    _keep_jira_accounts(connection, spec, twins, random_stream(spec, "identities"))
    _keep_crm_accounts(connection)


def _keep_jira_accounts(
    connection: duckdb.DuckDBPyConnection, spec: Spec, twins: Ints, rng: np.random.Generator
) -> None:
    profile = spec.profile
    employees = connection.sql(
        "select person_id from hidden.person where kind = 'employee' order by person_id"
    ).fetchnumpy()["person_id"]
    without = _chosen(employees, profile.no_account, NO_ACCOUNT, rng)
    others = employees[~np.isin(employees, without)]
    # From the second size on, a name is shared by two and the address of one is hidden.
    sure = (*HIDDEN_EMAILS, *twins[: spec.size.people // 300].tolist())
    hidden = _chosen(others, profile.hidden_emails, sure, rng)
    odd = _chosen(others, profile.odd_names, (NICKNAMED,), rng)
    # By turns: nickname, a typo, a change of name.
    oddity = np.array(["nickname", "typo", "renamed"])[np.arange(len(odd)) % 3]
    keep(
        connection,
        "account",
        {
            "person_id": others,
            "is_email_shown": ~np.isin(others, hidden),
            "oddity": _looked_up(others, odd, oddity),
            "position": rng.random(len(others)),
            "new_name": np.array(LAST)[rng.integers(0, len(LAST), len(others))],
            "renamed_after": rng.uniform(0.1, 0.9, len(others)),
        },
        _JIRA_ACCOUNTS,
    )


_SPANS = """
    select
        person_id, min(from_date) as opens_on,
        case when count(*) = count(to_date) then max(to_date) end as closes_on,
        arg_min(location_id, from_date) as location_id
    from hidden.post
    group by person_id
"""
"""An account opens with the first day and closes after the last one, at midnight of the site."""

_SEEN_FROM = f"greatest(spans.opens_on, date '{START}')"
_SEEN_TO = f"least(coalesce(spans.closes_on, date '{END}'), date '{END}')"

_JIRA_ACCOUNTS = f"""
    select
        'jira' as system,
        '{ACCOUNT_PREFIX}' || lpad(person.person_id::text, 12, '0') as account_id,
        person.person_id,
        case
            when person.person_id = {NICKNAMED} and given.oddity = 'nickname' then '{NICKNAME}'
            when given.oddity = 'nickname' then first_name || ' ' || left(last_name, 1) || '.'
            when given.oddity = 'typo' then
                first_name || ' '
                || left(last_name, 1 + (position * (length(last_name) - 2))::integer)
                || substr(last_name, 3 + (position * (length(last_name) - 2))::integer)
            else first_name || ' ' || last_name
        end as display_name,
        email, coalesce(given.is_email_shown, true) as is_email_shown,
        'atlassian' as account_type,
        timezone(location.timezone, spans.opens_on::timestamp) at time zone 'UTC' as opened_at,
        timezone(location.timezone, spans.closes_on::timestamp) at time zone 'UTC' as closed_at,
        case
            when given.oddity = 'renamed'
            then {_SEEN_FROM} + (renamed_after * ({_SEEN_TO} - {_SEEN_FROM}))::integer
            + interval 10 hours
        end as renamed_at,
        case
            when given.oddity = 'renamed'
            then first_name || ' ' || case
                when new_name = last_name then last_name || '-Berg' else new_name
            end
        end as renamed_to
    from hidden.person
    inner join ({_SPANS}) as spans on spans.person_id = person.person_id
    inner join hidden.location on location.location_id = spans.location_id
    left join given on given.person_id = person.person_id
    where given.person_id is not null or person.kind <> 'employee'
    order by person.person_id
"""


def _keep_crm_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    """Owners: everybody who ever has a post in a customer-facing team."""
    connection.execute(f"""
        insert into hidden.account by name
        select
            'crm' as system, ({FIRST_OWNER} + person.person_id)::text as account_id,
            person.person_id, first_name || ' ' || last_name as display_name, email,
            true as is_email_shown, 'owner' as account_type,
            timezone(location.timezone, owners.opens_on::timestamp) at time zone 'UTC'
            as opened_at,
            timezone(location.timezone, spans.closes_on::timestamp) at time zone 'UTC'
            as closed_at
        from (
            select person_id, min(post.from_date) as opens_on
            from hidden.post
            where department_id in (
                select department_id from hidden.department where function = 'customer_facing'
            )
            group by person_id
        ) as owners
        inner join hidden.person on person.person_id = owners.person_id
        inner join ({_SPANS}) as spans on spans.person_id = owners.person_id
        inner join hidden.location on location.location_id = spans.location_id
        order by person.person_id
    """)


def _chosen(people: Ints, share: float, sure: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """That share of the people, those of the story first; nobody where the share is 0."""
    story = np.array([number for number in dict.fromkeys(sure) if number in people], dtype=int)
    drawn = rng.permutation(people[~np.isin(people, story)])
    wanted = round(share * len(people)) if share else 0
    return np.concatenate((story, drawn))[: max(wanted, len(story)) if share else 0]


def _looked_up(people: Ints, some: Ints, values: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """The value of each person, '' for those not among `some`."""
    found = np.full(len(people), "", dtype="U16")
    found[np.searchsorted(people, some)] = values
    return found
