"""Jira Cloud (REST v3 and the boards of Jira Software) as a live source.

Belongs here: what is asked of Jira, and how its pages follow each other. Does not belong here: HTTP
(see `http`), how records become rows (see `jira.shapes`), where pages go (see `landing`).

Why nothing is lost: issues are read in the order of their creation, which no edit changes, so an
issue that is edited between two pages stays where it is; the filter has a lower bound only, and
in epoch milliseconds, because bare times are read in the zone of whoever asks. What an index does
not show yet, and what enters the filter behind the reader, is within the next window's overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

from dagster_project.sources.http import Credentials, Session, Usage
from dagster_project.sources.jira.pages import API, Pages
from dagster_project.sources.jira.slim import (
    slim_comment,
    slim_history,
    slim_issue,
    slim_person,
    slim_worklog,
    without,
)
from dagster_project.sources.pulls import Answer, Gap, Json, Pull, Seen

#: What is asked of an issue; custom fields are added by id.
FIELDS = (
    "summary",
    "issuetype",
    "project",
    "status",
    "priority",
    "resolution",
    "resolutiondate",
    "created",
    "updated",
    "duedate",
    "labels",
    "assignee",
    "reporter",
    "creator",
    "fixVersions",
    "parent",
)
_AGILE = "/rest/agile/1.0"
_ISSUES_A_PAGE = 100
_ISSUES_A_BATCH = 1_000
_HISTORIES_A_PAGE = 10_000
_COMMENTS_A_PAGE = 100
_WORKLOGS_A_LIST = 1_000
_USERS_A_PAGE = 1_000
_PROJECTS_A_PAGE = 100
_BOARDS_A_PAGE = 50
_PARTS = 4
_REMEDIES: Mapping[int, str] = MappingProxyType(
    {
        401: "the e-mail and the API token of this source do not belong together, or the token was "
        "revoked or has expired: make a new one at id.atlassian.com and set the environment "
        "variables of this source; then try `mission sources check`.",
        403: "the account of this source may not see this: give it `Browse projects` in every "
        "project that counts, and the global permission `Browse users and groups`.",
    }
)
_NO_BOARDS: Mapping[int, str] = MappingProxyType(
    {
        403: "the account has no access to Jira Software",
        404: "this site has no Jira Software",
    }
)
_NO_SPRINTS: Mapping[int, str] = MappingProxyType(
    {
        400: "the board has no sprints",
        403: "the account may not see the sprints of the board",
        404: "the board is gone, or the account may not see it",
    }
)
_NO_VERSIONS: Mapping[int, str] = MappingProxyType(
    {
        403: "the account may not see the versions of the project",
        404: "the project is gone, or the account may not see it",
    }
)
_ISSUE_GONE: Mapping[int, str] = MappingProxyType(
    {404: "an issue was deleted while its comments were read, or may not be seen any more"}
)


class JiraCloud:
    """A site of Jira Cloud.

    `custom_fields` are ids, such as `customfield_10016`; `options` are those of `Session`.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        credentials: Credentials,
        *,
        custom_fields: Iterable[str] = (),
        **options: Any,
    ) -> None:
        self.name = name
        self._session = Session(name, base_url, credentials, remedies=_REMEDIES, **options)
        self._fields = [*FIELDS, *sorted(set(custom_fields) - set(FIELDS))]
        self._pages = Pages(self._session)

    @property
    def endpoint(self) -> str:
        """The address of the site."""
        return self._session.base_url

    def usage(self, stream: str | None = None) -> Usage:
        """What was asked for one stream, or for all."""
        return self._session.usage(stream)

    @property
    def gaps(self) -> Sequence[Gap]:
        """What the account could not see, where that may happen."""
        return self._session.gaps

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def now(self) -> datetime:
        """Jira's time at or before the first answer."""
        if self._session.began is None:
            self._session.ask("GET", f"{API}/serverInfo", resource="server time")
        assert self._session.began is not None
        return self._session.began

    def plan(self, since: datetime | None) -> list[Pull]:
        """The pulls of a window; issues are the main stream."""
        milliseconds = 0 if since is None else int(since.timestamp()) * 1000
        search = f"updated >= {milliseconds} order by created asc, id asc"
        # Few issues change between two refreshes: one request has all of their histories.
        parts = 1 if since else _PARTS
        changed: Json = {"since": milliseconds}
        return [
            Pull("issues", {"jql": search, "fields": self._fields}, "incremental"),
            Pull("changelogs", {}, "incremental", after="issues", concurrency=parts),
            Pull("comments", {"jql": search, "fields": ["comment"]}, "incremental", after="issues"),
            Pull("worklogs", changed, "incremental"),
            Pull("worklog_deletions", changed, "incremental"),
            Pull("users", {}, "incremental"),
            Pull("statuses", {}, "incremental"),
            Pull("fields", {}, "incremental"),
            Pull("projects", {}, "incremental"),
            Pull("versions", {}, "incremental", after="projects", concurrency=_PARTS),
            Pull("boards", {}, "incremental"),
            Pull("sprints", {}, "incremental", after="boards", concurrency=_PARTS),
        ]

    def fetch(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        """One page."""
        try:
            answer = self._readers()[pull.stream](pull, position or {}, ids)
        except (KeyError, TypeError, AttributeError) as error:
            unexpected = f"{type(error).__name__}: {error}"
        else:
            self._session.count_rows(pull.stream, len(answer.records))
            return answer
        raise self._pages.broken(pull, f"the answer has not the expected form ({unexpected})")

    def check(self) -> list[Seen]:
        """Account, projects and issues in sight, and the permissions that are missing."""
        me = self._asked("GET", f"{API}/myself", "account")
        found = self._asked("GET", f"{API}/project/search", "projects", params={"maxResults": 1})
        count = self._asked(
            "POST", f"{API}/search/approximate-count", "issues", body={"jql": "updated >= 0"}
        )
        permissions = self._asked(
            "GET",
            f"{API}/mypermissions",
            "permissions",
            params={"permissions": "BROWSE_PROJECTS,USER_PICKER"},
        )["permissions"]
        browses = permissions["BROWSE_PROJECTS"]["havePermission"] and found["total"]
        picks = permissions["USER_PICKER"]["havePermission"]
        return [
            Seen(f"account {me['displayName']}", None),
            Seen(
                "projects",
                found["total"],
                None if browses else "`Browse projects` in any project; its admins can grant it",
            ),
            Seen("issues", count["count"]),
            Seen(
                "users",
                None,
                None if picks else "`Browse users and groups`; a Jira admin can grant it",
            ),
        ]

    def _readers(self) -> Mapping[str, Callable[[Pull, Json, Sequence[str]], Answer]]:
        return {
            "issues": self._issues,
            "changelogs": self._changelogs,
            "comments": self._comments,
            "worklogs": self._worklogs,
            "worklog_deletions": self._worklog_deletions,
            "users": self._users,
            "statuses": self._statuses,
            "fields": self._list_of_fields,
            "projects": self._projects,
            "versions": self._versions,
            "boards": self._boards,
            "sprints": self._sprints,
        }

    def _asked(
        self,
        method: str,
        path: str,
        resource: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        lacking: Mapping[int, str] = MappingProxyType({}),
    ) -> Any:
        return self._session.ask(
            method, path, resource=resource, params=params, body=body, lacking=lacking
        )

    def _issues(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        found, following = self._pages.searched(pull, position, _ISSUES_A_PAGE)
        return Answer([slim_issue(issue) for issue in found], following)

    def _comments(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """The issues of the window once more: comments come inside them, the first few at least."""
        if not ids:
            return Answer([], None)
        found, following = self._pages.searched(pull, position, _ISSUES_A_PAGE)
        return Answer([record for issue in found for record in self._comments_of(issue)], following)

    def _comments_of(self, issue: Json) -> list[Json]:
        page = issue["fields"].get("comment") or {}
        comments: list[Json] = page.get("comments") or []
        if page.get("total", 0) > len(comments):
            comments = self._all_comments(issue["id"]) or comments
        return [{"issueId": issue["id"], "comment": slim_comment(comment)} for comment in comments]

    def _all_comments(self, issue_id: str) -> list[Json]:
        """All comments of an issue; none where it is gone."""
        comments: list[Json] = []
        while True:
            page = self._asked(
                "GET",
                f"{API}/issue/{issue_id}/comment",
                "comments",
                params={
                    "startAt": len(comments),
                    "maxResults": _COMMENTS_A_PAGE,
                    "orderBy": "created",
                },
                lacking=_ISSUE_GONE,
            )
            if page is None:
                return []
            comments += page["comments"]
            if not page["comments"] or len(comments) >= page["total"]:
                return comments

    def _changelogs(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """Histories of up to 1,000 issues at a time, by their ids: keys change with a move."""
        if not ids:
            return Answer([], None)
        start = position.get("start", 0)
        body = {
            "issueIdsOrKeys": list(ids[start : start + _ISSUES_A_BATCH]),
            "maxResults": _HISTORIES_A_PAGE,
        }
        page = self._pages.with_token(
            pull, f"{API}/changelog/bulkfetch", body, position.get("token")
        )
        records = [
            {"issueId": group["issueId"], "history": slim_history(history)}
            for group in page["issueChangeLogs"]
            for history in group["changeHistories"]
        ]
        if token := page.get("nextPageToken"):
            return Answer(records, {"start": start, "token": token})
        start += _ISSUES_A_BATCH
        return Answer(records, {"start": start} if start < len(ids) else None)

    def _worklogs(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """Ids of worklogs that changed, then the worklogs."""
        changed, following = self._pages.fed(pull, position, "updated")
        numbers = list(dict.fromkeys(change["worklogId"] for change in changed))
        records: list[Json] = []
        for start in range(0, len(numbers), _WORKLOGS_A_LIST):
            some = numbers[start : start + _WORKLOGS_A_LIST]
            found = self._asked("POST", f"{API}/worklog/list", pull.stream, body={"ids": some})
            records += map(slim_worklog, found)
        return Answer(records, following)

    def _worklog_deletions(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        deleted, following = self._pages.fed(pull, position, "deleted")
        return Answer([without(change, "properties") for change in deleted], following)

    def _users(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """Everybody. A page may be short, because Jira leaves out whom it hides: empty is last."""
        start = position.get("start", 0)
        params = {"startAt": start, "maxResults": _USERS_A_PAGE}
        users = self._asked("GET", f"{API}/users/search", pull.stream, params=params)
        following = {"start": start + len(users)} if users else None
        return Answer([slim_person(user) for user in users], following)

    def _whole_list(self, pull: Pull, path: str) -> Answer:
        """An answer that is a bare list of records, all of them."""
        found = self._asked("GET", path, pull.stream)
        if not isinstance(found, list):
            raise TypeError(f"a list was expected, not {type(found).__name__}")
        return Answer(found, None)

    def _statuses(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        return self._whole_list(pull, f"{API}/status")

    def _list_of_fields(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        return self._whole_list(pull, f"{API}/field")

    def _projects(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        path = f"{API}/project/search"
        projects, following = self._pages.listed(pull, path, position, _PROJECTS_A_PAGE)
        return Answer(
            [without(project, "avatarUrls", "description") for project in projects], following
        )

    def _versions(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """The versions of one project after the other."""
        if not ids:
            return Answer([], None)
        number = position.get("number", 0)
        versions = self._asked(
            "GET",
            f"{API}/project/{ids[number]}/versions",
            pull.stream,
            lacking=_NO_VERSIONS,
        )
        following = {"number": number + 1} if number + 1 < len(ids) else None
        return Answer([without(version, "description") for version in versions or ()], following)

    def _boards(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """Boards that may have sprints, and nothing of them but the id."""
        boards, following = self._pages.listed(
            pull, f"{_AGILE}/board", position, _BOARDS_A_PAGE, _NO_BOARDS
        )
        return Answer(
            [{"id": str(board["id"])} for board in boards if board["type"] != "kanban"], following
        )

    def _sprints(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """The sprints of one board after the other."""
        if not ids:
            return Answer([], None)
        number = position.get("number", 0)
        path = f"{_AGILE}/board/{ids[number]}/sprint"
        sprints, following = self._pages.listed(pull, path, position, _BOARDS_A_PAGE, _NO_SPRINTS)
        if following is not None:
            following = {**following, "number": number}
        elif number + 1 < len(ids):
            following = {"number": number + 1}
        return Answer([without(sprint, "goal") for sprint in sprints], following)
