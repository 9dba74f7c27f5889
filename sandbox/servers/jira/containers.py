"""What holds issues: projects, versions, boards, sprints.

What belongs here: /project, /version and /rest/agile. What does not: search.
"""

from __future__ import annotations

from starlette.responses import Response

from sandbox.records.jira import places
from sandbox.records.json_text import quoted
from sandbox.servers.jira.answers import Refused, answer, array, offset_page
from sandbox.servers.jira.asked import Asked
from sandbox.servers.jira.search import INLINE, chosen_fields, records_of, understood

_MOST = 50
_ORDERS = {"key": "project_key", "name": "name"}


async def projects(asked: Asked) -> Response:
    """GET /project/search."""
    order = asked.request.query_params.get("orderBy", "key")
    column = _ORDERS.get(order.lstrip("+- "), "project_key")
    where = [asked.sees_project()]
    if keys := asked.texts("keys"):
        where.append(f"project_key in ({', '.join(map(quoted, keys))})")
    if ids := asked.texts("id"):
        where.append(f"project_id::varchar in ({', '.join(map(quoted, ids))})")
    if text := asked.request.query_params.get("query"):
        where.append(f"contains(lower(project_key || ' ' || name), {quoted(text.lower())})")
    rows = await asked.view.query(
        f"""
        select record from ({places.projects(asked.wire)})
        where {" and ".join(where)}
        order by {column} {"desc" if order.startswith("-") else "asc"}, project_key
        """
    )
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", 50, 100)
    page = [record for (record,) in rows[start_at : start_at + size]]
    return offset_page(page, start_at, size, len(rows), asked.address)


async def project(asked: Asked) -> Response:
    """GET /project/{id or key}."""
    key = await _project(asked)
    rows = await asked.view.query(
        f"select record from ({places.projects(asked.wire)}) where project_key = {quoted(key)}"
    )
    return answer(rows[0][0])


async def versions(asked: Asked) -> Response:
    """GET /project/{id or key}/versions."""
    return answer(array(await _versions(asked, await _project(asked))))


async def versions_paged(asked: Asked) -> Response:
    """GET /project/{id or key}/version."""
    found = await _versions(asked, await _project(asked))
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", 50, _MOST)
    return offset_page(found[start_at : start_at + size], start_at, size, len(found), asked.address)


async def version(asked: Asked) -> Response:
    """GET /version/{id}."""
    rows = await asked.view.query(
        f"""
        select record from ({places.versions(asked.wire)})
        where version_id::varchar = {quoted(asked.request.path_params["version"])}
            and {asked.sees_project()}
        """
    )
    if not rows:
        raise Refused(404, "Could not find version for id.")
    return answer(rows[0][0])


async def boards(asked: Asked) -> Response:
    """GET /rest/agile/1.0/board."""
    where = [asked.sees_project()]
    if named := asked.request.query_params.get("projectKeyOrId"):
        where.append(f"project_key = {quoted(await _named_project(asked, named))}")
    if kinds := asked.texts("type"):
        where.append("true" if "scrum" in kinds else "false")
    rows = await asked.view.query(
        f"select record from ({places.boards()}) where {' and '.join(where)} order by board_id"
    )
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", _MOST, _MOST)
    return offset_page([r for (r,) in rows[start_at : start_at + size]], start_at, size, len(rows))


async def board(asked: Asked) -> Response:
    """GET /rest/agile/1.0/board/{id}."""
    return answer((await _board(asked))[1])


async def board_sprints(asked: Asked) -> Response:
    """GET /rest/agile/1.0/board/{id}/sprint."""
    board_id = (await _board(asked))[0]
    states = asked.texts("state")
    chosen = f"state in ({', '.join(map(quoted, states))})" if states else "true"
    rows = await asked.view.query(
        f"""
        select record from ({places.sprints(asked.wire)})
        where board_id = {board_id} and {chosen} order by sprint_id
        """
    )
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", _MOST, _MOST)
    return offset_page([r for (r,) in rows[start_at : start_at + size]], start_at, size, len(rows))


async def sprint(asked: Asked) -> Response:
    """GET /rest/agile/1.0/sprint/{id}."""
    rows = await asked.view.query(
        f"""
        select record from ({places.sprints(asked.wire)})
        where sprint_id::varchar = {quoted(asked.request.path_params["sprint"])}
            and {asked.sees_project()}
        """
    )
    if not rows:
        raise Refused(404, "Sprint does not exist or you do not have permission to view it.")
    return answer(rows[0][0])


async def board_issues(asked: Asked) -> Response:
    """GET /rest/agile/1.0/board/{id}/issue: pages by offset, with a total, as in the older API."""
    key = (await _board(asked))[2]
    where = f"issue.project_key = {quoted(key)} and {asked.sees_issue()}"
    if jql := asked.request.query_params.get("jql"):
        where += f" and {(await understood(asked, jql)).where}"
    rows = await asked.view.query(
        f"select issue_id from jira_now.issue as issue where {where} order by issue_id"
    )
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", _MOST, 100)
    page = [issue_id for (issue_id,) in rows[start_at : start_at + size]]
    fields = chosen_fields(asked.texts("fields"), starts_with="*navigable")
    has_changelog = "changelog" in asked.texts("expand")
    records = await records_of(asked, page, fields, has_changelog=has_changelog, inline=INLINE)
    head = f'"startAt":{start_at},"maxResults":{size},"total":{len(rows)}'
    return answer(f'{{"expand":"schema,names",{head},"issues":{array(records)}}}')


async def _board(asked: Asked) -> tuple[int, str, str]:
    """(id, record, project key) of the board in the path."""
    rows = await asked.view.query(
        f"""
        select board_id, record, project_key from ({places.boards()})
        where board_id::varchar = {quoted(asked.request.path_params["board"])}
            and {asked.sees_project()}
        """
    )
    if not rows:
        raise Refused(404, "Board does not exist or you do not have permission to view it.")
    board_id, record, key = rows[0]
    return int(board_id), str(record), str(key)


async def _project(asked: Asked) -> str:
    return await _named_project(asked, asked.request.path_params["project"])


async def _named_project(asked: Asked, named: str) -> str:
    """The key of a project given by key or id."""
    rows = await asked.view.query(
        f"""
        select project_key from ({places.projects(asked.wire)})
        where {quoted(named.upper())} in (upper(project_key), project_id::varchar)
            and {asked.sees_project()}
        """
    )
    if not rows:
        raise Refused(404, f"No project could be found with key '{named}'.")
    return str(rows[0][0])


async def _versions(asked: Asked, key: str) -> list[str]:
    rows = await asked.view.query(
        f"""
        select record from ({places.versions(asked.wire)})
        where project_key = {quoted(key)} order by version_id
        """
    )
    return [record for (record,) in rows]
