"""The files of a delivery on their way to windows: typed records in pages, pages into Parquet.

Belongs here: pages of records that Python has typed, what is known of a window before it is
committed. Does not belong here: reading files, writing windows (see `window`). Memory: one page of
at most 5,000 rows or 16 MiB.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from dagster_project.landing.lake import Manifest
from dagster_project.landing.window import (
    REFUSED_COLUMNS,
    WindowFiles,
    sql_list,
    sql_text,
)
from dagster_project.settings import Mission
from dagster_project.sources.files import excerpt
from dagster_project.sources.read import Pending
from dagster_project.sources.rows import Accepted, Refused
from dagster_project.sources.streams import Stream

_PAGE_ROWS = 5_000
_PAGE_BYTES = 16 * 2**20


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
        self._accepted.flush()
        self._refused.flush()
        files = WindowFiles(mission, connection, self.stream, origin, self._accepted.longest)
        if self._refused.rows:
            files.refuse(_selected(self._refused, REFUSED_COLUMNS))
        accepted = {**self.stream.keys, "payload": "JSON"}
        files.fill(_selected(self._accepted, accepted), self._accepted.rows, self._accepted.bytes)
        return files.commit(
            fetched=self.fetched,
            newest=self.newest,
            delivered=self._pending.delivered,
            first_refusal=self.first_refusal,
        )


def _selected(pages: Pages, columns: Mapping[str, str]) -> str:
    """Columns of all pages as a query, in the order of the pages."""
    texts = {"JSON", "VARCHAR"}
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
    selected = ", ".join(
        f"cast({c} as {'VARCHAR' if t in texts else t}) as {c}" for c, t in columns.items()
    )
    return f"select {selected} from {origin}"  # noqa: S608
