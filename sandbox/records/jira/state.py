"""Jira's tables as of an instant, in schema jira_now.

What belongs here: what every issue, person and name is at that instant, by replay of the hidden
state. What does not: how a record tells it (`issues`, `changes`, `people`, `places`).

What happens at the very instant is not seen yet. Deleted issues are gone. Everything else is read
from the hidden tables directly, cut at `jira_now.setting.now`.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from sandbox.calendars import COMPANY_ZONE
from sandbox.records.jira import places
from sandbox.records.jira.people import listed_user, user
from sandbox.records.jira.wire import Wire, instant
from sandbox.records.jira.words import heads, words

_EMPTY = "chr(1)"
"""Stands for "set to nothing" while aggregates skip nulls."""

_ORDER = "change_id * 64 + item_index"

_LATEST = {
    "issue_key": ("key", "issue_key"),
    "project_key": ("project", "project_key"),
    "issue_type": ("issuetype", "issue_type"),
    "status": ("status", "status"),
    "priority": ("priority", "priority"),
    "resolution": ("resolution", "null"),
    "assignee_id": ("assignee", "assignee_id::varchar"),
    "due_date": ("duedate", "due_date::varchar"),
    "labels": ("labels", "nullif(labels, '')"),
    "story_points": ("story_points", "story_points::varchar"),
    "fix_version": ("fix_version", "null"),
    "sprint": ("sprint", "null"),
    "parent_issue_id": ("parent", "parent_issue_id::varchar"),
    "summary": ("summary", "summary"),
    "description": ("description", "null"),
}
"""Column: field of hidden.change, and its value at creation."""
_TYPES = {
    "assignee_id": "integer",
    "due_date": "date",
    "story_points": "double",
    "fix_version": "integer",
    "parent_issue_id": "bigint",
}


def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Make schema jira_now as of `now` (aware), in place of an earlier one."""
    for statement in (
        "drop schema if exists jira_now cascade",
        "create schema jira_now",
        f"create table jira_now.setting as select {instant(now)} as now",
        _accounts(now),
        _PERSONS.format(now=instant(now)),
        _changed(now),
        _issues(now),
        "drop table jira_now.changed",
        _places(),
        words(),
        heads(),
        _KNOWN_KEYS,
    ):
        connection.execute(statement)


def _accounts(now: datetime) -> str:
    """One row per account, as others see it now."""
    return f"""
        create table jira_now.account as
        with
            posts as (
                select person_id, arg_max(location_id, (share, from_date)) as location_id
                from hidden.post
                where from_date <= {instant(now)}::date
                    and (to_date is null or to_date > {instant(now)}::date)
                group by person_id
            ),
            accounts as (
                select
                    account.*,
                    coalesce(renamed_at < {instant(now)}, false) as is_renamed,
                    closed_at is null or closed_at >= {instant(now)} as is_active,
                    coalesce(timezone, '{COMPANY_ZONE.key}') as zone
                from hidden.account as account
                left join posts using (person_id)
                left join hidden.location using (location_id)
                where system = 'jira'
            )
        select
            account_id,
            person_id,
            display_name,
            renamed_at,
            renamed_to,
            opened_at,
            {user(Wire())} as brief,
            {user(Wire(is_full=True))} as "full",
            {listed_user()} as listed
        from accounts
        order by account_id
    """


_PERSONS = """
    create table jira_now.person as
    select *
    from jira_now.account
    where person_id is not null
    qualify
        row_number() over (
            partition by person_id
            order by opened_at < {now} desc, opened_at desc, account_id
        ) = 1
"""
"""One row per person with an account: the one it acts with, which is the newest."""


_KNOWN_KEYS = """
    create table jira_now.known_key as
    select issue_key, issue_id from jira_now.issue
    union
    select c.from_value, c.issue_id
    from hidden.change as c
    semi join jira_now.issue as issue on issue.issue_id = c.issue_id
    where c.field = 'key' and c.changed_at < (select now from jira_now.setting)
"""
"""Keys by which an issue is found: those it had before it was moved lead to it as well."""


def _changed(now: datetime) -> str:
    """One row per issue that changed: the latest value of each field."""
    latest = ",\n".join(
        f"arg_max(coalesce(to_value, {_EMPTY}), {_ORDER}) filter (field = '{field}') as {column}"
        for column, (field, _) in _LATEST.items()
    )
    return f"""
        create table jira_now.changed as
        select
            issue_id,
            {latest},
            max(changed_at) as changed_at,
            max(changed_at) filter (field = 'resolution') as resolved_at,
            max(changed_at) filter (field = 'key') as moved_at
        from hidden.change
        where changed_at < {instant(now)}
        group by issue_id
    """


def _issues(now: datetime) -> str:
    """One row per issue that is there."""
    values = ",\n".join(
        f"cast({value} as {_TYPES[column]}) as {column}"
        if column in _TYPES
        else f"{value} as {column}"
        for column, value in ((column, _current(column)) for column in _LATEST)
    )
    return f"""
        create table jira_now.issue as
        with
            booked as (
                select
                    issue_id,
                    max(greatest(logged_at, coalesce(deleted_at, logged_at))) filter (
                        deleted_at is null or deleted_at < {instant(now)}
                    ) as noted_at,
                    max(logged_at) as logged_at,
                    sum(seconds) filter (
                        deleted_at is null or deleted_at >= {instant(now)}
                    )::bigint as time_spent
                from hidden.worklog
                where logged_at < {instant(now)}
                group by issue_id
            ),
            said as (
                select issue_id, max(written_at) as written_at
                from hidden.comment
                where written_at < {instant(now)}
                group by issue_id
            )
        select
            i.issue_id,
            {values},
            i.creator_id,
            i.created_at,
            greatest(
                i.created_at,
                coalesce(changed.changed_at, i.created_at),
                coalesce(booked.noted_at, i.created_at),
                coalesce(booked.logged_at, i.created_at),
                coalesce(said.written_at, i.created_at)
            ) as updated_at,
            case when nullif(changed.resolution, {_EMPTY}) is not null then changed.resolved_at end
                as resolved_at,
            booked.time_spent
        from hidden.issue as i
        left join jira_now.changed as changed using (issue_id)
        left join booked using (issue_id)
        left join said using (issue_id)
        where i.created_at < {instant(now)}
            and (i.deleted_at is null or i.deleted_at >= {instant(now)})
        order by i.issue_id
    """


def _current(column: str) -> str:
    """SQL of the value now: the latest one, else the one at creation."""
    initial = _LATEST[column][1]
    changed = f"changed.{column}"
    if initial == "null":
        return f"nullif({changed}, {_EMPTY})"
    qualified = initial.replace("nullif(", "nullif(i.") if "(" in initial else f"i.{initial}"
    return f"case when {changed} is null then {qualified} else nullif({changed}, {_EMPTY}) end"


def _places() -> str:
    """One row per status name, and how issues name it."""
    brief, full = places.statuses(Wire()), places.statuses(Wire(is_full=True))
    return f"""
        create table jira_now.status as
        select brief.*, "full".record as "full"
        from ({brief}) as brief
        inner join ({full}) as "full" using (status_id)
        order by status_id
    """
