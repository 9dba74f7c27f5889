"""Pages on the disk: what counts as written, what is continued, what is thrown away."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.landing.journal import Frozen, Journal, begin, unfinished
from dagster_project.sources.pulls import Answer, Gap, Pull

PULLS = (
    Pull("issues", {"jql": "order by id", "fields": ["status"]}, "incremental"),
    Pull("changelogs", {}, "incremental", after="issues", concurrency=2),
    Pull("users", {}, "snapshot"),
)
FROZEN = Frozen(
    source_id="jira",
    endpoint="https://site.example",
    window_id="jira-000001-abcdef01",
    window_seq=1,
    started_at=datetime(2026, 3, 1, tzinfo=UTC),
    since=None,
    pulls=PULLS,
    asked={"issues": "a", "changelogs": "b", "users": "c"},
)


def answer(*ids: int, following: int | None = None) -> Answer:
    return Answer([{"id": str(i)} for i in ids], None if following is None else {"at": following})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return begin(tmp_path, FROZEN)


def left(tmp_path: Path) -> Journal:
    found = unfinished(tmp_path, "jira")
    assert found is not None
    return found


def test_the_requests_are_on_the_disk_before_the_first_page(
    tmp_path: Path, journal: Journal
) -> None:
    assert left(tmp_path).frozen == FROZEN
    assert (tmp_path / "jira").stat().st_mode & 0o777 == 0o700
    assert unfinished(tmp_path, "other") is None
    journal.remove()
    assert unfinished(tmp_path, "jira") is None


def test_pages_are_continued_where_they_ended(tmp_path: Path, journal: Journal) -> None:
    (lane,) = journal.lanes("issues")
    lane.append(answer(1, 2, following=2))
    page = lane.append(answer(2, 3, following=3), [Gap("jira", "boards", 403, "none")])
    with gzip.open(page.path) as lines:
        assert lines.read() == b'{"id":"2"}\n{"id":"3"}\n'
    assert (page.records, page.bytes, page.longest) == (2, 22, 11)
    again = left(tmp_path)
    (continued,) = again.lanes("issues")
    assert (continued.position, continued.is_complete) == ({"at": 3}, False)
    assert continued.pages == lane.pages
    assert continued.repeats({"at": 2})
    assert not continued.repeats({"at": 4})
    assert again.gaps() == [Gap("jira", "boards", 403, "none")]
    continued.append(answer(4))
    assert again.is_complete("issues")
    assert again.ids("issues") == ["1", "2", "3", "4"]
    assert left(tmp_path).is_complete("issues")


def test_the_same_records_give_the_same_file(journal: Journal) -> None:
    (lane,) = journal.lanes("users")
    pages = [lane.append(answer(1, 2, following=n)) for n in range(2)]
    assert pages[0].sha256 == pages[1].sha256


@pytest.mark.parametrize("damage", ["no meta", "half meta", "no page", "half page", "other page"])
def test_a_page_that_is_not_whole_was_never_answered(
    tmp_path: Path, journal: Journal, damage: str
) -> None:
    (lane,) = journal.lanes("issues")
    first = lane.append(answer(1, following=1))
    second = lane.append(answer(2))
    meta = second.path.with_name("page-000002.meta.json")
    half = meta if "meta" in damage else second.path
    if damage.startswith("no"):
        half.unlink()
    elif damage.startswith("half"):
        half.write_bytes(half.read_bytes()[:-5])
    else:
        second.path.write_bytes(first.path.read_bytes())
    (continued,) = left(tmp_path).lanes("issues")
    assert (len(continued.pages), continued.position) == (1, {"at": 1})
    continued.append(answer(7))
    assert left(tmp_path).ids("issues") == ["1", "7"]


def test_half_written_files_go_away(tmp_path: Path, journal: Journal) -> None:
    (lane,) = journal.lanes("issues")
    lane.append(answer(1, following=1))
    (lane.directory / ".tmp-page-000002.jsonl.gz").write_bytes(b"half")
    left(tmp_path)
    assert sorted(path.name for path in lane.directory.iterdir()) == [
        "page-000001.jsonl.gz",
        "page-000001.meta.json",
    ]


def test_pages_that_used_ids_which_may_change_are_thrown_away(
    tmp_path: Path, journal: Journal
) -> None:
    (issues,) = journal.lanes("issues")
    issues.append(answer(1, following=1))
    last = issues.append(answer(2))
    for lane in journal.lanes("changelogs"):
        lane.append(answer(5))
    assert left(tmp_path).is_complete("changelogs")
    last.path.unlink()
    again = left(tmp_path)
    assert not again.is_complete("changelogs")
    assert again.pages("changelogs") == []
    assert not list(tmp_path.rglob("changelogs/*/page-*"))


def test_discarding_a_pull_discards_what_needed_it(journal: Journal) -> None:
    for stream in ("issues", "changelogs", "users"):
        for lane in journal.lanes(stream):
            lane.append(answer(1))
    journal.discard("issues")
    assert [journal.is_complete(pull.stream) for pull in PULLS] == [False, False, True]


def test_only_the_same_question_is_continued(tmp_path: Path, journal: Journal) -> None:
    frozen = left(tmp_path).frozen
    tuples = (replace(PULLS[0], request={**PULLS[0].request, "fields": ("status",)}), *PULLS[1:])
    assert frozen.asks_the_same("https://site.example", tuples)
    assert not frozen.asks_the_same("https://other.example", PULLS)
    assert not frozen.asks_the_same("https://site.example", PULLS[:2])
    other = replace(PULLS[0], request={"jql": "order by id", "fields": ["status", "labels"]})
    assert not frozen.asks_the_same("https://site.example", (other, *PULLS[1:]))


def test_what_is_no_journal_is_removed(tmp_path: Path, journal: Journal) -> None:
    older = begin(tmp_path, replace(FROZEN, window_id="jira-000000-aa", window_seq=0))
    (tmp_path / "jira" / "files").mkdir()
    other = tmp_path / "jira" / "jira-000002-bb"
    other.mkdir()
    told = json.loads((journal.directory / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**told, "version": 0, "window_seq": 2}))
    assert left(tmp_path).frozen == FROZEN
    assert [path.name for path in (tmp_path / "jira").iterdir()] == [journal.directory.name]
    assert not older.directory.exists()
