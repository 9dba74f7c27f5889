"""Random streams and the way of arrays into tables.

What belongs here: what every part of the simulation needs to draw and to keep what it drew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.spec import Spec

Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]
"""Column name -> values, all of one length. NaT and NaN become null, masked arrays do not."""


def random_stream(spec: Spec, part: str) -> np.random.Generator:
    """An independent stream a part, so that one part can grow and leave the others alone."""
    return np.random.default_rng([spec.seed, *part.encode()])


def keep(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Columns, sql: str = ""
) -> None:
    """Insert arrays into a hidden table, by name.

    `sql` may shape them first; it reads from `given`, e.g.
    `select *, nullif(parent, -1) as parent_issue_id from given`.
    """
    connection.register("given", dict(columns))
    try:
        connection.execute(f"insert into hidden.{table} by name {sql or 'from given'}")
    finally:
        connection.unregister("given")
