"""The truth as files.

What belongs here: which tables are written, and how. What does not: what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from sandbox.calendars import END
from sandbox.truth.scorecard import metrics
from sandbox.world import World

TABLES: Mapping[str, str] = {
    # file: its rows in a fixed order
    "metric": """
        select
            metric_id, department_id, objective_id, period_grain, period_start, realised_value,
            numerator, denominator, n, undetermined_n, parameter_value, parameter_note
        from truth.metric
        order by metric_id, department_id, objective_id, period_grain, period_start
    """,
    "initiative": "select * exclude (is_justified) from truth.initiative order by issue_id",
    "identity": "from truth.identity order by all",
    "person_department": "from truth.person_department order by all",
    "issue_phase": "from truth.phase_span order by issue_id, span_number",
    "effort": """
        select
            department_id, top_department_id, initiative_issue_id, month_start,
            seconds, effort_days, people_n
        from truth.effort
        order by department_id, top_department_id, initiative_issue_id, month_start
    """,
    "effort_person": """
        select person_id, department_id, initiative_issue_id, month_start, seconds, effort_days
        from truth.effort_person_month
        order by person_id, department_id, initiative_issue_id, month_start, seconds
    """,
    "resource_month": "from truth.resource_month order by department_id, month_start",
    "landmark_comparison": """
        from truth.landmark_comparison order by size_class, is_cross_at_landmark
    """,
    "balance": "from truth.balance order by period_start, horizon",
    "adaptability": "from truth.adaptability order by changed_on, objective_id",
    "collaboration_network": """
        from truth.collaboration_network order by period_start, department_id, other_department_id
    """,
    "engagement": "from truth.engagement order by wave, department_id",
    "it_value": "from truth.it_value order by period_start",
    "problem_solving": "from truth.problem_solving order by kind, is_shared, period_start",
}
DIGITS = 9
"""Decimals that are kept: threads add the same numbers in another order every time."""


@dataclass(frozen=True)
class TruthWritten:
    """What `write` made: rows by table."""

    folder: Path
    rows: Mapping[str, int]


def write(
    world: World,
    out: Path,
    until: date = END,
    progress: Callable[[str], None] = lambda part: None,
) -> TruthWritten:
    """Write the truth as of the start of `until` to Parquet files in `out`, one a table.

    Files of these names are replaced, others stay; the same Spec and day give the same rows.
    SandboxError for a day outside the simulation.
    """
    metrics(world, until, progress)
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    for name, sql in TABLES.items():
        progress(f"Writing {name}")
        path = str(out / f"{name}.parquet").replace("'", "''")
        copied = world.connection.execute(
            f"copy ({_rounded(world.connection, sql)}) to '{path}' (format parquet)"
        ).fetchone()
        rows[name] = int(copied[0]) if copied else 0
    return TruthWritten(out, rows)


def _rounded(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The same rows, with their fractions rounded."""
    relation = connection.sql(sql)
    columns = (
        f"round({name}, {DIGITS}) as {name}" if kind == "DOUBLE" else name
        for name, kind in zip(relation.columns, map(str, relation.types), strict=True)
    )
    return f"select {', '.join(columns)} from ({sql})"
