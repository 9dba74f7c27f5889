"""What the next window of a live source asks for: changes where that is enough, else everything.

Belongs here: cursors, and when a stream is asked for in full. Does not belong here: how a vendor is
asked (see `sources`), pages. The cursor is in the lake, in the manifests of the source's main
stream, whose window is committed last: what it tells holds for all streams of the window.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

from dagster_project.landing.lake import Manifest, windows
from dagster_project.settings import Mission, Source
from dagster_project.sources.pulls import Client, Pull


@dataclass(frozen=True, slots=True)
class Planned:
    """The pulls of a window. `since` and `asked` are those of `journal.Frozen`."""

    pulls: tuple[Pull, ...]
    since: datetime | None
    asked: Mapping[str, str]


def plan_window(
    mission: Mission,
    source: Source,
    client: Client,
    *,
    full: bool,
    since: date | None,
    overlap: timedelta,
) -> Planned:
    """Decide what to ask for.

    Changes are asked for from the start of the last committed window on, minus `overlap`, or from
    the day `since` on where that is earlier. Everything is asked for where there is no such window,
    the source has another address now, or `full` is set; and of a single stream where it was not
    asked for then, or asked for differently.
    """
    everything = client.plan(None)
    streams = [pull.stream for pull in everything]
    if len(set(streams)) < len(streams):
        raise ValueError(f"two pulls of one stream: {streams}")
    asked = {pull.stream: _digest(pull) for pull in everything}
    last = _last(mission, source, client, streams[0])
    if full or last is None:
        return Planned(tuple(everything), None, asked)
    cursor = datetime.fromisoformat(last.request["started_at"]) - overlap
    if since is not None:
        cursor = min(cursor, datetime.combine(since, clock(), UTC))
    in_full = _in_full(everything, asked, last.request["asked"])
    if streams[0] in in_full:
        return Planned(tuple(everything), None, asked)
    changes = [pull for pull in client.plan(cursor) if pull.stream not in in_full]
    pulls = changes + [pull for pull in everything if pull.stream in in_full]
    return Planned(tuple(pulls), cursor, asked)


def _last(mission: Mission, source: Source, client: Client, main: str) -> Manifest | None:
    """The newest window that came from the client's site."""
    found = windows(mission, source, main)
    newest = found[-1].manifest if found else None
    if newest is None or newest.request.get("endpoint") != client.endpoint:
        return None
    return newest


def _in_full(
    everything: Sequence[Pull], asked: Mapping[str, str], before: Mapping[str, str]
) -> set[str]:
    """The streams of which changes are not enough, and those whose ids they need."""
    needed = {stream for stream, digest in asked.items() if before.get(stream) != digest}
    size = -1
    while len(needed) > size:
        size = len(needed)
        needed |= {p.after for p in everything if p.stream in needed and p.after is not None}
    return needed


def _digest(pull: Pull) -> str:
    """What is asked; how fast is another matter."""
    told = {**asdict(pull), "concurrency": None}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
