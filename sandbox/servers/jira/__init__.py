"""Jira Cloud's REST API (platform v3 and the boards of Jira Software) over a simulated company.

What belongs here: which address is answered by what. What does not: the records themselves
(`sandbox/records/jira`), and what happens around every server (`sandbox/servers/middleware`).

Every answer shows the company as of the virtual clock. Nothing can be written.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.servers.jira import containers, directory, history, search, worklogs
from sandbox.servers.jira.answers import Refused
from sandbox.servers.jira.asked import Handler, Site, endpoint
from sandbox.servers.stage import Stage

__all__ = ["app"]

_PLATFORM: tuple[tuple[str, str, Handler], ...] = (
    ("GET POST", "/search/jql", search.search),
    ("POST", "/search/approximate-count", search.approximate_count),
    ("GET POST", "/search", search.removed),
    ("POST", "/changelog/bulkfetch", history.bulk_changelogs),
    ("GET", "/issue/{issue}", history.issue),
    ("GET", "/issue/{issue}/changelog", history.changelog),
    ("GET", "/issue/{issue}/worklog", history.issue_worklogs),
    ("GET", "/issue/{issue}/comment", history.issue_comments),
    ("GET", "/worklog/updated", worklogs.updated),
    ("GET", "/worklog/deleted", worklogs.deleted),
    ("POST", "/worklog/list", worklogs.listed),
    ("GET", "/field", directory.fields),
    ("GET", "/field/search", directory.fields_found),
    ("GET", "/status", directory.statuses),
    ("GET", "/statuses/search", directory.statuses_found),
    ("GET", "/users/search", directory.users),
    ("GET", "/user/bulk", directory.users_by_id),
    ("GET", "/myself", directory.myself),
    ("GET", "/serverInfo", directory.server_info),
    ("GET", "/mypermissions", directory.my_permissions),
    ("GET", "/priority", directory.priorities),
    ("GET", "/priority/search", directory.priorities_found),
    ("GET", "/issuetype", directory.issue_types),
    ("GET", "/resolution", directory.resolutions),
    ("GET", "/resolution/search", directory.resolutions_found),
    ("GET", "/project/search", containers.projects),
    ("GET", "/project/{project}", containers.project),
    ("GET", "/project/{project}/versions", containers.versions),
    ("GET", "/project/{project}/version", containers.versions_paged),
    ("GET", "/version/{version}", containers.version),
)
_SOFTWARE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/board", containers.boards),
    ("GET", "/board/{board}", containers.board),
    ("GET", "/board/{board}/sprint", containers.board_sprints),
    ("GET", "/board/{board}/issue", containers.board_issues),
    ("GET", "/sprint/{sprint}", containers.sprint),
)


def app(stage: Stage, token: str) -> Starlette:
    """The server; whoever bears `token` may read everything that the API user sees."""
    site = Site(stage, token)
    routes = [
        Route(f"{base}{path}", endpoint(site, handler), methods=methods.split())
        for base, table in (("/rest/api/3", _PLATFORM), ("/rest/agile/1.0", _SOFTWARE))
        for methods, path, handler in table
    ]
    return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Refused(error.status_code, "The requested resource does not exist.").response()
