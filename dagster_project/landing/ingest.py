"""From the sources of mission.yaml to committed windows, whatever their kind.

Belongs here: which way a source takes, and what it must hold in the end. Does not belong here:
files (see `deliver`), live sources (see `pull`), Dagster.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, timedelta

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.deliver import ingest_files
from dagster_project.landing.lake import current_windows, require_rows, windows
from dagster_project.landing.lock import writer_lock
from dagster_project.landing.pull import pull_source
from dagster_project.landing.results import Progress, StreamResult
from dagster_project.landing.window import sql_list
from dagster_project.settings import LiveSource, Mission, Source, System
from dagster_project.sources.live import connect, shapes_of
from dagster_project.sources.pulls import Client


def ingest_system(
    mission: Mission,
    system: System,
    *,
    full: bool = False,
    since: date | None = None,
    progress: Progress | None = None,
) -> list[StreamResult]:
    """Land what the sources of a system deliver and the lake does not hold yet.

    `full` takes everything again; `since` at least what changed on that day (UTC) or later. Returns
    one result per source and stream. Takes the writer's lock. Raises MissionError, of live sources
    SourceError; windows committed before it stay.
    """
    with writer_lock(mission, f"ingest of {system}"):
        results = []
        for source in mission.sources:
            if source.system == system:
                results += _ingest(mission, source, full, since, progress)
                require_rows(mission, source)
        return results


def client_of(mission: Mission, source: LiveSource) -> Client:
    """The client of a live source; raises MissionError where a secret is missing.

    What the vendor's names mean comes from the seeds and from files that have landed.
    """
    return connect(
        source,
        custom_fields=_custom_fields(mission, source) if source.system == "jira" else (),
        departments=_departments(mission, source) if source.system == "hr" else {},
    )


def _ingest(
    mission: Mission, source: Source, full: bool, since: date | None, progress: Progress | None
) -> list[StreamResult]:
    """Files first: they explain what the API only names."""
    results: dict[str, StreamResult] = {}
    if source.entities:
        told = ingest_files(mission, source, full=full, since=since, progress=progress)
        results |= {result.stream: result for result in told}
    if isinstance(source, LiveSource):
        with client_of(mission, source) as client:
            told = pull_source(
                mission,
                source,
                client,
                shapes_of(source.kind),
                full=full,
                since=since,
                overlap=timedelta(minutes=source.overlap_minutes),
                progress=progress,
            )
        results |= {result.stream: result for result in told}
    return list(results.values())


def _custom_fields(mission: Mission, source: Source) -> list[str]:
    """Ids of the custom fields that seeds/jira_field_map.csv maps for the source."""
    path = mission.seeds / "jira_field_map.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        told = {row["field_id"] for row in rows if row["source_id"] in ("*", source.id)}
    except KeyError as missing:
        raise MissionError(
            f"{path} has no column {missing}",
            "give it the columns source_id, field and field_id; models/seeds.yml describes them.",
        ) from None
    return sorted(field for field in told if field.startswith("customfield_"))


def _departments(mission: Mission, source: Source) -> Mapping[str, str]:
    """Department ids by every name that the departments ever had; the newest of equal names.

    The HR system names a department, and files tell which one it is.
    """
    current = current_windows(windows(mission, source, "departments"), source)
    paths = [path for window in current for path in window.parquet]
    if not paths:
        return {}
    rows = duckdb.execute(
        "select payload->>'$.name', department_id "  # noqa: S608
        f"from read_parquet({sql_list(paths)}, hive_partitioning = false) "
        "order by payload->>'$.valid_from' nulls first"
    ).fetchall()
    return {str(name): str(department) for name, department in rows if name}
