"""From the journal to the lake: pages of a live source become windows, by SQL over whole pages.

Belongs here: running a shape, what is refused and why, what must not happen in silence. Does not
belong here: shapes (see `sources`), asking for pages (see `pull`), writing windows (see `window`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.journal import Journal, Page
from dagster_project.landing.lake import (
    LAKE_VERSION,
    Manifest,
    Window,
    current_windows,
    quarantine_file,
    windows,
)
from dagster_project.landing.seen import delivered_fields, present_values
from dagster_project.landing.shaping import Query, newest_expression
from dagster_project.landing.window import WindowFiles, sql_text
from dagster_project.settings import Mission, Source
from dagster_project.sources.pulls import Pull
from dagster_project.sources.shapes import Shape
from dagster_project.sources.streams import REQUIRED, Stream, stream

#: In a window of changes a few odd records are set aside; from so many on, more than half of them
#: refused means that the vendor's answers have changed.
_ENOUGH_TO_JUDGE = 100


class Loading:
    """The streams of one complete journal on their way into the lake."""

    def __init__(
        self,
        mission: Mission,
        source: Source,
        journal: Journal,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.mission, self.source, self.journal = mission, source, journal
        self.connection = connection
        self.pulls = {pull.stream: pull for pull in journal.frozen.pulls}
        self.main = journal.frozen.pulls[0].stream
        connection.execute("set TimeZone = 'UTC'")

    def load(self, shape: Shape) -> Manifest | None:
        """Commit the window of one stream; None where there is nothing that needs a window.

        Raises MissionError where nothing can be committed; the journal stays as it is.
        """
        found = windows(self.mission, self.source, shape.stream)
        frozen = self.journal.frozen
        for window in found:
            if window.manifest.window_id == frozen.window_id:
                return window.manifest  # committed before a kill
        pull = self.pulls[shape.pull]
        pages = self.journal.pages(shape.pull)
        fetched = sum(page.records for page in pages)
        digest = self._digest(shape, pull)
        if shape.stream != self.main and self._is_needless(pull, fetched, digest, found):
            return None
        self._refuse_emptiness(shape, pull, fetched)
        with _told_what_to_do():
            return self._commit(shape, pull, pages, digest, [w.manifest for w in found])

    def _is_needless(self, pull: Pull, fetched: int, digest: str, found: Sequence[Window]) -> bool:
        """Whether a window would tell nothing new, or only that something may not be seen now."""
        current = current_windows(found, self.source)
        if not current or current[-1].manifest.window_id != found[-1].manifest.window_id:
            return not fetched
        if current[-1].manifest.digest == digest:
            return True
        # An empty list is news only where it is all there is.
        return not fetched and (pull.load == "incremental" or bool(self.journal.gaps()))

    def _commit(
        self,
        shape: Shape,
        pull: Pull,
        pages: Sequence[Page],
        digest: str,
        earlier: Sequence[Manifest],
    ) -> Manifest:
        declared = stream(self.source.system, shape.stream)
        fetched = sum(page.records for page in pages)
        present = present_values(
            self.connection, shape, pages, earlier, is_snapshot=pull.load == "snapshot"
        )
        origin = self._origin(shape, pull, digest, present)
        longest = max((page.longest for page in pages), default=0)
        files = WindowFiles(self.mission, self.connection, declared, origin, longest)
        query = Query(shape, declared, {name: self.journal.pages(name) for name in self.pulls})
        files.fill(query.accepted, fetched, sum(page.bytes for page in pages))
        first_refusal = None
        if files.loaded < fetched:
            files.refuse(query.refused)
            first_refusal = self._first_refusal(shape)
            self._refuse_refusal(shape, pull, fetched, files.quarantined, first_refusal)
        lake = f"read_parquet({sql_text(files.part)})"
        return files.commit(
            fetched=fetched,
            newest=self._newest(shape, declared, lake),
            delivered=delivered_fields(self.connection, declared, lake),
            first_refusal=first_refusal,
        )

    def _origin(
        self, shape: Shape, pull: Pull, digest: str, present: Sequence[str]
    ) -> dict[str, Any]:
        frozen = self.journal.frozen
        pages = self.journal.pages(shape.pull)
        request: dict[str, Any] = {
            "load": pull.load,
            "endpoint": frozen.endpoint,
            "since": frozen.since and frozen.since.isoformat(),
            "started_at": frozen.started_at.isoformat(),
            "pull": asdict(pull),
            "pages": len(pages),
            "bytes": sum(page.bytes for page in pages),
            "present": list(present),
        }
        if shape.stream == self.main:
            request["asked"] = dict(frozen.asked)
            request["gaps"] = [gap._asdict() for gap in self.journal.gaps()]
        return {
            "lake_version": LAKE_VERSION,
            "source_id": self.source.id,
            "system": self.source.system,
            "entity": shape.stream,
            "window_id": frozen.window_id,
            "window_seq": frozen.window_seq,
            "digest": digest,
            "files": [],
            "request": request,
            "as_of": self.mission.organisation.as_of or frozen.started_at.date(),
            "cut_short": 0,
        }

    def _digest(self, shape: Shape, pull: Pull) -> str:
        """What the rows of a window are made of: request, records and the way they are read.

        A second window with the digest of the newest one would hold the same rows.
        """
        pages = [self.journal.pages(name) for name in (shape.pull, *shape.joins)]
        told = {
            "lake_version": LAKE_VERSION,
            "pull": asdict(pull),
            "shape": repr(shape),
            "pages": [[page.sha256 for page in found] for found in pages],
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def _newest(self, shape: Shape, declared: Stream, lake: str) -> datetime | None:
        query = f"select max({shape.newest or newest_expression(declared)}) from {lake}"  # noqa: S608
        newest: datetime | None = self.connection.execute(query).fetchall()[0][0]
        return newest

    def _first_refusal(self, shape: Shape) -> str:
        file = quarantine_file(
            self.mission, self.source.system, shape.stream, self.journal.frozen.window_id
        )
        name, why = self.connection.execute(
            f"select file, reason from read_parquet({sql_text(file)}) order by all limit 1"  # noqa: S608
        ).fetchall()[0]
        return f"{name}: {why}"

    def _refuse_emptiness(self, shape: Shape, pull: Pull, fetched: int) -> None:
        """A snapshot that says nothing must not replace one that does."""
        is_required = (shape.stream,) in REQUIRED[self.source.system]
        if pull.load == "snapshot" and not fetched and is_required:
            raise MissionError(
                f"source `{self.source.id}`: {self.journal.frozen.endpoint} has no {shape.stream}",
                f"{shape.stream} are required; check what the credentials may see with "
                "`mission sources check`. Nothing was committed.",
            )

    def _refuse_refusal(
        self, shape: Shape, pull: Pull, fetched: int, refused: int, first: str
    ) -> None:
        """A field that vanished or has another type now makes most records unreadable."""
        everything = refused == fetched and pull.load == "snapshot"
        if everything or (fetched >= _ENOUGH_TO_JUDGE and 2 * refused > fetched):
            raise MissionError(
                f"source `{self.source.id}`, {shape.stream}: {refused} of {fetched} records cannot "
                f"be read; the first one: {first}",
                "the vendor's answers have changed, or the credentials see less than before: "
                "`mission sources check` shows it. Nothing was committed; the pages stay.",
            )


@contextmanager
def _told_what_to_do() -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        if "o space left" not in str(error) and "too large" not in str(error):
            raise
        raise MissionError(
            f"no room for a window of the lake: {error}",
            "make room and run again: the pages stay and are not asked again.",
        ) from None
