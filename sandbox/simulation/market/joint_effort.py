"""Who truly worked on an initiative, and which ones IT and the customers' departments share.

What belongs here: true effort by department, from which touched customers and collaborating
people follow. What does not: what that changes (`surveys`, `engagement`).
"""

from __future__ import annotations

import duckdb

LEAST_SHARE = 0.10
"""Share of the true effort from which on a side takes part in an initiative."""

SHARED_INITIATIVES = f"""
    select issue_id from hidden.initiative_effort group by issue_id
    having
        sum(seconds) filter (where function = 'it') >= {LEAST_SHARE} * sum(seconds)
        and sum(seconds) filter (where function = 'customer_facing')
            >= {LEAST_SHARE} * sum(seconds)
"""
"""Initiatives to which both IT and customer-facing departments gave a tenth of the effort."""


def measure(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill hidden.initiative_effort: a person's effort counts for the posts of that day."""
    connection.execute(
        """
        insert into hidden.initiative_effort by name
        with
            place as (
                select
                    person_id, department_id, share, from_date,
                    coalesce(to_date, date '9999-01-01') as to_date
                from hidden.post
            ),
            side as (
                select department_id, max(function) as function
                from hidden.department group by department_id
            )
        select
            initiative_issue_id as issue_id, department_id, max(function) as function,
            -- Whole numbers add up to the same sum in any order.
            sum(cast(1000 * seconds * share as bigint)) / 1000 as seconds
        from hidden.effort
        join hidden.issue using (issue_id)
        join place using (person_id)
        join side using (department_id)
        where initiative_issue_id is not null and work_date >= from_date and work_date < to_date
        group by initiative_issue_id, department_id
        order by issue_id, department_id
        """
    )
