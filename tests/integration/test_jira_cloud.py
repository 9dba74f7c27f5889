"""The client of Jira Cloud against the sandbox's server: what it fetches is what there is.

Real sockets, a company made by hand (tests/support/jira_company.py), every fault of the server. The
truth is asked of the server's own tables. No real waiting: `sleep` only notes the seconds.
"""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import duckdb
import httpx
import jira_company
import pytest
from vendor_documents import check_request

from dagster_project.errors import SourceError, SourceUnavailable
from dagster_project.sources.http import Credentials
from dagster_project.sources.jira import cloud
from dagster_project.sources.jira.cloud import FIELDS, JiraCloud
from dagster_project.sources.jira.shapes import SHAPES
from dagster_project.sources.pulls import Json, Pull, Seen, WindowRejected
from dagster_project.sources.streams import stream
from sandbox.records.jira.catalogue import SPRINT, STORY_POINTS
from sandbox.records.jira.changes import histories
from sandbox.records.jira.issues import issues
from sandbox.records.jira.notes import comments, worklogs
from sandbox.records.jira.wire import Wire
from sandbox.servers.faults import Fault
from sandbox.servers.run import Running, Server, running, vendors

CANARY = "canary-7f3a9c-never-shown"
END = datetime(2025, 4, 1, tzinfo=UTC)
OVERLAP = timedelta(minutes=15)
API, AGILE = "/rest/api/3", "/rest/agile/1.0"
CUSTOM = (STORY_POINTS, SPRINT)
FORTY_ONE, THOUSANDS, EVERY_MINUTE = 20_010, 20_011, 20_013
NOISY_DAY = datetime(2025, 3, 11, 10, tzinfo=UTC)

Records = dict[str, list[Json]]


@dataclass
class Site:
    """The served company, and what a client of it was asked to wait."""

    run: Running
    waits: list[float] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return self.run.servers["jira"]

    @property
    def now(self) -> datetime:
        return self.server.stage.now()

    @contextmanager
    def client(self, **options: Any) -> Iterator[JiraCloud]:
        credentials = Credentials.basic("reader@tidewater.example.com", CANARY)
        options = {"custom_fields": CUSTOM, "sleep": self.waits.append, **options}
        with JiraCloud("jira", self.server.address, credentials, **options) as client:
            yield client

    def order(self, kind: str, **more: Any) -> None:
        self.run.faults.add(Fault(kind, "jira", **more))

    def fired(self) -> int:
        return sum(order["fired"] for order in self.run.faults.state())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.server.stage.reading() as view:
            return view.rows(sql)

    def records(self, sql: str) -> list[Json]:
        return [json.loads(text) for (text,) in self.rows(f"select record from ({sql})")]


@contextmanager
def served(*changes: str) -> Iterator[Site]:
    """The company, changed by statements before it is served."""
    world = jira_company.company()
    for statement in changes:
        world.connection.execute(statement)
    with running(world, vendors=[vendors()["jira"]], tokens={"jira": CANARY}) as run:
        run.clock.move(END)
        yield Site(run)


def _edits_up_to(issue_id: int, total: int, every: str) -> str:
    """So many more changes of an issue that it has `total` histories."""
    return f"""
        insert into hidden.change
        select
            900000 + 10000 * ({issue_id} - 20000) + range, 0, {issue_id},
            timestamp '{NOISY_DAY:%Y-%m-%d %H:%M:%S}' + range * interval '{every}', 1001,
            'rank', null, 'Ranked higher'
        from range(
            {total} - (
                select count(distinct change_id) from hidden.change where issue_id = {issue_id}
                    and (field <> 'assignee' or from_value <> '1009' or to_value <> '1009')
            )
        )
    """


NOISE = (
    _edits_up_to(FORTY_ONE, 41, "7 minutes"),
    _edits_up_to(THOUSANDS, 4_100, "5 seconds"),
    _edits_up_to(EVERY_MINUTE, 150, "1 minute"),
)


@pytest.fixture(scope="module")
def served_site() -> Iterator[Site]:
    with served(*NOISE) as site:
        yield site


@pytest.fixture
def site(served_site: Site) -> Site:
    """The company at END, without faults."""
    served_site.run.faults.clear()
    served_site.run.clock.move(END)
    served_site.waits.clear()
    return served_site


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages of few records, so that faults between pages have something to strike."""
    sizes = {"ISSUES_A_PAGE": 12, "ISSUES_A_BATCH": 40, "HISTORIES_A_PAGE": 700}
    sizes |= {"PROJECTS_A_PAGE": 1, "BOARDS_A_PAGE": 2, "USERS_A_PAGE": 4, "COMMENTS_A_PAGE": 5}
    for name, size in sizes.items():
        monkeypatch.setattr(cloud, f"_{name}", size)


def pages(client: JiraCloud, pull: Pull, ids: Sequence[str]) -> list[Json]:
    """All records of a pull; from the start again where the vendor breaks off, at most twice."""
    for restart in range(3):
        records: list[Json] = []
        position: Json | None = None
        try:
            while True:
                answer = client.fetch(pull, json.loads(json.dumps(position)), ids)
                records += answer.records
                position = answer.next
                if position is None:
                    return records
        except WindowRejected:
            assert restart < 2
    raise AssertionError


def fetched(client: JiraCloud, since: datetime | None = None) -> Records:
    """A whole window, as the landing asks for it."""
    found: Records = {}
    for pull in client.plan(since):
        needed = found[pull.after] if pull.after else []
        ids = list(dict.fromkeys(str(record["id"]) for record in needed))
        found[pull.stream] = pages(client, pull, ids) if ids or not pull.after else []
    return found


def issue_ids(site: Site) -> set[str]:
    return {str(row[0]) for row in site.rows("select issue_id from jira_now.issue")}


def instant(text: Any) -> datetime:
    return datetime.fromisoformat(text)


def assert_everything(site: Site, found: Records, wire: Wire | None = None) -> None:
    """What was fetched is what the server's tables hold: nothing lost, nothing doubled."""
    wire = wire or Wire(is_full=True)
    assert_issues(site, found["issues"], wire)
    assert_histories(site, found["changelogs"], wire)
    assert_notes(site, found, wire)
    listed = {
        "users": "select account_id from jira_now.account, jira_now.setting where opened_at < now",
        "projects": "select project_id from hidden.project",
        "versions": "select version_id from hidden.version",
        "sprints": "select sprint_id from hidden.sprint where sprint_id < 10000",
    }
    for name, sql in listed.items():
        key = "accountId" if name == "users" else "id"
        assert sorted(str(r[key]) for r in found[name]) == sorted(
            str(row[0]) for row in site.rows(sql)
        ), name


def assert_issues(site: Site, found: list[Json], wire: Wire) -> None:
    sql = issues(wire, "true", (*FIELDS, *CUSTOM))
    truth = {str(number): (key, json.loads(fields)) for number, key, fields, _ in site.rows(sql)}
    assert len(found) == len(truth)
    for record in found:
        key, fields = truth[record["id"]]
        assert record["key"] == key
        for name, value in fields.items():
            if name in ("assignee", "reporter", "creator") and value:
                for extra in ("self", "avatarUrls"):
                    value.pop(extra, None)
            told = record["fields"].get(name)
            if name in (SPRINT, "fixVersions"):  # they end without an edit of their issues
                assert _ids(told) == _ids(value), (record["id"], name)
            else:
                assert told == value, (record["id"], name)
        assert record["fields"].keys() == fields.keys()


def _ids(named: list[Json] | None) -> list[object]:
    return [one["id"] for one in named or ()]


def assert_histories(site: Site, found: list[Json], wire: Wire) -> None:
    there = issue_ids(site)
    truth = {
        (str(issue_id), str(change_id)): json.loads(record)
        for issue_id, change_id, _, record in site.rows(histories(wire, "true"))
        if str(issue_id) in there
    }
    assert Counter((r["issueId"], r["history"]["id"]) for r in found) == Counter(truth.keys())
    for record in found:
        told = truth[record["issueId"], record["history"]["id"]]
        assert record["history"]["items"] == told["items"]
        assert record["history"]["created"] == told["created"]
        author = record["history"].get("author", {})
        assert author.get("accountId") == told.get("author", {}).get("accountId")
        assert "avatarUrls" not in author


def assert_notes(site: Site, found: Records, wire: Wire) -> None:
    there = issue_ids(site)
    booked = {r["id"]: r for r in site.records(worklogs(wire, "true")) if r["issueId"] in there}
    assert Counter(r["id"] for r in found["worklogs"]) == Counter(booked.keys())
    for record in found["worklogs"]:
        truth = booked[record["id"]]
        for name in ("issueId", "started", "updated", "timeSpentSeconds"):
            assert record[name] == truth[name]
        assert record["author"]["accountId"] == truth["author"]["accountId"]
        assert "self" not in record
    said = {
        json.loads(record)["id"]: (str(issue_id), json.loads(record))
        for issue_id, _, record in site.rows(comments(wire, "true"))
        if str(issue_id) in there
    }
    assert Counter(r["comment"]["id"] for r in found["comments"]) == Counter(said.keys())
    for record in found["comments"]:
        issue_id, told = said[record["comment"]["id"]]
        assert record["issueId"] == issue_id
        assert record["comment"]["created"] == told["created"]
        assert record["comment"]["author"]["accountId"] == told["author"]["accountId"]
        assert "body" not in record["comment"]


def test_everything_is_fetched_once(site: Site) -> None:
    with site.client() as client:
        found = fetched(client)
        assert client.gaps == []
        for name, records in found.items():
            assert client.usage(name).rows == len(records)
    assert_everything(site, found)
    assert site.waits == []
    assert [record["id"] for record in found["boards"]] == ["1"]
    assert {r["name"] for r in found["statuses"]} == {"To Do", "In Progress", "Done"}
    assert STORY_POINTS in {record["id"] for record in found["fields"]}
    deleted = site.rows(
        "select count(*) from hidden.worklog as w inner join hidden.issue as i using (issue_id) "
        "where least(w.deleted_at, i.deleted_at) > w.logged_at"
    )
    assert len(found["worklog_deletions"]) == deleted[0][0] > 10


def test_no_changelog_is_cut_short(site: Site) -> None:
    with site.client() as client:
        found = fetched(client)["changelogs"]
    counts = Counter(int(record["issueId"]) for record in found)
    assert counts[FORTY_ONE] == 41
    assert counts[THOUSANDS] == 4_100
    assert counts[EVERY_MINUTE] == 150


def test_a_moved_issue_is_one_issue_with_all_of_its_past(site: Site) -> None:
    moved = site.rows(
        "select distinct c.issue_id from hidden.change as c "
        "inner join jira_now.issue using (issue_id) where c.field = 'key'"
    )
    assert len(moved) > 3
    with site.client() as client:
        found = fetched(client)
    keys = {record["id"]: record["key"] for record in found["issues"]}
    items = {
        (record["issueId"], item["field"])
        for record in found["changelogs"]
        for item in record["history"]["items"]
    }
    for (issue_id,) in moved:
        assert keys[str(issue_id)].startswith("SOFT-")
        assert {(str(issue_id), "Key"), (str(issue_id), "status")} <= items


def test_texts_are_not_asked_for(site: Site) -> None:
    with site.client() as client:
        asked = {pull.stream: pull.request for pull in client.plan(None)}
        issue = fetched(client)["issues"][0]
    assert not {"description", "comment", "worklog", "*all"} & set(asked["issues"]["fields"])
    assert set(CUSTOM) <= set(asked["issues"]["fields"])
    assert issue.keys() == {"self", "id", "key", "fields"}


PASSING: Mapping[str, Mapping[str, Any]] = {
    "429": {"kind": "429", "parameters": {"retry_after": 1}},
    "429 with a date": {"kind": "429", "parameters": {"retry_after": 1, "form": "date"}},
    "429 without a time": {"kind": "429"},
    "500": {"kind": "500"},
    "502": {"kind": "502"},
    "503": {"kind": "503", "parameters": {"retry_after": 0}},
    "slow": {"kind": "slow", "parameters": {"delay": 0.02}},
    "cut": {"kind": "cut", "parameters": {"cut_at": 300}},
    "cut at once": {"kind": "cut", "parameters": {"cut_at": 0}},
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_costs_nothing_but_time(site: Site, name: str) -> None:
    site.order(**PASSING[name], probability=0.3, seed=3)
    with site.client() as client:
        found = fetched(client)
    assert site.fired() > 10
    assert_everything(site, found)
    assert bool(site.waits) == (name != "slow")


def test_a_busy_site_is_left_alone_as_long_as_it_asks(site: Site) -> None:
    site.order("429", count=2, parameters={"retry_after": 1})
    with site.client() as client:
        client.now()
    assert site.waits == [1, 1]


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "cut"])
def test_a_site_that_stays_down_is_unavailable(site: Site, kind: str) -> None:
    site.order(kind, path=f"{API}/changelog/*")
    with site.client(patience=5) as client, pytest.raises(SourceUnavailable) as raised:
        fetched(client)
    assert f"source `jira`, POST {site.server.address}{API}/changelog/bulkfetch" in str(
        raised.value
    )
    assert sum(site.waits) <= 5


@pytest.mark.parametrize("path", [f"{API}/search/jql", f"{API}/changelog/bulkfetch"])
def test_a_token_that_comes_back_is_an_error(site: Site, path: str) -> None:
    site.order("repeated_token", path=path, after=1, count=1)
    with site.client() as client, pytest.raises(SourceError) as raised:
        fetched(client)
    assert site.fired() == 1
    assert "the token of the next page is the one just used" in str(raised.value)
    assert not isinstance(raised.value, SourceUnavailable)


@pytest.mark.parametrize("path", [f"{API}/search/jql", f"{API}/changelog/bulkfetch"])
def test_an_expired_token_starts_the_pull_anew(site: Site, path: str) -> None:
    site.order("expired_token", path=path, after=2, count=1)
    with site.client() as client:
        found = fetched(client)
    assert site.fired() == 1
    assert_everything(site, found)


def test_other_refusals_of_a_page_are_errors(site: Site) -> None:
    with site.client() as client, pytest.raises(SourceError, match="status 400: Error in the JQL"):
        pages(client, Pull("issues", {"jql": "updated >=", "fields": ["id"]}, "incremental"), [])


def test_a_refusal_names_what_to_grant(site: Site) -> None:
    site.order("permission_403", path=f"{API}/users/search")
    with site.client() as client, pytest.raises(SourceError) as raised:
        fetched(client)
    assert f"GET {site.server.address}{API}/users/search: status 403" in str(raised.value)
    assert "`Browse users and groups`" in raised.value.remedy


@pytest.mark.parametrize(
    ("path", "stream_name"),
    [
        (f"{AGILE}/board", "boards"),
        (f"{AGILE}/board/*/sprint", "sprints"),
        (f"{API}/project/*/versions", "versions"),
    ],
)
def test_what_a_site_may_lack_is_a_gap(site: Site, path: str, stream_name: str) -> None:
    site.order("permission_403", path=path)
    with site.client() as client:
        found = fetched(client)
        assert {(gap.source, gap.resource, gap.status) for gap in client.gaps} == {
            ("jira", stream_name, 403)
        }
    assert found[stream_name] == []
    assert len(found["issues"]) == len(issue_ids(site))


def test_what_may_not_be_seen_is_not_taken_for_deleted(site: Site) -> None:
    site.order("permission_silent", parameters={"projects": ["PLAT"]})
    with site.client() as client:
        found = fetched(client)
    left = site.rows("select issue_id from jira_now.issue where project_key <> 'PLAT'")
    hidden = site.rows("select issue_id from jira_now.issue where project_key = 'PLAT'")
    assert sorted(r["id"] for r in found["issues"]) == sorted(str(row[0]) for row in left)
    assert hidden
    gone = {str(record["worklogId"]) for record in found["worklog_deletions"]}
    there = site.rows(
        "select worklog_id from hidden.worklog inner join jira_now.issue using (issue_id) "
        "where deleted_at is null"
    )
    assert not gone & {str(row[0]) for row in there}


def test_a_comment_is_not_cut_off_with_the_first_twenty(site: Site) -> None:
    with (
        served(
            "insert into hidden.comment select 800000 + range, 20001, 1001 + range % 8, "
            "timestamp '2025-02-01' + to_minutes(range) from range(57)"
        ) as site,
        site.client() as client,
    ):
        found = fetched(client)
        assert_everything(site, found)
    assert Counter(record["issueId"] for record in found["comments"])["20001"] >= 57


@pytest.mark.parametrize("zone", ["Pacific/Niue", "Pacific/Auckland"])
def test_the_zone_of_the_account_changes_nothing(site: Site, zone: str) -> None:
    """Niue is at UTC-11: a bare time in JQL would mean another instant there."""
    since = datetime(2025, 2, 3, 12, tzinfo=UTC)
    with site.client() as client:
        plain, changed = fetched(client), fetched(client, since)
    site.order("clock_zone", parameters={"zone": zone})
    with site.client() as client:
        shifted, shifted_change = fetched(client), fetched(client, since)
    assert site.fired() > 20
    for one, other in ((plain, shifted), (changed, shifted_change)):
        for name in ("issues", "changelogs", "worklogs", "comments"):
            assert landed(name, one[name]) == landed(name, other[name])
    assert landed("issues", plain["issues"]) != landed("issues", changed["issues"])
    expected = site.rows(
        "select issue_id from jira_now.issue where updated_at >= timestamp '2025-02-03 12:00:00'"
    )
    assert sorted(r["id"] for r in shifted_change["issues"]) == sorted(str(r[0]) for r in expected)


def test_times_as_epochs_land_as_the_same_times(site: Site) -> None:
    """The vendor's document says date-time; its example, and Jira, give milliseconds."""
    with site.client() as client:
        told = fetched(client)["changelogs"]
        site.order("epoch_integers")
        counted = fetched(client)["changelogs"]
    assert {type(r["history"]["created"]) for r in counted} == {int}
    keys = [(row[0], row[1], row[2]) for row in landed("changelogs", told)]
    assert keys == [(row[0], row[1], row[2]) for row in landed("changelogs", counted)]


def landed(name: str, records: list[Json]) -> list[tuple[Any, ...]]:
    """Keys of the lake's rows, by the shapes, sorted."""
    shape = next(shape for shape in SHAPES if shape.stream == name)
    values = ", ".join(f"record ->> '{path}' as {n}" for n, path in shape.values.items())
    keys = [shape.keys[key] for key in stream("jira", name).keys]
    rules = " or ".join(f"({rule.broken})" for rule in shape.rules)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create table pulled (record json)")
        texts = [[json.dumps(record)] for record in records]
        if texts:
            connection.executemany("insert into pulled values (?)", texts)
        told = connection.execute(
            f"select {', '.join(keys)} from (select record, {values} from pulled) "
            f"where not ({rules}) order by all"
        ).fetchall()
    assert len(told) == len(records), "a record was refused"
    return told


def test_every_shape_reads_what_the_client_fetches(site: Site) -> None:
    with site.client() as client:
        found = fetched(client)
    shapes = {shape.stream for shape in SHAPES}
    assert shapes == set(found) - {"boards"}
    for name in shapes:
        if name != "changelogs":  # thousands of rows, which the zones' test reads
            assert len(landed(name, found[name])) == len(found[name]) > 0
    (row,) = landed("worklog_deletions", found["worklog_deletions"][:1])
    number, milliseconds = (found["worklog_deletions"][0][k] for k in ("worklogId", "updatedTime"))
    assert row == (
        str(number),
        datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None),
    )


class Lake:
    """What windows leave behind, the newest version of each record."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cursor: datetime | None = None
        self.issues: dict[str, Json] = {}
        self.histories: dict[tuple[str, str], Json] = {}
        self.worklogs: dict[str, Json] = {}
        self.comments: dict[str, Json] = {}

    def refresh(self) -> Records:
        started = self.site.now
        with self.site.client() as client:
            found = fetched(client, self.cursor and self.cursor - OVERLAP)
        for record in found["issues"]:
            known = self.issues.get(record["id"], record)["fields"]["updated"]
            if instant(record["fields"]["updated"]) >= instant(known):
                self.issues[record["id"]] = record
        self.histories |= {(r["issueId"], r["history"]["id"]): r for r in found["changelogs"]}
        self.comments |= {r["comment"]["id"]: r for r in found["comments"]}
        self.worklogs |= {r["id"]: r for r in found["worklogs"]}
        for record in found["worklog_deletions"]:
            self.worklogs.pop(str(record["worklogId"]), None)
        self.cursor = started
        return found

    def assert_complete(self) -> None:
        """Equal to the truth, but for issues that are gone, which only a census can tell."""
        there = issue_ids(self.site)
        wire = Wire(is_full=True)
        assert there <= self.issues.keys()
        assert_issues(self.site, [r for i, r in self.issues.items() if i in there], wire)
        told = [r for (issue, _), r in self.histories.items() if issue in there]
        assert_histories(self.site, told, wire)
        # Those of deleted issues are in the feed of deletions.
        assert {r["issueId"] for r in self.worklogs.values()} <= there
        notes = {
            "worklogs": list(self.worklogs.values()),
            "comments": [r for r in self.comments.values() if r["issueId"] in there],
        }
        assert_notes(self.site, notes, wire)


def test_what_changes_between_pages_is_in_this_window_or_the_next(site: Site) -> None:
    """The clock jumps by days while pages are read: hundreds of edits, new issues, deletions."""
    site.run.clock.move(datetime(2025, 1, 20, tzinfo=UTC))
    lake = Lake(site)
    site.order("change_while_paging", probability=0.6, count=25, seed=5)
    lake.refresh()
    assert site.fired() > 5
    lake.refresh()
    site.run.faults.clear()
    lake.refresh()
    lake.refresh()
    assert lake.cursor is not None
    lake.assert_complete()


def test_an_issue_that_is_edited_every_minute_is_never_lost(site: Site) -> None:
    site.run.clock.move(NOISY_DAY - timedelta(minutes=3))
    lake = Lake(site)
    lake.refresh()
    for _ in range(4):
        site.run.faults.clear()
        site.order("change_while_paging", parameters={"seconds": 60})
        lake.refresh()
        assert site.fired() > 0
    site.run.faults.clear()
    site.run.clock.move(site.now + timedelta(minutes=2))
    lake.refresh()
    lake.assert_complete()
    assert 20 < len([1 for issue, _ in lake.histories if issue == str(EVERY_MINUTE)]) <= 150


def test_what_is_deleted_between_pages_takes_nothing_with_it() -> None:
    with served() as site:
        site.order("delete_between_pages", count=3, after=1)
        with site.client() as client:
            before = issue_ids(site)
            found = [record["id"] for record in fetched(client)["issues"]]
        assert site.fired() == 3
    assert len(found) == len(set(found))
    assert len(before - set(found)) <= 3
    assert set(found) <= before


def test_what_the_index_does_not_know_yet_comes_with_the_overlap(site: Site) -> None:
    site.run.clock.move(NOISY_DAY + timedelta(minutes=30))
    lake = Lake(site)
    site.order("eventual_consistency", path=f"{API}/search/jql", parameters={"seconds": 120})
    lake.refresh()
    assert str(EVERY_MINUTE) not in lake.issues, "it was edited less than two minutes ago"
    site.run.faults.clear()
    site.run.clock.move(site.now + timedelta(hours=5))
    found = lake.refresh()
    assert len(found["issues"]) < 30
    lake.assert_complete()


@pytest.mark.parametrize("seed", range(3))
def test_any_split_of_a_history_gives_the_same(site: Site, seed: int) -> None:
    random = Random(seed)
    first, last = datetime(2025, 1, 7, tzinfo=UTC), datetime(2025, 3, 25, tzinfo=UTC)
    cuts = sorted(
        first + timedelta(seconds=random.randint(0, int((last - first).total_seconds())))
        for _ in range(3)
    )
    lake = Lake(site)
    for cut in [*cuts, last]:
        site.run.clock.move(cut)
        lake.refresh()
    lake.assert_complete()


def test_a_quiet_refresh_asks_for_as_little_as_possible(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # pages as long as Jira allows
    with site.client() as client, httpx.Client(base_url=site.server.address) as control:
        control.delete("/_sandbox/requests")
        found = fetched(client, END - OVERLAP)
        counts = control.get("/_sandbox/requests").json()["counts"]
        usage = client.usage()
    assert counts == {
        f"POST {API}/search/jql": 1,
        f"GET {API}/worklog/updated": 1,
        f"GET {API}/worklog/deleted": 1,
        f"GET {API}/users/search": 2,  # only an empty page is surely the last one
        f"GET {API}/status": 1,
        f"GET {API}/field": 1,
        f"GET {API}/project/search": 1,
        **{f"GET {API}/project/{n}/versions": 1 for n in (10_000, 10_001, 10_002)},
        f"GET {AGILE}/board": 1,
        f"GET {AGILE}/board/1/sprint": 1,
    }
    assert usage.requests == 13
    changing = ("issues", "changelogs", "worklogs", "worklog_deletions", "comments")
    assert [found[name] for name in changing] == [[]] * 5


def test_a_refresh_of_few_changes_asks_once_for_all_of_their_histories(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with site.client() as client:
        plan = {pull.stream: pull for pull in client.plan(datetime(2025, 3, 1, tzinfo=UTC))}
        assert plan["changelogs"].concurrency == 1
        found = fetched(client, datetime(2025, 3, 1, tzinfo=UTC))
        assert client.usage("changelogs").requests == 1
    assert len(found["issues"]) > 5
    assert {r["issueId"] for r in found["changelogs"]} == {r["id"] for r in found["issues"]}


def test_requests_conform_to_the_vendors_documents(site: Site) -> None:
    asked: list[httpx.Request] = []
    with site.client() as client:
        client._session._client.event_hooks["request"] = [asked.append]
        client.now()
        client.check()
        fetched(client)
        fetched(client, datetime(2025, 3, 1, tzinfo=UTC))
    seen = set()
    for request in asked:
        body = json.loads(request.content) if request.content else None
        assert check_request("jira", request.method, str(request.url), body) == []
        seen.add((request.method, request.url.path.removeprefix("/rest/")))
    assert ("POST", "api/3/changelog/bulkfetch") in seen
    assert ("GET", "agile/1.0/board/1/sprint") in seen
    assert len(seen) > 15


def test_a_plan_is_the_same_whenever_it_is_made(site: Site) -> None:
    since = datetime(2025, 3, 1, 12, 30, 15, 999_999, tzinfo=UTC)
    with site.client() as client:
        plan = client.plan(since)
        assert client.plan(since) == plan
        assert client.usage().requests == 0
    assert plan[0].stream == "issues"
    jql = plan[0].request["jql"]
    assert jql == "updated >= 1740832215000 order by created asc, id asc"
    assert "<" not in jql, "an upper bound loses what changes meanwhile"
    assert {pull.stream for pull in plan} - {"boards"} == {shape.stream for shape in SHAPES}


def test_check_tells_what_is_seen_and_what_is_lacking(site: Site) -> None:
    with site.client() as client:
        seen = client.check()
        site.order("permission_silent", parameters={"projects": ["PLAT", "SOFT", "CARE"]})
        blind = client.check()
    count = len(issue_ids(site))
    assert seen == [
        Seen("account Data Platform", None),
        Seen("projects", 3),
        Seen("issues", count),
        Seen("users", None),
    ]
    assert blind[1].count == 0
    assert "`Browse projects`" in str(blind[1].lacks)


def test_a_wrong_token_is_told_without_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    wrong = f"{CANARY}-wrong"
    who = Credentials.basic("reader@tidewater.example.com", wrong)
    with (
        JiraCloud("jira", site.server.address, who) as client,
        pytest.raises(SourceError) as raised,
    ):
        client.check()
    assert raised.value.status == 401
    assert "make a new one" in raised.value.remedy
    assert raised.value.__traceback__
    raised.value.__traceback__ = raised.value.__traceback__.tb_next
    told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    texts = ["".join(told.format()), repr(raised.value), repr(client.__dict__), caplog.text]
    assert not [text for text in texts if CANARY in text]


def test_secrets_are_in_no_record_and_no_request(site: Site) -> None:
    with site.client() as client:
        plan = client.plan(None)
        found = fetched(client)
    assert CANARY not in json.dumps([pull.request for pull in plan])
    assert CANARY not in json.dumps(found)


def _without(path: str) -> Callable[[Json], Json]:
    """A record without the field at a path."""

    def remove(record: Json) -> Json:
        copy: Json = json.loads(json.dumps(record))
        holder = copy
        *parents, last = path.split(".")
        for name in parents:
            holder = holder[name]
        del holder[last]
        return copy

    return remove


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("issues", "fields.status"),
        ("issues", "fields.created"),
        ("changelogs", "history.created"),
        ("changelogs", "issueId"),
        ("worklogs", "started"),
        ("comments", "comment.id"),
        ("worklog_deletions", "updatedTime"),
        ("users", "accountId"),
        ("sprints", "name"),
    ],
)
def test_a_record_without_what_must_be_there_is_refused(site: Site, name: str, path: str) -> None:
    with site.client() as client:
        pulls = {pull.stream: pull for pull in client.plan(None)}
        ids = ["20001"] if name == "changelogs" else ["1"] if name == "sprints" else ["x"]
        record = client.fetch(pulls[name], None, ids).records[0]
    assert landed(name, [dict(record)])
    with pytest.raises(AssertionError, match="refused"):
        landed(name, [_without(path)(dict(record))])


def test_answers_of_another_form_are_an_error(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.client() as client:
        monkeypatch.setattr(client._session, "ask", lambda *args, **more: {"other": []})
        for pull in client.plan(None):
            with pytest.raises(
                SourceError, match=rf"{pull.stream}: the answer has not the expected"
            ):
                client.fetch(pull, None, ["1"])


def test_cuts_are_in_order() -> None:
    """The truth of `landed` depends on a stable order."""
    rows = landed("users", [{"accountId": "b"}, {"accountId": "a"}])
    assert all(one <= other for one, other in pairwise(rows))
