"""The whole hidden state in one DuckDB database.

What belongs here: the order in which the parts of the company come to life. What does not: any
part itself (`sandbox/simulation`), and whatever is said of them (`sandbox/records`, `truth`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sandbox.simulation import market, organisation, people, surveys, work
from sandbox.spec import Spec

Progress = Callable[[str], None]

PARTS = (
    ("Departments and objectives", organisation.simulate),
    ("People and their posts", people.simulate),
    ("Work", work.simulate),
    ("Customers and deals", market.simulate),
    ("Surveys", surveys.simulate),
)


@dataclass(frozen=True)
class World:
    """A company with all its history; `connection` holds the schema `hidden`."""

    spec: Spec
    connection: duckdb.DuckDBPyConnection


def build(
    spec: Spec,
    *,
    database: Path | None = None,
    memory_limit: str = "4GB",
    progress: Progress = lambda part: None,
) -> World:
    """Simulate the company of `spec`, in memory or in a new file.

    The same spec gives the same rows. `memory_limit` bounds DuckDB, which then spills beside the
    file.
    """
    connection = duckdb.connect(str(database) if database else ":memory:")
    connection.execute(f"set memory_limit = '{memory_limit}'")
    connection.execute("set global timezone = 'UTC'")  # also of cursors
    connection.execute(Path(__file__).with_name("hidden.sql").read_text(encoding="utf-8"))
    for title, simulate in PARTS:
        progress(title)
        simulate(connection, spec)
    return World(spec, connection)
