"""What one vendor's server stands on: the company as of now, asked in SQL.

What belongs here: when a vendor's tables are prepared, and how requests read them while they are
prepared anew. What does not: which tables these are (`sandbox/records`), and HTTP.

Readers and preparations do not get into each other's way because of DuckDB's transactions: a
preparation drops and makes its schema in one transaction, a view reads in another and sees one
preparation, whole, to its end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

from sandbox.servers.clock import Clock
from sandbox.servers.faults import Fault, Faults

if TYPE_CHECKING:  # a server needs a company, not all that simulates one
    from sandbox.world import World

Prepare: TypeAlias = Callable[[duckdb.DuckDBPyConnection, datetime], None]
"""Makes a vendor's tables as of an instant, in a schema of its own, in place of earlier ones. It
must not begin or end transactions."""


class View:
    """The tables of one preparation. All queries of a view see the same instant.

    `cursor` is in a transaction that only reads; it is closed with the view.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, now: datetime) -> None:
        self.cursor = cursor
        self.now = now
        """The simulated instant that the tables were prepared as of, in UTC."""

    async def query(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query, run in a worker thread. One query at a time per view."""
        return await asyncio.to_thread(self.rows, sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query, for callers that are in a worker thread already."""
        return self.cursor.execute(sql, parameters).fetchall()


class Stage:
    """The company as one vendor's server (`server`: jira | hubspot | bamboohr) sees it.

    Servers of one company share `world`, `clock` and `faults`. Without a clock the stage shows
    the end of the simulation.
    """

    def __init__(
        self,
        world: World,
        server: str,
        prepare: Prepare,
        *,
        clock: Clock | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.world = world
        self.server = server
        self.clock = clock or Clock()
        self.faults = faults or Faults()
        self._prepare = prepare
        self._prepared_at: datetime | None = None
        self._preparing = threading.Lock()
        self._cursors: set[duckdb.DuckDBPyConnection] = set()

    def now(self) -> datetime:
        """The simulated instant, in UTC, whole seconds."""
        return self.clock.now()

    def move(self, to: datetime) -> None:
        """Show another instant from now on, on all servers of the company."""
        self.clock.move(to)

    def takes(self, kind: str, path: str) -> Fault | None:
        """The fault of this kind that strikes this request, if any; it counts as fired."""
        return self.faults.takes(self.server, kind, path)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """`view` for callers outside of the servers' event loop."""
        view = self._open()
        try:
            yield view
        finally:
            self._close(view)

    @asynccontextmanager
    async def view(self) -> AsyncIterator[View]:
        """The company as of now, the same for all queries of the view."""
        view = await asyncio.to_thread(self._open)
        try:
            yield view
        finally:
            self._close(view)

    async def query(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of one query as of now; use `view` where several must agree."""
        return await asyncio.to_thread(self._rows, sql, parameters)

    def interrupt(self) -> None:
        """Break off what is being asked and prepared, so that a server can stop at once."""
        for cursor in tuple(self._cursors):
            cursor.interrupt()

    def _rows(self, sql: str, parameters: list[Any] | None) -> list[tuple[Any, ...]]:
        with self.reading() as view:
            return view.rows(sql, parameters)

    def _open(self) -> View:
        cursor = self.world.connection.cursor()
        self._cursors.add(cursor)
        try:
            cursor.execute("set timezone = 'UTC'")
            return View(cursor, self._begin(cursor))
        except BaseException:
            self._cursors.discard(cursor)
            cursor.close()
            raise

    def _close(self, view: View) -> None:
        self._cursors.discard(view.cursor)
        view.cursor.close()

    def _begin(self, cursor: duckdb.DuckDBPyConnection) -> datetime:
        """Prepare where the clock has moved, then fix what the cursor sees."""
        with self._preparing:
            now = self.clock.now()
            if now != self._prepared_at:
                self._prepare_as_of(now, cursor)
            cursor.execute("begin")
            # The transaction sees the database as of its first look at it, which is this one.
            row = cursor.execute(f"select instant from {self._own_schema}.prepared").fetchone()
        assert row
        instant: datetime = row[0]
        return instant.replace(tzinfo=UTC)

    @property
    def _own_schema(self) -> str:
        return f"stage_{self.server}"

    def _prepare_as_of(self, now: datetime, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("begin")
        try:
            self._prepare(cursor, now)
            cursor.execute(f"create schema if not exists {self._own_schema}")
            cursor.execute(
                f"create or replace table {self._own_schema}.prepared as "
                f"select timestamp '{now:%Y-%m-%d %H:%M:%S}' as instant"
            )
            cursor.execute("commit")
        except BaseException:
            cursor.execute("rollback")
            raise
        self._prepared_at = now
