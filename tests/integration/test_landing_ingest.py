"""Files become windows: counts, idempotency, emptiness, privacy of the directories."""

# Typed columns hold naive UTC, and so do the expectations.

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import MissionError
from dagster_project.landing import StreamResult, ingest_system
from dagster_project.landing import draft as draft_module
from dagster_project.settings import Mission, System
from tests.conftest import CRM, HR, JIRA, MakeMission, jira_issue, write_csv, write_jsonl


def ingest(mission: Mission, system: System = "jira", **options: Any) -> dict[str, StreamResult]:
    return {result.stream: result for result in ingest_system(mission, system, **options)}


def manifests(mission: Mission, stream: str) -> list[dict[str, Any]]:
    paths = sorted(mission.lake.glob(f"raw_*/{stream}/window=*/_manifest.json"))
    return [json.loads(path.read_text()) for path in paths]


def rows(mission: Mission, stream: str, select: str = "*") -> list[tuple[Any, ...]]:
    (pattern,) = {str(path.parent.parent) for path in mission.lake.glob(f"*/{stream}/window=*/*")}
    return duckdb.sql(f"select {select} from '{pattern}/window=*/*.parquet'").fetchall()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def hr_files(files: Path) -> None:
    write_csv(files / "employees.csv", ["employee_id", "full_name"], ["1", "A B"])
    write_csv(
        files / "history.csv",
        ["employee_id", "department_id", "from_date"],
        ["1", "d", "2024-01-01"],
    )


def test_a_file_of_issues_becomes_one_window_in_each_stream(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues-1.jsonl.gz", [jira_issue(n, changes=2) for n in range(3)])
    mission = make_mission(JIRA)
    results = ingest(mission)
    assert list(results) == [
        "issues",
        "changelogs",
        "worklogs",
        "comments",
        "users",
        "statuses",
        "versions",
        "worklog_deletions",
        "projects",
        "sprints",
        "fields",
    ]
    assert (results["issues"].fetched, results["issues"].loaded) == (3, 3)
    assert (results["changelogs"].fetched, results["changelogs"].loaded) == (6, 6)
    assert results["worklogs"].windows_new == 0
    assert results["issues"].newest_record_at == datetime(2024, 2, 3, 4, 5, 6)
    (manifest,) = manifests(mission, "issues")
    assert manifest["files"][0]["name"] == "issues-1.jsonl.gz"
    assert manifest["window_id"] == f"jira-000001-{manifest['digest'][:8]}"
    assert manifest["parquet"]["part-0.parquet"]["rows"] == 3
    assert manifest["schema"]["created_at"] == "TIMESTAMP"
    assert not any(mission.landing.iterdir())
    keys = "source_id, window_seq, issue_id, issue_key, created_at, typeof(payload)"
    assert rows(mission, "issues", keys)[0] == (
        "jira",
        1,
        "10000",
        "AB-0",
        datetime(2024, 1, 2, 3, 4, 5),
        "VARCHAR",
    )
    assert rows(mission, "issues", "json_extract_string(payload, '$.fields.status.name')")[0] == (
        "Done",
    )


def test_the_same_file_twice_changes_nothing(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(1, changes=1)])
    hr_files(files)
    mission = make_mission(JIRA, HR)
    ingest(mission), ingest(mission, "hr")
    before = snapshot(mission.lake)
    jira, hr = ingest(mission), ingest(mission, "hr")
    assert snapshot(mission.lake) == before
    assert (jira["issues"].windows_new, jira["issues"].windows_skipped) == (0, 1)
    assert (jira["changelogs"].windows_new, jira["changelogs"].windows_skipped) == (0, 1)
    assert (hr["employees"].windows_new, hr["employees"].windows_skipped) == (0, 1)
    assert jira["issues"].newest_record_at == datetime(2024, 2, 3, 4, 5, 6)


def test_a_copy_under_another_name_is_the_same_delivery(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(1)])
    mission = make_mission(JIRA)
    ingest(mission)
    (files / "issues-1.jsonl").rename(files / "issues-2.jsonl")
    assert ingest(mission)["issues"].windows_new == 0


def test_two_copies_in_one_run_land_once(make_mission: MakeMission, files: Path) -> None:
    for number in (1, 2):
        write_jsonl(files / f"issues-{number}.jsonl", [jira_issue(1)])
    result = ingest(make_mission(JIRA))["issues"]
    assert (result.windows_new, result.windows_skipped) == (1, 1)


def test_one_file_may_feed_two_entities(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "accounts.csv", ["account_id", "product_id"], ["1", "2"])
    entities = {"accounts": "accounts.csv", "products": "accounts.csv"}
    mission = make_mission({**CRM, "entities": entities})
    for new in (1, 0):
        results = ingest(mission, "crm")
        assert (results["accounts"].windows_new, results["products"].windows_new) == (new, new)


def test_a_snapshot_that_returns_to_an_older_one_is_new(
    make_mission: MakeMission, files: Path
) -> None:
    mission = make_mission(CRM)
    for account in ("1", "2", "1"):
        write_csv(files / "accounts.csv", ["account_id"], [account])
        assert ingest(mission, "crm")["accounts"].windows_new == 1
    assert ingest(mission, "crm")["accounts"].windows_new == 0


def test_full_lands_every_file_again(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(1)])
    mission = make_mission(JIRA)
    ingest(mission)
    assert ingest(mission, full=True)["issues"].windows_new == 1
    assert [m["window_seq"] for m in manifests(mission, "issues")] == [1, 2]


def test_since_lands_again_what_is_that_new(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(1)])
    write_jsonl(files / "issues-2.jsonl", [jira_issue(2, updated="2024-05-01T00:00:00Z")])
    mission = make_mission(JIRA)
    ingest(mission)
    again = ingest(mission, since=date(2024, 5, 1))
    assert (again["issues"].windows_new, again["issues"].windows_skipped) == (1, 1)


def test_other_settings_land_the_file_again(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "accounts.csv", ["account_id", "name", "label"], ["1", "x", "y"])
    ingest(make_mission(CRM), "crm")
    told = {"accounts": {"path": "accounts.csv", "columns": {"name": "label"}}}
    mission = make_mission({**CRM, "entities": told})
    assert ingest(mission, "crm")["accounts"].windows_new == 1


def test_all_files_of_a_snapshot_are_one_window(make_mission: MakeMission, files: Path) -> None:
    for name in "ab":
        write_csv(files / f"accounts-{name}.csv", ["account_id"], [name])
    mission = make_mission({**CRM, "entities": {"accounts": "accounts-*.csv"}})
    assert ingest(mission, "crm")["accounts"].windows_new == 1
    assert rows(mission, "accounts", "account_id") == [("a",), ("b",)]
    write_csv(files / "accounts-b.csv", ["account_id"], ["c"])
    assert ingest(mission, "crm")["accounts"].windows_new == 1
    assert [m["loaded"] for m in manifests(mission, "accounts")] == [2, 2]


def test_refused_rows_go_to_quarantine_and_the_counts_agree(
    make_mission: MakeMission, files: Path
) -> None:
    lines = [json.dumps(jira_issue(1)), json.dumps(jira_issue(2))[:-40], "{}"]
    (files / "issues.jsonl").write_text("\n".join(lines))
    mission = make_mission(JIRA)
    result = ingest(mission)["issues"]
    assert (result.fetched, result.loaded, result.quarantined) == (3, 1, 2)
    (path,) = mission.quarantine.glob("jira/issues/*.parquet")
    assert path.stem == manifests(mission, "issues")[0]["window_id"]
    found = duckdb.sql(
        f"select source_id, stream, file, line, reason, record from '{path}' order by line"
    ).fetchall()
    assert [row[:4] for row in found] == [
        ("jira", "issues", "issues.jsonl", 2),
        ("jira", "issues", "issues.jsonl", 3),
    ]
    assert found[0][4].startswith("not JSON")
    assert found[0][5] == lines[1]
    assert found[1][4].startswith("id is missing; key is missing")


def test_lost_rows_are_noticed_before_anything_is_committed(
    make_mission: MakeMission, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(n) for n in range(3)])
    mission = make_mission(JIRA)
    flush = draft_module.Pages.flush

    def lose_a_line(pages: draft_module.Pages) -> None:
        del pages._lines[:1]
        flush(pages)

    monkeypatch.setattr(draft_module.Pages, "flush", lose_a_line)
    with pytest.raises(MissionError, match="3 records were fetched, but 2 loaded and 0"):
        ingest(mission)
    assert manifests(mission, "issues") == []


def test_a_duplicated_record_lands_twice_and_is_counted(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1, changes=2), jira_issue(1, changes=2)])
    mission = make_mission(JIRA)
    assert ingest(mission)["issues"].loaded == 2
    assert manifests(mission, "issues")[0]["duplicate_keys"] == 1
    assert manifests(mission, "changelogs")[0]["duplicate_keys"] == 2


def test_pages_bound_the_memory_and_keep_the_order(
    make_mission: MakeMission, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft_module, "_PAGE_ROWS", 10)
    longest = 0
    add = draft_module.Pages.add

    def watched(pages: draft_module.Pages, record: Any) -> None:
        nonlocal longest
        add(pages, record)
        longest = max(longest, len(pages._lines))

    monkeypatch.setattr(draft_module.Pages, "add", watched)
    write_jsonl(files / "issues.jsonl", [jira_issue(n, changes=3) for n in range(95)])
    mission = make_mission(JIRA)
    assert ingest(mission)["issues"].loaded == 95
    assert longest < 10
    assert rows(mission, "issues", "issue_key") == [(f"AB-{n}",) for n in range(95)]


def test_a_record_far_above_the_usual_size_lands(make_mission: MakeMission, files: Path) -> None:
    large = jira_issue(1, customfield_1="x" * 40_000_000)
    write_jsonl(files / "issues.jsonl", [large, jira_issue(2)])
    mission = make_mission(JIRA)
    assert ingest(mission)["issues"].loaded == 2
    assert max(rows(mission, "issues", "length(payload)"))[0] > 40_000_000


def test_text_survives_the_journey(make_mission: MakeMission, files: Path) -> None:
    text = "日本 \u00e9 \"quoted\" \\ back\nline \u2028 🚀 'single'"
    write_jsonl(files / "issues.jsonl", [jira_issue(1, summary=text, big=2**60, small=1.5e-7)])
    mission = make_mission(JIRA)
    ingest(mission)
    fields = json.loads(rows(mission, "issues", "payload")[0][0])["fields"]
    assert (fields["summary"], fields["big"], fields["small"]) == (text, 2**60, 1.5e-7)


def test_odd_keys_and_times_survive_the_journey(make_mission: MakeMission, files: Path) -> None:
    odd = ["a\u0000b", "'; drop table x; --", "日本", "\\", '"', "9" * 40]
    records = [{**jira_issue(n), "id": odd_id} for n, odd_id in enumerate(odd)]
    records.append(jira_issue(99, created="0001-01-02T00:00:00Z", updated="9999-12-30T00:00:00Z"))
    write_jsonl(files / "issues.jsonl", records)
    mission = make_mission(JIRA)
    result = ingest(mission)["issues"]
    assert (result.loaded, result.quarantined) == (7, 0)
    found = rows(mission, "issues", "issue_id, created_at, updated_at")
    assert [row[0] for row in found[:-1]] == odd
    assert found[-1][1:] == (datetime(1, 1, 2), datetime(9999, 12, 30))


def test_a_record_nested_beyond_reason_is_refused(make_mission: MakeMission, files: Path) -> None:
    deep = json.dumps(jira_issue(1, deep="@")).replace('"@"', "[" * 500 + "]" * 500)
    (files / "issues.jsonl").write_text(json.dumps(jira_issue(2)) + "\n" + deep)
    result = ingest(make_mission(JIRA))["issues"]
    assert (result.loaded, result.quarantined) == (1, 1)


def test_a_missing_file_stops_the_run_before_anything_lands(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    mission = make_mission({**JIRA, "entities": {"issues": "issues*", "users": "users.jsonl"}})
    with pytest.raises(MissionError, match=r"entities\.users: no file matches"):
        ingest(mission)
    assert manifests(mission, "issues") == []


def test_green_but_empty_is_impossible_for_jira(make_mission: MakeMission, files: Path) -> None:
    (files / "issues.jsonl").write_text("\n{}\n")
    mission = make_mission(JIRA)
    for _ in range(2):  # the second time the file is known, and its emptiness too
        with pytest.raises(
            MissionError, match=r"no row of issues; .* issues\.jsonl, line 2: id is"
        ):
            ingest(mission)


def test_green_but_empty_is_impossible_for_hr(make_mission: MakeMission, files: Path) -> None:
    hr_files(files)
    write_csv(files / "history.csv", ["employee_id", "department_id", "from_date"])
    with pytest.raises(MissionError, match=r"department_history: history\.csv: no rows"):
        ingest(make_mission(HR), "hr")


def test_green_but_empty_is_impossible_for_crm(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "accounts.csv", ["account_id"])
    write_csv(files / "deals.csv", ["deal_id", "created_at"])
    entities = {"accounts": "accounts.csv", "deals": "deals.csv"}
    mission = make_mission({**CRM, "entities": entities})
    with pytest.raises(MissionError, match="holds no row of accounts or deals"):
        ingest(mission, "crm")
    write_csv(files / "deals.csv", ["deal_id", "created_at"], ["1", "2024-01-01"])
    assert ingest(mission, "crm")["deals"].loaded == 1


def test_a_snapshot_of_refused_rows_does_not_replace_a_good_one(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "deals.csv", ["deal_id", "created_at"], ["1", "2024-01-01"])
    mission = make_mission({**CRM, "entities": {"deals": "deals.csv"}})
    ingest(mission, "crm")
    write_csv(files / "deals.csv", ["deal_id", "created_at"], ["1", "01/01/2024"])
    with pytest.raises(MissionError, match=r"all 1 rows were refused(.|\n)*'01/01/2024'"):
        ingest(mission, "crm")
    assert len(manifests(mission, "deals")) == 1


def test_an_optional_entity_may_be_absent_or_empty(make_mission: MakeMission, files: Path) -> None:
    hr_files(files)
    write_csv(files / "leave.csv", ["employee_id", "from_date", "to_date"])
    assert ingest(make_mission(HR), "hr")["leave"].windows_new == 0
    mission = make_mission({**HR, "entities": {**HR["entities"], "leave": "leave.csv"}})
    assert ingest(mission, "hr")["leave"].loaded == 0


def test_a_file_that_changes_while_it_is_read_is_not_committed(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    mission = make_mission(JIRA)

    def append(what: str, done: int, total: int) -> None:
        with (files / "issues.jsonl").open("a") as file:
            file.write(json.dumps(jira_issue(2)) + "\n")

    with pytest.raises(MissionError, match=r"issues\.jsonl changed while it was being read"):
        ingest(mission, progress=append)
    assert manifests(mission, "issues") == []


def test_progress_ends_at_all_bytes(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(n) for n in range(5)])
    ingest(make_mission(JIRA))
    write_jsonl(files / "issues-2.jsonl", [jira_issue(n) for n in range(9)])
    size = sum(path.stat().st_size for path in files.iterdir())
    told: list[tuple[str, int, int]] = []
    ingest(make_mission(JIRA), progress=lambda *args: told.append(args))
    assert told[0][1] >= (files / "issues-1.jsonl").stat().st_size
    assert told[-1] == ("jira issues", size, size)


def test_only_the_owner_may_read_what_was_landed(make_mission: MakeMission, files: Path) -> None:
    (files / "issues.jsonl").write_text(json.dumps(jira_issue(1)) + "\n{}\n")
    mission = make_mission(JIRA)
    ingest(mission)
    for directory in (mission.lake, mission.quarantine, mission.warehouse_path.parent):
        assert directory.stat().st_mode & 0o777 == 0o700, directory
    assert (mission.warehouse_path.parent / ".writer.lock").stat().st_mode & 0o777 == 0o600


def test_two_sources_of_one_system_do_not_mix(make_mission: MakeMission, files: Path) -> None:
    for name in ("a", "b"):
        (files / name).mkdir()
        write_jsonl(files / name / "issues.jsonl", [jira_issue(1)])
    mission = make_mission(
        {**JIRA, "folder": "files/a"}, {**JIRA, "id": "jira2", "folder": "files/b"}
    )
    results = ingest_system(mission, "jira")
    landed = [(r.source_id, r.windows_new) for r in results if r.stream == "issues"]
    assert landed == [("jira", 1), ("jira2", 1)]
    assert sorted(rows(mission, "issues", "source_id")) == [("jira",), ("jira2",)]
