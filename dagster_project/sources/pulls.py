"""What a live source is asked for, and how it answers: the seam between clients and landing.

Belongs here: requests of a window (`Pull`), pages (`Answer`), what every client offers (`Client`).
Does not belong here: HTTP (see `http`), a vendor's addresses and fields (see the clients), where
pages go (see `landing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from dagster_project.sources.http import Usage

Json = dict[str, Any]


class Answer(NamedTuple):
    """One page: its records as the journal keeps them, and where the next page starts.

    A record is one row of its stream, without texts that the lake must not hold. `next` is handed
    to the next `fetch` as it is, in this process or in a later one; None marks the last page.
    """

    records: Sequence[Mapping[str, Any]]
    next: Json | None


@dataclass(frozen=True, slots=True)
class Pull:
    """One stream of one source in one window.

    `request` is what is asked, as JSON without secrets; it is frozen in the journal before
    anything is asked. It must not hold what differs from run to run (such as the present time):
    an unfinished window is resumed only where all requests are still the same. `load` tells whether
    the answer adds to earlier windows or replaces them.

    `after` names the stream of the pull that has to be complete before; the values of `id` of its
    records are handed over as `ids`. `concurrency` is the number of parts into which these ids are
    divided; parts are asked at the same time, each with positions of its own.
    """

    stream: str
    request: Json
    load: Literal["incremental", "snapshot"]
    after: str | None = None
    concurrency: int = 1


class Gap(NamedTuple):
    """Something that the credentials may not see, where a client expects that it may happen.

    `resource` names it in the vendor's words, `status` is the answer's HTTP status.
    """

    source: str
    resource: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the credentials of a source can see of one thing, such as `projects`.

    `count` is None where the vendor does not say; `lacks` is what is missing and who can grant it.
    """

    what: str
    count: int | None
    lacks: str | None = None


class WindowRejected(Exception):
    """The vendor no longer continues a sequence of pages, for example after a token expired.

    The landing asks this pull again from its first page.
    """


class Client(Protocol):
    """A vendor's API. `fetch` is called from several threads at the same time."""

    @property
    def name(self) -> str:
        """The id of the source."""

    @property
    def endpoint(self) -> str:
        """The address of the site, without secrets."""

    @property
    def gaps(self) -> Sequence[Gap]:
        """All gaps noted so far; only ever appended to."""

    def usage(self, stream: str | None = None) -> Usage:
        """Requests, bytes and waiting of one stream of this session, or of all."""

    def now(self) -> datetime:
        """The vendor's time (UTC, aware) at or before the first answer that this client got.

        Asks something small where nothing has been asked yet. The local clock where the vendor
        does not tell the time.
        """

    def plan(self, since: datetime | None) -> list[Pull]:
        """The pulls of a window, each of another stream, the source's main stream first.

        `since` (UTC, aware) is a lower bound for changes; None asks for everything. Raises
        SourceError.
        """

    def fetch(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        """One page; `position` is None for the first one, `ids` is empty without `pull.after`.

        Raises SourceError, SourceUnavailable once the budget of waiting is spent, WindowRejected.
        """

    def check(self) -> list[Seen]:
        """What the credentials can see and what they lack. Raises SourceError."""

    def __enter__(self) -> Self:
        """The client itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the HTTP session."""
