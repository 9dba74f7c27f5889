"""What had happened by an instant.

What belongs here: the hidden tables cut at `until`, and the words that SQL needs to speak of
them. What does not: any metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date

import duckdb

from sandbox.calendars import COMPANY_ZONE, first_instant


@dataclass(frozen=True)
class Seen:
    """The past as of the start of `until` at the company's seat."""

    connection: duckdb.DuckDBPyConnection
    until: date

    @property
    def instant(self) -> str:
        """The first instant that is not seen, as SQL (UTC)."""
        return f"timestamp '{first_instant(self.until).astimezone(UTC):%Y-%m-%d %H:%M:%S}'"

    @property
    def day(self) -> str:
        """The first day that is not seen, as SQL."""
        return f"date '{self.until}'"

    def run(self, sql: str) -> None:
        """Execute statements."""
        self.connection.execute(sql)


def listed(words: tuple[str, ...]) -> str:
    """A list for SQL's `in`."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def open_eyes(seen: Seen) -> None:
    """Make schema `truth` anew, with what can be known of work as of `until`.

    `company_day(instant)` is the date at the company's seat. An issue that was deleted by then is
    no work item any more; the effort it took stays effort.
    """
    seen.run(f"""
        drop schema if exists truth cascade;
        create schema truth;
        create macro truth.company_day(happened_at) as cast(
            timezone('{COMPANY_ZONE.key}', timezone('UTC', happened_at)) as date
        );
        create table truth.issue as
        with moved_later as (
            select
                issue_id,
                arg_min(coalesce(try_cast(from_value as bigint), -1), change_id) as parent_id
            from hidden.change
            where field = 'parent' and changed_at >= {seen.instant} group by issue_id
        )
        select
            issue.issue_id, issue_key, project_key, issue_type, parent_issue_id, is_leaf, due_date,
            created_at,
            case
                when moved_later.issue_id is null then issue.initiative_issue_id
                else parent.initiative_issue_id
            end as initiative_issue_id,
            issue.deleted_at is not null and issue.deleted_at < {seen.instant} as is_deleted
        from hidden.issue
        left join moved_later on moved_later.issue_id = issue.issue_id
        left join (
            select issue_id as parent_id, initiative_issue_id from hidden.issue
        ) as parent on parent.parent_id = moved_later.parent_id
        where issue.created_at < {seen.instant};
        create view truth.phase_span as
        select
            issue_id, span_number, phase, status, from_at,
            case when to_at < {seen.instant} then to_at end as to_at
        from hidden.phase_span where from_at < {seen.instant};
        create view truth.change as from hidden.change where changed_at < {seen.instant};
    """)
