"""A run killed at any point leaves nothing that a reader sees and nothing that stays for good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagster_project.errors import MissionError
from dagster_project.landing import freeze_build, ingest_system, writer_lock
from dagster_project.settings import Mission
from tests.conftest import JIRA, MakeMission, jira_issue, write_jsonl

ROOT = Path(__file__).parents[2]

# Stops for good at the n-th commit, before or after the new name is given.
KILLED_RUN = """
import sys, time
from pathlib import Path
from dagster_project.landing import draft, ingest_system, window
from dagster_project.settings import load_mission

wanted, moment, mark = int(sys.argv[1]), sys.argv[2], Path("reached")
commit, seen = window.commit, 0

def stop():
    mark.touch()
    time.sleep(600)

def commit_or_stop(temporary, final):
    global seen
    seen += 1
    if seen == wanted and moment == "before":
        stop()
    commit(temporary, final)
    if seen == wanted and moment == "after":
        stop()

def progress(what, done, total):
    if wanted == 0 and any(Path("data/landing").rglob("page-*")):
        stop()

window.commit = commit_or_stop
draft._PAGE_ROWS = 100
ingest_system(load_mission(Path("mission.yaml")), "jira", progress=progress)
"""

HELD_LOCK = """
import time
from pathlib import Path
from dagster_project.landing import writer_lock
from dagster_project.settings import load_mission

with writer_lock(load_mission(Path("mission.yaml")), "a test that holds on"):
    Path("reached").touch()
    time.sleep(600)
"""


def kill_when_reached(mission: Mission, script: str, *arguments: str) -> None:
    process = start(mission, script, *arguments)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def start(mission: Mission, script: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=mission.home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 60
    while not (mission.home / "reached").exists():
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def leftovers(mission: Mission) -> set[str]:
    """Everything below the storage but committed windows with an issues window of their own."""
    whole = {path.name for path in mission.lake.glob("raw_jira/issues/window=*")}
    return {
        path.relative_to(mission.storage).as_posix()
        for path in [*mission.lake.glob("*/*/*"), *mission.quarantine.glob("*/*/*")]
        if (f"window={path.stem}" if path.suffix == ".parquet" else path.name) not in whole
    } | {path.relative_to(mission.storage).as_posix() for path in mission.landing.rglob("page-*")}


@pytest.mark.parametrize(
    ("commit", "moment"),
    [
        (0, "while reading"),
        (1, "before"),  # the window of changelogs
        (1, "after"),
        (2, "before"),  # the refused issues
        (2, "after"),
        (3, "before"),  # the window of issues, last
    ],
)
def test_a_killed_run_leaves_no_window_and_the_next_one_proceeds(
    make_mission: MakeMission, files: Path, commit: int, moment: str
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(n, changes=2) for n in range(3_000)])
    with (files / "issues.jsonl").open("a") as file:
        file.write("{}\n")
    mission = make_mission(JIRA)
    kill_when_reached(mission, KILLED_RUN, str(commit), moment)
    assert leftovers(mission), "the kill came too early to prove anything"
    with pytest.raises(MissionError, match="holds no row of issues"):
        freeze_build(mission)

    # The file grows before the next run, so that nothing is overwritten by chance.
    with (files / "issues.jsonl").open("a") as file:
        file.write(json.dumps(jira_issue(3_000, changes=2)) + "\n")
    results = {result.stream: result for result in ingest_system(mission, "jira")}
    assert (results["issues"].loaded, results["issues"].quarantined) == (3_001, 1)
    assert results["changelogs"].loaded == 6_002
    assert leftovers(mission) == set()
    assert freeze_build(mission).windows == 2


def test_a_next_run_that_fails_has_cleaned_up_nevertheless(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(n, changes=2) for n in range(3_000)])
    mission = make_mission(JIRA)
    kill_when_reached(mission, KILLED_RUN, "0", "while reading")
    assert leftovers(mission)
    (files / "issues.jsonl").unlink()
    with pytest.raises(MissionError, match="no file matches"):
        ingest_system(mission, "jira")
    assert leftovers(mission) == set()


def test_a_run_killed_after_its_last_commit_has_landed(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(n, changes=1) for n in range(300)])
    mission = make_mission(JIRA)
    kill_when_reached(mission, KILLED_RUN, "2", "after")
    result = ingest_system(mission, "jira")[0]
    assert (result.windows_new, result.windows_skipped) == (0, 1)
    assert leftovers(mission) == set()


def test_a_second_writer_is_told_who_holds_the_lock(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    mission = make_mission(JIRA)
    process = start(mission, HELD_LOCK)
    try:
        for attempt in (lambda: ingest_system(mission, "jira"), lambda: freeze_build(mission)):
            with pytest.raises(MissionError) as caught:
                attempt()
            assert f"a test that holds on (process {process.pid}, since 20" in str(caught.value)
            assert "Remedy: wait until it is done" in str(caught.value)
    finally:
        process.kill()
        process.wait()
    assert ingest_system(mission, "jira")[0].loaded == 1


def test_the_lock_tells_who_holds_it_and_may_be_taken_again_within_a_process(
    make_mission: MakeMission,
) -> None:
    mission = make_mission(JIRA)
    path = mission.warehouse_path.parent / ".writer.lock"
    with writer_lock(mission, "the first"):
        with writer_lock(mission, "the second"):
            pass
        told = json.loads(path.read_text())
        assert (told["pid"], told["purpose"]) == (os.getpid(), "the first")
        kept = start_and_fail(mission)
        assert "another process is writing: the first" in kept
    process = start(mission, HELD_LOCK)
    process.kill()
    process.wait()


def start_and_fail(mission: Mission) -> str:
    """What a second process says that finds the lock taken."""
    done = subprocess.run(
        [sys.executable, "-c", HELD_LOCK],
        cwd=mission.home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr
