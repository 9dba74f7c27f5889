"""The raw schemas of the warehouse: views over committed windows, and what a build is frozen at.

Belongs here: everything that ingestion writes into the warehouse. Does not belong here: the lake
itself, models. The file is opened for one transaction and closed again; dbt opens it afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.lake import (
    Manifest,
    Window,
    current_windows,
    load_of,
    quarantine_file,
    require_rows,
    windows,
)
from dagster_project.landing.lock import writer_lock
from dagster_project.landing.secret import person_pads
from dagster_project.landing.storage import private_directory
from dagster_project.landing.window import (
    QUARANTINE_COLUMNS,
    sql_list,
    sql_text,
    sql_value,
    table_columns,
)
from dagster_project.settings import Mission, Source
from dagster_project.sources.streams import STREAMS, Stream

#: dbt's child process outlives a killed run by seconds and keeps the file for as long.
_WAIT_SECONDS = 30.0

_TABLES = {
    "raw_mission.build": "as_of timestamp, as_of_date date, organisation_name varchar, "
    "vision varchar, timezone varchar, currency varchar",
    "raw_mission.sources": "source_id varchar, system varchar, kind varchar, base_url varchar, "
    "timezone varchar",
    "raw_mission.entities": "source_id varchar, system varchar, stream varchar, field varchar, "
    "is_required boolean, is_mapped boolean",
    "raw_mission.windows": "system varchar, source_id varchar, stream varchar, window_id varchar, "
    "window_seq bigint, fetched bigint, loaded bigint, quarantined bigint, "
    "newest_record_at timestamp, as_of date, duplicate_keys bigint, cut_short bigint, "
    "files varchar",
    "pii.person_secret": "inner_pad varchar, outer_pad varchar",
}


@dataclass(frozen=True, slots=True)
class Build:
    """What a build is frozen at.

    `as_of` is naive UTC, the start of `as_of_date` in the organisation's zone; `windows` is the
    number of windows that the raw views show.
    """

    as_of: datetime
    as_of_date: date
    windows: int


@dataclass(frozen=True, slots=True)
class _Delivered:
    """One stream of one source: the windows shown, and those of them that are valid now."""

    source: Source
    stream: Stream
    shown: Sequence[Window]
    current: Sequence[Window]


def freeze_build(mission: Mission, *, as_of: date | None = None) -> Build:
    """Register the raw views and write raw_mission.* and pii.person_secret, all or nothing.

    `as_of` overrides mission.yaml's, and that overrides the newest record. Takes the writer's
    lock. Raises MissionError where a source holds no rows, a window is damaged, no time is known,
    or another process holds the warehouse.
    """
    with writer_lock(mission, "freezing a build"):
        for source in mission.sources:
            require_rows(mission, source)
        delivered = list(_delivered(mission))
        build = _frozen(mission, delivered, as_of)
        rows = _rows(mission, delivered, build)
        connection = _connect(mission)
        try:
            connection.begin()
            for schema in ("raw_jira", "raw_crm", "raw_hr", "raw_mission", "pii"):
                connection.execute(f"create schema if not exists {schema}")
            for system, streams in STREAMS.items():
                for stream in streams:
                    own = [d for d in delivered if d.stream is stream]
                    connection.execute(_view(system, stream, own))
            connection.execute(_quarantine_view(mission, delivered))
            for table, columns in _TABLES.items():
                connection.execute(f"create or replace table {table} ({columns})")
                if rows[table]:
                    connection.execute(f"insert into {table} values {_tuples(rows[table])}")  # noqa: S608
            connection.commit()
        finally:
            connection.close()
        return build


def _delivered(mission: Mission) -> Iterable[_Delivered]:
    for source in mission.sources:
        for stream in STREAMS[source.system]:
            found = windows(mission, source, stream.name)
            shown = [window for window in found if window.manifest.entity in source.streams]
            yield _Delivered(source, stream, shown, current_windows(found, source))


def _frozen(mission: Mission, delivered: Sequence[_Delivered], asked: date | None) -> Build:
    zone = ZoneInfo(mission.organisation.timezone)
    day = asked or mission.organisation.as_of
    if day is None:
        times = [moment for d in delivered for w in d.current for moment in _times(w.manifest)]
        newest = max((moment for moment in times if moment is not None), default=None)
        if newest is None:
            raise MissionError(
                "no record of any source says when it was made, so the build has no date",
                "set organisation.as_of in mission.yaml to the first day that does not count.",
            )
        day = newest.replace(tzinfo=UTC).astimezone(zone).date()
    start = datetime.combine(day, clock(), tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    return Build(start, day, sum(len(d.shown) for d in delivered))


def _times(manifest: Manifest) -> list[datetime | None]:
    """Until when a window is known to tell everything (naive UTC): a live source says its time."""
    started = manifest.request.get("started_at")
    asked = (
        datetime.fromisoformat(started).astimezone(UTC).replace(tzinfo=None) if started else None
    )
    return [manifest.newest_record_at, asked]


def _rows(
    mission: Mission, delivered: Sequence[_Delivered], build: Build
) -> Mapping[str, Sequence[Sequence[Any]]]:
    """The rows of each table."""
    told = mission.organisation
    return {
        "raw_mission.build": [
            (build.as_of, build.as_of_date, told.name, told.vision, told.timezone, told.currency)
        ],
        "raw_mission.sources": [
            (s.id, s.system, s.kind, s.base_url, s.timezone) for s in mission.sources
        ],
        "raw_mission.entities": [
            (d.source.id, d.source.system, d.stream.name, field, is_required, field in mapped)
            for d in delivered
            for mapped in [{f for window in d.current for f in window.manifest.delivered}]
            for field, is_required in d.stream.fields.items()
        ],
        "raw_mission.windows": [
            (
                m.system,
                m.source_id,
                m.stream,
                m.window_id,
                m.window_seq,
                m.fetched,
                m.loaded,
                m.quarantined,
                m.newest_record_at,
                m.as_of,
                m.duplicate_keys,
                m.cut_short,
                # What a later window of the same name replaces; a snapshot replaces everything.
                (", ".join(sorted(str(file["name"]) for file in m.files)) or m.window_id)
                if load_of(m, d.source) == "incremental"
                else "",
            )
            for d in delivered
            for m in (window.manifest for window in d.shown)
        ],
        "pii.person_secret": [person_pads(mission)],
    }


def _view(system: str, stream: Stream, delivered: Sequence[_Delivered]) -> str:
    """A raw table: all windows shown, and whether each is valid now."""
    current = {w.manifest.window_id for d in delivered for w in d.current}
    superseded = [
        w.manifest.window_id
        for d in delivered
        for w in d.shown
        if w.manifest.window_id not in current
    ]
    is_latest = f"window_id not in ({_literals(superseded)})" if superseded else "true"
    paths = [path for d in delivered for window in d.shown for path in window.parquet]
    return (
        f"create or replace view raw_{system}.{stream.name} as select "  # noqa: S608
        f"{_typed(table_columns(stream))}, {is_latest} as is_latest_window "
        f"from {_parquet(paths, table_columns(stream))}"
    )


def _quarantine_view(mission: Mission, delivered: Sequence[_Delivered]) -> str:
    paths = [
        quarantine_file(mission, d.source.system, d.stream.name, window.manifest.window_id)
        for d in delivered
        for window in d.shown
        if window.manifest.quarantined
    ]
    lost = [path for path in paths if not path.is_file()]
    if lost:
        raise MissionError(
            f"the refused rows of a window are missing: {lost[0]}",
            "restore it, or remove the window's folder from the lake and run again.",
        )
    return (
        "create or replace view raw_mission.quarantine as select "  # noqa: S608
        f"{_typed(QUARANTINE_COLUMNS)} from {_parquet(paths, QUARANTINE_COLUMNS)}"
    )


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())


def _parquet(paths: Sequence[Path], columns: Mapping[str, str]) -> str:
    if paths:
        # The folder `window=<id>` is no column.
        return f"read_parquet({sql_list(paths)}, hive_partitioning = false)"
    typed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    return f"(select {typed} where false)"


def _tuples(rows: Sequence[Sequence[Any]]) -> str:
    return ", ".join("(" + ", ".join(sql_value(value) for value in row) + ")" for row in rows)


def _literals(values: Iterable[str]) -> str:
    return ", ".join(sql_text(value) for value in values)


def _connect(mission: Mission) -> duckdb.DuckDBPyConnection:
    """Open the warehouse; wait for a dying process, not for a living one."""
    path = mission.warehouse_path
    private_directory(path.parent)
    give_up_at = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return duckdb.connect(str(path))
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
            if time.monotonic() > give_up_at:
                raise MissionError(
                    f"another program has {path} open: {error}",
                    "close it; readers use the published file, never the warehouse.",
                ) from None
            time.sleep(0.5)
