"""Who everybody is, and to which department everybody belonged on every day.

What belongs here: identities, the department tree through time, posts. What does not: their work.
"""

from __future__ import annotations

from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.identity, person_department, department (with its top-level one) and place."""
    _departments(seen)
    seen.run(f"""
        create table truth.identity as
        select
            account.system, account.account_id, account.person_id, person.employee_id, person.kind
        from hidden.account
        inner join hidden.person on person.person_id = account.person_id
        where account.opened_at < {seen.instant}
        order by account.system, account.account_id;

        create table truth.person_department as
        select
            post.person_id, person.kind, post.department_id, post.location_id, post.fte, post.share,
            post.from_date, case when post.to_date < {seen.day} then post.to_date end as to_date
        from hidden.post
        inner join hidden.person on person.person_id = post.person_id
        where post.from_date < {seen.day}
            and (post.to_date is null or post.from_date < post.to_date)
        order by post.person_id, post.from_date, post.department_id;
    """)


def _departments(seen: Seen) -> None:
    """Make truth.department: every department and span with the top-level one above it then.

    A team below a parent that moves has a row for each place.
    """
    seen.run(f"""
        create table truth.department as
        with recursive
            version as (
                select
                    department_id, name, parent_department_id, function,
                    valid_from, coalesce(valid_to, date '9999-01-01') as valid_to
                from hidden.department where valid_from < {seen.day}
            ),
            climbing as (
                select
                    department_id, name, function, valid_from, valid_to,
                    department_id as above_id, parent_department_id as next_id, 0 as depth
                from version
                union all
                select
                    climbing.department_id, climbing.name, climbing.function,
                    greatest(climbing.valid_from, version.valid_from),
                    least(climbing.valid_to, version.valid_to),
                    version.department_id, version.parent_department_id, depth + 1
                from climbing
                inner join version
                    on version.department_id = climbing.next_id
                    and version.valid_from < climbing.valid_to
                    and version.valid_to > climbing.valid_from
                where depth < 12
            )
        select
            department_id, name, function, above_id as top_department_id, valid_from, valid_to
        from climbing where next_id is null
        order by department_id, valid_from;

        -- Many readers need one top-level department on a day, and only that.
        create table truth.place as
        select
            post.person_id, post.kind, post.department_id, post.location_id, post.fte, post.share,
            coalesce(department.top_department_id, 'Unknown') as top_department_id,
            coalesce(department.function, 'Unknown') as function,
            greatest(post.from_date, coalesce(department.valid_from, post.from_date)) as from_date,
            least(post.to_date, coalesce(department.valid_to, post.to_date)) as to_date
        from (
            select
                person_id, kind, department_id, location_id, fte, share, from_date,
                coalesce(to_date, date '9999-01-01') as to_date
            from hidden.post inner join hidden.person using (person_id)
            where from_date < {seen.day}
        ) as post
        left join truth.department
            on department.department_id = post.department_id
            and department.valid_from < post.to_date
            and department.valid_to > post.from_date;
    """)
