"""A live run killed at any point costs at most one page, and the lake holds the same in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Mission
from tests.conftest import MakeMission

ROOT = Path(__file__).parents[2]
LIVE = {"id": "jira", "system": "jira", "kind": "jira_cloud", "base_url": "https://site.example"}

# DuckDB is used in forks only: its threads would not live in one.
# Forks a run for each point of it, kills the run there, and lets a second run finish.
# Points are: a request is on its way, half a page is written, a page or its meta data is there
# under its temporary or its final name, a window is about to be or has just been committed.
KILLED_RUNS = """
import json, os, shutil, signal, sys
from pathlib import Path
import duckdb
from dagster_project.landing import fetch, journal, window
from dagster_project.landing.pull import pull_source
from dagster_project.settings import load_mission
from tests.support.listed_site import SHAPES, ListedSite, issue, user

threads, step = int(sys.argv[1]), int(sys.argv[2])
mission = load_mission(Path("mission.yaml"))
(source,) = mission.sources
fetch._THREADS = threads
seen = wanted = 0

def point():
    global seen
    seen += 1
    if seen == wanted:
        os.kill(os.getpid(), signal.SIGKILL)

def with_points(function, before):
    def call(*arguments):
        if before:
            point()
        result = function(*arguments)
        point()
        return result
    return call

def write(path, content):
    temporary = path.with_name(".tmp-" + path.name)
    temporary.write_bytes(content[: len(content) // 2])
    point()
    whole(path, content)

whole = with_points(journal._write, before=False)
journal._write = write
journal.sync = with_points(journal.sync, before=False)
window.commit = with_points(window.commit, before=True)

def site():
    made = ListedSite(
        [issue(n) for n in range(7)], users=[user(n) for n in range(3)],
        histories=1, page=4, log=Path("requests"),
    )
    made.streams = ("issues", "changelogs", "users")
    made.fetch = with_points(made.fetch, before=False)
    return made

def in_a_fork(killed_at):
    global wanted, seen
    child = os.fork()
    if child == 0:
        wanted, seen = killed_at, 0
        pull_source(mission, source, site(), SHAPES)
        if not killed_at:
            Path("rows").write_text(json.dumps({s: rows(s) for s in STREAMS}, default=str))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

STREAMS = ("issues", "changelogs", "users")

def rows(stream):
    pattern = mission.lake / "raw_jira" / stream / "window=*" / "*.parquet"
    return duckdb.sql(f"select * exclude (window_id) from read_parquet('{pattern}', "
                      "hive_partitioning = false) order by all").fetchall()

killed_at, report = 1 - step, []
while True:
    killed_at += step
    shutil.rmtree(mission.storage, ignore_errors=True)
    Path("requests").write_text("")
    first = in_a_fork(killed_at)
    committed = sorted(p.parent.name for p in mission.lake.glob("raw_jira/*/window=*"))
    second = in_a_fork(0)
    report.append({
        "killed": first == -signal.SIGKILL, "exit": second, "committed": committed,
        "requests": Path("requests").read_text().splitlines(),
        "left": [str(p) for p in mission.landing.rglob("*")],
    })
    report[-1]["rows"] = json.loads(Path("rows").read_text())
    if first == 0:
        break
Path("report").write_text(json.dumps(report))
"""


def killed_runs(mission: Mission, threads: int, step: int) -> list[dict[str, Any]]:
    subprocess.run(
        [sys.executable, "-c", KILLED_RUNS, str(threads), str(step)],
        cwd=mission.home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=300,
    )
    report: list[dict[str, Any]] = json.loads((mission.home / "report").read_text())
    return report


@pytest.mark.parametrize(("threads", "step"), [(1, 1), (4, 7)])
def test_a_kill_at_any_point_costs_at_most_a_page_and_loses_nothing(
    make_mission: MakeMission, threads: int, step: int
) -> None:
    *killed, _ = killed_runs(make_mission(LIVE), threads, step)
    # Two pages each of issues and changelogs, one of users; each page has seven points or more.
    assert len(killed) >= 5 * 7 // step, "too few points to prove anything"
    costs = []
    for run in killed:
        assert (run["killed"], run["exit"], run["left"]) == (True, 0, [])
        if "issues" in run["committed"]:
            continue  # the window was complete: the second run asked for changes
        assert [len(run["rows"][s]) for s in ("issues", "changelogs", "users")] == [7, 7, 3]
        assert run["rows"] == killed[0]["rows"]
        costs.append(len(run["requests"]) - 5)
        # Once a window is committed, all pages are there.
        assert costs[-1] == 0 or not run["committed"]
    assert max(costs) <= threads
    assert (min(costs), max(costs) > 0) == (0, True)


def test_a_run_killed_after_its_last_commit_is_complete(make_mission: MakeMission) -> None:
    *_, late, _ = killed_runs(make_mission(LIVE), 1, 1)
    assert late["committed"] == ["changelogs", "issues", "users"]
    # The second window started where the first one did, minus the overlap, and found it all again:
    # issues carry the cursor, of the others the same pages make no second window.
    assert [len(late["rows"][s]) for s in ("issues", "changelogs", "users")] == [14, 7, 3]
