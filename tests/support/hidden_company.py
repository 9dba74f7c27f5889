"""A company by hand, as it is before its market comes to life.

Belongs here: just enough departments, people, initiatives, effort and incidents for customers to
meet, in any size and in a moment. Does not belong here: what the simulation of work would give.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

import sandbox
from sandbox.catalogue import products
from sandbox.simulation import market, surveys
from sandbox.spec import Spec

TEAMS = (
    ("11", "Platform", "it"),
    ("21", "Sales", "customer_facing"),
    ("22", "Customer Care", "customer_facing"),
    ("31", "Instruments", "business"),
)
PEOPLE_PER_TEAM = 40
LEFT_ON = "2025-09-01"
"""When one of ten people left."""


def before_market(spec: Spec) -> duckdb.DuckDBPyConnection:
    """The hidden schema with four teams and initiatives over two years.

    Initiative i is approved on day 500 i / n and available 70 days later, but every seventh never
    is. Of any six, three have effort of IT alone, one of IT and business, two of IT and Sales;
    every third incident takes three days and none stays open.
    """
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    schema = Path(sandbox.__file__).with_name("hidden.sql")
    connection.execute(schema.read_text(encoding="utf-8"))
    for number, (department_id, name, function) in enumerate(TEAMS):
        connection.execute(
            """
            insert into hidden.department
            values (?, ?, null, ?, upper(?[:4]), true, date '2014-01-01', null)
            """,
            [department_id, name, function, name],
        )
        first = 1001 + number * PEOPLE_PER_TEAM
        connection.execute(
            f"""
            insert into hidden.person
            select {first} + i, cast({first} + i as varchar), 'employee', 'A', 'B', null
            from range({PEOPLE_PER_TEAM}) as t (i)
            """
        )
        connection.execute(
            f"""
            insert into hidden.post
            select
                {first} + i, '{department_id}', 'HAM', 1.0, 1.0, date '2020-01-01',
                case when i % 10 = 9 then date '{LEFT_ON}' end
            from range({PEOPLE_PER_TEAM}) as t (i)
            """
        )
    _work(connection, spec)
    return connection


def with_market(spec: Spec) -> duckdb.DuckDBPyConnection:
    """The same company with its customers and their answers."""
    connection = before_market(spec)
    market.simulate(connection, spec)
    surveys.simulate(connection, spec)
    return connection


def _work(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    count = spec.size.initiatives
    connection.execute(
        f"""
        insert into hidden.initiative by name
        select
            i as issue_id, timestamp '2024-07-05' + to_days(cast(500 * i // {count} as int))
                as approved_at,
            approved_at + interval 70 day as first_available_at,
            case when i % 7 <> 0 then first_available_at end as available_at
        from range({count}) as t (i)
        """
    )
    launched = [product for product in products(spec, ["11", "21", "22", "31"]) if product.label]
    for number, product in enumerate(launched):
        connection.execute(
            "update hidden.initiative set product_id = ? where issue_id = ?",
            [product.product_id, number * count // len(launched)],
        )
    connection.execute(
        """
        insert into hidden.issue by name
        select issue_id, issue_id as initiative_issue_id, 'Initiative' as issue_type
        from hidden.initiative
        union all by name
        select
            1_000_000 + i as issue_id, 'Incident' as issue_type,
            timestamp '2024-07-05 10:00' + to_days(cast(700 * i // 300 as int)) as created_at
        from range(300) as t (i)
        """
    )
    connection.execute(
        """
        insert into hidden.phase_span by name
        select issue_id, 1 as span_number, 'in_progress' as phase, created_at as from_at,
            created_at + to_hours(case when issue_id % 3 = 0 then 72 else 6 end) as to_at
        from hidden.issue where issue_type = 'Incident'
        union all by name
        select issue_id, 2 as span_number, 'done' as phase,
            created_at + to_hours(case when issue_id % 3 = 0 then 72 else 6 end) as from_at
        from hidden.issue where issue_type = 'Incident'
        """
    )
    # Person 0 of IT works on all of them; business joins one of six, Sales two of six.
    connection.execute(
        f"""
        insert into hidden.effort
        select person_id, issue_id, cast(approved_at as date) + cast(day as int), 28_800
        from hidden.initiative
        cross join range(10) as t (day)
        cross join (
            values (1001, 0), (1001 + {3 * PEOPLE_PER_TEAM}, 1), (1001 + {PEOPLE_PER_TEAM}, 2)
        ) as worker (person_id, side)
        where side = 0 or (side = 1 and issue_id % 6 = 3) or (side = 2 and issue_id % 6 >= 4)
        """
    )
