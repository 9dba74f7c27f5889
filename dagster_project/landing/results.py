"""What a run reports of the streams that it landed.

Belongs here: counts by source and stream, and the shape of progress. Does not belong here: landing
itself (see `ingest` for files, `pull` for live sources).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

#: Called with source and entity, how much is done, and how much there is (0: not known). Bytes of
#: files, records of live sources.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What one stream of one source received in this run; counts are rows.

    `newest_record_at` (naive UTC) is that of all windows that are valid now, new or not. Of a live
    source, `requests` are the pages and `bytes` the JSON that this run took into its journal;
    `seconds` is the time from the first page asked to the window committed.
    """

    system: str
    source_id: str
    stream: str
    windows_new: int
    windows_skipped: int
    fetched: int
    loaded: int
    quarantined: int
    newest_record_at: datetime | None
    seconds: float
    requests: int = 0
    bytes: int = 0
