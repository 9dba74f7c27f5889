"""Jira's server answers as Jira does, and a client that follows its rules gets everything.

Belongs here: HTTP over a company made by hand (tests/support/jira_company.py), without sockets.
Does not belong here: whether records say what happened (test_jira_records).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import jira_company as made
import pytest
from vendor_documents import check_request, check_response

from sandbox.records import jira as records
from sandbox.servers.clock import Clock
from sandbox.servers.faults import Fault, Faults
from sandbox.servers.jira import app
from sandbox.servers.stage import Stage

if TYPE_CHECKING:
    from sandbox.world import World

Record: TypeAlias = dict[str, Any]

TOKEN = "sesame"
END = datetime(2025, 4, 1, tzinfo=UTC)
API, AGILE = "/rest/api/3", "/rest/agile/1.0"


class Jira:
    """A server and a plain client of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.app = app(stage, TOKEN)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://jira.test",
            auth=("reader@tidewater.example.com", TOKEN),
        )

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The answer to a GET, with the status that it has to have."""
        response = await self.client.get(path, params=query)
        assert response.status_code == status, response.text
        return response.json()

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        response = await self.client.post(path, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def pages(self, jql: str, **query: Any) -> AsyncIterator[Record]:
        """The pages of a search, in turn."""
        token: dict[str, str] = {}
        while True:
            page = await self.get(f"{API}/search/jql", jql=jql, **query, **token)
            yield page
            assert page["isLast"] == ("nextPageToken" not in page)
            if page["isLast"]:
                return
            token = {"nextPageToken": page["nextPageToken"]}

    async def search(self, jql: str, **query: Any) -> list[Record]:
        return [issue async for page in self.pages(jql, **query) for issue in page["issues"]]

    async def ids(self, jql: str, **query: Any) -> list[int]:
        return [int(issue["id"]) for issue in await self.search(jql, **query)]

    async def histories(self, ids: list[int], **more: Any) -> dict[int, list[Record]]:
        """Issue: its histories, in the order in which bulkfetch gives them."""
        found: dict[int, list[Record]] = {}
        for first in range(0, len(ids), 1_000):
            body: Record = {"issueIdsOrKeys": list(map(str, ids[first : first + 1_000])), **more}
            while True:
                page = await self.post(f"{API}/changelog/bulkfetch", body)
                for group in page["issueChangeLogs"]:
                    histories = found.setdefault(int(group["issueId"]), [])
                    histories += group["changeHistories"]
                if "nextPageToken" not in page:
                    break
                body["nextPageToken"] = page["nextPageToken"]
        return found

    async def feed(self, kind: str, since: int) -> tuple[list[Record], int]:
        """(rows, where the next reading begins) of worklog/updated or worklog/deleted."""
        values: list[Record] = []
        while True:
            page = await self.get(f"{API}/worklog/{kind}", since=since)
            values += page["values"]
            since = page["until"]
            if page["lastPage"]:
                assert "nextPage" not in page
                return values, since
            assert page["nextPage"].endswith(f"since={since}")


Serve: TypeAlias = Callable[..., Any]


@pytest.fixture(scope="module")
def made_world() -> World:
    return made.company()


@pytest.fixture(scope="module")
def stage(made_world: World) -> Stage:
    """One for all tests: at the instant that most of them ask for it is prepared already."""
    return Stage(made_world, "jira", records.prepare, clock=Clock(END))


@pytest.fixture
def play(stage: Stage) -> Callable[..., Any]:
    """Runs `script(jira)` against a server of its own; answers what the script answers."""

    def played(
        script: Callable[[Jira], Coroutine[Any, Any, Any]], *faults: Fault, now: datetime = END
    ) -> Any:
        async def run() -> Any:
            stage.move(now)
            stage.faults = Faults(faults)
            jira = Jira(stage)
            async with jira.client:
                return await script(jira)

        return asyncio.run(run())

    return played


def there(world: World, where: str = "true", now: datetime = END) -> list[int]:
    """Ids of issues that exist at an instant, by their state when they were created."""
    moment = f"timestamp '{now.replace(tzinfo=None)}'"
    return [
        row[0]
        for row in world.connection.execute(
            f"""
            select issue_id from hidden.issue
            where created_at < {moment} and (deleted_at is null or deleted_at >= {moment})
                and ({where})
            order by 1
            """
        ).fetchall()
    ]


# -- the door --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer wrong",
        "Basic " + base64.b64encode(b"reader@tidewater.example.com:wrong").decode(),
        "Basic not-base64",
        "Sesame",
    ],
)
def test_a_wrong_token_gets_jiras_401(play: Serve, header: str | None) -> None:
    async def script(jira: Jira) -> None:
        jira.client.auth = None
        headers = {"Authorization": header} if header else {}
        response = await jira.client.get(f"{API}/myself", headers=headers)
        assert response.status_code == 401
        assert response.text == "Client must be authenticated to access this resource."
        assert response.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
        assert "OAuth realm" in response.headers["www-authenticate"]

    play(script)


def test_the_token_is_taken_behind_an_email_or_as_a_bearer(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        assert (await jira.get(f"{API}/myself"))["timeZone"] == "Europe/Berlin"
        jira.client.auth = None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        response = await jira.client.get(f"{API}/serverInfo", headers=headers)
        assert response.json()["serverTime"] == "2025-04-01T02:00:00.000+0200"
        assert 0 < int(response.headers["x-ratelimit-remaining"]) <= 10_000

    play(script)


# -- the contract ----------------------------------------------------------------------------------

REQUESTS = (
    (
        "GET",
        "/rest/api/3/search/jql?jql=project%3DPLAT&fields=*all&expand=changelog&maxResults=5",
        None,
    ),
    ("GET", "/rest/api/3/search/jql?jql=nonsense%3D1", None),
    (
        "POST",
        "/rest/api/3/search/jql",
        {"jql": "updated >= 1735689600000 order by updated", "fields": ["key"], "maxResults": 9},
    ),
    ("POST", "/rest/api/3/search/approximate-count", {"jql": "project = PLAT"}),
    (
        "POST",
        "/rest/api/3/changelog/bulkfetch",
        {"issueIdsOrKeys": ["20001", "SOFT-2", "20004"], "fieldIds": ["status"], "maxResults": 2},
    ),
    ("POST", "/rest/api/3/changelog/bulkfetch", {"issueIdsOrKeys": ["20001", "20004"]}),
    ("GET", "/rest/api/3/issue/20004?expand=changelog", None),
    ("GET", "/rest/api/3/issue/NONE-1", None),
    ("GET", "/rest/api/3/issue/20004/changelog?startAt=2&maxResults=3", None),
    ("GET", "/rest/api/3/issue/20009/worklog?startAt=10&maxResults=30", None),
    ("GET", "/rest/api/3/issue/20004/comment?orderBy=-created", None),
    ("GET", "/rest/api/3/worklog/updated?since=0", None),
    ("GET", "/rest/api/3/worklog/deleted?since=0", None),
    ("POST", "/rest/api/3/worklog/list", {"ids": [300_001, 300_002, 1]}),
    ("GET", "/rest/api/3/field", None),
    ("GET", "/rest/api/3/field/search?maxResults=4&type=custom", None),
    ("GET", "/rest/api/3/status", None),
    ("GET", "/rest/api/3/statuses/search", None),
    ("GET", "/rest/api/3/users/search?maxResults=5", None),
    ("GET", "/rest/api/3/user/bulk?accountId=712020:1001&accountId=712020:1002", None),
    ("GET", "/rest/api/3/myself", None),
    ("GET", "/rest/api/3/serverInfo", None),
    ("GET", "/rest/api/3/mypermissions?permissions=BROWSE_PROJECTS", None),
    ("GET", "/rest/api/3/priority", None),
    ("GET", "/rest/api/3/priority/search?maxResults=2", None),
    ("GET", "/rest/api/3/issuetype", None),
    ("GET", "/rest/api/3/resolution", None),
    ("GET", "/rest/api/3/resolution/search", None),
    ("GET", "/rest/api/3/project/search?maxResults=2", None),
    ("GET", "/rest/api/3/project/PLAT", None),
    ("GET", "/rest/api/3/project/10000/versions", None),
    ("GET", "/rest/api/3/project/PLAT/version?maxResults=3", None),
    ("GET", "/rest/api/3/version/30001", None),
    ("GET", "/rest/agile/1.0/board?projectKeyOrId=PLAT", None),
    ("GET", "/rest/agile/1.0/board/1", None),
    ("GET", "/rest/agile/1.0/board/1/sprint?maxResults=3", None),
    ("GET", "/rest/agile/1.0/board/1/issue?maxResults=2&expand=changelog", None),
    ("GET", "/rest/agile/1.0/sprint/501", None),
)
DEPRECATED = (
    "/rest/api/3/priority",
    "/rest/api/3/priority/search?maxResults=2",
    "/rest/api/3/resolution",
)
"""Still answered."""
NOT_IN_THE_DOCUMENT = {"/rest/api/3/search"}
"""Answers 410 in reality, where the document still describes it."""


@pytest.mark.parametrize(("method", "url", "body"), REQUESTS, ids=lambda v: str(v)[:60])
def test_answers_obey_the_vendors_documents(play: Serve, method: str, url: str, body: Any) -> None:
    async def script(jira: Jira) -> httpx.Response:
        return await jira.client.request(method, url, json=body)

    response = play(script)
    is_refused = "NONE" in url or "nonsense" in url
    assert response.status_code == (200 if not is_refused else 404 if "NONE" in url else 400)
    known = ["deprecated"] if url in DEPRECATED else []
    assert check_request("jira", method, url, body) == known
    said = without_empty_ends(response.json())
    assert check_response("jira", method, url, response.status_code, said) == []


def test_every_address_is_held_against_the_documents(play: Serve) -> None:
    async def script(jira: Jira) -> set[str]:
        return {route.path for route in jira.app.routes}  # type: ignore[attr-defined]

    asked = {
        url.partition("?")[0].split("/")[2:] and url.partition("?")[0] for _, url, _ in REQUESTS
    }
    missing = {
        path
        for path in play(script) - NOT_IN_THE_DOCUMENT
        if not any(matches(path, url) for url in asked)
    }
    assert missing == set()


def matches(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        part.startswith("{") or part == text for part, text in zip(parts, given, strict=True)
    )


def without_empty_ends(value: Any) -> Any:
    """Without the nulls of changelog items.

    The document types them as texts, but its own example has them, as all real answers do
    (../shared/data/jira_devlake and jira_jirametrics).
    """
    if isinstance(value, list):
        return [without_empty_ends(part) for part in value]
    if not isinstance(value, dict):
        return value
    ends = ("from", "fromString", "to", "toString") if "fieldtype" in value else ()
    return {
        key: without_empty_ends(part)
        for key, part in value.items()
        if not (key in ends and part is None)
    }


def test_the_old_search_is_gone(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        said = await jira.get(f"{API}/search", 410, jql="project = PLAT")
        assert "/rest/api/3/search/jql" in said["errorMessages"][0]
        assert said["errors"] == {}
        assert (await jira.post(f"{API}/search", {"jql": "project = PLAT"}, 410)) == said

    play(script)


# -- search ----------------------------------------------------------------------------------------


def test_issues_come_as_ids_unless_fields_are_named(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        bare = (await jira.search("id = 20001"))[0]
        assert bare == {"id": "20001"}
        keyed = (await jira.search("id = 20001", fields="key"))[0]
        assert (keyed["key"], "fields" in keyed) == ("PLAT-1", False)
        told = (await jira.search("id = 20010", fields="summary,labels,nonsense"))[0]
        assert told["fields"] == {"summary": 'Mend "gauge" \\ No. 9', "labels": ["a", "b", "c"]}
        without = (await jira.search("id = 20001", fields="-summary"))[0]["fields"]
        assert "summary" not in without and "worklog" not in without and "status" in without
        everything = (await jira.search("id = 20001", fields="*all"))[0]["fields"]
        assert {"worklog", "comment", "customfield_10016", "description"} <= set(everything)

    play(script)


def test_pages_are_limited_as_jiras_are(play: Serve, made_world: World) -> None:
    async def script(jira: Jira) -> list[int]:
        sizes = []
        for query in (
            {},
            {"maxResults": 5_000, "fields": "summary"},
            {"maxResults": 5_000},
            {"maxResults": 5_000, "fields": "id,key"},
            {"maxResults": 5_000, "expand": "changelog"},
        ):
            page = await jira.get(f"{API}/search/jql", jql="created > 1", **query)
            sizes.append(len(page["issues"]))
            assert {"total", "startAt", "maxResults"} & set(page) == set()
        return sizes

    count = len(there(made_world))
    assert 100 < count < 5_000
    assert play(script) == [50, 100, count, count, 100]


@pytest.mark.parametrize(
    ("order", "size"),
    [
        ("", 7),
        ("order by id", 100),
        ("order by created desc", 7),
        ("order by updated asc, key desc", 2),
        ("order by key", 11),
    ],
)
def test_paging_neither_loses_nor_repeats(
    play: Serve, made_world: World, order: str, size: int
) -> None:
    async def script(jira: Jira) -> list[int]:
        return await jira.ids(f"project in (PLAT, soft, CARE) {order}", maxResults=size)

    found = play(script)
    assert len(found) == len(set(found))
    assert sorted(found) == there(made_world)


def test_orders_are_kept_across_pages(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        told = await jira.search(
            "created > 1 order by updated desc", fields="updated,created", maxResults=9
        )
        updated = [issue["fields"]["updated"] for issue in told]
        assert updated == sorted(updated, reverse=True)
        newest = await jira.ids("created > 1", maxResults=9)
        assert newest == sorted(newest, reverse=True)

    play(script)


JANUARY = datetime(2025, 1, 20, 9, 13, 20, tzinfo=UTC)
QUERIES = (
    ("project = PLAT", "project_key = 'PLAT'"),
    ("project = 10001", "project_key = 'SOFT'"),
    ("project in (plat, 'The CARE')", "project_key in ('PLAT', 'CARE')"),
    ("project not in (PLAT) and issuetype = Bug", "project_key = 'CARE' and issue_type = 'Bug'"),
    ("project != PLAT AND type in (Task, Story)", "project_key = 'SOFT' and issue_type = 'Task'"),
    ("id in (20001, 20002, 99999)", "issue_id in (20001, 20002)"),
    ("key in (PLAT-1, care-2, NONE-7)", "issue_key in ('PLAT-1', 'CARE-2')"),
    ("id = 20003 or (project = PLAT and not id > 20004)", None),
    (f"created >= {int(JANUARY.timestamp() * 1000)}", f"created_at >= timestamp '{JANUARY:%F %T}'"),
    (f"created > {int(JANUARY.timestamp() * 1000)}", f"created_at > timestamp '{JANUARY:%F %T}'"),
    ('created < "2025-01-20 10:14"', "created_at < timestamp '2025-01-20 09:14'"),
    ("created < '2025/01/20'", "created_at < timestamp '2025-01-19 23:00'"),
    ("created >= -75d", "created_at >= timestamp '2025-01-16'"),
    ("created <= now() and assignee is EMPTY", None),
    ("created > 1 and project = CARE order by id", "project_key = 'CARE'"),
)


@pytest.mark.parametrize(("jql", "where"), [q for q in QUERIES if q[1]], ids=lambda v: str(v)[:40])
def test_jql_finds_what_it_says(play: Serve, made_world: World, jql: str, where: str) -> None:
    async def script(jira: Jira) -> tuple[list[int], int]:
        count = await jira.post(f"{API}/search/approximate-count", {"jql": jql})
        return await jira.ids(jql, maxResults=100), count["count"]

    moved = "issue_id not in (select issue_id from hidden.change where field = 'key')"
    is_about_projects = "project" in where
    found, count = play(script)
    assert count == len(found)
    wanted = there(made_world, f"({where}) and {moved}" if is_about_projects else where)
    if is_about_projects:
        all_moved = set(there(made_world)) - set(there(made_world, moved))
        assert sorted(set(found) - all_moved) == wanted
    else:
        assert sorted(found) == wanted


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("", "Unbounded JQL queries are not allowed here."),
        ("order by updated", "Unbounded JQL queries are not allowed here."),
        ("project = NOWHERE", "The value 'NOWHERE' does not exist for the field 'project'."),
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("project = PLAT order by colour", "Not able to sort using field 'colour'."),
        ("updated >= yesterday", "Date value 'yesterday' for field 'updated' is invalid."),
        ("project = PLAT SOFT", "Error in the JQL Query: Expecting either 'OR' or 'AND'"),
        ("project in (PLAT", "Error in the JQL Query: Expecting ')'"),
        ("project", "Error in the JQL Query: Expecting an operator"),
        ("project = 'PLAT", "Error in the JQL Query:"),
        ("updated = '2025-01-01'", "Error in the JQL Query: Operator '='"),
        ("priority = x; drop table jira_now.issue", "Error in the JQL Query: Expecting either"),
    ],
)
def test_what_is_no_jql_is_refused_in_jiras_words(play: Serve, jql: str, message: str) -> None:
    async def script(jira: Jira) -> Any:
        return await jira.get(f"{API}/search/jql", 400, jql=jql)

    said = play(script)
    assert said["errorMessages"][0].startswith(message)


def test_texts_of_a_query_stay_texts(play: Serve) -> None:
    async def script(jira: Jira) -> list[int]:
        return await jira.ids("""status = "x') or (1=1" or status = 'it\\'s'""")

    assert play(script) == []


def test_a_moved_issue_keeps_its_id_and_is_found_by_its_old_key(
    play: Serve, made_world: World
) -> None:
    row = made_world.connection.execute(
        "select issue_id, from_value, to_value from hidden.change where field = 'key' order by 1"
    ).fetchone()
    assert row
    issue_id, old, new = row

    async def script(jira: Jira) -> None:
        for named in (old, new, issue_id, old.lower()):
            issue = await jira.get(f"{API}/issue/{named}", expand="changelog")
            assert (issue["id"], issue["key"]) == (str(issue_id), new)
            assert issue["fields"]["project"]["key"] == "SOFT"
        items = {
            item["field"]: item
            for history in issue["changelog"]["histories"]
            for item in history["items"]
        }
        assert (items["Key"]["fromString"], items["Key"]["toString"]) == (old, new)
        assert items["Key"]["from"] is None and "fieldId" not in items["Key"]
        assert items["project"]["to"] == "10001"
        assert await jira.ids(f"key = {old}") == await jira.ids(f"key = {new}") == [issue_id]

    play(script)


# -- tokens ----------------------------------------------------------------------------------------


def test_a_token_goes_with_its_own_query_and_for_a_week(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        jql = "project = PLAT order by id"
        first = await jira.get(f"{API}/search/jql", jql=jql, maxResults=3)
        token = first["nextPageToken"]
        path = f"{API}/search/jql"
        following = await jira.get(path, jql=jql, maxResults=3, nextPageToken=token)
        assert following == await jira.get(path, maxResults=3, nextPageToken=token)
        assert following["issues"] != first["issues"]
        for wrong in (
            {"jql": "project = SOFT order by id", "nextPageToken": token},
            {"jql": jql, "nextPageToken": token[:-4] + "AAAA"},
            {"jql": jql, "nextPageToken": "CAEaAggD"},
            {"jql": jql, "nextPageToken": "!"},
        ):
            said = await jira.get(path, 400, **wrong)
            assert said["errorMessages"] == ["The provided next page token is invalid."]
        jira.stage.move(jira.stage.now() + timedelta(days=6))
        await jira.get(path, jql=jql, nextPageToken=token)
        jira.stage.move(jira.stage.now() + timedelta(days=1))
        said = await jira.get(path, 400, jql=jql, nextPageToken=token)
        assert said["errorMessages"] == ["The provided next page token has expired."]

    play(script)


def test_a_token_of_another_site_is_refused(play: Serve, made_world: World) -> None:
    async def script(jira: Jira) -> None:
        body = {"issueIdsOrKeys": ["20001", "20002"], "maxResults": 1}
        token = (await jira.post(f"{API}/changelog/bulkfetch", body))["nextPageToken"]
        other = {**body, "issueIdsOrKeys": ["20001"], "nextPageToken": token}
        await jira.post(f"{API}/changelog/bulkfetch", other, 400)
        jira.app = app(jira.stage, "another token")
        transport = httpx.ASGITransport(app=jira.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://jira.test", auth=("me", "another token")
        ) as stranger:
            response = await stranger.post(
                f"{API}/changelog/bulkfetch", json={**body, "nextPageToken": token}
            )
        assert response.status_code == 400

    play(script)


# -- histories -------------------------------------------------------------------------------------


def test_inline_changelogs_hold_the_newest_forty(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        for number, count in (
            (made.BUSY, made.BUSY_HISTORIES),
            (made.ENDLESS, made.ENDLESS_HISTORIES),
        ):
            page = (await jira.search(f"id = {number}", expand="changelog"))[0]["changelog"]
            assert (page["total"], page["maxResults"], page["startAt"]) == (count, 40, 0)
            everything = (await jira.histories([number]))[number]
            assert len(everything) == count
            assert page["histories"] == everything[:-41:-1]

    play(script)


def test_worklogs_and_comments_inside_of_an_issue_are_limited(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        fields = (await jira.search(f"id = {made.BOOKED}", fields="worklog"))[0]["fields"]
        count = 4 + made.SAME_INSTANT + made.OVER_A_DAY
        page = fields["worklog"]
        assert (page["total"], page["maxResults"], len(page["worklogs"])) == (count, 20, 20)
        first = await jira.get(f"{API}/issue/{made.BOOKED}/worklog", maxResults=2_000)
        rest = await jira.get(f"{API}/issue/{made.BOOKED}/worklog", startAt=2_000)
        ids = [int(w["id"]) for w in first["worklogs"] + rest["worklogs"]]
        assert (first["total"], len(ids), ids) == (count, count, sorted(set(ids)))

    play(script)


@pytest.mark.parametrize("size", [1, 999, 10_000])
def test_bulk_changelogs_come_whole_and_oldest_first(play: Serve, size: int) -> None:
    async def script(jira: Jira) -> None:
        ids = [made.ENDLESS, made.BUSY, 20_001] if size > 1 else [made.BUSY]
        found = await jira.histories(ids, maxResults=size)
        for number in ids:
            numbers = [int(history["id"]) for history in found[number]]
            assert numbers == sorted(set(numbers))
            pages: list[Record] = []
            for start in range(0, len(numbers), 100):
                page = await jira.get(f"{API}/issue/{number}/changelog", startAt=start)
                assert page["total"] == len(numbers)
                assert page["isLast"] == (start + 100 >= len(numbers))
                assert page["isLast"] == ("nextPage" not in page)
                pages += page["values"]
            assert pages == found[number]

    play(script)


def test_bulk_changelogs_are_filtered_by_field(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        found = await jira.histories([20_001, 20_004], fieldIds=["status", "customfield_10020"])
        fields = Counter(
            item["fieldId"] for hs in found.values() for h in hs for item in h["items"]
        )
        assert set(fields) == {"status", "customfield_10020"}
        everything = await jira.histories([20_001, 20_004])
        assert fields == Counter(
            item["fieldId"]
            for hs in everything.values()
            for h in hs
            for item in h["items"]
            if item.get("fieldId") in fields
        )

    play(script)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"issueIdsOrKeys": []},
        {"issueIdsOrKeys": [str(n) for n in range(1_001)]},
        {"issueIdsOrKeys": ["20001"], "fieldIds": [str(n) for n in range(11)]},
        {"issueIdsOrKeys": ["20001"], "maxResults": 10_001},
        {"issueIdsOrKeys": ["20001"], "maxResults": 0},
    ],
)
def test_bulk_changelogs_have_limits(play: Serve, body: Any) -> None:
    async def script(jira: Jira) -> Any:
        return await jira.post(f"{API}/changelog/bulkfetch", body, 400)

    assert play(script)["errorMessages"]


def test_people_without_an_account_are_nobody(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        found = await jira.histories(list(range(20_001, 20_121)))
        everything = [history for histories in found.values() for history in histories]
        text = json.dumps(everything)
        assert f"712020:{made.NOBODY}" not in text
        assert any("author" not in history for history in everything)
        to_nobody = [
            item
            for history in everything
            for item in history["items"]
            if item["field"] == "assignee" and item["to"] is None
        ]
        assert to_nobody and all(item["from"] for item in to_nobody)

    play(script)


def test_a_renamed_account_keeps_its_name_in_old_items(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        found = await jira.histories(list(range(20_001, 20_121)))
        names = {
            (item["toString"], history["created"] > "2025-01-22T09:00")
            for histories in found.values()
            for history in histories
            for item in history["items"]
            if item["field"] == "assignee" and item["to"] == f"712020:{made.RENAMED}"
        }
        assert names == {('Ann "A" No. 2', False), ("Ann Married", True)}
        users = {u["accountId"]: u for u in await jira.get(f"{API}/users/search", maxResults=99)}
        assert users[f"712020:{made.RENAMED}"]["displayName"] == "Ann Married"
        assert [u for u in users.values() if not u["active"]] == [users["712020:1006"]]
        assert "emailAddress" not in users["712020:1005"]
        assert users["712020:1012"]["accountType"] == "app"

    play(script)


def test_a_version_that_replaces_another_makes_two_items(play: Serve) -> None:
    async def script(jira: Jira) -> list[list[Record]]:
        found = await jira.histories([20_001], fieldIds=["fixVersions"])
        return [history["items"] for history in found[20_001]]

    first, second = play(script)
    assert [(i["fromString"], i["toString"]) for i in first] == [(None, "v3")]
    assert [(i["fromString"], i["toString"]) for i in second] == [("v3", None), (None, "v4")]


# -- worklogs --------------------------------------------------------------------------------------


def test_the_feed_of_worklogs_is_whole_even_at_one_instant(play: Serve, made_world: World) -> None:
    async def script(jira: Jira) -> None:
        values, _ = await jira.feed("updated", 0)
        ids = [value["worklogId"] for value in values]
        assert len(ids) == len(set(ids)) > made.SAME_INSTANT + made.OVER_A_DAY
        told: list[Record] = []
        for start in range(0, len(ids), 1_000):
            told += await jira.post(f"{API}/worklog/list", {"ids": ids[start : start + 1_000]})
        assert sorted(int(worklog["id"]) for worklog in told) == sorted(ids)
        counts = made_world.connection.execute(
            """
            select count(*) filter (where least(w.deleted_at, i.deleted_at) is null), count(*)
            from hidden.worklog as w
            inner join hidden.issue as i using (issue_id)
            where i.deleted_at is null or w.logged_at < i.deleted_at
            """
        ).fetchone()
        assert counts
        gone, _ = await jira.feed("deleted", 0)
        assert (len(ids), len(ids) + len(gone)) == counts
        assert {value["worklogId"] for value in gone} & set(ids) == set()

    play(script)


def test_worklogs_of_the_last_minute_are_not_told_yet(play: Serve) -> None:
    booked = datetime(2025, 3, 12, 17, 0, 0, tzinfo=UTC)

    async def script(jira: Jira) -> list[int]:
        counts = []
        for seconds in (1, 60, 61):
            jira.stage.move(booked + timedelta(seconds=seconds))
            since = int((booked - timedelta(hours=1)).timestamp() * 1000)
            counts.append(len((await jira.feed("updated", since))[0]))
        return counts

    assert play(script, now=booked) == [0, 0, made.SAME_INSTANT]


@pytest.mark.parametrize("ids", [[], list(range(1_001)), ["x"], None])
def test_lists_of_worklogs_have_limits(play: Serve, ids: Any) -> None:
    async def script(jira: Jira) -> Any:
        return await jira.post(f"{API}/worklog/list", {"ids": ids}, 400)

    assert play(script)["errorMessages"]


# -- day by day ------------------------------------------------------------------------------------


class Fetched:
    """What a client holds that fetches again and again: the newest version of everything."""

    def __init__(self) -> None:
        self.issues: dict[int, Record] = {}
        self.histories: dict[int, Record] = {}
        self.worklogs: dict[int, Record] = {}
        self.since = {"updated": 0, "deleted": 0}
        self.seen_until = 1

    async def fetch(self, jira: Jira) -> None:
        """All that is new since the last time, by the rules of Jira's documents."""
        begins = int(jira.stage.now().timestamp() * 1000)
        jql = f"updated >= {self.seen_until} order by updated asc"
        changed = await jira.search(jql, fields="*all,-worklog", maxResults=100)
        for issue in changed:
            self.issues[int(issue["id"])] = essence(issue)
        for issue_id, histories in (await jira.histories([int(i["id"]) for i in changed])).items():
            for history in histories:
                self.histories[int(history["id"])] = {**essence(history), "issue": issue_id}
        rows, self.since["updated"] = await jira.feed("updated", self.since["updated"])
        ids = [row["worklogId"] for row in rows]
        for start in range(0, len(ids), 1_000):
            page = await jira.post(f"{API}/worklog/list", {"ids": ids[start : start + 1_000]})
            self.worklogs |= {int(worklog["id"]): essence(worklog) for worklog in page}
        rows, self.since["deleted"] = await jira.feed("deleted", self.since["deleted"])
        for row in rows:
            self.worklogs.pop(row["worklogId"], None)
        self.seen_until = begins

    async def sweep(self, jira: Jira) -> int:
        """Forget issues that are found no more; answers how many."""
        ids = set(await jira.ids("created > 1", maxResults=5_000))
        gone = set(self.issues) - ids
        self.issues = {number: issue for number, issue in self.issues.items() if number in ids}
        self.histories = {n: h for n, h in self.histories.items() if h["issue"] in ids}
        return len(gone)


def essence(value: Any) -> Any:
    """A record without what its neighbours look like today: people, versions, sprints and
    parents change without the issue being updated, in Jira as here."""
    if isinstance(value, list):
        return [essence(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "accountId" in value:
        return value["accountId"]
    if "released" in value or "boardId" in value:
        return value["id"]
    return {key: part["id"] if key == "parent" else essence(part) for key, part in value.items()}


def test_fetching_day_by_day_equals_one_fetch_at_the_end(play: Serve) -> None:
    begins = made.BEGINS.replace(tzinfo=UTC)

    async def script(jira: Jira) -> None:
        daily, once = Fetched(), Fetched()
        for day in (1, 2, 3, 7, 11, 16, 21, 22, 30, 44, 64, 65, 66, 67, 72):
            jira.stage.move(begins + timedelta(days=day, seconds=10_000 + day * 700))
            await daily.fetch(jira)
        assert await daily.sweep(jira) == made.ISSUES // 20
        await once.fetch(jira)
        assert len(once.issues) == made.ISSUES - made.ISSUES // 20
        assert len(once.worklogs) > 3_000 and len(once.histories) > 3_000
        assert daily.issues == once.issues
        assert daily.histories == once.histories
        assert daily.worklogs == once.worklogs

    play(script, now=begins + timedelta(days=1))


@pytest.mark.parametrize("order", ["id", "updated asc"])
def test_pages_read_while_the_clock_moves_lose_nothing(
    play: Serve, made_world: World, order: str
) -> None:
    begins = datetime(2025, 1, 20, 12, tzinfo=UTC)

    async def script(jira: Jira) -> list[int]:
        found = []
        async for page in jira.pages(f"created > 1 order by {order}", maxResults=15):
            found += [int(issue["id"]) for issue in page["issues"]]
            jira.stage.move(jira.stage.now() + timedelta(hours=60))
        assert jira.stage.now() < END
        return found

    found = play(script, now=begins)
    steady = set(there(made_world, now=begins)) & set(there(made_world))
    assert steady <= set(found)
    if order == "id":  # an issue that is updated meanwhile comes again at the end, as it should
        assert len(found) == len(set(found))


# -- faults ----------------------------------------------------------------------------------------


def test_a_clock_in_another_zone_shifts_stamps_and_queries(play: Serve) -> None:
    async def script(jira: Jira) -> tuple[str, str, int]:
        zone = (await jira.get(f"{API}/myself"))["timeZone"]
        created = (await jira.get(f"{API}/issue/20001", fields="created"))["fields"]["created"]
        found = await jira.ids('created >= "2025-01-20 00:00"', maxResults=100)
        return zone, created, len(found)

    zone, created, count = play(script)
    assert (zone, created) == ("Europe/Berlin", "2025-01-06T01:00:00.000+0100")
    fault = Fault("clock_zone", parameters={"zone": "America/New_York"})
    shifted = play(script, fault)
    assert shifted[:2] == ("America/New_York", "2025-01-05T19:00:00.000-0500")
    assert 0 < shifted[2] < count


def test_histories_bear_epoch_milliseconds_on_request(play: Serve) -> None:
    async def script(jira: Jira) -> list[Any]:
        return [h["created"] for h in (await jira.histories([20_001]))[20_001]]

    texts, numbers = play(script), play(script, Fault("epoch_integers"))
    assert len(texts) > 10
    assert numbers == [
        int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000) for text in texts
    ]


def test_projects_disappear_in_silence(play: Serve) -> None:
    async def script(jira: Jira) -> tuple[set[str], set[str], int, int]:
        listed = await jira.get(f"{API}/project/search")
        found = await jira.search("created > 1", fields="project", maxResults=100)
        worklogs, _ = await jira.feed("updated", 0)
        histories = await jira.histories(list(range(20_001, 20_121)))
        return (
            {project["key"] for project in listed["values"]},
            {issue["fields"]["project"]["key"] for issue in found},
            len(worklogs),
            len(histories),
        )

    async def named(jira: Jira) -> None:
        await jira.get(f"{API}/search/jql", 400, jql="project = SOFT")
        await jira.get(f"{API}/project/SOFT/versions", 404)
        await jira.get(f"{API}/issue/SOFT-1", 404)

    fault = Fault("permission_silent", parameters={"projects": ["SOFT"]})
    before, after = play(script), play(script, fault)
    assert before[0] == before[1] == {"PLAT", "SOFT", "CARE"}
    assert after[0] == after[1] == {"PLAT", "CARE"}
    assert after[2] < before[2] and after[3] < before[3]
    play(named, fault)


def test_a_permission_is_refused_aloud(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        said = await jira.get(f"{API}/issue/20001", 403)
        assert said["errorMessages"]
        await jira.get(f"{API}/issue/20001")

    play(script, Fault("permission_403", path="*/issue/*", count=1))


def test_an_expired_token_is_answered_with_400_once(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        jql = {"jql": "project = PLAT", "maxResults": 3}
        token = (await jira.get(f"{API}/search/jql", **jql))["nextPageToken"]
        await jira.get(f"{API}/search/jql", 400, nextPageToken=token, **jql)
        await jira.get(f"{API}/search/jql", nextPageToken=token, **jql)

    play(script, Fault("expired_token", count=1))


def test_a_token_is_repeated(play: Serve) -> None:
    async def script(jira: Jira) -> None:
        jql = {"jql": "project = PLAT", "maxResults": 3}
        token = (await jira.get(f"{API}/search/jql", **jql))["nextPageToken"]
        page = await jira.get(f"{API}/search/jql", nextPageToken=token, **jql)
        assert page["nextPageToken"] == token
        body = {"issueIdsOrKeys": [str(made.BUSY)], "maxResults": 2}
        token = (await jira.post(f"{API}/changelog/bulkfetch", body))["nextPageToken"]
        page = await jira.post(f"{API}/changelog/bulkfetch", {**body, "nextPageToken": token})
        assert page["nextPageToken"] == token

    play(script, Fault("repeated_token"))


def test_an_issue_is_deleted_between_pages(play: Serve, made_world: World) -> None:
    async def script(jira: Jira) -> list[int]:
        found = await jira.ids("created > 1 order by id", maxResults=10)
        gone = set(there(made_world)) - set(found)
        assert gone == {there(made_world)[10]}
        await jira.get(f"{API}/issue/{gone.pop()}", 404)
        return found

    found = play(script, Fault("delete_between_pages", count=1))
    assert len(found) == len(set(found)) == len(there(made_world)) - 1


def test_records_change_between_pages(play: Serve) -> None:
    begins = datetime(2025, 1, 20, 12, tzinfo=UTC)

    async def script(jira: Jira) -> tuple[int, datetime]:
        found = await jira.ids("created > 1 order by updated", maxResults=10)
        return len(found) - len(set(found)), jira.stage.now()

    again, now = play(script, Fault("change_while_paging", count=3), now=begins)
    assert again > 0
    assert now == begins + timedelta(days=3)


def test_fresh_edits_are_missing_from_search_for_a_while(play: Serve, made_world: World) -> None:
    row = made_world.connection.execute(
        f"select max(changed_at) from hidden.change where issue_id = {made.BUSY}"
    ).fetchone()
    assert row
    edited = row[0].replace(tzinfo=UTC)

    async def script(jira: Jira) -> list[list[int]]:
        jql = f"updated >= {int(edited.timestamp() * 1000)}"
        found = []
        for seconds in (30, 90):
            jira.stage.move(edited + timedelta(seconds=seconds))
            found.append(await jira.ids(jql))
        jira.stage.move(edited + timedelta(seconds=30))
        found.append(await jira.ids(jql, reconcileIssues=made.BUSY))
        return found

    assert play(script, now=edited) == [[made.BUSY], [made.BUSY], [made.BUSY]]
    stale = play(script, Fault("eventual_consistency"), now=edited)
    assert stale == [[], [made.BUSY], [made.BUSY]]


@asynccontextmanager
async def _simulated(world: World) -> AsyncIterator[Jira]:
    jira = Jira(Stage(world, "jira", records.prepare))
    async with jira.client:
        yield jira


def test_a_simulated_company_is_served_whole(world: World) -> None:
    """What test_jira_records holds for files holds for the server's pages too."""

    async def script() -> tuple[list[int], int]:
        async with _simulated(world) as jira:
            ids = await jira.ids("created > 1", maxResults=5_000)
            found = await jira.histories(ids, maxResults=10_000)
            return ids, sum(map(len, found.values()))

    ids, histories = asyncio.run(script())
    records.prepare(world.connection, Clock().now())
    counts = world.connection.execute(
        f"""
        select
            (select count(*) from jira_now.issue),
            (
                select sum((changelog->>'total')::integer)
                from (select json(x.changelog) as changelog from ({_changelogs()}) as x)
            )
        """
    ).fetchone()
    assert counts == (len(ids), histories)


def _changelogs() -> str:
    from sandbox.records.jira.issues import issues
    from sandbox.records.jira.wire import Wire

    return issues(Wire(), "true", ["created"])
