"""Three organisations' real records through the whole job, against the values that others published
for them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

HERE = Path(__file__).parent / "real"
Rows = Callable[[str], list[dict[str, str]]]


@pytest.fixture(scope="module")
def storage(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Storage of a finished `mission refresh` on real/mission.yaml."""
    storage = tmp_path_factory.mktemp("real")
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("mission")),
            "--config",
            str(HERE / "mission.yaml"),
            "refresh",
        ],
        env=os.environ | {"MISSION_STORAGE": str(storage)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return storage


@pytest.fixture
def warehouse(storage: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(storage / "warehouse" / "bi.duckdb"), read_only=True)


def test_all_30_lead_times_equal_devlakes(
    warehouse: duckdb.DuckDBPyConnection, read_rows: Rows
) -> None:
    ours = dict(
        warehouse.execute("""
        select issue_key, floor(date_diff('millisecond', created_at, resolved_at) / 60000)
        from main.fct_work_item
        where project_key = 'EE'
    """).fetchall()
    )
    published = read_rows("jira_devlake/jira/snapshot_tables/issues.csv")
    theirs = {row["issue_key"]: int(row["lead_time_minutes"]) for row in published}
    assert len(theirs) == 30
    assert ours == theirs
    assert sum(ours.values()) == 394_271


def test_our_end_from_the_status_history_agrees_with_the_resolution_to_the_second(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    # The peer ends an issue at its resolution date, we at its entry into the last run of ended
    # phases: on this site both are written by one transition, milliseconds apart. A reopened issue
    # is where they part; we follow history.
    gaps = warehouse.execute("""
        select max(abs(date_diff('millisecond', resolved_at, done_at)))
        from main.fct_work_item where project_key = 'EE'
    """).fetchone()
    assert gaps is not None
    assert 0 < gaps[0] < 1000


def test_165_status_and_41_assignee_changes(
    warehouse: duckdb.DuckDBPyConnection, read_rows: Rows
) -> None:
    ours = dict(
        warehouse.execute("""
        select changes.field, count(*)
        from intermediate.int_jira__field_changes as changes
        inner join main.fct_work_item as items using (source_id, issue_id)
        where items.project_key = 'EE'
        group by changes.field
    """).fetchall()
    )
    assert (ours["status"], ours["assignee"]) == (165, 41)
    # 709 items in all, and the peer has 689: it keys an item by (history, field) and so keeps one
    # of several versions that one history sets at once (43 of 63 "Fix Version"); we key it by its
    # place in the history and keep them all.
    theirs = read_rows("jira_devlake/jira/snapshot_tables/issue_changelogs.csv")
    assert len(theirs) == 689
    assert sum(ours.values()) - ours["Fix Version"] == len(theirs) - 43
    assert ours["Fix Version"] == 63


def test_44_deals_of_which_none_is_lost(
    warehouse: duckdb.DuckDBPyConnection, read_rows: Rows
) -> None:
    ours = {
        row[0] for row in warehouse.execute("select deal_id from staging.stg_crm__deals").fetchall()
    }
    assert ours == {
        row["deal_id"]
        for row in read_rows("fivetran_hubspot_seeds/peer_outputs/hubspot__deals.csv")
    }
    assert len(ours) == 44


def test_head_counts_on_the_first_of_january_1995(warehouse: duckdb.DuckDBPyConnection) -> None:
    ours = dict(
        warehouse.execute("""
        select department_id, count(distinct person_key)
        from main.dim_worker_assignment
        where valid_from <= date '1995-01-01' and (valid_to is null or valid_to > date '1995-01-01')
        group by department_id
    """).fetchall()
    )
    counts = {
        "d001": 316,
        "d002": 331,
        "d003": 336,
        "d004": 1418,
        "d005": 1662,
        "d006": 324,
        "d007": 998,
        "d008": 356,
        "d009": 389,
    }
    assert ours == {f"hr:{department}": count for department, count in counts.items()}


def test_people_of_other_organisations_are_coverage_and_not_errors(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    matched = dict(
        warehouse.execute("""
        select source_id, coverage from main.mart_data_coverage where measure = 'accounts_matched'
    """).fetchall()
    )
    assert matched == {"devlake": 0.0, "hubspot": 0.0}
    effort = warehouse.execute("""
        select sum(effort_days), sum(effort_days) filter (where department_id = 'Unknown')
        from main.fct_contribution
    """).fetchone()
    assert effort is not None
    assert effort[0] == effort[1] > 0


def test_a_generation_is_published_without_people(storage: Path) -> None:
    with duckdb.connect(
        str(storage / "published" / "current" / "bi.duckdb"), read_only=True
    ) as published:
        tables = {
            row[0]
            for row in published.execute(
                "select table_name from duckdb_tables() where schema_name = 'main'"
            ).fetchall()
        }
    assert "mart_scorecard" in tables
    assert not tables & {
        "dim_person",
        "bridge_person_identity",
        "dim_worker_assignment",
        "fct_contribution",
    }


def test_the_metrics_are_defined_as_everywhere_else() -> None:
    # Only the maps of statuses, types and people belong to an organisation; the copies must not
    # drift.
    for seed in ("metric_definitions", "metric_parameters", "metric_targets"):
        own = (HERE / "seeds" / f"{seed}.csv").read_bytes()
        assert own == (HERE.parents[2] / "seeds" / f"{seed}.csv").read_bytes()
