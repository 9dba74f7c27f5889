"""The first two parts of a company: organisation and people, simulated in a moment.

Belongs here: building them and asking for rows. Does not belong here: expectations.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from sandbox.simulation import organisation, people
from sandbox.spec import Spec


@cache
def company(size: str = "tiny", seed: int = 7, profile: str = "messy") -> duckdb.DuckDBPyConnection:
    """The first two parts of a company. Not to be changed: ask for `fresh` to change rows."""
    return fresh(size, seed, profile)


def fresh(size: str, seed: int, profile: str = "messy") -> duckdb.DuckDBPyConnection:
    """One that may be changed."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute((Path(__file__).parents[2] / "sandbox/hidden.sql").read_text("utf-8"))
    spec = Spec.of(size, seed, profile)
    organisation.simulate(connection, spec)
    people.simulate(connection, spec)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(sql).fetchall()


def table(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    """All rows of a hidden table, ordered."""
    return rows(connection, f"select * from hidden.{name} order by all")
