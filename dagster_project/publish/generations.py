"""Generations: what readers get, complete and unchangeable, behind the link `current`.

Belongs here: the gate, the building of a generation, the switch of the link, the removal of old
generations. Does not belong here: which tables are public (see `contents`), making the checks that
the gate reads (`quality`), the lock that keeps writers apart (the caller holds it).

A generation is built in a sibling directory whose name readers ignore, brought to disk, renamed,
and only then linked. Whatever dies, whenever: `current` names a complete generation. Files are
never changed in place, because readers hold them open.
"""

# ruff: noqa: S608  (names are quoted by _name, texts by _text)

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import MissionError
from dagster_project.publish.contents import PublishedTable, published_tables
from dagster_project.settings import Mission

DATABASE = "bi.duckdb"
MANIFEST = "manifest.json"
CURRENT = "current"

_DIRECTORY = re.compile(r"generation-(?P<id>\d{8}-(?P<number>\d{4,}))")
# Names that no reader looks at; a crash leaves them behind and the next publication removes them.
_BUILDING, _LINKING, _REMOVING = ".building-", ".linking-", ".removing-"
_NAMED_CHECKS = 10


@dataclass(frozen=True, slots=True)
class Generation:
    """A published generation. `number` only ever grows, so it orders generations by age."""

    id: str
    number: int
    path: Path
    run_id: str
    as_of: datetime  # UTC, naive
    as_of_date: date
    created_at: datetime  # UTC, aware
    rows: Mapping[str, int]  # public table -> rows
    checks_passed: int
    checks_warned: int

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.path / DATABASE


class PublicationBlocked(MissionError):
    """The checks of a run do not allow a publication; `checks` are the ids of those that failed."""

    def __init__(self, message: str, remedy: str, checks: Sequence[str] = ()) -> None:
        super().__init__(message, remedy)
        self.checks = tuple(checks)


@dataclass(frozen=True, slots=True)
class _Audit:
    """What the gate let through: counts of a run's checks and the day they speak of."""

    run_id: str
    as_of: datetime
    as_of_date: date
    passed: int
    warned: int


def publish(mission: Mission, run_id: str) -> Generation:
    """Publish the public tables of the warehouse as a new generation and make it current.

    Raises PublicationBlocked where a blocking check of `run_id` failed or none was recorded, and
    MissionError where something the user can mend is in the way (a full disk, a missing table);
    in both cases `current` stays and nothing is left behind. The caller holds the writer's lock.
    """
    if not mission.warehouse_path.exists():
        raise MissionError(
            f"{mission.warehouse_path} does not exist: there is nothing to publish",
            "run `mission refresh`, which ingests, builds and checks before it publishes.",
        )
    tables = published_tables(mission.dbt_target)
    root = mission.published
    link = root / CURRENT
    if link.exists() and not link.is_symlink():
        raise MissionError(
            f"{link} is not a link, so it cannot be switched to a new generation",
            "move it away: readers go through this name, and only publication may make it.",
        )
    with _explained(link):
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root)
        with _attached(mission.warehouse_path) as database:
            audit = _passed_gate(database, run_id)
            _require_tables(database, tables)
            number = 1 + max((number for number, _ in _directories(root)), default=0)
            generation_id = f"{audit.as_of_date:%Y%m%d}-{number:04d}"
            building = root / f"{_BUILDING}{generation_id}"
            try:
                _build(database, building, generation_id, audit, tables)
                final = root / f"generation-{generation_id}"
                building.rename(final)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        _sync(root)
        _switch(link, final)
        _prune(root, mission.publication.keep)
    return _read(final)


def current(mission: Mission) -> Generation | None:
    """The generation that readers see, or None before the first publication.

    Raises MissionError when the link leads nowhere.
    """
    link = mission.published / CURRENT
    if not link.is_symlink():
        return None
    target = mission.published / link.readlink()
    if not (target / MANIFEST).exists():
        raise MissionError(
            f"{link} points to {target.name}, which is not there",
            "run `mission refresh` to publish again.",
        )
    return _read(target)


def generations(mission: Mission) -> list[Generation]:
    """All complete generations, the oldest first."""
    return [
        _read(path)
        for _, path in sorted(_directories(mission.published))
        if (path / MANIFEST).exists()
    ]


@contextmanager
def _explained(link: Path) -> Iterator[None]:
    """Turn what the disk or DuckDB says into what the user can do."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        stays = (
            f"{CURRENT} stays {link.readlink().name}"
            if link.is_symlink()
            else "nothing was published before"
        )
        text = " ".join(str(error).split())
        full = "no space left" in text.lower()
        raise MissionError(
            f"the generation could not be published ({stays}): {text}",
            f"free space on the disk of {link.parent} and publish again."
            if full
            else f"see that {link.parent} can be written to and that nothing else writes to the "
            "warehouse, then publish again.",
        ) from error


@contextmanager
def _attached(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own with the warehouse attached read-only under its own name.

    The name matters: views embed the catalog they were made in, which is the stem of the file.
    """
    with duckdb.connect(":memory:") as database:
        database.execute(f"attach {_text(warehouse)} as {_name(warehouse.stem)} (read_only)")
        database.execute(f"use {_name(warehouse.stem)}")
        yield database


def _passed_gate(database: duckdb.DuckDBPyConnection, run_id: str) -> _Audit:
    """The audit of `run_id`, or PublicationBlocked."""
    try:
        rows = database.execute(
            "select check_id, asset, severity, passed, observed from meta.quality_result "
            "where run_id = ? order by check_id",
            [run_id],
        ).fetchall()
    except duckdb.CatalogException:
        rows = []
    if not rows:
        raise PublicationBlocked(
            f"run {run_id} has no recorded check: nothing is known about these tables",
            "run `mission refresh`, which checks before it publishes.",
        )
    failed = [row for row in rows if row[2] == "block" and not row[3]]
    if failed:
        named = "".join(
            f"\n  - {check_id} on {asset}: {observed}"
            for check_id, asset, _, _, observed in failed[:_NAMED_CHECKS]
        )
        more = len(failed) - _NAMED_CHECKS
        raise PublicationBlocked(
            f"{len(failed)} blocking check(s) failed, so nothing is published:{named}"
            + (f"\n  - and {more} more" if more > 0 else ""),
            "mend the data or the rule and refresh again; readers keep the generation they have. "
            "Table meta.quality_result of the warehouse lists every check of the run.",
            [row[0] for row in failed],
        )
    build = database.execute("select as_of, as_of_date from raw_mission.build").fetchone()
    if build is None:
        raise MissionError(
            "raw_mission.build is empty: nobody can tell which day the build is frozen at",
            "run `mission refresh`, which freezes the build before it transforms.",
        )
    passed = sum(bool(row[3]) for row in rows)
    return _Audit(run_id, build[0], build[1], passed, len(rows) - passed)


def _require_tables(database: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable]) -> None:
    there = {
        name
        for (name,) in database.execute(
            "select table_name from information_schema.tables "
            "where table_catalog = current_database() and table_schema = 'main'"
        ).fetchall()
    }
    missing = [table.name for table in tables if table.name not in there]
    if missing:
        raise MissionError(
            f"dbt's manifest calls {', '.join(missing)} public, but the warehouse has none",
            "build the models again (`mission refresh`).",
        )


def _build(
    database: duckdb.DuckDBPyConnection,
    directory: Path,
    generation_id: str,
    audit: _Audit,
    tables: Sequence[PublishedTable],
) -> None:
    """Write a complete generation into `directory`, to the disk, read-only."""
    parquet = directory / "parquet"
    parquet.mkdir(parents=True)
    spill = directory / ".spill"
    database.execute(f"set temp_directory = {_text(spill)}")
    database.execute(f"attach {_text(directory / DATABASE)} as published")
    rows = {table.name: _copy(database, table, parquet) for table in tables}
    # The only clock in a generation: when it was made. No table of `main` knows it.
    created_at = datetime.now(UTC)
    versions = _versions()
    _write_meta(database, generation_id, audit, rows, created_at, versions)
    database.execute("checkpoint published")
    database.execute("detach published")
    shutil.rmtree(spill, ignore_errors=True)
    if (directory / f"{DATABASE}.wal").exists():
        raise RuntimeError(f"{directory / DATABASE} still has a write-ahead log after a checkpoint")
    manifest = {
        "generation_id": generation_id,
        "run_id": audit.run_id,
        "as_of": audit.as_of.isoformat(),
        "as_of_date": audit.as_of_date.isoformat(),
        "created_at": created_at.isoformat(),
        "versions": versions,
        "checks_passed": audit.passed,
        "checks_warned": audit.warned,
        "tables": rows,
        "files": {
            file.relative_to(directory).as_posix(): {
                "bytes": file.stat().st_size,
                "sha256": _sha256(file),
            }
            for file in sorted(directory.rglob("*"))
            if file.is_file()
        },
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for file in directory.rglob("*"):
        if file.is_file():
            file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
            _sync(file)
    _sync(parquet)
    _sync(directory)


def _copy(database: duckdb.DuckDBPyConnection, table: PublishedTable, parquet: Path) -> int:
    """Copy one table, as a table even where it is a view; return its rows."""
    name = _name(table.name)
    target = f"published.main.{name}"
    copied = _count(database, f"create table {target} as select * from main.{name}")
    exported = _count(
        database,
        f"copy {target} to {_text(parquet / f'{table.name}.parquet')} "
        "(format parquet, compression zstd)",
    )
    if copied != exported:
        raise RuntimeError(f"{table.name}: {copied} rows in {DATABASE}, {exported} in Parquet")
    if table.description:
        database.execute(f"comment on table {target} is {_text(table.description)}")
    columns = {row[0] for row in database.execute(f"describe {target}").fetchall()}
    for column, description in table.columns.items():
        if description and column in columns:
            database.execute(f"comment on column {target}.{_name(column)} is {_text(description)}")
    return copied


def _write_meta(
    database: duckdb.DuckDBPyConnection,
    generation_id: str,
    audit: _Audit,
    rows: Mapping[str, int],
    created_at: datetime,
    versions: Mapping[str, str],
) -> None:
    """Schema meta: one row about the publication, one row a check of its run."""
    inputs = database.execute(
        "select system, source_id, stream, count(*) as windows, max(window_seq) as newest_window, "
        "sum(loaded)::bigint as loaded, max(newest_record_at)::varchar as newest_record_at "
        "from raw_mission.windows group by all order by all"
    )
    names = [column[0] for column in inputs.description or []]
    listed = [dict(zip(names, row, strict=True)) for row in inputs.fetchall()]
    database.execute("create schema published.meta")
    database.execute(
        """
        create table published.meta.publication (
            generation_id varchar not null,
            run_id varchar not null,
            as_of timestamp not null,
            as_of_date date not null,
            created_at timestamp not null,
            package_version varchar not null,
            dbt_version varchar not null,
            duckdb_version varchar not null,
            checks_passed integer not null,
            checks_warned integer not null,
            tables json not null,
            inputs json not null
        )
        """
    )
    database.execute(
        "insert into published.meta.publication values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            generation_id,
            audit.run_id,
            audit.as_of,
            audit.as_of_date,
            created_at.replace(tzinfo=None),
            versions["package"],
            versions["dbt"],
            versions["duckdb"],
            audit.passed,
            audit.warned,
            json.dumps(rows),
            json.dumps(listed),
        ],
    )
    database.execute(
        "create table published.meta.quality_result as "
        "select * from meta.quality_result where run_id = ? order by check_id",
        [audit.run_id],
    )


def _versions() -> dict[str, str]:
    def installed(distribution: str) -> str:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:  # run from a checkout that was never installed
            return "unknown"

    return {
        "package": installed("mission-metrics"),
        "dbt": installed("dbt-core"),
        "duckdb": installed("duckdb"),
    }


def _switch(link: Path, target: Path) -> None:
    """Point `link` at `target` in one step; the target is relative, so the folder can be moved."""
    new = link.with_name(f"{_LINKING}{target.name}")
    new.symlink_to(target.name, target_is_directory=True)
    new.replace(link)
    _sync(link.parent)


def _prune(root: Path, keep: int) -> None:
    """Remove all but the newest `keep` generations, right after the newest became current.

    The one before it always stays: a reader that followed the link just before the switch still
    has to open its file.
    """
    ordered = [path for _, path in sorted(_directories(root))]
    for path in ordered[: -max(keep, 2)]:
        _remove(path)


def _remove_leftovers(root: Path) -> None:
    """Remove what a killed publication left under names that no reader looks at."""
    for path in root.iterdir():
        if path.name.startswith((_BUILDING, _REMOVING)):
            shutil.rmtree(path)
        elif path.name.startswith(_LINKING):
            path.unlink()


def _remove(path: Path) -> None:
    # Renamed first: half a generation must never carry a generation's name.
    removing = path.with_name(f"{_REMOVING}{path.name}")
    path.rename(removing)
    shutil.rmtree(removing)


def _directories(root: Path) -> list[tuple[int, Path]]:
    """(number, path) of everything that bears a generation's name, complete or not."""
    if not root.exists():
        return []
    named = ((_DIRECTORY.fullmatch(path.name), path) for path in root.iterdir())
    return [(int(match["number"]), path) for match, path in named if match]


def _read(path: Path) -> Generation:
    match = _DIRECTORY.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path} is not named like a generation")
    manifest: dict[str, Any] = json.loads((path / MANIFEST).read_bytes())
    return Generation(
        id=manifest["generation_id"],
        number=int(match["number"]),
        path=path,
        run_id=manifest["run_id"],
        as_of=datetime.fromisoformat(manifest["as_of"]),
        as_of_date=date.fromisoformat(manifest["as_of_date"]),
        created_at=datetime.fromisoformat(manifest["created_at"]),
        rows=manifest["tables"],
        checks_passed=manifest["checks_passed"],
        checks_warned=manifest["checks_warned"],
    )


def _count(database: duckdb.DuckDBPyConnection, statement: str) -> int:
    """The row count that CREATE TABLE AS and COPY answer with."""
    row = database.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _sync(path: Path) -> None:
    """Bring a file or the entries of a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
