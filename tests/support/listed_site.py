"""A site of Jira that answers from lists in memory, for tests of the landing.

Belongs here: a client with pages, changes since a time, odd answers on demand. Does not belong
here: HTTP; tests of the vendors' clients have the sandbox's servers for that.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dagster_project.sources.http import Usage
from dagster_project.sources.pulls import Answer, Gap, Json, Pull, Seen
from dagster_project.sources.shapes import Shape, flat, is_time, moment, required, text, time_text

START = datetime(2026, 3, 1, tzinfo=UTC)


def issue(number: int, *, updated: datetime = START, **fields: Any) -> dict[str, Any]:
    """An issue as the client hands it over."""
    moment = updated.isoformat(timespec="milliseconds")
    told = {
        "created": "2026-01-01T12:00:00.000+0200",
        "updated": moment,
        "status": {"name": "Open"},
        "issuetype": {"name": "Story"},
        "project": {"key": "P"},
    }
    return {"id": str(number), "key": f"P-{number}", "fields": {**told, **fields}}


def user(number: int) -> dict[str, Any]:
    """An account."""
    return {"accountId": f"a{number}", "displayName": f"Person {number}"}


_HISTORIES = Shape(
    stream="changelogs",
    values={
        "issue": "$.issueId",
        "history": "$.history",
        "id": "$.history.id",
        "made": "$.created",
    },
    keys={"issue_id": text("issue"), "history_id": text("id"), "created_at": moment("made")},
    payload="history",
    rules=(required("created", "made"), is_time("created", "made")),
)
_ISSUES = Shape(
    stream="issues",
    values={
        "id": "$.id",
        "issue": "$.key",
        "created": "$.fields.created",
        "updated": "$.fields.updated",
        "status": "$.fields.status.name",
    },
    keys={
        "issue_id": text("id"),
        "issue_key": text("issue"),
        "created_at": moment("created"),
        "updated_at": moment("updated"),
    },
    rules=(
        required("id", text("id")),
        required("fields.created", "created"),
        is_time("fields.created", "created"),
        required("fields.status.name", "status"),
    ),
)
_USERS = Shape(stream="users", values={"account": "$.accountId"}, keys={"user_id": text("account")})
#: A stream made of a join: users with their group, and a time in the spelling of payloads.
_VERSIONS = Shape(
    stream="versions",
    values={"id": "$.id", "owner": "$.owner", "until": "$.until"},
    keys={"version_id": text("id")},
    payload=flat(
        {
            "id": "id",
            "owner": "users.record ->> '$.displayName'",
            "until": time_text(moment("until")),
        }
    ),
    source="pulled left join users on users.record ->> '$.accountId' = owner",
    joins=("users",),
)
SHAPES = (_ISSUES, _HISTORIES, _USERS, _VERSIONS)


class ListedSite:
    """Answers as `Client` promises. Issues come first, each with `histories` of its own after.

    `log`, if given, gets a line for each request, also of a process that is killed later.
    """

    name = "jira"
    endpoint = "https://site.example"

    def __init__(
        self,
        issues: Sequence[dict[str, Any]],
        *,
        histories: int = 2,
        users: Sequence[dict[str, Any]] = (),
        versions: Sequence[dict[str, Any]] = (),
        page: int = 10,
        parts: int = 1,
        log: Path | None = None,
    ) -> None:
        self.issues, self.histories = list(issues), histories
        self.users, self.versions = list(users), list(versions)
        self.page, self.parts, self.log = page, parts, log
        self.clock = START
        self.fields = ["status"]
        self.streams = ("issues", "changelogs", "users", "versions")
        self.gaps: list[Gap] = []
        self.asked: list[tuple[str, Json | None]] = []
        self.requests = Counter[str]()
        self.odd: Callable[[Pull, Json | None], Answer | None] = lambda pull, position: None

    def usage(self, stream: str | None = None) -> Usage:
        """Requests only."""
        total = sum(n for name, n in self.requests.items() if stream in (None, name))
        return Usage(requests=total)

    def now(self) -> datetime:
        """The site's clock."""
        return self.clock

    def plan(self, since: datetime | None) -> list[Pull]:
        """Issues with their changelogs are incremental, users and versions are not."""
        request = {"fields": self.fields, "since": since and since.isoformat()}
        pulls = [
            Pull("issues", request, "incremental"),
            Pull("changelogs", {}, "incremental", after="issues", concurrency=self.parts),
            Pull("users", {}, "snapshot"),
            Pull("versions", {}, "snapshot"),
        ]
        return [pull for pull in pulls if pull.stream in self.streams]

    def fetch(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        """A page of `page` records."""
        self.asked.append((pull.stream, position))
        self.requests[pull.stream] += 1
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{pull.stream} {position}\n")
        odd = self.odd(pull, position)
        if odd is not None:
            return odd
        records = self._records(pull, ids)
        start = position["start"] if position else 0
        end = start + self.page
        following = {"start": end} if end < len(records) else None
        return Answer(copy.deepcopy(records[start:end]), following)

    def check(self) -> list[Seen]:
        """Everything."""
        return [Seen("issues", len(self.issues))]

    def __enter__(self) -> ListedSite:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def _records(self, pull: Pull, ids: Sequence[str]) -> list[dict[str, Any]]:
        if pull.stream == "users":
            return self.users
        if pull.stream == "versions":
            return self.versions
        if pull.stream == "issues":
            since = pull.request["since"]
            return [
                found
                for found in self.issues
                if since is None
                or datetime.fromisoformat(found["fields"]["updated"])
                >= datetime.fromisoformat(since)
            ]
        return [
            {
                "issueId": issue_id,
                "created": (START - timedelta(hours=number)).isoformat(),
                "history": {"id": f"{issue_id}-{number}", "items": []},
            }
            for issue_id in ids
            for number in range(self.histories)
        ]
