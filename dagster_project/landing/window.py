"""Writing a window: rows that a query gives become Parquet, counted, with a manifest, whole.

Belongs here: the files of a window, the counts that must agree, literals of SQL. Does not belong
here: which rows there are (see `draft` for files, `load` for live sources), listing windows.
Memory: DuckDB within 1 GB, more only where single rows are huge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.lake import (
    TEMPORARY,
    Manifest,
    quarantine_file,
    stream_directory,
)
from dagster_project.landing.storage import commit, private_directory, remove
from dagster_project.settings import Mission
from dagster_project.sources.streams import Stream

_ROW_GROUP_BYTES = 32 * 2**20
_MEMORY_BYTES = 10**9
_ENVELOPE = {"source_id": "VARCHAR", "window_id": "VARCHAR", "window_seq": "BIGINT"}

#: What quarantine keeps of a record; `line` is null where a record came from no file.
REFUSED_COLUMNS = {"file": "VARCHAR", "line": "BIGINT", "reason": "VARCHAR", "record": "VARCHAR"}
#: Columns of raw_mission.quarantine.
QUARANTINE_COLUMNS = {
    "source_id": "VARCHAR",
    "stream": "VARCHAR",
    "window_id": "VARCHAR",
    **REFUSED_COLUMNS,
}


def table_columns(stream: Stream) -> dict[str, str]:
    """Columns of a window's Parquet files and their SQL types."""
    return {**_ENVELOPE, **stream.keys, "payload": "VARCHAR"}


class WindowFiles:
    """The files of one window until they are committed; nobody sees them before."""

    def __init__(
        self,
        mission: Mission,
        connection: duckdb.DuckDBPyConnection,
        stream: Stream,
        origin: Mapping[str, Any],
        longest: int,
    ) -> None:
        """`origin` holds the fields of Manifest that the caller knows beforehand.

        `longest` is the size of the longest row in bytes.
        """
        self.stream = stream
        self.loaded = self.quarantined = self._duplicates = 0
        self._mission, self._connection, self._origin = mission, connection, origin
        self._window_id = str(origin["window_id"])
        directory = private_directory(stream_directory(mission, stream.system, stream.name))
        self._final = directory / f"window={self._window_id}"
        self._draft = directory / f"{TEMPORARY}{self._final.name}"
        remove(self._draft)
        self._draft.mkdir()
        # An object must fit into a buffer of each thread whole.
        connection.execute(f"set memory_limit = '{max(_MEMORY_BYTES, 16 * longest)}B'")

    @property
    def part(self) -> Path:
        """The Parquet file."""
        return self._draft / "part-0.parquet"

    def fill(self, rows: str, expected: int, size: int) -> None:
        """Write the rows of a query that gives the stream's keys and payload.

        `expected` rows of `size` bytes together decide how large a row group is.
        """
        constants = {
            key: f"cast({sql_text(self._origin[key])} as {kind})" for key, kind in _ENVELOPE.items()
        }
        group = max(2_048, min(122_880, _ROW_GROUP_BYTES * expected // max(size, 1)))
        self._copy(rows, constants, self.part, group)
        identity = ", ".join(self.stream.identity)
        self.loaded, self._duplicates = self._counted(
            self.part, f"count(*), count(*) - count(distinct ({identity}))"
        )

    def refuse(self, rows: str) -> None:
        """Write the rows of a query with REFUSED_COLUMNS; they are there before the window is."""
        system, name = self.stream.system, self.stream.name
        final = quarantine_file(self._mission, system, name, self._window_id)
        private_directory(self._mission.quarantine)
        private_directory(final.parent)
        draft = final.with_name(TEMPORARY + final.name)
        constants = {
            "source_id": sql_text(self._origin["source_id"]),
            "stream": sql_text(name),
            "window_id": sql_text(self._window_id),
        }
        self._copy(rows, constants, draft)
        (self.quarantined,) = self._counted(draft, "count(*)")
        commit(draft, final)

    def commit(
        self,
        *,
        fetched: int,
        newest: datetime | None,
        delivered: Sequence[str],
        first_refusal: str | None,
    ) -> Manifest:
        """Check the counts, write the manifest and give the window its name."""
        if fetched != self.loaded + self.quarantined:
            raise MissionError(
                f"{self.stream.system} {self.stream.name}, window {self._window_id}: {fetched} "
                f"records were fetched, but {self.loaded} loaded and {self.quarantined} "
                "quarantined",
                "check the free space of the disk and run again; nothing was committed.",
            )
        with self.part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = self.part.stat().st_size
        manifest = Manifest(
            **self._origin,
            stream=self.stream.name,
            fetched=fetched,
            loaded=self.loaded,
            quarantined=self.quarantined,
            duplicate_keys=self._duplicates,
            first_refusal=first_refusal,
            newest_record_at=newest,
            delivered=list(delivered),
            schema=table_columns(self.stream),
            parquet={self.part.name: {"sha256": digest, "bytes": size, "rows": self.loaded}},
        )
        (self._draft / "_manifest.json").write_text(manifest.to_json(), encoding="utf-8")
        commit(self._draft, self._final)
        return manifest

    def _copy(
        self, rows: str, constants: Mapping[str, str], target: Path, group: int = 122_880
    ) -> None:
        """Constants and the columns of a query as one Parquet file."""
        told = ", ".join(f"{value} as {name}" for name, value in constants.items())
        self._connection.execute(
            f"copy (select {told}, * from ({rows})) to {sql_text(target)} "  # noqa: S608
            f"(format parquet, compression zstd, row_group_size {group})"
        )

    def _counted(self, file: Path, counts: str) -> tuple[int, ...]:
        query = f"select {counts} from read_parquet({sql_text(file)})"  # noqa: S608
        return tuple(int(count) for count in self._connection.execute(query).fetchall()[0])


# Bound parameters would do, but DuckDB's client imports pandas to look at them: 1.1 s a process
# (2026-11, duckdb 1.5.5).
def sql_text(value: object) -> str:
    """A value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def sql_value(value: str | bool | int | date | datetime | None) -> str:
    """A value as an SQL literal; times and dates become text that their column understands."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, bool | int) else sql_text(value)


def sql_list(values: Sequence[object]) -> str:
    """Values as an SQL list of text literals."""
    return "[" + ", ".join(sql_text(value) for value in values) + "]"
