"""The file drop: exports of HR and the survey tool, written anew for every day of the clock.

What belongs here: when files are written, and that readers never see half a file. What does not:
what they say (`sandbox/records`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import duckdb

from sandbox.calendars import COMPANY_ZONE
from sandbox.records import RecordFile, bamboohr, hubspot
from sandbox.servers.stage import Stage, View

SURVEY_GROUPS = ("crm/surveys", "crm/survey_invitations")
LOOK_SECONDS = 0.2


class FileDrop:
    """A folder with the exports of a company, laid out as `mission sandbox write` does.

    `people` and `market` are the stages of BambooHR and HubSpot.
    """

    def __init__(self, folder: Path, people: Stage, market: Stage) -> None:
        self._folder = folder
        self._people = people
        self._market = market

    def write(self) -> date:
        """Write everything as of now; the day it shows. Each file is replaced at once."""
        with self._people.reading() as view:
            for file in bamboohr.files(view.cursor, view.now):
                self._put(view, file)
            day = view.now.astimezone(COMPANY_ZONE).date()
        with self._market.reading() as view:
            for file in hubspot.files(view.cursor, view.now):
                if file.group in SURVEY_GROUPS:
                    self._put(view, file)
        return day

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Write now, and again whenever the clock shows another day, until the context ends."""
        written = self.write()
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(written, stop), name="drop")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            self._people.interrupt()
            self._market.interrupt()
            thread.join()

    def _watch(self, written: date, stop: threading.Event) -> None:
        with suppress(duckdb.InterruptException):
            while not stop.wait(LOOK_SECONDS):
                if self._people.now().astimezone(COMPANY_ZONE).date() != written:
                    written = self.write()

    def _put(self, view: View, file: RecordFile) -> None:
        path = self._folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        view.rows(f"copy ({file.sql}) to '{part}' (format csv, header)")
        part.replace(path)
