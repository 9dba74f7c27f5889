"""Live windows: what is asked for, what is loaded, what is refused, and what must not pass."""

from __future__ import annotations

import json
import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from dagster_project.errors import MissionError, SourceError, SourceUnavailable
from dagster_project.landing import StreamResult, freeze_build
from dagster_project.landing.pull import pull_source
from dagster_project.settings import Mission
from dagster_project.sources.pulls import Answer, Gap, Json, Pull, WindowRejected
from tests.conftest import MakeMission
from tests.support.listed_site import SHAPES, START, ListedSite, issue, user

LIVE = {"id": "jira", "system": "jira", "kind": "jira_cloud", "base_url": "https://site.example"}


@pytest.fixture
def mission(make_mission: MakeMission) -> Mission:
    return make_mission(LIVE)


def pull(mission: Mission, site: ListedSite, **options: Any) -> dict[str, StreamResult]:
    (source,) = mission.sources
    return {r.stream: r for r in pull_source(mission, source, site, SHAPES, **options)}


def manifests(mission: Mission, stream: str) -> list[dict[str, Any]]:
    paths = sorted(mission.lake.glob(f"raw_jira/{stream}/window=*/_manifest.json"))
    return [json.loads(path.read_text()) for path in paths]


def rows(mission: Mission, stream: str, select: str = "*") -> list[tuple[Any, ...]]:
    pattern = mission.lake / "raw_jira" / stream / "window=*" / "*.parquet"
    query = (
        f"select {select} from read_parquet('{pattern}', hive_partitioning = false) order by all"
    )
    return duckdb.sql(query).fetchall()


def pages(mission: Mission) -> set[str]:
    return {p.relative_to(mission.landing).as_posix() for p in mission.landing.rglob("page-*")}


def test_a_first_window_holds_every_record_of_every_page(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(25)], users=[user(n) for n in range(3)])
    results = pull(mission, site)
    assert {name: (r.fetched, r.loaded) for name, r in results.items()} == {
        "issues": (25, 25),
        "changelogs": (50, 50),
        "users": (3, 3),
        "versions": (0, 0),
    }
    assert (results["issues"].requests, results["changelogs"].requests) == (3, 5)
    assert results["issues"].newest_record_at == datetime(2026, 3, 1)
    found = rows(mission, "issues", "issue_id, issue_key, created_at, updated_at, payload")
    assert len(found) == 25
    key, name, created, updated, payload = found[0]
    # The time of the vendor's zone became UTC, and the record is kept as it came.
    assert (key, name, created) == ("0", "P-0", datetime(2026, 1, 1, 10))
    assert (updated, json.loads(payload)) == (datetime(2026, 3, 1), issue(0))
    histories = rows(mission, "changelogs", "issue_id, history_id, payload")
    assert ("24", "24-1", '{"id":"24-1","items":[]}') in histories
    assert len({history for _, history, _ in histories}) == 50
    assert not any(mission.landing.iterdir())
    assert rows(mission, "issues", "distinct source_id, window_seq") == [("jira", 1)]
    assert freeze_build(mission).windows == 3


def test_a_later_window_starts_at_the_last_one_minus_an_overlap(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(25)], users=[user(1)])
    pull(mission, site)
    site.clock = START + timedelta(days=1)
    site.issues[3] = issue(3, updated=START - timedelta(minutes=14))
    site.issues[4] = issue(4, updated=START - timedelta(minutes=16))
    site.issues[5] = issue(5, updated=START + timedelta(hours=9), labels=["new"])
    site.issues[6:] = [issue(n, updated=START - timedelta(days=9)) for n in range(6, 25)]
    site.asked.clear()
    results = pull(mission, site)
    assert (results["issues"].fetched, results["changelogs"].fetched) == (5, 10)
    request = manifests(mission, "issues")[-1]["request"]
    assert request["since"] == (START - timedelta(minutes=15)).isoformat()
    assert request["started_at"] == site.clock.isoformat()
    # One request each for issues, changelogs, users and versions: nothing is asked in vain.
    assert len(site.asked) == 4
    # A snapshot that is the same makes no second window.
    assert (results["users"].windows_new, results["users"].windows_skipped) == (0, 1)
    assert len(manifests(mission, "users")) == 1
    # The third window is empty but for its cursor.
    site.clock = START + timedelta(days=2)
    results = pull(mission, site)
    assert (results["issues"].fetched, results["issues"].windows_new) == (0, 1)
    assert (results["changelogs"].windows_new, len(manifests(mission, "changelogs"))) == (0, 2)
    request = manifests(mission, "issues")[-1]["request"]
    assert request["since"] == (START + timedelta(days=1, minutes=-15)).isoformat()


def test_full_and_since_ask_for_more(mission: Mission) -> None:
    site = ListedSite([issue(n, updated=START - timedelta(days=n)) for n in range(5)])
    pull(mission, site)
    assert pull(mission, site)["issues"].fetched == 1
    assert pull(mission, site, since=date(2026, 2, 27))["issues"].fetched == 3
    # A day after the last window leaves no hole between them.
    assert pull(mission, site, since=date(2026, 5, 1))["issues"].fetched == 1
    assert pull(mission, site, full=True)["issues"].fetched == 5
    assert freeze_build(mission).windows == 5 + 5  # all of issues and changelogs are valid


def test_a_new_snapshot_replaces_the_old_one(mission: Mission) -> None:
    site = ListedSite([issue(1)], users=[user(1), user(2)])
    pull(mission, site)
    site.users = [user(2)]
    assert pull(mission, site)["users"].windows_new == 1
    freeze_build(mission)
    with duckdb.connect(str(mission.warehouse_path), read_only=True) as warehouse:
        shown = warehouse.sql("select user_id from raw_jira.users where is_latest_window")
        assert shown.fetchall() == [("a2",)]
        both = "select count(*) from raw_jira.issues where is_latest_window"
        assert warehouse.sql(both).fetchall() == [(2,)]
        files = "select count(distinct files) from raw_mission.windows where stream = 'issues'"
        assert warehouse.sql(files).fetchall() == [(2,)]


def test_a_stream_asked_differently_is_fetched_in_full_and_alone(mission: Mission) -> None:
    old = START - timedelta(days=30)
    site = ListedSite([issue(n, updated=old) for n in range(5)])
    site.streams = ("issues", "users")
    pull(mission, site)
    assert pull(mission, site)["issues"].fetched == 0
    # Changelogs are new: their issues' ids are needed, all of them.
    site.streams = ("issues", "changelogs", "users")
    results = pull(mission, site)
    assert (results["issues"].fetched, results["changelogs"].fetched) == (5, 10)
    assert pull(mission, site)["changelogs"].fetched == 0
    site.fields = ["status", "duedate"]
    assert pull(mission, site)["issues"].fetched == 5


def test_another_address_is_another_site(mission: Mission) -> None:
    site = ListedSite([issue(n, updated=START - timedelta(days=30)) for n in range(5)])
    pull(mission, site)
    site.endpoint = "https://other.example"
    assert pull(mission, site)["issues"].fetched == 5


def test_dependent_pulls_are_asked_in_parts_and_lose_nothing(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(23)], parts=4)
    site.issues.append(issue(7))  # a page was read while issues moved
    results = pull(mission, site)
    assert (results["issues"].fetched, results["changelogs"].fetched) == (24, 46)
    assert len(set(rows(mission, "changelogs", "history_id"))) == 46
    assert manifests(mission, "issues")[0]["duplicate_keys"] == 1


def test_a_join_at_load_sees_the_other_pull(mission: Mission) -> None:
    site = ListedSite([issue(1)], users=[user(1)])
    site.versions = [
        {"id": "v1", "owner": "a1", "until": "2026-04-01T00:00:00.000+0200"},
        {"id": "v2", "owner": None, "until": None},
    ]
    pull(mission, site)
    assert rows(mission, "versions", "version_id, payload") == [
        ("v1", '{"id":"v1","owner":"Person 1","until":"2026-03-31T22:00:00.000000"}'),
        ("v2", '{"id":"v2"}'),
    ]


def test_unreadable_records_are_set_aside_with_the_reason(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(20)])
    site.issues[3] = issue(3, created="yesterday")
    site.issues[4] = issue(4, status=None)
    del site.issues[15]["id"]
    site.streams = ("issues", "users")
    results = pull(mission, site)["issues"]
    assert (results.fetched, results.loaded, results.quarantined) == (20, 17, 3)
    freeze_build(mission)
    with duckdb.connect(str(mission.warehouse_path), read_only=True) as warehouse:
        found = warehouse.sql(
            "select file, reason, record from raw_mission.quarantine order by file, reason"
        ).fetchall()
    assert [(file, why) for file, why, _ in found] == [
        ("page-000001.jsonl.gz", "fields.created: 'yesterday' is no time in ISO 8601"),
        ("page-000001.jsonl.gz", "fields.status.name is missing"),
        ("page-000002.jsonl.gz", "id is missing"),
    ]
    assert json.loads(found[0][2])["id"] == "3"
    assert "no time" in manifests(mission, "issues")[0]["first_refusal"]


def test_a_field_of_another_type_fails_with_its_name_and_keeps_the_pages(mission: Mission) -> None:
    site = ListedSite([issue(n, status="Open") for n in range(150)])
    with pytest.raises(MissionError, match=r"150 of 150 .* fields\.status\.name is missing"):
        pull(mission, site)
    assert len([page for page in pages(mission) if "issues" in page]) == 30
    assert manifests(mission, "issues") == []


def test_a_field_that_vanished_fails_with_its_name(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(150)])
    pull(mission, site)
    for found in site.issues:
        del found["fields"]["updated"]
    site.odd = lambda pull, position: Answer(site.issues, None) if pull.stream == "issues" else None
    with pytest.raises(MissionError, match=r"none of 150 records has the field `fields\.updated`"):
        pull(mission, site)
    # Two records without it prove nothing.
    site.odd = lambda pull, position: (
        Answer(site.issues[:2], None) if pull.stream == "issues" else None
    )
    assert pull(mission, site, full=True)["issues"].loaded == 2


def test_new_fields_and_odd_texts_break_nothing(mission: Mission) -> None:
    odd = {"text": "a\u2028b\x01\"\\ \r\n'", "large": 10**30, "half": "x\ud83dy", "deep": [{}]}
    site = ListedSite([issue(1, **odd), issue(2, text="y" * 5_000_000)])
    pull(mission, site)
    kept = json.loads(rows(mission, "issues", "payload")[0][0])["fields"]
    assert (kept["text"], kept["half"], kept["deep"]) == (odd["text"], "x?y", [{}])
    assert kept["large"] == 10**30


def test_delivered_fields_are_those_with_a_value(mission: Mission) -> None:
    # The one issue that has a due date is beyond the sample.
    issues = [issue(n, duedate=None, labels=[]) for n in range(1_500)]
    issues[1_400]["fields"]["duedate"] = "2026-05-01"
    site = ListedSite(issues, page=1_000, histories=0)
    pull(mission, site)
    delivered = manifests(mission, "issues")[0]["delivered"]
    assert "fields.duedate" in delivered
    assert "fields.labels" in delivered
    assert "fields.assignee" not in delivered


def test_a_page_that_leads_back_fails_and_the_next_run_starts_the_stream_anew(
    mission: Mission,
) -> None:
    site = ListedSite([issue(n) for n in range(35)])
    site.odd = lambda pull, position: (
        Answer([issue(99)], {"start": 10})
        if pull.stream == "issues" and position == {"start": 20}
        else None
    )
    with pytest.raises(SourceError, match=r"issues.* page 3 leads back to a page"):
        pull(mission, site)
    assert manifests(mission, "issues") == []
    site.odd = lambda pull, position: None
    assert pull(mission, site)["issues"].loaded == 35


def test_pages_without_an_end_fail(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(35)])
    with pytest.raises(SourceError, match=r"issues.* no end after 3 pages"):
        pull(mission, site, most_pages=3)
    assert pull(mission, site, most_pages=8)["issues"].loaded == 35


def test_a_rejected_sequence_starts_anew_twice_at_most(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(35)], users=[user(1)])
    rejections = 2

    def reject(pull: Pull, position: Json | None) -> Answer | None:
        nonlocal rejections
        if pull.stream == "issues" and position == {"start": 20} and rejections:
            rejections -= 1
            raise WindowRejected("the token expired")
        return None

    site.odd = reject
    results = pull(mission, site)
    assert (results["issues"].loaded, results["changelogs"].loaded) == (35, 70)
    assert site.requests == {"issues": 3 + 3 + 4, "changelogs": 7, "users": 1, "versions": 1}
    rejections = 3
    with pytest.raises(SourceError, match=r"broke off .* 3 times: the token expired"):
        pull(mission, site, full=True)


def test_a_failed_run_is_continued_where_it_stopped(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(35)])

    def fail(pull: Pull, position: Json | None) -> Answer | None:
        if pull.stream == "changelogs" and position == {"start": 30}:
            raise SourceUnavailable("no answer for 300 s", "run again later.")
        return None

    site.odd = fail
    with pytest.raises(SourceUnavailable):
        pull(mission, site)
    site.odd = lambda pull, position: None
    site.asked.clear()
    site.clock = START + timedelta(days=3)
    results = pull(mission, site)
    assert (results["issues"].loaded, results["changelogs"].loaded) == (35, 70)
    assert next(p for s, p in site.asked if s == "changelogs") == {"start": 30}
    assert not [p for s, p in site.asked if s == "issues"]
    # Changes since the first try must be asked for next time.
    assert manifests(mission, "issues")[0]["request"]["started_at"] == START.isoformat()


def test_what_must_be_put_right_is_told_before_what_may_pass(mission: Mission) -> None:
    site = ListedSite([issue(1)])

    def fail(pull: Pull, position: Json | None) -> Answer | None:
        if pull.stream == "users":
            raise SourceError("403 at /users", "grant it.", status=403)
        raise SourceUnavailable("no answer", "run again later.")

    site.odd = fail
    with pytest.raises(MissionError) as caught:
        pull(mission, site)
    assert "403 at /users" in str(caught.value)


def test_a_changed_request_discards_the_unfinished_window_and_says_so(
    mission: Mission, caplog: pytest.LogCaptureFixture
) -> None:
    site = ListedSite([issue(n) for n in range(35)])
    with pytest.raises(SourceError):
        pull(mission, site, most_pages=3)
    site.odd = lambda pull, position: None
    left = pages(mission)
    site.fields = ["status", "duedate"]
    site.asked.clear()
    assert pull(mission, site)["issues"].loaded == 35
    assert left  # users and versions had been read
    assert "asked for something else" in caplog.text
    assert len([s for s, _ in site.asked if s == "users"]) == 1


def test_a_damaged_page_is_asked_again(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(35)])

    def fail(pull: Pull, position: Json | None) -> Answer | None:
        if pull.stream == "changelogs" and position == {"start": 30}:
            raise SourceUnavailable("no answer", "run again later.")
        return None

    site.odd = fail
    with pytest.raises(SourceUnavailable):
        pull(mission, site)
    (page,) = mission.landing.rglob("issues/page-000003.jsonl.gz")
    content = bytearray(page.read_bytes())
    content[-9] ^= 1
    page.write_bytes(content)
    site.odd = lambda pull, position: None
    site.asked.clear()
    results = pull(mission, site)
    assert (results["issues"].loaded, results["changelogs"].loaded) == (35, 70)
    assert [p for s, p in site.asked if s == "issues"] == [{"start": 20}, {"start": 30}]
    # Their issues could have changed, so the changelogs were asked from the start.
    assert next(p for s, p in site.asked if s == "changelogs") is None


def test_gaps_survive_a_failed_run_and_an_empty_answer_erases_nothing(mission: Mission) -> None:
    site = ListedSite([issue(n) for n in range(15)], users=[user(1), user(2)])
    pull(mission, site)
    gap = Gap("jira", "users", 403, "no permission")
    site.users = []

    def fail(pull: Pull, position: Json | None) -> Answer | None:
        if pull.stream == "users" and gap not in site.gaps:
            site.gaps.append(gap)
        if pull.stream == "issues":
            while not list(mission.landing.rglob("users/page-000001.meta.json")):
                time.sleep(0.01)
            raise SourceUnavailable("no answer", "run again later.")
        return None

    site.odd = fail
    site.streams = ("issues", "users")
    with pytest.raises(SourceUnavailable):
        pull(mission, site)
    again = ListedSite(site.issues)
    again.streams = site.streams
    results = pull(mission, again)
    assert "users" not in again.requests
    assert manifests(mission, "issues")[-1]["request"]["gaps"] == [gap._asdict()]
    assert (results["users"].windows_skipped, len(manifests(mission, "users"))) == (1, 1)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A write beyond it fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_costs_no_page(mission: Mission) -> None:
    site = ListedSite([issue(n, text=random.Random(n).randbytes(4_000).hex()) for n in range(40)])
    with (
        files_of_at_most(5_000),
        pytest.raises(MissionError, match=r"no room for .*page-0") as told,
    ):
        pull(mission, site)
    assert "Remedy: make room and run again" in str(told.value)
    assert not list(mission.landing.rglob(".tmp-*"))
    results = pull(mission, site)
    assert (results["issues"].loaded, results["changelogs"].loaded) == (40, 80)


def test_a_window_that_finds_no_room_keeps_the_pages(mission: Mission) -> None:
    noise = random.Random(7)
    site = ListedSite([issue(n, text=noise.randbytes(40_000).hex()) for n in range(40)], page=1)
    with files_of_at_most(60_000), pytest.raises(MissionError, match="no room for a window"):
        pull(mission, site)
    site.asked.clear()
    assert pull(mission, site)["issues"].loaded == 40
    assert site.asked == []


def test_a_dry_site_leaves_its_cursor_only(mission: Mission) -> None:
    site = ListedSite([])
    results = pull(mission, site)
    assert {r.stream: r.windows_new for r in results.values()} == {
        "issues": 1,
        "changelogs": 0,
        "users": 0,
        "versions": 0,
    }
    assert manifests(mission, "issues")[0]["request"]["started_at"] == START.isoformat()
    with pytest.raises(MissionError, match="holds no row of issues"):
        freeze_build(mission)


def test_progress_counts_records(mission: Mission) -> None:
    seen: list[tuple[str, int, int]] = []
    site = ListedSite([issue(n) for n in range(25)])
    pull(mission, site, progress=lambda *told: seen.append(told))
    assert [told for told in seen if told[0] == "jira issues"] == [
        ("jira issues", 10, 0),
        ("jira issues", 20, 0),
        ("jira issues", 25, 0),
    ]
