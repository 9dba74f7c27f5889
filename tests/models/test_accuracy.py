"""The harness of `make accuracy` finds what is wrong on purpose, and nothing where all is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from accuracy.compare import Comparison, Row, compare
from accuracy.marts import Plan, build_marts
from accuracy.report import coverage_tables, seed_tables
from rich.console import Console

from sandbox.calendars import END
from sandbox.files import write_world
from sandbox.spec import Spec
from sandbox.truth import metrics
from sandbox.world import World, build


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A company of our own, for tests here change its hidden state."""
    world = build(Spec.of("tiny", profile="clean"))
    yield world
    world.connection.close()


@pytest.fixture(scope="module")
def warehouse(
    world: World, compiled: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = write_world(tmp_path_factory.mktemp("accuracy") / "sandbox", world).folder
    metrics(world, END)
    return build_marts(folder, Plan(compiled))


@pytest.fixture(scope="module")
def honest(world: World, warehouse: Path) -> Comparison:
    return compare(world.connection, warehouse, END)


def named(rows: Iterator[Row] | list[Row] | tuple[Row, ...], metric_id: str) -> Row:
    (row,) = [row for row in rows if row.metric_id == metric_id]
    return row


def test_every_metric_stands_beside_its_truth(honest: Comparison) -> None:
    for metric_id in ("cross_departmental_success", "innovation_index", "time_to_market"):
        row = named(list(honest.metrics), metric_id)
        assert row.estimate is not None
        assert row.realised is not None
        # The index of expectations is not what an interval of the index should cover.
        assert (row.parameter is None) == (metric_id == "innovation_index")
        assert row.covers(row.realised) is not None
    missing = named(list(honest.metrics), "customer_satisfaction")
    assert (missing.estimate, missing.note) == (None, "no row")
    assert missing.realised is not None


def test_where_all_is_observable_people_and_places_are_found(honest: Comparison) -> None:
    for metric_id in ("identity.precision", "identity.recall", "department.person_days"):
        assert named(list(honest.foundations), metric_id).is_equal, metric_id


def test_swapped_departments_are_noticed(world: World, warehouse: Path, honest: Comparison) -> None:
    before = named(list(honest.foundations), "department.person_days")
    connection = world.connection
    connection.execute("create table hidden.kept as from hidden.post")
    connection.execute(
        "update hidden.post set department_id = case department_id "
        "when '11' then '22' when '22' then '11' else department_id end"
    )
    try:
        found = compare(connection, warehouse, END)
    finally:
        connection.execute("drop table hidden.post")
        connection.execute("alter table hidden.kept rename to post")
    after = named(list(found.foundations), "department.person_days")
    assert before.is_equal
    assert after.is_equal is False
    assert after.estimate is not None
    assert 0.5 < after.estimate < 0.8  # two of six departments
    effort = named(list(found.foundations), "effort.days.11")
    assert effort.is_equal is False


def test_a_wrong_estimate_is_neither_equal_nor_covered(
    world: World, warehouse: Path, honest: Comparison
) -> None:
    with duckdb.connect(str(warehouse)) as marts:
        marts.execute("create table kept as from mart_scorecard")
        marts.execute(
            "update mart_scorecard set value = value + 500, ci_low = ci_low + 500, "
            "ci_high = ci_high + 500 where metric_id = 'time_to_market'"
        )
    try:
        found = compare(world.connection, warehouse, END)
    finally:
        with duckdb.connect(str(warehouse)) as marts:
            marts.execute("drop table mart_scorecard")
            marts.execute("alter table kept rename to mart_scorecard")
    wrong = named(list(found.metrics), "time_to_market")
    assert wrong.is_equal is False
    assert wrong.covers(wrong.realised) is False
    assert found.cells != honest.cells


@pytest.mark.parametrize(
    ("truth_value", "equal", "covered"),
    [(0.5, True, True), (0.50001, False, True), (0.7, False, False), (None, None, None)],
)
def test_equal_and_covered(
    truth_value: float | None, equal: bool | None, covered: bool | None
) -> None:
    row = Row("m", truth_value, truth_value, 0.5, 0.4, 0.6)
    assert (row.is_equal, row.covers(row.parameter)) == (equal, covered)


def test_many_seeds_are_summed_up_with_their_error() -> None:
    seeds = [
        Comparison(
            [Row("m", 0.5, value, 0.6, 0.4, 0.7), Row("x", 1, 1, None, note="no row")], [], []
        )
        for value in (0.5, 0.6, 0.9, 0.5)
    ]
    console = Console(width=200, record=True)
    for table in coverage_tables(seeds):
        console.print(table)
    shown = console.export_text()
    assert "75.0% ± 21.7%" in shown  # of the parameter: three of four
    assert "100.0% ± 0.0%" in shown  # of the truth
    assert "+0.1 ± 0" in shown
    assert "no row" in shown


def test_one_seed_is_shown_in_full(honest: Comparison) -> None:
    console = Console(width=200, record=True)
    for table in seed_tables(honest):
        console.print(table)
    shown = console.export_text()
    for word in ("time_to_market", "no row", "identity.precision", "effort.days.22"):
        assert word in shown
