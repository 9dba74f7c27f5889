"""What the terminal shows: it fits, it is whole, and nothing that matters is left out."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console, RenderableType

from dagster_project.errors import MissionError
from dagster_project.settings import FileSource
from dagster_project.terminal import (
    blocking_failures,
    headline_names,
    headline_table,
    problem_table,
    progress_shown,
)

REASON = "a component is missing: v (no won revenue) c (no idea reached maturity)"


def shown(what: RenderableType, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(what)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    return text


@pytest.fixture
def scorecard(tmp_path: Path) -> Path:
    """A warehouse with the widest values that the headline metrics take."""
    path = tmp_path / "bi.duckdb"
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(
            f"""
            create table main.mart_scorecard as
            select
                *, 'trailing_12m' as period_grain, date '2025-07-01' as period_start,
                date '2026-07-01' as period_end, 1234 as n, 1.0 as coverage,
                'ALL' as department_id, 'ALL' as objective_id
            from (values
                ('cross_departmental_success', 0.857, 'share', 0.4999, 1.0, 'published',
                 'low_confidence'),
                ('innovation_index', 100.0, 'index_0_100', 100.0, 100.0, 'withheld', '{REASON}'),
                ('time_to_market', 1234.0, 'days', 1234.0, 2345.0, 'degraded', null)
            ) as t (metric_id, value, unit, ci_low, ci_high, status, status_reason)
            """
        )
    return path


def test_the_results_are_whole_at_80_columns(scorecard: Path) -> None:
    text = shown(headline_table(scorecard))
    words = text.split()
    expected = (
        "cross departmental success innovation index time to market "
        "metric period value 95 % interval n coverage status "
        "published withheld degraded 2026-06 85.7% 50.0 100.0% 1,234 2,345 d"
    )
    for word in expected.split():
        assert word in words, word
    assert "…" not in text


def test_reasons_stand_below_the_table_one_for_each_metric_that_has_one(scorecard: Path) -> None:
    table, notes = shown(headline_table(scorecard), width=120).split("degraded")
    assert "low_confidence" not in table
    assert "missing" not in table
    assert notes.split("\n", 1)[1].splitlines() == [
        "cross departmental success: low_confidence",
        f"innovation index: {REASON}",
    ]


def test_a_headline_without_a_row_is_shown_all_the_same(scorecard: Path) -> None:
    with duckdb.connect(str(scorecard)) as warehouse:
        warehouse.execute("create schema seeds")
        warehouse.execute(
            "create table seeds.metric_definitions as select unnest("
            "['time_to_market', 'innovation_index', 'innovation_index.v', 'time_to_market']"
            ") as metric_id"
        )
        warehouse.execute("delete from main.mart_scorecard where metric_id = 'time_to_market'")
    names = headline_names(scorecard)
    assert names == ["innovation_index", "time_to_market"]
    text = shown(headline_table(scorecard, names), width=120)
    row = next(line for line in text.splitlines() if line.startswith("time to market"))
    assert set(row.removeprefix("time to market").split()) == {"-"}
    assert "time to market: no row: mart_scorecard has no" in text


def test_a_warehouse_without_definitions_names_no_headline(scorecard: Path) -> None:
    assert headline_names(scorecard) == []


def test_only_failed_blocking_checks_of_the_run_are_named(scorecard: Path) -> None:
    with duckdb.connect(str(scorecard)) as warehouse:
        warehouse.execute("create schema meta")
        warehouse.execute(
            """
            create table meta.quality_result as from (values
                ('a', 'main.t', '3 rows', 'block', false, 'now'),
                ('b', 'main.t', '0 rows', 'block', true, 'now'),
                ('c', 'main.t', '4 rows', 'warn', false, 'now'),
                ('d', 'main.t', '5 rows', 'block', false, 'before')
            ) as t (check_id, asset, observed, severity, passed, run_id)
            """
        )
    assert blocking_failures(scorecard, "now") == ["a on main.t: 3 rows"]


def test_a_long_remedy_is_folded_and_never_cut() -> None:
    source = FileSource.model_validate(
        {"id": "crm", "system": "crm", "folder": "[files]", "entities": {"deals": "deals.csv"}}
    )
    path = "/" + "/".join(["a_long_folder_name"] * 8)
    text = shown(problem_table(source, MissionError(f"no file {path}", f"correct {path}x")))
    assert "…" not in text
    # Each of the two columns, put together again, holds its whole path.
    cells = [line.split("│")[1:3] for line in text.splitlines() if line.count("│") == 3]
    columns = ["".join(cell.strip() for cell in column) for column in zip(*cells, strict=True)]
    assert path in columns[0]
    assert f"{path}x" in columns[1]
    assert "crm (crm, [files])" in text


def _lines(*events: tuple[str, int, int], unwanted: str | None = None) -> list[str]:
    console = Console(file=StringIO(), width=20)
    with progress_shown(console, unwanted=unwanted) as on_progress:
        for event in events:
            on_progress(*event)
            assert isinstance(console.file, StringIO)
            # Told at once, not when all is over.
            assert f"{event[0]}: " in console.file.getvalue()
    return console.file.getvalue().splitlines()


def test_without_a_terminal_each_stage_tells_its_start_and_its_end() -> None:
    told = _lines(
        ("ingest", 0, 2),
        ("ingest", 2, 2),
        ("transform", 0, 9),
        ("transform", 8, 9),
        ("publish", 0, 1),
        unwanted="publish",
    )
    assert [line.rsplit(", ", 1)[0] if line.endswith(" s") else line for line in told] == [
        "prepare: started",
        "prepare: done",
        "ingest: started, 2 parts",
        "ingest: done, 2 parts",
        "transform: started, 9 parts",
        "transform: done, 8 of 9 parts",
        "publish: not asked for",
    ]


def test_without_a_terminal_a_stage_that_fails_says_so() -> None:
    console = Console(file=StringIO(), width=20)
    with pytest.raises(ValueError, match="x"), progress_shown(console) as on_progress:
        on_progress("ingest", 1, 3)
        raise ValueError("x")
    assert isinstance(console.file, StringIO)
    assert "ingest: failed, 1 of 3 parts, " in console.file.getvalue()
