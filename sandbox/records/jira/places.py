"""Where the work of Jira happens: statuses, projects, versions, boards, sprints.

What belongs here: records about containers. What does not: what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.records.jira.catalogue import (
    AGILE,
    API,
    BASE_URL,
    CATEGORIES,
    HIERARCHY_LEVELS,
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
)
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import bare, json_object, plain, quoted, string


def link(base: str, sql: str) -> str:
    """JSON text of the address of a record whose id is `sql`."""
    return string(f"concat({quoted(base + '/')}, {sql})")


def category(key: str, wire: Wire) -> str:
    """JSON text of the status category whose key is `key` (SQL)."""
    cases = []
    for name, (number, title, colour) in CATEGORIES.items():
        keys = {"id": quoted(str(number)), "key": quoted(f'"{name}"'), "name": quoted(f'"{title}"')}
        if wire.is_full:
            address = quoted(f'"{API}/statuscategory/{number}"')
            keys = {"self": address, **keys, "colorName": quoted(f'"{colour}"')}
        cases.append(f"when '{name}' then {json_object(keys)}")
    return f"case {key} {' '.join(cases)} else 'null' end"


def statuses(wire: Wire) -> str:
    """SQL of (status_id, status, category, is_there, record): one row a name, as Jira's are.

    `is_there`: the administrators have not removed it; histories name it all the same.
    """
    keys = {"id": plain("status_id::varchar"), "name": string("status")}
    if wire.is_full:
        keys = {
            "self": link(f"{API}/status", "status_id"),
            "description": quoted('""'),
            "iconUrl": quoted(f'"{BASE_URL}/images/icons/statuses/generic.png"'),
            **keys,
        }
    record = json_object({**keys, "statusCategory": category("category", wire)})
    return f"""
        select status_id, status, category, is_there, {record} as record
        from (
            select
                min(status_id) as status_id,
                status,
                min(category) as category,
                bool_or(deleted_at is null or deleted_at >= now) as is_there
            from hidden.workflow_status, jira_now.setting
            group by status
        ) as s
    """


def named(ids: Mapping[str, str], wire: Wire, path: str, name: str) -> str:
    """JSON text of one of a few things that only have a name: resolutions, priorities."""
    cases = []
    for title, number in ids.items():
        keys = {"id": quoted(f'"{number}"'), "name": quoted(f'"{title}"')}
        if wire.is_full:
            keys = {"self": quoted(f'"{API}/{path}/{number}"'), **keys}
        cases.append(f"when {quoted(title)} then {json_object(keys)}")
    return f"case {name} {' '.join(cases)} else 'null' end"


def issue_type(name: str, wire: Wire) -> str:
    """JSON text of the issue type whose name is `name` (SQL)."""
    cases = []
    for title, number in ISSUE_TYPES.items():
        keys = {
            "id": quoted(f'"{number}"'),
            "name": quoted(f'"{title}"'),
            "subtask": quoted("true" if title == "Sub-task" else "false"),
        }
        if wire.is_full:
            keys = {
                "self": quoted(f'"{API}/issuetype/{number}"'),
                **keys,
                "hierarchyLevel": quoted(str(HIERARCHY_LEVELS.get(title, 0))),
            }
        cases.append(f"when '{title}' then {json_object(keys)}")
    return f"case {name} {' '.join(cases)} else 'null' end"


def resolution(name: str, wire: Wire) -> str:
    """JSON text of the resolution named `name` (SQL)."""
    return named(RESOLUTIONS, wire, "resolution", name)


def priority(name: str, wire: Wire) -> str:
    """JSON text of the priority named `name` (SQL)."""
    return named(PRIORITIES, wire, "priority", name)


def projects(wire: Wire) -> str:
    """SQL of (project_key, project_id, name, record) for projects that are there."""
    keys = {
        "id": plain("project_id::varchar"),
        "key": plain("project_key"),
        "name": string("name"),
    }
    if wire.is_full:
        kind = "case workflow when 'service' then 'service_desk' when 'business' then 'business' "
        keys = {
            "self": link(f"{API}/project", "project_id"),
            **keys,
            "projectTypeKey": plain(f"{kind} else 'software' end"),
            "simplified": quoted("false"),
            "style": quoted('"classic"'),
            "isPrivate": quoted("false"),
        }
    return f"""
        select project_key, project_id, name, {json_object(keys)} as record
        from hidden.project, jira_now.setting
        where created_at < now
    """


def versions(wire: Wire) -> str:
    """SQL of (version_id, project_key, record, short) for versions that have been begun.

    A release date only where it has passed. `short` is how an issue names its version.
    """
    zone = wire.zone.key
    keys = {
        "self": link(f"{API}/version", "version_id"),
        "id": plain("version_id::varchar"),
        "name": string("v.name"),
        "projectId": bare("project_id"),
        "startDate": plain("started_on::varchar"),
        "archived": quoted("false"),
        "released": bare("is_released"),
    }
    day = f"case when is_released then '\"' || {wire.local('released_at')}::date || '\"' end"
    short = {"id": keys["id"], "name": keys["name"], "released": keys["released"]}
    if wire.is_full:
        short = {"self": keys["self"], **short, "archived": quoted("false")}
    return f"""
        select
            version_id,
            v.project_key,
            {json_object(keys, {"releaseDate": day})} as record,
            {json_object(short)} as short
        from (
            select version.*, coalesce(released_at < now, false) as is_released
            from hidden.version as version, jira_now.setting
            where started_on < timezone('{zone}', timezone('UTC', now))::date
        ) as v
        left join hidden.project as p on p.project_key = v.project_key
    """


def sprints(wire: Wire) -> str:
    """SQL of (sprint_id, board_id, state, record, short) for sprints in their present state.

    A sprint is planned a fortnight before it starts.
    """
    state = (
        "case when completed_at < now then 'closed' when started_at < now then 'active' "
        "else 'future' end"
    )
    completed = wire.stamp("completed_at")
    times = {
        "startDate": f"'\"' || {wire.stamp('started_at')} || '\"'",
        "endDate": f"'\"' || {wire.stamp('ends_at')} || '\"'",
        "completeDate": f"case when state = 'closed' then '\"' || {completed} || '\"' end",
    }
    short = {
        "id": bare("sprint_id"),
        "name": string("name"),
        "state": plain("state"),
        "boardId": bare("board_id"),
    }
    keys = {
        "id": bare("sprint_id"),
        "self": link(f"{AGILE}/sprint", "sprint_id"),
        "state": plain("state"),
        "name": string("name"),
    }
    last = {**times, "originBoardId": bare("board_id")}
    return f"""
        select
            sprint_id,
            board_id,
            project_key,
            state,
            {json_object(keys, last)} as record,
            {json_object(short, times)} as short
        from (
            select sprint.*, {state} as state
            from hidden.sprint as sprint, jira_now.setting
            where started_at < now + interval 14 day
        ) as s
    """


def boards() -> str:
    """SQL of (board_id, project_key, record): one scrum board per project with sprints."""
    name = "p.name || ' board'"
    location = {
        "projectId": bare("project_id"),
        "displayName": string("p.name || ' (' || p.project_key || ')'"),
        "projectName": string("p.name"),
        "projectKey": plain("p.project_key"),
        "projectTypeKey": quoted('"software"'),
        "name": string("p.name || ' (' || p.project_key || ')'"),
    }
    keys = {
        "id": bare("board_id"),
        "self": link(f"{AGILE}/board", "board_id"),
        "name": string(name),
        "type": quoted('"scrum"'),
        "location": json_object(location),
        "isPrivate": quoted("false"),
    }
    return f"""
        select board_id, project_key, {json_object(keys)} as record
        from (select distinct board_id, project_key from hidden.sprint) as b
        inner join (
            select project_key, project_id, name
            from hidden.project, jira_now.setting
            where created_at < now
        ) as p using (project_key)
    """
