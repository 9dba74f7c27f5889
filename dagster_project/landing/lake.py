"""The lake: committed windows, their manifests, what a killed run left behind.

Belongs here: names, manifests, listing and cleaning of windows. Does not belong here: filling them
(see `window`), reading source files, the warehouse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_project.errors import MissionError
from dagster_project.landing.storage import remove
from dagster_project.settings import Load, Mission, Source
from dagster_project.sources.streams import INLINE_STREAMS, REQUIRED, STREAMS

#: Part of every window's digest: a new way of reading files makes them land again.
LAKE_VERSION = 1
#: Hidden from every reader; a killed run leaves it behind and the next one removes it.
TEMPORARY = ".tmp-"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a window holds and where it comes from; times are naive UTC, counts are rows.

    `entity` is the entity whose files filled it; `digest` the files' contents and how they were
    read. Of a live source there are no `files`: `entity` is the stream, and `request` tells what
    was asked, when, and whether the window replaces earlier ones (`load`). `delivered` the fields
    that had a value in any row; `cut_short` the issues whose inline list was shorter than Jira
    says; `parquet` name -> sha256, size in bytes and rows.
    """

    lake_version: int
    source_id: str
    system: str
    stream: str
    entity: str
    window_id: str
    window_seq: int
    digest: str
    files: list[dict[str, Any]]
    request: dict[str, Any]
    fetched: int
    loaded: int
    quarantined: int
    duplicate_keys: int
    first_refusal: str | None
    newest_record_at: datetime | None
    as_of: date | None
    delivered: list[str]
    cut_short: int
    schema: dict[str, str]
    parquet: dict[str, dict[str, Any]]

    def to_json(self) -> str:
        """The text of _manifest.json."""
        return json.dumps(asdict(self), default=_iso, ensure_ascii=False, indent=1)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises MissionError where the file is damaged."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            newest, as_of = told.pop("newest_record_at"), told.pop("as_of")
            return cls(
                newest_record_at=newest and datetime.fromisoformat(newest),
                as_of=as_of and date.fromisoformat(as_of),
                **told,
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _damaged(path.parent, f"its manifest cannot be read: {error}") from None


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _damaged(window: Path, what: str) -> MissionError:
    return MissionError(
        f"the window {window} of the lake is damaged: {what}",
        "remove the window's folder and run again: its files land again while they are there.",
    )


@dataclass(frozen=True)
class Window:
    """A committed window."""

    directory: Path
    manifest: Manifest

    @cached_property
    def parquet(self) -> list[Path]:
        """Its Parquet files; raises MissionError where one is missing or not whole."""
        paths = []
        for name, told in self.manifest.parquet.items():
            path = self.directory / name
            if not path.is_file() or path.stat().st_size != told["bytes"]:
                raise _damaged(self.directory, f"{name} is missing or not whole")
            paths.append(path)
        return paths


def stream_directory(mission: Mission, system: str, stream: str) -> Path:
    """Where the windows of a stream are."""
    return mission.lake / f"raw_{system}" / stream


def quarantine_file(mission: Mission, system: str, stream: str, window_id: str) -> Path:
    """Where the refused rows of a window are, if it has any."""
    return mission.quarantine / system / stream / f"{window_id}.parquet"


def windows(mission: Mission, source: Source, stream: str) -> list[Window]:
    """The committed windows of a source's stream, oldest first."""
    directory = stream_directory(mission, source.system, stream)
    found = [
        Window(path, Manifest.read(path / "_manifest.json"))
        # The source's id ends where the number starts: `crm` is not a prefix of `crm-000001`.
        for path in directory.glob(f"window={source.id}-[0-9]*")
    ]
    return sorted(found, key=lambda window: window.manifest.window_seq)


def current_windows(found: Iterable[Window], source: Source) -> list[Window]:
    """The windows whose rows are valid now: of each entity, its newest snapshot and what followed.

    Windows of entities that mission.yaml no longer declares do not count.
    """
    declared = [window for window in found if window.manifest.entity in source.streams]
    current = []
    replaced: set[str] = set()  # entities of which a newer snapshot was met
    for window in sorted(declared, key=lambda window: window.manifest.window_seq, reverse=True):
        if window.manifest.entity not in replaced:
            current.append(window)
        if load_of(window.manifest, source) == "snapshot":
            replaced.add(window.manifest.entity)
    return current[::-1]


def load_of(manifest: Manifest, source: Source) -> Load:
    """Whether a window adds to earlier ones or replaces them; a live source's windows say so."""
    told: Load | None = manifest.request.get("load")
    return told or source.load_of(manifest.entity)


def clean(mission: Mission, source: Source) -> None:
    """Remove what a killed run left in the lake: half-written windows, and orphans.

    An orphan is a window that came out of an issues file whose own window, committed last, is
    missing; or refused rows without their window. Call only under the writer's lock.
    """
    committed: dict[str, set[str]] = {}
    for stream in STREAMS[source.system]:
        directory = stream_directory(mission, source.system, stream.name)
        for path in directory.glob(f"{TEMPORARY}window={source.id}-*"):
            remove(path)
        found = windows(mission, source, stream.name)
        if stream.name in INLINE_STREAMS:
            whole = _names(stream_directory(mission, source.system, "issues"), source)
            for window in [w for w in found if w.manifest.entity == "issues"]:
                if window.directory.name not in whole:
                    remove(window.directory)
        committed[stream.name] = _names(directory, source)
        refused = quarantine_file(mission, source.system, stream.name, "x").parent
        for path in [*refused.glob(f"{source.id}-*"), *refused.glob(f"{TEMPORARY}{source.id}-*")]:
            if f"window={path.stem}" not in committed[stream.name]:
                remove(path)


def _names(directory: Path, source: Source) -> set[str]:
    return {path.name for path in directory.glob(f"window={source.id}-[0-9]*")}


def require_rows(mission: Mission, source: Source) -> None:
    """Refuse a source that is green but empty: raise MissionError where a required entity is."""
    for group in REQUIRED[source.system]:
        current = [
            window.manifest
            for stream in group
            if stream in source.streams
            for window in current_windows(windows(mission, source, stream), source)
        ]
        if sum(manifest.loaded for manifest in current):
            continue
        refused = next((m.first_refusal for m in current if m.first_refusal), None)
        raise MissionError(
            f"source `{source.id}` holds no row of {' or '.join(group)}"
            + (f"; the first one was refused: {refused}" if refused else ""),
            f"check the files and the settings of sources.{source.id} in mission.yaml; "
            "`mission sources check` shows what is read.",
        )
