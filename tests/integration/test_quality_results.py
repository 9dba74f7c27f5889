"""The record of checks in the warehouse, and dbt's results in the same shape.

Belongs here: meta.quality_result, and dbt's artifacts as dbt really writes them. Does not belong
here: the expectations themselves (test_quality_suites.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.errors import MissionError
from dagster_project.quality.results import CheckResult, dbt_results, record
from dagster_project.settings import Mission

RESULT = CheckResult(
    check_id="t__holds",
    check_kind="expectation",
    suite="t",
    asset="main.t",
    severity="warn",
    passed=False,
    observed="2 rows",
    expected="no row",
    description="It holds.",
    metrics=("time_to_market", "innovation_index"),
)


@pytest.fixture
def mission(tmp_path: Path) -> Mission:
    """A mission whose warehouse has a frozen build and nothing else."""
    organisation = {"name": "X", "vision": "Y", "timezone": "UTC", "currency": "EUR"}
    source = {"id": "jira", "system": "jira", "folder": ".", "entities": {"issues": "*.jsonl"}}
    mission = Mission.model_validate(
        {"organisation": organisation, "storage": tmp_path, "sources": [source]}
    )
    mission.warehouse_path.parent.mkdir()
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(
            "create schema raw_mission; create table raw_mission.build as "
            "select timestamp '2025-01-01' as as_of"
        )
    return mission


def _rows(mission: Mission) -> list[dict[str, object]]:
    with duckdb.connect(str(mission.warehouse_path), read_only=True) as warehouse:
        found = warehouse.execute("from meta.quality_result order by run_id, check_id")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_result_is_recorded_with_its_run_and_day(mission: Mission) -> None:
    assert record(mission, "r1", [RESULT]) == 1
    assert _rows(mission) == [
        {
            "check_id": "t__holds",
            "check_kind": "expectation",
            "suite": "t",
            "asset": "main.t",
            "severity": "warn",
            "passed": False,
            "observed": "2 rows",
            "expected": "no row",
            "description": "It holds.",
            "metrics": "time_to_market,innovation_index",
            "run_id": "r1",
            "as_of": datetime(2025, 1, 1),
        }
    ]


def test_a_run_replaces_its_own_rows_only(mission: Mission) -> None:
    record(mission, "r1", [RESULT])
    record(mission, "r2", [RESULT, replace(RESULT, check_id="t__other")])
    record(mission, "r2", [replace(RESULT, passed=True)])
    assert [(row["run_id"], row["check_id"], row["passed"]) for row in _rows(mission)] == [
        ("r1", "t__holds", False),
        ("r2", "t__holds", True),
    ]


def test_two_results_with_one_id_are_refused_and_change_nothing(mission: Mission) -> None:
    record(mission, "r1", [RESULT])
    with pytest.raises(ValueError, match="t__holds"):
        record(mission, "r1", [RESULT, RESULT])
    assert len(_rows(mission)) == 1


def test_without_a_frozen_build_nothing_is_recorded(mission: Mission) -> None:
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute("drop schema raw_mission cascade")
    with pytest.raises(MissionError, match="no frozen build"):
        record(mission, "r1", [RESULT])


def test_texts_are_fit_to_be_published() -> None:
    result = replace(
        RESULT, observed="Could not\n convert 'ada.lovelace@mail.example.com'", expected="x" * 900
    )
    assert result.observed == "Could not convert '<e-mail>'"
    assert len(result.expected) == 500


PROJECT = {
    "dbt_project.yml": """
name: tiny
profile: tiny
model-paths: [models]
flags: {send_anonymous_usage_stats: false}
""",
    "profiles.yml": """
tiny: {target: d, outputs: {d: {type: duckdb, path: tiny.duckdb, threads: 1}}}
""",
    "models/good.sql": "select 1 as id, null as maybe",
    "models/bad.sql": "select no_such_column from (select 1 as id) as one",
    "models/after_bad.sql": "select * from {{ ref('bad') }}",
    "models/schema.yml": """
models:
  - name: good
    meta: {metrics: [time_to_market]}
    columns:
      - name: id
        data_tests: [unique]
      - name: maybe
        data_tests:
          - not_null: {config: {severity: warn}, description: Maybe is there.}
          - accepted_values:
              arguments: {values: [1, 2]}
              config: {meta: {metrics: [innovation_index]}}
          - not_null: {name: maybe_blocks}
  - name: bad
    columns: [{name: id, data_tests: [not_null]}]
unit_tests:
  - name: id_is_two
    model: good
    given: []
    expect: {rows: [{id: 2}]}
""",
    "tests/assert_no_broken_sql.sql": "select nothing from {{ ref('good') }}",
}


@pytest.fixture(scope="module")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifacts of a real dbt build in which every outcome occurs."""
    project = tmp_path_factory.mktemp("tiny")
    for name, text in PROJECT.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    dbt = Path(sys.executable).with_name("dbt")
    _dbt(dbt, ["build", "--exclude-resource-type", "unit_test"], project, "target")
    _dbt(dbt, ["test", "-s", "test_type:unit"], project, "unit")
    return project


def _dbt(dbt: Path, command: list[str], project: Path, target: str) -> None:
    subprocess.run(
        [dbt, *command, "--target-path", target, "--profiles-dir", "."],
        cwd=project,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        check=False,  # failures are what is tested here
        capture_output=True,
    )


def test_dbt_results_tell_what_passed_what_warned_and_what_broke(dbt_target: Path) -> None:
    results = {r.check_id: r for r in dbt_results(dbt_target / "target")}
    assert {
        check_id: (r.asset, r.severity, r.passed, r.metrics) for check_id, r in results.items()
    } == {
        "unique_good_id": ("main.good", "block", True, ("time_to_market",)),
        "not_null_good_maybe": ("main.good", "warn", False, ("time_to_market",)),
        "accepted_values_good_maybe__1__2": ("main.good", "block", True, ("innovation_index",)),
        "maybe_blocks": ("main.good", "block", False, ("time_to_market",)),
        "assert_no_broken_sql": ("main.good", "block", False, ("time_to_market",)),
        "not_null_bad_id": ("main.bad", "block", False, ()),
        "dbt_built__bad": ("main.bad", "block", False, ()),
        "dbt_built__after_bad": ("main.after_bad", "block", False, ()),
    }
    assert {r.check_kind for r in results.values()} == {"dbt_test"}
    assert results["not_null_good_maybe"].description == "Maybe is there."
    assert results["not_null_good_maybe"].observed.startswith("1 rows: Got 1 result")
    assert "no_such_column" in results["dbt_built__bad"].observed
    assert results["dbt_built__after_bad"].observed == "skipped"


def test_a_failed_unit_test_blocks(dbt_target: Path) -> None:
    (result,) = dbt_results(dbt_target / "unit")
    assert (result.check_id, result.asset) == ("good__id_is_two", "main.good")
    assert (result.severity, result.passed) == ("block", False)


@pytest.mark.parametrize("missing", ["run_results.json", "manifest.json"])
def test_missing_or_broken_artifacts_are_an_error_with_a_remedy(
    tmp_path: Path, missing: str
) -> None:
    for name in {"run_results.json", "manifest.json"} - {missing}:
        (tmp_path / name).write_text(json.dumps({}))
    with pytest.raises(MissionError, match=rf"(?s){missing} is missing.*mission refresh"):
        dbt_results(tmp_path)
    (tmp_path / missing).write_text('{"half')
    with pytest.raises(MissionError, match=f"{missing} is missing or unreadable"):
        dbt_results(tmp_path)
