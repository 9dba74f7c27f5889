"""Who uses the site and how it is set up: users, fields, statuses, permissions.

What belongs here: lists that say nothing of any issue. What does not: projects and what is in
them (`containers`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from sandbox.records.jira import places
from sandbox.records.jira.catalogue import (
    API,
    BASE_URL,
    HIERARCHY_LEVELS,
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
)
from sandbox.records.jira.fields import FIELDS
from sandbox.records.json_text import quoted
from sandbox.servers.jira.answers import Refused, answer, array, offset_page, told
from sandbox.servers.jira.asked import Asked

_PERMISSIONS: Mapping[str, tuple[str, str, bool]] = {
    "BROWSE_PROJECTS": ("Browse Projects", "PROJECT", True),
    "WORK_ON_ISSUES": ("Work On Issues", "PROJECT", False),
    "EDIT_ISSUES": ("Edit Issues", "PROJECT", False),
    "USER_PICKER": ("Browse users and groups", "GLOBAL", True),
    "ADMINISTER": ("Administer Jira", "GLOBAL", False),
}
"""Name, type, and whether the API user has it: it reads, nothing more."""
_CATEGORIES = {"new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"}


async def users(asked: Asked) -> Response:
    """GET /users/search: everybody, inactive people and apps included."""
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", 50, 1_000)
    rows = await asked.view.query(f"{_ACCOUNTS} order by account_id limit {size} offset {start_at}")
    return answer(array([record for (_, record) in rows]))


async def users_by_id(asked: Asked) -> Response:
    """GET /user/bulk."""
    ids = asked.request.query_params.getlist("accountId")
    if not ids:
        raise Refused(400, "The accountId query parameter must be provided.")
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", 10, 200)
    rows = await asked.view.query(
        f"{_ACCOUNTS} and account_id in ({', '.join(map(quoted, ids))}) order by account_id"
    )
    page = [record for (_, record) in rows[start_at : start_at + size]]
    return offset_page(page, start_at, size, len(rows), asked.address)


_ACCOUNTS = """
    select account_id, "full" from jira_now.account
    where opened_at < (select now from jira_now.setting)
"""


async def myself(asked: Asked) -> Response:
    """GET /myself: the API user, and the zone in which it is told instants."""
    account_id = "712020:0000000a-5eed-4000-8000-00000000a914"
    return told(
        {
            "self": f"{API}/user?accountId={account_id}",
            "accountId": account_id,
            "accountType": "atlassian",
            "emailAddress": "data-platform@tidewater.example.com",
            "displayName": "Data Platform",
            "active": True,
            "timeZone": asked.wire.zone.key,
            "locale": "en_GB",
        }
    )


async def server_info(asked: Asked) -> Response:
    """GET /serverInfo: `serverTime` is the virtual clock."""
    rows = await asked.view.query(f"select {asked.wire.stamp('now')} from jira_now.setting")
    return told(
        {
            "baseUrl": BASE_URL,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": 100_294,
            "buildDate": "2024-06-30T00:00:00.000+0200",
            "serverTime": rows[0][0],
            "serverTitle": "Jira",
            "serverTimeZone": asked.wire.zone.key,
        }
    )


async def my_permissions(asked: Asked) -> Response:
    """GET /mypermissions."""
    keys = asked.texts("permissions")
    if not keys:
        raise Refused(400, "The permissions query parameter is required.")
    if unknown := [key for key in keys if key not in _PERMISSIONS]:
        raise Refused(400, f"Unrecognized permission: {', '.join(unknown)}")
    return told(
        {
            "permissions": {
                key: {
                    "id": str(list(_PERMISSIONS).index(key) + 10),
                    "key": key,
                    "name": _PERMISSIONS[key][0],
                    "type": _PERMISSIONS[key][1],
                    "description": "",
                    "havePermission": _PERMISSIONS[key][2],
                }
                for key in keys
            }
        }
    )


async def fields(asked: Asked) -> Response:
    """GET /field."""
    return told([field.details() for field in FIELDS])


async def fields_found(asked: Asked) -> Response:
    """GET /field/search."""
    query = asked.request.query_params.get("query", "").lower()
    ids, kinds = asked.texts("id"), asked.texts("type")
    found = [
        field.found()
        for field in FIELDS
        if query in field.name.lower()
        and (not ids or field.field_id in ids)
        and (not kinds or ("custom" if field.custom else "system") in kinds)
    ]
    return _paged(asked, found, 50, 50)


async def statuses(asked: Asked) -> Response:
    """GET /status: without those that the administrators have removed."""
    rows = await asked.view.query(
        f"select record from ({places.statuses(asked.wire)}) where is_there order by status_id"
    )
    return answer(array([record for (record,) in rows]))


async def statuses_found(asked: Asked) -> Response:
    """GET /statuses/search."""
    rows = await asked.view.query(
        f"""
        select status_id, status, category from ({places.statuses(asked.wire)})
        where is_there order by status_id
        """
    )
    text = asked.request.query_params.get("searchString", "").lower()
    wanted = asked.request.query_params.get("statusCategory")
    found = [
        {
            "id": str(number),
            "name": name,
            "statusCategory": _CATEGORIES[category],
            "scope": {"type": "GLOBAL"},
            "description": "",
        }
        for number, name, category in rows
        if text in name.lower() and wanted in (None, _CATEGORIES[category])
    ]
    return _paged(asked, found, 200, 200)


_PRIORITIES = [
    {
        "self": f"{API}/priority/{number}",
        "id": number,
        "name": name,
        "description": "",
        "iconUrl": f"{BASE_URL}/images/icons/priorities/{name.lower()}.svg",
        "statusColor": "#cccccc",
        "isDefault": name == "Medium",
    }
    for name, number in PRIORITIES.items()
]


async def priorities(asked: Asked) -> Response:
    """GET /priority, which is deprecated."""
    return told(_PRIORITIES)


async def priorities_found(asked: Asked) -> Response:
    """GET /priority/search, which is deprecated as well."""
    return _paged(asked, _PRIORITIES, 50, 50)


async def issue_types(asked: Asked) -> Response:
    """GET /issuetype."""
    return told(
        [
            {
                "self": f"{API}/issuetype/{number}",
                "id": number,
                "name": name,
                "description": "",
                "iconUrl": f"{BASE_URL}/images/icons/issuetypes/{number}.svg",
                "subtask": name == "Sub-task",
                "hierarchyLevel": HIERARCHY_LEVELS.get(name, 0),
            }
            for name, number in ISSUE_TYPES.items()
        ]
    )


async def resolutions(asked: Asked) -> Response:
    """GET /resolution, deprecated in favour of its search."""
    return told(
        [
            {"self": f"{API}/resolution/{number}", "id": number, "name": name, "description": ""}
            for name, number in RESOLUTIONS.items()
        ]
    )


async def resolutions_found(asked: Asked) -> Response:
    """GET /resolution/search."""
    found = [
        {"id": number, "name": name, "description": "", "default": name == "Done"}
        for name, number in RESOLUTIONS.items()
    ]
    return _paged(asked, found, 50, 50)


def _paged(asked: Asked, found: Sequence[Mapping[str, Any]], default: int, most: int) -> Response:
    start_at, size = asked.number("startAt", 0), asked.number("maxResults", default, most)
    page = [json.dumps(record) for record in found[start_at : start_at + size]]
    return offset_page(page, start_at, size, len(found), asked.address)
