"""A live source in one run: its window is decided, its pages are fetched, its streams are loaded.

Belongs here: the order of these, resumption, what is reported. Does not belong here: HTTP and
vendors (see `sources`), cursors (see `plan`), pages (see `fetch`, `journal`), SQL (see `load`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb

from dagster_project.landing.fetch import MOST_PAGES, Fetching
from dagster_project.landing.journal import Frozen, Journal, begin, unfinished
from dagster_project.landing.lake import Manifest, clean, current_windows, windows
from dagster_project.landing.load import Loading
from dagster_project.landing.lock import writer_lock
from dagster_project.landing.plan import Planned, plan_window
from dagster_project.landing.results import Progress, StreamResult
from dagster_project.landing.storage import private_directory, remove_if_empty
from dagster_project.landing.window import sql_text
from dagster_project.settings import Mission, Source
from dagster_project.sources.pulls import Client
from dagster_project.sources.shapes import Shape
from dagster_project.sources.streams import STREAMS

#: Clocks of the vendor's servers differ, and a search may lag behind what was saved.
OVERLAP = timedelta(minutes=15)
_logger = logging.getLogger(__name__)


def pull_source(
    mission: Mission,
    source: Source,
    client: Client,
    shapes: Sequence[Shape],
    *,
    full: bool = False,
    since: date | None = None,
    overlap: timedelta = OVERLAP,
    most_pages: int = MOST_PAGES,
    progress: Progress | None = None,
) -> list[StreamResult]:
    """Fetch what changed since the last window of a live source, and commit it to the lake.

    `shapes` are those of the client's vendor. `full` asks for everything again, `since` at least
    for all changes of that day (UTC) or later. Continues the window of a run that was killed or
    failed where it still asks for the same. Returns one result for each stream of the vendor.
    Takes the writer's lock. Raises MissionError; of its kinds only SourceUnavailable may pass by
    itself. Until all streams are committed, the pages stay.
    """
    with writer_lock(mission, f"fetching {source.id}"):
        started = time.monotonic()
        for directory in (mission.lake, mission.landing):
            private_directory(directory)
        clean(mission, source)
        _remove_finished(mission, source)
        planned = plan_window(mission, source, client, full=full, since=since, overlap=overlap)
        journal = _journal(mission, source, client, planned)
        Fetching(client, journal, progress, most_pages).run()
        committed = _load(mission, source, journal, shapes)
        journal.remove()
        remove_if_empty(mission.landing / source.id)
        seconds = time.monotonic() - started
        return [
            _result(mission, source, client, shape.stream, committed[shape.stream], seconds)
            for shape in shapes
            if shape.stream in committed
        ]


def _remove_finished(mission: Mission, source: Source) -> None:
    """A kill between the last commit and the end leaves a journal whose window is in the lake."""
    left = unfinished(mission.landing, source.id)
    if left is not None:
        committed = windows(mission, source, left.frozen.pulls[0].stream)
        if left.frozen.window_id in {window.manifest.window_id for window in committed}:
            left.remove()


def _journal(mission: Mission, source: Source, client: Client, planned: Planned) -> Journal:
    """The window that an earlier run left, if it is the planned one; else a new one."""
    left = unfinished(mission.landing, source.id)
    if left is not None:
        frozen = left.frozen
        if frozen.asks_the_same(client.endpoint, planned.pulls):
            return left
        _logger.warning(
            "source `%s`: the unfinished window %s asked for something else; its %d pages are "
            "discarded",
            source.id,
            frozen.window_id,
            sum(len(left.pages(pull.stream)) for pull in frozen.pulls),
        )
        left.remove()
    found = [w for s in STREAMS[source.system] for w in windows(mission, source, s.name)]
    sequence = max((window.manifest.window_seq for window in found), default=0) + 1
    started_at = client.now()
    sign = hashlib.sha256(f"{client.endpoint} {started_at} {planned}".encode()).hexdigest()
    frozen = Frozen(
        source_id=source.id,
        endpoint=client.endpoint,
        window_id=f"{source.id}-{sequence:06d}-{sign[:8]}",
        window_seq=sequence,
        started_at=started_at,
        since=planned.since,
        pulls=planned.pulls,
        asked=planned.asked,
    )
    return begin(mission.landing, frozen)


def _load(
    mission: Mission, source: Source, journal: Journal, shapes: Sequence[Shape]
) -> Mapping[str, Manifest | None]:
    """Commit the window of each stream that was asked for, the main one last."""
    pulled = {pull.stream for pull in journal.frozen.pulls}
    main = journal.frozen.pulls[0].stream
    asked = [shape for shape in shapes if shape.pull in pulled]
    if main not in {shape.stream for shape in asked}:
        raise ValueError(f"the main stream `{main}` has no shape")
    committed: dict[str, Manifest | None] = {}
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {sql_text(journal.directory / 'spill')}")
        loading = Loading(mission, source, journal, connection)
        for shape in sorted(asked, key=lambda shape: shape.stream == main):
            committed[shape.stream] = loading.load(shape)
    return committed


def _result(
    mission: Mission,
    source: Source,
    client: Client,
    stream: str,
    new: Manifest | None,
    seconds: float,
) -> StreamResult:
    found = windows(mission, source, stream)
    times = [window.manifest.newest_record_at for window in current_windows(found, source)]
    usage = client.usage(stream)
    return StreamResult(
        system=source.system,
        source_id=source.id,
        stream=stream,
        windows_new=int(new is not None),
        windows_skipped=int(new is None),
        fetched=new.fetched if new else 0,
        loaded=new.loaded if new else 0,
        quarantined=new.quarantined if new else 0,
        newest_record_at=max((moment for moment in times if moment is not None), default=None),
        seconds=seconds,
        requests=usage.requests,
        bytes=usage.bytes,
    )
