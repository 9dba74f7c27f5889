"""From the files of a source to committed windows.

Belongs here: which files land in which window, and what is reported of it. Does not belong here:
reading files (see `sources`), writing windows (see `window`), Dagster.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock
from typing import Any

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.draft import Draft
from dagster_project.landing.lake import (
    LAKE_VERSION,
    Manifest,
    Window,
    clean,
    current_windows,
    windows,
)
from dagster_project.landing.lock import writer_lock
from dagster_project.landing.results import Progress, StreamResult
from dagster_project.landing.storage import private_directory, remove, remove_if_empty
from dagster_project.landing.window import sql_text
from dagster_project.settings import Mission, Source
from dagster_project.sources.files import DataFile, find_files, open_file
from dagster_project.sources.read import read_records
from dagster_project.sources.streams import REQUIRED, STREAMS, fed_streams, stream

_RECORDS_BETWEEN_SIGNS = 2_000


def ingest_files(
    mission: Mission,
    source: Source,
    *,
    full: bool = False,
    since: date | None = None,
    progress: Progress | None = None,
) -> list[StreamResult]:
    """Land every file of a source that is not in the lake yet.

    `full` lands all files again as new windows; `since` does so for incremental files that hold
    records of that day (UTC) or later. Returns one result per stream of the system. Takes the
    writer's lock. Raises MissionError; windows committed before it stay.
    """
    with writer_lock(mission, f"ingest of {source.id}"):
        return _Ingest(mission, source, full, since, progress).run()


@dataclass(frozen=True)
class _Delivery:
    """The files of one window, with what tells them from others."""

    entity: str
    files: Sequence[DataFile]
    prints: Sequence[_Print]
    digest: str


@dataclass(frozen=True)
class _Print:
    """A file's contents, and the sign by which a later change is noticed."""

    sha256: str
    bytes: int
    changed_at: int


class _Ingest:
    """One source in one run."""

    def __init__(
        self,
        mission: Mission,
        source: Source,
        full: bool,
        since: date | None,
        progress: Progress | None,
    ) -> None:
        self.mission, self.source, self.full = mission, source, full
        # Beside it, a live source's unfinished window waits for its next pages.
        self.journal = mission.landing / source.id / "files"
        self.since = since and datetime.combine(since, clock())
        self.progress = progress or (lambda what, done, total: None)
        self.new: dict[str, list[Manifest]] = {s.name: [] for s in STREAMS[source.system]}
        self.bytes_read = self.bytes_in_all = 0  # of the entity at hand
        self.digests: set[str] = set()  # landed in this run
        self.skipped: Counter[str] = Counter()
        self.seconds: dict[str, float] = dict.fromkeys(self.new, 0.0)

    def run(self) -> list[StreamResult]:
        for directory in (self.mission.lake, self.mission.landing):
            private_directory(directory)
        remove(self.journal)
        clean(self.mission, self.source)
        # One connection for all windows: making one takes 25 ms, and history comes in many files.
        with duckdb.connect() as connection:
            connection.execute(f"set temp_directory = {sql_text(self.journal / 'spill')}")
            self._land_all(connection)
        remove(self.journal)
        remove_if_empty(self.journal.parent)
        return [self._result(name) for name in self.new]

    def _land_all(self, connection: duckdb.DuckDBPyConnection) -> None:
        # All files are looked for before the first one lands: a missing one stops the run early.
        found = {e: find_files(self.mission, self.source, e) for e in self.source.entities}
        known = {name: windows(self.mission, self.source, name) for name in self.new}
        sequence = max((w.manifest.window_seq for ws in known.values() for w in ws), default=0)
        for entity, files in found.items():
            started = time.monotonic()
            landed = {
                name: _by_digest(known[name], entity)
                for name in fed_streams(self.source.system, entity)
            }
            deliveries = self._deliveries(entity, files)
            self.bytes_read = 0
            self.bytes_in_all = sum(p.bytes for delivery in deliveries for p in delivery.prints)
            for delivery in deliveries:
                if self._is_known(delivery, landed[entity]):
                    for name, manifests in landed.items():
                        self.skipped[name] += name == entity or delivery.digest in manifests
                    self.bytes_read += sum(print_.bytes for print_ in delivery.prints)
                    continue
                sequence += 1
                self._land(delivery, sequence, connection)
                self.digests.add(delivery.digest)
            self.seconds[entity] += time.monotonic() - started

    def _deliveries(self, entity: str, files: Sequence[DataFile]) -> list[_Delivery]:
        """One per file of an incremental entity, one for all files of a snapshot."""
        request = json.dumps(_request(self.source, entity), sort_keys=True)
        prints = [_print(file) for file in files]
        if self.source.load_of(entity) == "snapshot":
            groups = [(list(files), prints)]
        else:
            groups = [([file], [print_]) for file, print_ in zip(files, prints, strict=True)]
        return [_Delivery(entity, group, found, _digest(request, found)) for group, found in groups]

    def _is_known(self, delivery: _Delivery, landed: Mapping[str, Manifest]) -> bool:
        """Whether a delivery needs no window; `landed` is by digest, oldest first."""
        if delivery.digest in self.digests:
            return True
        same = landed.get(delivery.digest)
        if self.full or same is None:
            return False
        if self.source.load_of(delivery.entity) == "snapshot":
            return same is list(landed.values())[-1]
        newest = same.newest_record_at
        return self.since is None or newest is None or newest < self.since

    def _land(
        self, delivery: _Delivery, sequence: int, connection: duckdb.DuckDBPyConnection
    ) -> None:
        """Read the files into drafts and commit these, the entity's own stream last."""
        source, entity = self.source, delivery.entity
        window_id = f"{source.id}-{sequence:06d}-{delivery.digest[:8]}"
        journal = self.journal
        names = fed_streams(source.system, entity)
        drafts = {
            name: Draft(stream(source.system, name), journal / name / window_id) for name in names
        }
        cut_short: Counter[str] = Counter()
        self._read(delivery, drafts, cut_short)
        self._refuse_emptiness(delivery, drafts[entity])
        origin = {
            "lake_version": LAKE_VERSION,
            "source_id": source.id,
            "system": source.system,
            "entity": entity,
            "window_id": window_id,
            "window_seq": sequence,
            "digest": delivery.digest,
            "files": [
                {"name": file.name, "sha256": print_.sha256, "bytes": print_.bytes}
                for file, print_ in zip(delivery.files, delivery.prints, strict=True)
            ],
            "request": _request(source, entity),
            "as_of": self.mission.organisation.as_of,
        }
        for name, draft in drafts.items():
            if draft.fetched or name == entity:
                started = time.monotonic()
                origin["cut_short"] = cut_short[name]
                manifest = draft.commit(self.mission, connection, origin)
                self.new[name].append(manifest)
                if name != entity:
                    self.seconds[name] += time.monotonic() - started
        for name in names:
            remove(journal / name)

    def _read(self, delivery: _Delivery, drafts: dict[str, Draft], cut_short: Counter[str]) -> None:
        what = f"{self.source.id} {delivery.entity}"
        for file, print_ in zip(delivery.files, delivery.prints, strict=True):
            with open_file(file) as opened:
                outcomes = read_records(self.source, delivery.entity, file, opened, cut_short)
                for number, outcome in enumerate(outcomes):
                    drafts[outcome.stream].add(file.name, outcome)
                    if number % _RECORDS_BETWEEN_SIGNS == 0:
                        done = self.bytes_read + opened.position()
                        self.progress(what, done, self.bytes_in_all)
            _refuse_change(file, print_)
            self.bytes_read += print_.bytes
            self.progress(what, self.bytes_read, self.bytes_in_all)

    def _refuse_emptiness(self, delivery: _Delivery, draft: Draft) -> None:
        """A snapshot that says nothing must not replace one that does."""
        if self.source.load_of(delivery.entity) != "snapshot" or draft.loaded:
            return
        if draft.fetched:
            raise MissionError(
                f"{delivery.files[0].place}: all {draft.fetched} rows were refused; "
                f"the first one: {draft.first_refusal}",
                "correct the file or its settings; nothing was committed.",
            )
        if (delivery.entity,) in REQUIRED[self.source.system]:
            raise MissionError(
                f"{delivery.files[0].place}: {', '.join(f.name for f in delivery.files)}: no rows",
                f"{delivery.entity} are required; deliver a file with rows.",
            )

    def _result(self, name: str) -> StreamResult:
        new = self.new[name]
        found = windows(self.mission, self.source, name)
        times = [w.manifest.newest_record_at for w in current_windows(found, self.source)]
        return StreamResult(
            system=self.source.system,
            source_id=self.source.id,
            stream=name,
            windows_new=len(new),
            windows_skipped=self.skipped[name],
            fetched=sum(manifest.fetched for manifest in new),
            loaded=sum(manifest.loaded for manifest in new),
            quarantined=sum(manifest.quarantined for manifest in new),
            newest_record_at=max((t for t in times if t is not None), default=None),
            seconds=self.seconds[name],
        )


def _request(source: Source, entity: str) -> dict[str, Any]:
    """How an entity's files are read, as it goes into digest and manifest."""
    asked = source.entities[entity].model_dump(mode="json", exclude={"path", "load"})
    told = {"entity": entity, "timezone": source.timezone, "lake_version": LAKE_VERSION}
    return {**asked, **told}


def _print(file: DataFile) -> _Print:
    stat = file.path.stat()
    with file.path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return _Print(sha256, stat.st_size, stat.st_mtime_ns)


def _digest(request: str, prints: Sequence[_Print]) -> str:
    told = "\n".join([request, *(print_.sha256 for print_ in prints)])
    return hashlib.sha256(told.encode()).hexdigest()


def _by_digest(found: Sequence[Window], entity: str) -> dict[str, Manifest]:
    """What an entity's files became, by what they held; in the order of the newest window each."""
    own = [window.manifest for window in found if window.manifest.entity == entity]
    newest: dict[str, Manifest] = {}
    for manifest in own:
        newest.pop(manifest.digest, None)
        newest[manifest.digest] = manifest
    return newest


def _refuse_change(file: DataFile, print_: _Print) -> None:
    stat = file.path.stat()
    if (stat.st_size, stat.st_mtime_ns) != (print_.bytes, print_.changed_at):
        raise MissionError(
            f"{file.name} changed while it was being read",
            "run again once the file is complete; nothing of it was loaded.",
        )
