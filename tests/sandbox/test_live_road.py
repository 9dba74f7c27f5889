"""The live road and the file road bring the same company into the lake."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.landing import freeze_build, ingest_system
from dagster_project.settings import Mission, load_mission
from sandbox.servers.clock import Clock
from sandbox.servers.drop import FileDrop
from sandbox.servers.run import Running, running, vendors
from sandbox.world import World

ROOT = Path(__file__).parents[2]
SYSTEMS = ("jira", "crm", "hr")
# Streams that both roads deliver, and the columns that tell their records apart.
COMPARED = {
    "jira": {
        "issues": "issue_id, issue_key, created_at, updated_at",
        "changelogs": "issue_id, history_id, created_at",
        "worklogs": "issue_id, worklog_id, started_at",
        "comments": "issue_id, comment_id, created_at",
    },
    "crm": {
        "deal_stage_history": "deal_id, stage, entered_at",
        "line_items": "line_item_id",
        "surveys": "response_id",
    },
    "hr": {"employees": "employee_id", "leave": "employee_id, from_date"},
}


@pytest.fixture
def served(world: World) -> Iterator[Running]:
    with running(world, vendors=list(vendors().values()), clock=Clock()) as found:
        yield found


@pytest.fixture
def live(served: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mission:
    """The repository's own mission.yaml, at the addresses of this test's servers."""
    told = yaml.safe_load((ROOT / "mission.yaml").read_text(encoding="utf-8"))
    for source, vendor in zip(told["sources"], ("jira", "hubspot", "bamboohr"), strict=True):
        source["base_url"] = served.servers[vendor].address
        monkeypatch.setenv(f"MISSION_{source['id'].upper()}_TOKEN", served.servers[vendor].token)
    monkeypatch.setenv("MISSION_JIRA_EMAIL", "mission@tidewater.example.com")
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    (tmp_path / "mission.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    stages = {name: server.stage for name, server in served.servers.items()}
    FileDrop(tmp_path / "data" / "sandbox", stages["bamboohr"], stages["hubspot"]).write()
    return load_mission(tmp_path / "mission.yaml")


def rows(mission: Mission, system: str, stream: str, columns: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(mission.warehouse_path), read_only=True) as warehouse:
        return warehouse.execute(
            f"select distinct {columns} from raw_{system}.{stream} where is_latest_window"
            " order by all"
        ).fetchall()


def test_both_roads_bring_the_same_records(live: Mission, written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    shutil.copytree(written, folder)
    files = load_mission(folder / "mission.yaml")
    for mission in (live, files):
        for system in SYSTEMS:
            ingest_system(mission, system)
        build = freeze_build(mission)
        assert str(build.as_of_date) == "2026-07-01"
    for system, streams in COMPARED.items():
        for stream, columns in streams.items():
            told = rows(live, system, stream, columns)
            assert len(told) > 50, stream
            wanted = rows(files, system, stream, columns)
            if system == "crm":  # archived records are swept by the live road only
                assert set(wanted) <= set(told), stream
            else:
                assert told == wanted, stream


def test_a_second_run_asks_for_little_and_a_moved_clock_brings_what_is_new(
    served: Running, live: Mission
) -> None:
    end = served.clock.now()
    served.clock.move(end - timedelta(days=30))
    first = {r.stream: r for r in ingest_system(live, "jira")}
    again = {r.stream: r for r in ingest_system(live, "jira")}
    assert first["issues"].fetched > 1_500
    assert again["issues"].fetched < 20
    assert sum(r.requests for r in again.values()) < sum(r.requests for r in first.values()) / 2
    served.clock.move(end)
    later = {r.stream: r for r in ingest_system(live, "jira")}
    assert 20 < later["issues"].fetched < first["issues"].fetched / 2
