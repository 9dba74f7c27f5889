"""Asking for the pages of a window until it is complete, several pulls at a time.

Belongs here: order, threads, restarts, pages that never end. Does not belong here: HTTP and its
errors (see `sources.http`), the pages' files (see `journal`). Memory: one page a thread.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from dagster_project.errors import SourceError, SourceUnavailable
from dagster_project.landing.journal import Journal, Lane
from dagster_project.landing.results import Progress
from dagster_project.sources.pulls import Answer, Client, Pull, WindowRejected

#: Pages that are asked for at the same time; the client's session may allow fewer an endpoint.
_THREADS = 8
#: So often a pull may start anew in one run.
_RESTARTS = 2
#: Of 50 records a page or more, more than any site holds.
MOST_PAGES = 200_000


class Fetching:
    """The missing pages of one journal."""

    def __init__(
        self, client: Client, journal: Journal, progress: Progress | None, most_pages: int
    ) -> None:
        """`most_pages` is how long one sequence of pages may get before it is not believed."""
        self.client, self.journal, self.most_pages = client, journal, most_pages
        self.progress = progress or (lambda what, done, total: None)
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._gaps_kept = 0
        self._records = Counter[str]()
        self._restarts = Counter[str]()
        self._rejected: dict[str, WindowRejected] = {}
        self._open = {
            pull.stream: pull
            for pull in journal.frozen.pulls
            if not journal.is_complete(pull.stream)
        }
        self._running: dict[Future[None], Pull] = {}

    def run(self) -> None:
        """Ask until the window is complete.

        Raises SourceError, SourceUnavailable or MissionError; all pages until then are kept.
        """
        errors: list[BaseException] = []
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch") as pool:
            try:
                while self._open and not (errors and not self._running):
                    if not errors:
                        self._start(pool)
                    done, _ = wait(self._running, return_when=FIRST_COMPLETED)
                    errors += [e for future in done if (e := self._ended(future)) is not None]
                    if errors:
                        self._stop.set()
            finally:
                self._stop.set()
        if errors:
            # What somebody has to put right is told first: waiting would not help.
            raise next((e for e in errors if not isinstance(e, SourceUnavailable)), errors[0])

    def _start(self, pool: ThreadPoolExecutor) -> None:
        """Start the pulls whose turn it is."""
        at_work = {pull.stream for pull in self._running.values()}
        for pull in self._open.values():
            needed = pull.after
            if pull.stream in at_work or (needed and not self.journal.is_complete(needed)):
                continue
            lanes = self.journal.lanes(pull.stream)
            ids = self.journal.ids(needed) if needed else []
            for number, lane in enumerate(lanes):
                part = ids[number * len(ids) // len(lanes) : (number + 1) * len(ids) // len(lanes)]
                self._running[pool.submit(self._fetch, pull, lane, part)] = pull

    def _ended(self, future: Future[None]) -> BaseException | None:
        """Take a part from the running ones; its error, if that ends the run."""
        pull = self._running.pop(future)
        error = future.exception()
        if isinstance(error, WindowRejected):
            self._rejected[pull.stream] = error
            error = None
        if error is not None or pull in self._running.values():
            return error
        if pull.stream in self._rejected:
            return self._restarted(pull, self._rejected.pop(pull.stream))
        if self.journal.is_complete(pull.stream):
            del self._open[pull.stream]
        return None

    def _restarted(self, pull: Pull, rejection: WindowRejected) -> SourceError | None:
        self.journal.discard(pull.stream)
        self._records[pull.stream] = 0
        self._restarts[pull.stream] += 1
        if self._restarts[pull.stream] <= _RESTARTS:
            return None
        return SourceError(
            f"source `{self.client.name}`, {pull.stream}: {self.client.endpoint} broke off the "
            f"sequence of pages {self._restarts[pull.stream]} times: {rejection}",
            "run again; where it happens every time, a page takes longer than the vendor allows: "
            "fetch when the site is less busy.",
        )

    def _fetch(self, pull: Pull, lane: Lane, ids: Sequence[str]) -> None:
        """All pages of one part of a pull, unless the run or the part's pull ends before."""
        while not (lane.is_complete or self._stop.is_set() or pull.stream in self._rejected):
            if pull.after and not ids:
                answer = Answer([], None)
            else:
                answer = self.client.fetch(pull, lane.position, ids)
            if answer.next is not None:
                self._refuse_endlessness(pull, lane, answer)
            noted = list(self.client.gaps)
            page = lane.append(answer, noted[self._gaps_kept :])
            with self._guard:
                self._gaps_kept = max(self._gaps_kept, len(noted))
                self._records[pull.stream] += page.records
                what = f"{self.client.name} {pull.stream}"
                self.progress(what, self._records[pull.stream], 0)

    def _refuse_endlessness(self, pull: Pull, lane: Lane, answer: Answer) -> None:
        if answer.next is not None and lane.repeats(answer.next):
            what = f"page {len(lane.pages) + 1} leads back to a page that was read already"
        elif len(lane.pages) + 1 >= self.most_pages:
            what = f"there is no end after {self.most_pages:,} pages"
        else:
            return
        # Its pages cannot be trusted: the next run starts the stream from its first page.
        lane.discard()
        raise SourceError(
            f"source `{self.client.name}`, {pull.stream}: {self.client.endpoint}: {what}",
            "run again; where it happens every time, report it to the vendor. Nothing was "
            "committed.",
        )
