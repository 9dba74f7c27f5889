"""Filling a window: records go to a journal of pages, DuckDB turns the pages into Parquet.

Belongs here: pages, the conversion, the counts that must agree. Does not belong here: reading
files, listing windows. Memory: one page of at most 5,000 rows or 16 MiB, and DuckDB within 1 GB.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from dagster_project.errors import MissionError
from dagster_project.landing.lake import (
    TEMPORARY,
    Manifest,
    quarantine_file,
    stream_directory,
)
from dagster_project.landing.storage import commit, private_directory, remove
from dagster_project.settings import Mission
from dagster_project.sources.files import excerpt
from dagster_project.sources.read import Pending
from dagster_project.sources.rows import Accepted, Refused
from dagster_project.sources.streams import Stream

_PAGE_ROWS = 5_000
_PAGE_BYTES = 16 * 2**20
_ROW_GROUP_BYTES = 32 * 2**20
_MEMORY_BYTES = 10**9
_ENVELOPE = {"source_id": "VARCHAR", "window_id": "VARCHAR", "window_seq": "BIGINT"}
_REFUSED = {"file": "VARCHAR", "line": "BIGINT", "reason": "VARCHAR", "record": "VARCHAR"}

#: Columns of raw_mission.quarantine.
QUARANTINE_COLUMNS = {
    "source_id": "VARCHAR",
    "stream": "VARCHAR",
    "window_id": "VARCHAR",
    **_REFUSED,
}


def table_columns(stream: Stream) -> dict[str, str]:
    """Columns of a window's Parquet files and their SQL types."""
    return {**_ENVELOPE, **stream.keys, "payload": "VARCHAR"}


class Pages:
    """JSON lines in gzip pages of bounded size."""

    def __init__(self, directory: Path, name: str) -> None:
        self.paths: list[Path] = []
        self.rows = self.bytes = self.longest = 0
        self._directory, self._name = directory, name
        self._lines: list[bytes] = []
        self._page_bytes = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Append one record; writes a page when it is full."""
        line = orjson.dumps(record, default=str, option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self._page_bytes += len(line)
        self.rows += 1
        self.longest = max(self.longest, len(line))
        if len(self._lines) >= _PAGE_ROWS or self._page_bytes >= _PAGE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is left as the last page."""
        if not self._lines:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{self._name}-{len(self.paths) + 1}.jsonl.gz"
        # Pages live for minutes: speed counts, size does not.
        path.write_bytes(gzip.compress(b"".join(self._lines), compresslevel=1))
        self.paths.append(path)
        self.bytes += self._page_bytes
        self._lines, self._page_bytes = [], 0


class Draft:
    """A window of one stream before it is committed."""

    def __init__(self, stream: Stream, journal: Path) -> None:
        """`journal` is the directory of the pages; it is the caller's to remove."""
        self.stream = stream
        self.fetched = 0
        self.newest: datetime | None = None
        self.first_refusal: str | None = None
        self._accepted = Pages(journal, "page")
        self._refused = Pages(journal, "refused")
        self._pending = Pending(stream.system, stream.name)

    @property
    def loaded(self) -> int:
        """Rows on their way to the lake."""
        return self._accepted.rows

    def add(self, file: str, outcome: Accepted | Refused) -> None:
        """Take one record of a file."""
        self.fetched += 1
        if isinstance(outcome, Accepted):
            try:
                self._accepted.add({**outcome.keys, "payload": outcome.payload})
            except orjson.JSONEncodeError as error:
                reason = f"cannot be kept as JSON: {error}"
                outcome = Refused(outcome.stream, outcome.line, reason, None)
        if isinstance(outcome, Accepted):
            self._pending.see(outcome)
            if outcome.newest is not None and (self.newest is None or outcome.newest > self.newest):
                self.newest = outcome.newest
            return
        self.first_refusal = self.first_refusal or f"{file}, line {outcome.line}: {outcome.reason}"
        self._refused.add(
            {
                "file": file,
                "line": outcome.line,
                "reason": outcome.reason,
                "record": excerpt(outcome.raw),
            }
        )

    def commit(
        self, mission: Mission, connection: duckdb.DuckDBPyConnection, origin: Mapping[str, Any]
    ) -> Manifest:
        """Write Parquet and manifest, check the counts, and give the window its name.

        `origin` holds the fields of Manifest that all windows of the same files share.
        """
        system, name, window_id = self.stream.system, self.stream.name, str(origin["window_id"])
        self._accepted.flush()
        self._refused.flush()
        directory = private_directory(stream_directory(mission, system, name))
        draft = directory / f"{TEMPORARY}window={window_id}"
        remove(draft)
        draft.mkdir()
        part = draft / "part-0.parquet"
        connection.execute(f"set memory_limit = '{self._memory()}B'")
        quarantined = self._write_refused(connection, mission, origin)
        loaded, duplicates = self._write_accepted(connection, part, origin)
        if self.fetched != loaded + quarantined:
            raise MissionError(
                f"{system} {name}, window {window_id}: {self.fetched} records were fetched, but "
                f"{loaded} loaded and {quarantined} quarantined",
                "check the free space of the disk and run again; nothing was committed.",
            )
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        manifest = Manifest(
            **origin,
            stream=name,
            fetched=self.fetched,
            loaded=loaded,
            quarantined=quarantined,
            duplicate_keys=duplicates,
            first_refusal=self.first_refusal,
            newest_record_at=self.newest,
            delivered=self._pending.delivered,
            schema=table_columns(self.stream),
            parquet={part.name: {"sha256": digest, "bytes": part.stat().st_size, "rows": loaded}},
        )
        (draft / "_manifest.json").write_text(manifest.to_json(), encoding="utf-8")
        commit(draft, directory / f"window={window_id}")
        return manifest

    def _memory(self) -> int:
        # An object must fit into a buffer of each thread whole.
        return max(_MEMORY_BYTES, 16 * self._accepted.longest)

    def _write_accepted(
        self, connection: duckdb.DuckDBPyConnection, part: Path, origin: Mapping[str, Any]
    ) -> tuple[int, int]:
        """Rows in the Parquet file, and how many of them repeat the identity of another."""
        constants = {key: origin[key] for key in _ENVELOPE}
        _to_parquet(
            connection,
            self._accepted,
            {**self.stream.keys, "payload": "JSON"},
            {key: f"cast({sql_text(constants[key])} as {_ENVELOPE[key]})" for key in constants},
            part,
        )
        identity = ", ".join(self.stream.identity)
        rows = connection.execute(
            f"select count(*), count(*) - count(distinct ({identity})) "  # noqa: S608
            f"from read_parquet({sql_text(part)})"
        ).fetchone()
        return (int(rows[0]), int(rows[1])) if rows else (0, 0)

    def _write_refused(
        self, connection: duckdb.DuckDBPyConnection, mission: Mission, origin: Mapping[str, Any]
    ) -> int:
        """Rows in the quarantine file, which is there before its window is."""
        if not self._refused.rows:
            return 0
        final = quarantine_file(
            mission, self.stream.system, self.stream.name, str(origin["window_id"])
        )
        private_directory(mission.quarantine)
        private_directory(final.parent)
        draft = final.with_name(TEMPORARY + final.name)
        constants = {
            "source_id": sql_text(origin["source_id"]),
            "stream": sql_text(self.stream.name),
            "window_id": sql_text(origin["window_id"]),
        }
        _to_parquet(connection, self._refused, _REFUSED, constants, draft)
        rows = connection.execute(
            f"select count(*) from read_parquet({sql_text(draft)})"  # noqa: S608
        ).fetchone()
        commit(draft, final)
        return int(rows[0]) if rows else 0


def _to_parquet(
    connection: duckdb.DuckDBPyConnection,
    pages: Pages,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    target: Path,
) -> None:
    """Constants and columns of all pages as one Parquet file, in the order of the pages."""
    texts = {"JSON", "VARCHAR"}
    selected = [f"{value} as {name}" for name, value in constants.items()]
    selected += [
        f"cast({c} as {'VARCHAR' if t in texts else t}) as {c}" for c, t in columns.items()
    ]
    if pages.rows:
        # Twice the row that is longest, because DuckDB counts its line break and some slack.
        origin = (
            f"read_json({sql_list(pages.paths)}, format = 'newline_delimited', "
            f"columns = {{{', '.join(f'{c}: {sql_text(t)}' for c, t in columns.items())}}}, "
            f"maximum_object_size = {max(2**21, 2 * pages.longest)})"
        )
    else:
        typed = ", ".join(f"cast(null as {t}) as {c}" for c, t in columns.items())
        origin = f"(select {typed} where false)"
    group = max(2_048, min(122_880, _ROW_GROUP_BYTES * pages.rows // max(pages.bytes, 1)))
    connection.execute(
        f"copy (select {', '.join(selected)} from {origin}) to {sql_text(target)} "  # noqa: S608
        f"(format parquet, compression zstd, row_group_size {group})"
    )


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
