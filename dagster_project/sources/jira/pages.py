"""How Jira's lists go on from page to page: by tokens, by offsets, by times.

Belongs here: the forms of pages, and what must not happen between two of them. Does not belong
here: which lists there are (see `cloud`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dagster_project.errors import SourceError
from dagster_project.sources.http import Session
from dagster_project.sources.pulls import Json, Pull, WindowRejected

API = "/rest/api/3"
_NOTHING: Mapping[int, str] = MappingProxyType({})


class Pages:
    """The pages of one site. Each method answers with (records, position of the next page)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def searched(self, pull: Pull, position: Json, size: int) -> tuple[list[Json], Json | None]:
        """Issues that the JQL of the pull finds."""
        body = {**pull.request, "maxResults": size}
        page = self.with_token(pull, f"{API}/search/jql", body, position.get("token"))
        token = page.get("nextPageToken")
        if token is None and page.get("isLast") is False:
            raise self.broken(pull, "a page is not the last one, but names no next one")
        return page["issues"], None if token is None else {"token": token}

    def with_token(self, pull: Pull, path: str, body: Json, token: str | None) -> Json:
        """A whole page of a list that is asked for by POST.

        Raises WindowRejected where the token has expired, SourceError where it comes back.
        """
        if token is not None:
            body = {**body, "nextPageToken": token}
        rejected = ""
        try:
            page: Json = self._session.ask("POST", path, resource=pull.stream, body=body)
        except SourceError as error:
            if token is None or error.status != 400 or "token" not in error.told.lower():
                raise
            rejected = error.message
        if rejected:
            raise WindowRejected(rejected)
        if token is not None and page.get("nextPageToken") == token:
            raise self.broken(pull, "the token of the next page is the one just used")
        return page

    def fed(self, pull: Pull, position: Json, feed: str) -> tuple[list[Json], Json | None]:
        """Changes that a feed of worklogs tells, oldest first."""
        since = position.get("since", pull.request["since"])
        page = self._session.ask(
            "GET", f"{API}/worklog/{feed}", resource=pull.stream, params={"since": since}
        )
        if page["lastPage"]:
            return page["values"], None
        if page["until"] <= since:
            raise self.broken(pull, f"the page after {since} ends at {page['until']}")
        return page["values"], {"since": page["until"]}

    def listed(
        self,
        pull: Pull,
        path: str,
        position: Json,
        size: int,
        lacking: Mapping[int, str] = _NOTHING,
    ) -> tuple[list[Json], Json | None]:
        """Records of a list with offsets; `lacking` as in `Session.ask`.

        Raises WindowRejected where the list has grown or shrunk: offsets would pass some over.
        """
        start = position.get("start", 0)
        page: Any = self._session.ask(
            "GET",
            path,
            resource=pull.stream,
            params={"startAt": start, "maxResults": size},
            lacking=lacking,
        )
        if page is None:
            return [], None
        total = page.get("total")
        if start and total != position.get("total"):
            raise WindowRejected(f"{path} has changed while it was read")
        records: list[Json] = page["values"]
        if page["isLast"]:
            return records, None
        if not records:
            raise self.broken(pull, f"an empty page of {path} is not the last one")
        return records, {"start": start + len(records), "total": total}

    def broken(self, pull: Pull, what: str) -> SourceError:
        """The error of a list whose answers make no sense."""
        where = f"source `{self._session.source}`, {self._session.base_url}, {pull.stream}"
        return SourceError(
            f"{where}: {what}",
            "run again; if it happens again, Jira has changed its pages: report it with this text.",
        )
