"""The child process that runs dbt: it dies with its parent, and a failed test hides nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from dagster_project.defs.dbt_child import TESTS_FAILED
from dagster_project.defs.manifest import CHILD_ARGUMENTS

PROFILE = "p: {target: t, outputs: {t: {type: duckdb, path: \"{{ env_var('WAREHOUSE') }}\"}}}\n"
SLEEPING_DBT = """
import pathlib, time
class dbtRunner:
    def invoke(self, arguments):
        pathlib.Path(arguments[0]).touch()
        time.sleep(120)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project of two models, the second behind a test of the first."""
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("{name: p, version: '1.0', profile: p}\n")
    (tmp_path / "profiles.yml").write_text(PROFILE)
    (tmp_path / "models" / "first.sql").write_text("select 1 as number\n")
    (tmp_path / "models" / "second.sql").write_text("select * from {{ ref('first') }}\n")
    return tmp_path


def _refresh(project: Path) -> int:
    environment = {
        **os.environ,
        "WAREHOUSE": str(project / "p.duckdb"),
        "DBT_PROFILES_DIR": str(project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MISSION_PARENT_PID": str(os.getpid()),
    }
    command = [sys.executable, *CHILD_ARGUMENTS, "refresh"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    return done.returncode


def _accepts(project: Path, *values: int) -> None:
    (project / "models" / "first.yml").write_text(
        "models: [{name: first, columns: [{name: number, data_tests: "
        f"[{{accepted_values: {{arguments: {{values: {list(values)}, quote: false}}}}}}]}}]}}]\n"
    )


def test_a_model_behind_a_failed_test_is_built_and_the_failure_is_told(project: Path) -> None:
    _accepts(project, 2)
    assert _refresh(project) == TESTS_FAILED
    with duckdb.connect(str(project / "p.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute("select number from second").fetchall() == [(1,)]


def test_success_is_zero(project: Path) -> None:
    _accepts(project, 1)
    assert _refresh(project) == 0


def test_a_model_that_cannot_be_built_is_not_called_a_failed_test(project: Path) -> None:
    (project / "models" / "second.sql").write_text("select absent from {{ ref('first') }}\n")
    assert _refresh(project) == 1


def test_a_killed_parent_takes_dbt_with_it(tmp_path: Path) -> None:
    """The writer's lock is gone with the parent: nobody may go on writing."""
    stub = tmp_path / "dbt" / "cli"
    stub.mkdir(parents=True)
    for package in (stub.parent, stub):
        (package / "__init__.py").touch()
    (stub / "main.py").write_text(SLEEPING_DBT)
    started = tmp_path / "started"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, *sys.argv[1:]])\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(120)",
            *CHILD_ARGUMENTS,
            str(started),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "MISSION_PARENT_PID": ""},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _within(30, started.exists), "the child never got as far as dbt"
    assert _alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert _within(2, lambda: not _alive(child)), "dbt outlived its killed parent"
    finally:
        if _alive(child):
            os.kill(child, signal.SIGKILL)


def test_a_parent_that_died_before_the_child_looked_is_noticed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environment = {**os.environ, "MISSION_PARENT_PID": str(gone.pid)}
    child = subprocess.run(
        [sys.executable, *CHILD_ARGUMENTS, "--version"], env=environment, check=False
    )
    assert child.returncode == -signal.SIGKILL


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _within(seconds: float, claim: object) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if claim():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False
