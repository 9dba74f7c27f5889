"""The journal: pages of a live source, on the disk before the next page is asked for.

Belongs here: layout, durability and resumption of one unfinished window. Does not belong here:
asking for pages (see `pull`), what becomes of them (see `load`).

`<landing>/<source>/<window>/manifest.json` holds the frozen requests. Beside it, one folder for
each pull, or for each part of a pull that is asked in parts, holds `page-NNNNNN.jsonl.gz` (one
record a line) and `page-NNNNNN.meta.json`, written in this order: a page without the latter was
never answered. A kill costs the page that was on its way, in each folder.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from dagster_project.errors import MissionError
from dagster_project.landing.storage import private_directory, remove, sync
from dagster_project.sources.pulls import Answer, Gap, Json, Pull

_VERSION = 1
_TEMPORARY = ".tmp-"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a window asks for, decided before anything is asked. Times are aware UTC.

    `since` is None where everything is asked for; `asked` holds, for each pull, the digest of its
    request for everything: a later window asks for changes only where this is still the same.
    """

    source_id: str
    endpoint: str
    window_id: str
    window_seq: int
    started_at: datetime
    since: datetime | None
    pulls: tuple[Pull, ...]
    asked: Mapping[str, str]

    def asks_the_same(self, endpoint: str, pulls: Sequence[Pull]) -> bool:
        """Whether a window of these pulls can be continued from this one's pages."""
        # As JSON, which knows no tuples, because one of them was read from a file.
        own, other = (
            json.dumps([asdict(p) for p in ps], sort_keys=True) for ps in (self.pulls, pulls)
        )
        return self.endpoint == endpoint and own == other

    def to_json(self) -> str:
        """The text of manifest.json."""
        told = {"version": _VERSION, **asdict(self)}
        return json.dumps(told, default=_iso, ensure_ascii=False, indent=1)

    @classmethod
    def read(cls, path: Path) -> Frozen:
        """Raises ValueError, KeyError, TypeError or OSError where this is no such manifest."""
        told = json.loads(path.read_text(encoding="utf-8"))
        if told.pop("version") != _VERSION:
            raise ValueError("another version of the journal")
        started_at, since = told.pop("started_at"), told.pop("since")
        pulls = tuple(Pull(**pull) for pull in told.pop("pulls"))
        return cls(
            started_at=datetime.fromisoformat(started_at),
            since=since and datetime.fromisoformat(since),
            pulls=pulls,
            **told,
        )


def _iso(value: Any) -> str:
    return str(value.isoformat())


@dataclass(frozen=True, slots=True)
class Page:
    """A page on the disk: `bytes` and `longest` are of its JSON lines, `sha256` of the file."""

    path: Path
    records: int
    bytes: int
    longest: int
    sha256: str


class Lane:
    """The pages of one sequence of positions, in order."""

    def __init__(self, directory: Path, *, keeps_ids: bool) -> None:
        """Read what an earlier process left.

        `keeps_ids`: another pull needs the ids of these records.
        """
        self.directory = directory
        self.pages: list[Page] = []
        self.gaps: list[Gap] = []
        self.position: Json | None = None
        self.is_complete = False
        self._keeps_ids = keeps_ids
        self._positions: set[bytes] = set()
        if directory.is_dir():
            self._resume()

    @property
    def records(self) -> int:
        """Records of all pages."""
        return sum(page.records for page in self.pages)

    def repeats(self, position: Json) -> bool:
        """Whether a page was already asked at this position."""
        return _digest(position) in self._positions

    def append(self, answer: Answer, gaps: Sequence[Gap] = ()) -> Page:
        """Put a page on the disk for good, and the gaps that were noted while it was asked for.

        Raises MissionError where there is no room for it.
        """
        number = len(self.pages) + 1
        lines = [_line(record) for record in answer.records]
        data = b"".join(lines)
        # Pages live for minutes: speed counts, size does not. The same records give the same file.
        packed = gzip.compress(data, compresslevel=1, mtime=0)
        told = {
            "records": len(lines),
            "bytes": len(data),
            "longest": max(map(len, lines), default=0),
            "sha256": hashlib.sha256(packed).hexdigest(),
            "next": answer.next,
            "gaps": [gap._asdict() for gap in gaps],
        }
        if self._keeps_ids:
            told["ids"] = [str(record["id"]) for record in answer.records]
        path = self._page(number)
        if number == 1:
            private_directory(self.directory)
            sync(self.directory.parent)
        _write(path, packed)
        _write(self._meta(number), orjson.dumps(told))
        sync(self.directory)
        return self._take(path, told)

    def ids(self) -> Iterator[str]:
        """The ids of the records, in order; a record on two pages comes twice."""
        for number in range(1, len(self.pages) + 1):
            yield from orjson.loads(self._meta(number).read_bytes())["ids"]

    def discard(self) -> None:
        """Forget all pages."""
        remove(self.directory)
        self.pages, self.gaps, self.position, self.is_complete = [], [], None, False
        self._positions = set()

    def _resume(self) -> None:
        for path in self.directory.glob(f"{_TEMPORARY}*"):
            remove(path)
        while (told := self._whole(len(self.pages) + 1)) is not None and not self.is_complete:
            self._take(self._page(len(self.pages) + 1), told)

    def _whole(self, number: int) -> Any:
        """What is told of a page; None where it is missing, half-written or not what it was."""
        try:
            told = orjson.loads(self._meta(number).read_bytes())
            with self._page(number).open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except (OSError, ValueError):
            return None
        return told if found == told["sha256"] else None

    def _take(self, path: Path, told: Mapping[str, Any]) -> Page:
        page = Page(path, told["records"], told["bytes"], told["longest"], told["sha256"])
        self.pages.append(page)
        self.gaps += [Gap(**gap) for gap in told["gaps"]]
        self.position = told["next"]
        self.is_complete = self.position is None
        if self.position is not None:
            self._positions.add(_digest(self.position))
        return page

    def _page(self, number: int) -> Path:
        return self.directory / f"page-{number:06d}.jsonl.gz"

    def _meta(self, number: int) -> Path:
        return self.directory / f"page-{number:06d}.meta.json"


class Journal:
    """One unfinished window of a source."""

    def __init__(self, directory: Path, frozen: Frozen) -> None:
        """`directory` holds the manifest already (see `begin` and `unfinished`)."""
        self.directory = directory
        self.frozen = frozen
        needed = {pull.after for pull in frozen.pulls}
        self._lanes = {
            pull.stream: [
                Lane(folder, keeps_ids=pull.stream in needed)
                for folder in _folders(directory / pull.stream, pull.concurrency)
            ]
            for pull in frozen.pulls
        }
        self._discard_early_pages()

    def lanes(self, stream: str) -> Sequence[Lane]:
        """The parts of a pull; one where it is not divided."""
        return self._lanes[stream]

    def pages(self, stream: str) -> list[Page]:
        """All pages of a pull."""
        return [page for lane in self._lanes[stream] for page in lane.pages]

    def gaps(self) -> list[Gap]:
        """What the credentials could not see, each thing once."""
        lanes = [lane for found in self._lanes.values() for lane in found]
        return list(dict.fromkeys(gap for lane in lanes for gap in lane.gaps))

    def is_complete(self, stream: str) -> bool:
        """Whether a pull needs no more pages."""
        return all(lane.is_complete for lane in self._lanes[stream])

    def ids(self, stream: str) -> list[str]:
        """The distinct ids of a pull's records, in the order in which they came."""
        return list(dict.fromkeys(i for lane in self._lanes[stream] for i in lane.ids()))

    def discard(self, stream: str) -> None:
        """Forget the pages of a pull, and of the pulls that needed its ids."""
        for lane in self._lanes[stream]:
            lane.discard()
        self._discard_early_pages()

    def remove(self) -> None:
        """The window is in the lake, or nobody wants it any more."""
        # Without its manifest, half of a journal is never taken for a whole one.
        remove(self.directory / "manifest.json")
        remove(self.directory)

    def _discard_early_pages(self) -> None:
        """Ids that may still change must not have been used."""
        for pull in self.frozen.pulls:
            is_early = pull.after is not None and not self.is_complete(pull.after)
            if is_early and any(lane.pages for lane in self._lanes[pull.stream]):
                self.discard(pull.stream)


def begin(landing: Path, frozen: Frozen) -> Journal:
    """A new journal; its requests are on the disk when this returns."""
    private_directory(landing)
    private_directory(landing / frozen.source_id)
    directory = private_directory(landing / frozen.source_id / frozen.window_id)
    _write(directory / "manifest.json", frozen.to_json().encode())
    for changed in (directory, directory.parent, landing):
        sync(changed)
    return Journal(directory, frozen)


def unfinished(landing: Path, source_id: str) -> Journal | None:
    """The journal that an earlier run left; what cannot be continued is removed."""
    found = []
    for directory in _directories(landing / source_id):
        try:
            found.append((directory, Frozen.read(directory / "manifest.json")))
        except (OSError, ValueError, KeyError, TypeError):
            remove(directory)
    found.sort(key=lambda pair: pair[1].window_seq)
    for directory, _ in found[:-1]:
        remove(directory)
    return Journal(*found[-1]) if found else None


def _directories(folder: Path) -> Iterable[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _folders(directory: Path, parts: int) -> list[Path]:
    if parts == 1:
        return [directory]
    return [directory / f"part-{number:02d}" for number in range(1, parts + 1)]


def _digest(position: Json) -> bytes:
    told = orjson.dumps(position, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(told, digest_size=16).digest()


def _line(record: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, or an integer of more than 64 bits: JSON that is not unusual
        # enough to stop a window. The former cannot be stored and becomes a question mark.
        text = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
        return text.encode("utf-8", "replace")


def _write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, wait for the disk, and give it its name.

    Raises MissionError where there is no room for it.
    """
    temporary = path.with_name(_TEMPORARY + path.name)
    try:
        with temporary.open("wb") as file:
            file.write(content)
        sync(temporary)
        temporary.rename(path)
    except OSError as error:
        remove(temporary)
        if error.errno not in _NO_ROOM:
            raise
        raise MissionError(
            f"no room for {path}: {error.strerror}",
            "make room and run again: the pages before it stay and are not asked again.",
        ) from None
