"""The raw schemas: every stream is there, the current is marked, the day is never the clock's."""

# Typed columns hold naive UTC, and so do the expectations.

from __future__ import annotations

import hashlib
import hmac
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import MissionError
from dagster_project.landing import freeze_build, ingest_system, raw
from dagster_project.settings import Mission
from dagster_project.sources.streams import STREAMS
from tests.conftest import CRM, HR, JIRA, MakeMission, jira_issue, write_csv, write_jsonl


def query(mission: Mission, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(mission.warehouse_path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def jira(make_mission: MakeMission, files: Path) -> Mission:
    write_jsonl(files / "issues-1.jsonl", [jira_issue(1, changes=1), jira_issue(2)])
    mission = make_mission(JIRA)
    ingest_system(mission, "jira")
    return mission


def test_every_stream_is_a_typed_view_even_without_source(jira: Mission) -> None:
    freeze_build(jira)
    for system, streams in STREAMS.items():
        for stream in streams:
            columns = dict(
                query(
                    jira,
                    f"select column_name, column_type from (describe raw_{system}.{stream.name})",
                )
            )
            assert columns == {
                "source_id": "VARCHAR",
                "window_id": "VARCHAR",
                "window_seq": "BIGINT",
                **stream.keys,
                "payload": "VARCHAR",
                "is_latest_window": "BOOLEAN",
            }
    assert query(jira, "select count(*) from raw_hr.leave") == [(0,)]
    assert query(jira, "select count(*) from raw_mission.quarantine") == [(0,)]


def test_only_the_newest_snapshot_is_current_and_all_incremental_windows_are(
    make_mission: MakeMission, files: Path
) -> None:
    mission = make_mission(JIRA, CRM, as_of="2024-06-01")
    for number in (1, 2):
        write_jsonl(files / f"issues-{number}.jsonl", [jira_issue(number)])
        write_csv(files / "accounts.csv", ["account_id"], [number])
        ingest_system(mission, "jira")
        ingest_system(mission, "crm")
    assert freeze_build(mission).windows == 4
    found = query(mission, "select account_id, is_latest_window from raw_crm.accounts order by 1")
    assert found == [("1", False), ("2", True)]
    found = query(mission, "select issue_key, is_latest_window from raw_jira.issues order by 1")
    assert found == [("AB-1", True), ("AB-2", True)]


def test_a_source_or_entity_that_is_no_longer_declared_disappears(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "accounts.csv", ["account_id"], ["1"])
    write_csv(files / "products.csv", ["product_id"], ["1"])
    entities = {"accounts": "accounts.csv", "products": "products.csv"}
    mission = make_mission({**CRM, "entities": entities}, as_of="2024-06-01")
    ingest_system(mission, "crm")
    freeze_build(mission)
    assert query(mission, "select count(*) from raw_crm.products") == [(1,)]
    freeze_build(make_mission(CRM, as_of="2024-06-01"))
    assert query(mission, "select count(*) from raw_crm.products") == [(0,)]
    assert query(mission, "select count(*) from raw_crm.accounts") == [(1,)]


def test_the_day_is_the_option_then_the_declared_then_the_newest_record(
    make_mission: MakeMission, jira: Mission
) -> None:
    # The newest record is of 2024-02-03 04:05 UTC.
    assert freeze_build(jira).as_of_date == date(2024, 2, 3)
    eastern = make_mission(JIRA, timezone="America/Los_Angeles")
    build = freeze_build(eastern)
    assert (build.as_of_date, build.as_of) == (date(2024, 2, 2), datetime(2024, 2, 2, 8))
    declared = make_mission(JIRA, timezone="Europe/Berlin", as_of="2024-07-01")
    assert freeze_build(declared).as_of == datetime(2024, 6, 30, 22)
    assert freeze_build(declared, as_of=date(2023, 1, 1)).as_of_date == date(2023, 1, 1)
    assert query(
        declared, "select as_of, as_of_date, timezone, currency from raw_mission.build"
    ) == [(datetime(2022, 12, 31, 23), date(2023, 1, 1), "Europe/Berlin", "EUR")]


def test_without_any_record_time_the_day_must_be_declared(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "employees.csv", ["employee_id"], ["1"])
    header = ["employee_id", "department_id", "from_date"]
    write_csv(files / "history.csv", header, ["1", "d", "2024-01-01"])
    mission = make_mission(HR)
    ingest_system(mission, "hr")
    with pytest.raises(MissionError, match=r"set organisation\.as_of"):
        freeze_build(mission)


def test_the_expected_close_of_an_open_deal_does_not_move_the_day(
    make_mission: MakeMission, files: Path
) -> None:
    header = ["deal_id", "created_at", "closed_at"]
    write_csv(files / "deals.csv", header, ["1", "2024-01-01", "2031-01-01"])
    mission = make_mission({**CRM, "entities": {"deals": "deals.csv"}})
    ingest_system(mission, "crm")
    assert freeze_build(mission).as_of_date == date(2024, 1, 1)


def test_windows_and_refused_rows_can_be_queried(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "accounts.csv", ["account_id", "created_at"], ["1", "2024-01-01"], ["2", "x"])
    mission = make_mission(CRM, as_of="2024-06-01")
    ingest_system(mission, "crm")
    freeze_build(mission)
    columns = "system, source_id, stream, window_seq, fetched, loaded, quarantined, as_of"
    assert query(mission, f"select {columns} from raw_mission.windows") == [
        ("crm", "crm", "accounts", 1, 2, 1, 1, date(2024, 6, 1))
    ]
    assert query(mission, "select file, line from raw_mission.quarantine") == [("accounts.csv", 3)]


def test_coverage_knows_which_fields_a_source_delivers(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "accounts.csv", ["account_id", "name", "segment"], ["1", "x", ""])
    mission = make_mission(CRM, as_of="2024-06-01")
    ingest_system(mission, "crm")
    freeze_build(mission)
    found = {
        (stream, field): (is_required, is_mapped)
        for stream, field, is_required, is_mapped in query(
            mission, "select stream, field, is_required, is_mapped from raw_mission.entities"
        )
    }
    assert found["accounts", "account_id"] == (True, True)
    assert found["accounts", "name"] == (False, True)
    assert found["accounts", "segment"] == (False, False)  # a column without a single value
    assert found["deal_stage_history", "entered_at"] == (True, False)


def test_coverage_knows_the_optional_parts_of_an_issue(jira: Mission) -> None:
    freeze_build(jira)
    sql = "select field from raw_mission.entities where stream = 'issues' and is_mapped"
    assert ("changelog",) in query(jira, sql)
    assert ("fields.worklog",) not in query(jira, sql)


def test_the_secret_is_made_once_and_its_pads_are_those_of_rfc_2104(jira: Mission) -> None:
    freeze_build(jira)
    path = jira.secrets / "person_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert jira.secrets.stat().st_mode & 0o777 == 0o700
    key = bytes.fromhex(path.read_text())
    freeze_build(jira)
    assert bytes.fromhex(path.read_text()) == key
    ((inner, outer),) = query(jira, "select inner_pad, outer_pad from pii.person_secret")
    inside = hashlib.sha256(bytes.fromhex(inner) + b"somebody").digest()
    signed = hashlib.sha256(bytes.fromhex(outer) + inside).hexdigest()
    assert signed == hmac.new(key, b"somebody", "sha256").hexdigest()


def test_a_damaged_secret_is_not_replaced_in_silence(jira: Mission) -> None:
    freeze_build(jira)
    (jira.secrets / "person_key").write_text("abc")
    with pytest.raises(MissionError, match="restore it from a backup"):
        freeze_build(jira)


@pytest.mark.parametrize("name", ["part-0.parquet", "_manifest.json"])
def test_a_damaged_window_is_named(jira: Mission, name: str) -> None:
    (path,) = jira.lake.glob(f"raw_jira/issues/window=*/{name}")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(MissionError, match=r"the window .*window=jira-000001-\w+ of the lake is"):
        freeze_build(jira)


def test_a_freeze_that_fails_leaves_the_previous_one(
    jira: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze_build(jira)
    monkeypatch.setattr(raw, "_TABLES", {**raw._TABLES, "pii.last": "a type_that_is_none"})
    with pytest.raises(duckdb.Error):
        freeze_build(jira, as_of=date(2020, 1, 1))
    assert query(jira, "select as_of_date from raw_mission.build") == [(date(2024, 2, 3),)]


def test_the_same_lake_gives_the_same_rows(jira: Mission) -> None:
    tables = ["raw_jira.issues", "raw_mission.build", "raw_mission.windows", "raw_mission.entities"]
    freeze_build(jira)
    first = [query(jira, f"select * from {table}") for table in tables]
    freeze_build(jira)
    assert [query(jira, f"select * from {table}") for table in tables] == first
