"""`mission` as a user meets it: its own process, its words and its exit codes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagster_project.defs.manifest import ROOT
from dagster_project.landing import writer_lock
from dagster_project.publish.generations import current
from dagster_project.settings import load_mission
from sandbox.files import write
from sandbox.spec import Spec

MISSION = [str(Path(sys.executable).with_name("mission"))]
USER_CAN_MEND = 2


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MISSION_", "DAGSTER_"))}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1"}


def mission(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `mission` in the folder of a mission.yaml."""
    return subprocess.run(
        [*MISSION, *arguments],
        cwd=home,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox company."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    shutil.copy(ROOT / "sandbox" / "files.yaml", folder / "mission.yaml")
    write(folder / "data" / "sandbox", Spec())
    return folder


def test_version_and_help_answer_without_a_mission(tmp_path: Path) -> None:
    assert mission(tmp_path, "--version").stdout.startswith("mission-metrics ")
    shown = mission(tmp_path, "--help")
    assert shown.returncode == 0
    for command in ("refresh", "status", "sources", "sandbox", "dev", "dbt"):
        assert command in shown.stdout


def test_without_a_mission_the_remedy_is_told(tmp_path: Path) -> None:
    told = mission(tmp_path, "refresh")
    assert told.returncode == USER_CAN_MEND
    assert "mission.yaml does not exist" in told.stderr
    assert "Remedy:" in told.stderr
    assert "Traceback" not in told.stderr


def test_debug_shows_where_it_happened(tmp_path: Path) -> None:
    told = mission(tmp_path, "--debug", "refresh")
    assert told.returncode != 0
    assert "Traceback" in told.stderr


def test_config_names_another_mission(home: Path, tmp_path: Path) -> None:
    told = mission(tmp_path, "--config", str(home / "mission.yaml"), "status")
    assert told.returncode == USER_CAN_MEND
    assert "nothing is published yet" in told.stderr


def test_a_day_that_is_none_is_refused(home: Path) -> None:
    told = mission(home, "refresh", "--as-of", "31.03.2026")
    assert told.returncode == USER_CAN_MEND
    assert "--as-of" in told.stderr


def test_sources_check_counts_records_and_tells_what_is_missing(home: Path) -> None:
    shown = mission(home, "sources", "check")
    assert shown.returncode == 0, shown.stderr
    for entity in ("issues", "deal_stage_history", "engagement_responses"):
        assert entity in shown.stdout
    assert not (home / "data" / "lake").exists()


def test_sources_check_fails_on_a_source_that_cannot_be_read(home: Path) -> None:
    folder = home / "data" / "sandbox" / "hr"
    away = folder.with_name("away")
    folder.rename(away)
    try:
        shown = mission(home, "sources", "check")
    finally:
        away.rename(folder)
    assert shown.returncode == USER_CAN_MEND
    assert "1 of 3 sources would stop a refresh: hr" in shown.stderr
    assert "does not exist" in shown.stdout


def test_a_second_refresh_hears_at_once_who_is_writing(home: Path) -> None:
    started = time.monotonic()
    with writer_lock(load_mission(home / "mission.yaml"), "the first refresh"):
        told = mission(home, "refresh")
    assert told.returncode == USER_CAN_MEND
    assert f"the first refresh (process {os.getpid()}" in told.stderr
    assert "Traceback" not in told.stderr
    # Importing Dagster alone would take longer on a busy machine.
    assert time.monotonic() - started < 10


def test_a_killed_refresh_leaves_nothing_that_stops_the_next_one(home: Path) -> None:
    storage = home / "data"
    killed = subprocess.Popen(
        [*MISSION, "refresh"], cwd=home, env=_environment(), stderr=subprocess.DEVNULL
    )
    # dbt has opened its log and is at work, while its parent holds the lock.
    log = storage / "dbt_target" / "dbt.log"
    deadline = time.monotonic() + 180
    while not (log.exists() and "START sql" in log.read_text()):
        assert killed.poll() is None, "the refresh ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert current(load_mission(home / "mission.yaml")) is None

    told = mission(home, "refresh")
    assert told.returncode == 0, told.stderr
    for stage in ("ingest", "transform", "audit", "publish"):
        assert stage in told.stderr
    for metric in ("cross departmental success", "innovation index", "time to market"):
        assert metric in told.stdout
    generation = current(load_mission(home / "mission.yaml"))
    assert generation is not None
    assert generation.id in told.stdout
    assert "dbt=" not in told.stdout

    status = mission(home, "status")
    assert status.returncode == 0
    assert generation.id in status.stdout


def test_no_publish_shows_the_metrics_and_leaves_readers_alone(home: Path) -> None:
    before = current(load_mission(home / "mission.yaml"))
    told = mission(home, "refresh", "--no-publish", "--as-of", "2026-01-01")
    assert told.returncode == 0, told.stderr
    assert "Not published" in told.stdout
    assert current(load_mission(home / "mission.yaml")) == before


def test_a_failed_stage_is_named_with_its_remedy(home: Path) -> None:
    folder = home / "data" / "sandbox" / "crm"
    away = folder.with_name("away")
    folder.rename(away)
    try:
        told = mission(home, "refresh")
    finally:
        away.rename(folder)
    assert told.returncode == USER_CAN_MEND
    assert "stage `ingest` failed" in told.stderr
    assert "Remedy:" in told.stderr
    assert "Traceback" not in told.stderr
