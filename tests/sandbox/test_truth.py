"""Truth of whole simulated companies: identities that METRICS.md demands, and independence of
records, profile and future.

Belongs here: what must hold for any company. Known answers are in test_truth_by_hand.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from datetime import UTC, date
from math import isclose
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sandbox.truth
from sandbox.calendars import END, first_instant
from sandbox.spec import SandboxError, Spec
from sandbox.truth import metrics, write
from sandbox.truth.innovation import index_value
from sandbox.world import World, build

RATIOS = (
    "cross_departmental_success%",
    "customer_satisfaction",
    "customer_satisfaction.response_rate",
    "resource_optimization%",
    "innovation_index._",
    "time_to_market.reopened_share",
)
NO_SHARES = ("%.baseline_changes", "%.queue_age_days")
EARLIER = date(2025, 10, 1)


def told(name: str) -> str:
    """SQL that tells whether a metric is a share."""
    kept = " or ".join(f"{name} like '{pattern}'" for pattern in RATIOS)
    return f"({kept}) and not " + " and not ".join(f"{name} like '{no}'" for no in NO_SHARES)


def clone(world: World, name: str) -> World:
    """The same company in a database of its own, to be changed."""
    connection = world.connection.cursor()
    here = connection.sql("select current_database()").fetchone()
    assert here
    connection.execute(f"attach ':memory:' as {name}")
    connection.execute(f"create schema {name}.hidden")
    tables = connection.sql(f"""
        select table_name from information_schema.tables
        where table_catalog = '{here[0]}' and table_schema = 'hidden'
    """).fetchall()
    for (table,) in tables:
        connection.execute(f"create table {name}.hidden.{table} as from {here[0]}.hidden.{table}")
    connection.execute(f"use {name}")
    return World(world.spec, connection)


def forget(world: World, name: str) -> None:
    """Drop a clone."""
    world.connection.execute("use memory")
    world.connection.execute(f"detach {name}")


def rows(world: World, until: date = END) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """All cells: key -> realised value, numerator, denominator, n, parameter."""
    return {
        row[:5]: (row[5], row[6], row[7], row[8], row[10])
        for row in metrics(world, until).fetchall()
    }


def assert_same(one: dict[Any, tuple[Any, ...]], other: dict[Any, tuple[Any, ...]]) -> None:
    """Equal but for the order in which numbers were added."""
    assert one.keys() == other.keys()
    assert {key: (one[key], other[key]) for key in one if not same(one[key], other[key])} == {}


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        x is y if x is None or y is None else isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)
        for x, y in zip(one, other, strict=True)
    )


RESPONSE_RATE = "customer_satisfaction.response_rate"
"""The one truth about the observation itself."""


@pytest.fixture(scope="module", params=(3, 11))
def company(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """The truth of a company of another seed, initiatives with key results in one of them."""
    world = build(Spec.of("tiny", request.param, key_results=request.param == 11))
    metrics(world)
    yield world.connection
    world.connection.close()


@pytest.fixture(scope="module")
def messy(world: World) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """All cells of the default company."""
    return rows(world)


def none(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """No row breaks the rule."""
    assert connection.sql(f"{sql} limit 5").fetchall() == []


# -- identities -------------------------------------------------------------------------------


def test_every_metric_of_the_contract_has_rows(messy: dict[tuple[Any, ...], Any]) -> None:
    contract = """
        cross_departmental_success: delivered on_time scope_met outcome_met it_with_others
            single_department baseline_changes
        innovation_index: v c e x ideas_per_100_people new_product_margin
        time_to_market: from_idea cumulative_incidence restricted_mean reopened_share
        customer_satisfaction: nps joint_effort_effect response_rate
        resource_optimization: sharing utilisation visionary_share unclassified_share
            queue_age_days
    """
    expected = set()
    headline = ""
    for word in contract.split():
        if word.endswith(":"):
            headline = word[:-1]
            expected.add(headline)
        else:
            expected.add(f"{headline}.{word}")
    company_wide = {key[0] for key in messy if key[1:3] == ("ALL", "ALL")}
    assert expected <= company_wide
    # Only what has no source, or is not configured, is without a value in the last year.
    last = {
        key[0]: value for key, value in messy.items() if key[1:4] == ("ALL", "ALL", "trailing_12m")
    }
    assert {metric for metric in expected if last[metric][0] is None} == {
        "cross_departmental_success.outcome_met",
        "innovation_index.new_product_margin",
    }


def test_periods_are_whole_and_finished(company: duckdb.DuckDBPyConnection) -> None:
    assert company.sql("""
        select period_grain, count(*), cast(min(period_start) as varchar),
            cast(max(period_end) as varchar)
        from truth.period group by period_grain order by period_grain
    """).fetchall() == [
        ("month", 24, "2024-07-01", "2026-07-01"),
        ("quarter", 8, "2024-07-01", "2026-07-01"),
        ("trailing_12m", 13, "2024-07-01", "2026-07-01"),
    ]


def test_grain_is_unique(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        """
        select metric_id, department_id, objective_id, period_grain, period_start
        from truth.metric group by all having count(*) > 1
        """,
    )


def test_shares_lie_between_0_and_1(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        f"""
        from truth.metric where {told("metric_id")} and (
            realised_value not between 0 and 1 + 1e-12 or numerator > denominator + 1e-6
            or numerator < 0 or parameter_value not between 0 and 1 + 1e-12
        )
        """,
    )


def test_values_are_the_ratio_of_their_parts(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        f"""
        from truth.metric
        where {told("metric_id")} and metric_id <> 'innovation_index.e' and (
            realised_value is null <> (denominator = 0)
            or abs(realised_value - numerator / denominator) > 1e-12
        )
        """,
    )


def test_departments_and_objectives_add_up_to_the_company(
    company: duckdb.DuckDBPyConnection,
) -> None:
    none(
        company,
        f"""
        with sums as (
            select
                metric_id, period_start, department_id <> 'ALL' as by_department,
                sum(numerator) as numerator, sum(denominator) as denominator
            from truth.metric
            where period_grain = 'trailing_12m' and {told("metric_id")}
                and not starts_with(metric_id, 'time_to_market')
                and (department_id <> 'ALL' or objective_id <> 'ALL')
            group by all
        )
        select sums.*, whole.numerator, whole.denominator
        from sums inner join truth.metric as whole
            on whole.metric_id = sums.metric_id and whole.period_start = sums.period_start
            and whole.period_grain = 'trailing_12m'
            and whole.department_id = 'ALL' and whole.objective_id = 'ALL'
        where abs(sums.numerator - whole.numerator) > 1e-6 * (1 + abs(whole.numerator))
            or abs(sums.denominator - whole.denominator) > 1e-6 * (1 + abs(whole.denominator))
        """,
    )


def test_months_add_up_to_quarters(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        f"""
        with months as (
            select
                metric_id, cast(date_trunc('quarter', period_start) as date) as period_start,
                sum(numerator) as numerator, sum(denominator) as denominator
            from truth.metric
            where period_grain = 'month' and {told("metric_id")} group by all
        )
        select months.* from months inner join truth.metric as quarter
            using (metric_id, period_start)
        where quarter.period_grain = 'quarter' and (
            abs(months.numerator - quarter.numerator) > 1e-6
            or abs(months.denominator - quarter.denominator) > 1e-6
        )
        """,
    )


def test_departments_share_an_initiative_wholly(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        """
        select issue_id, scope from truth.initiative_weight group by all
        having abs(sum(weight) - 1) > 1e-9
        """,
    )
    none(
        company,
        """
        select survey_id, scope from truth.survey_weight group by all
        having abs(sum(weight) - 1) > 1e-9
        """,
    )


def test_everybody_is_somewhere_once_a_day(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        """
        with edge as (
            select distinct person_id, from_date as day from truth.person_department
            union
            select distinct person_id, to_date from truth.person_department
        )
        select person_id, day
        from edge inner join truth.person_department using (person_id)
        where from_date <= day and (to_date is null or to_date > day)
        group by all having abs(sum(share) - 1) > 1e-9
        """,
    )


def test_phases_have_no_gaps(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        """
        select issue_id from (
            select
                issue_id, from_at, to_at,
                lead(from_at) over (partition by issue_id order by span_number) as next_at,
                row_number() over (partition by issue_id order by span_number) as number,
                created_at
            from truth.phase_span inner join truth.issue using (issue_id)
        )
        where to_at is distinct from next_at or to_at < from_at
            or number = 1 and from_at <> created_at
        """,
    )
    none(company, "from truth.issue anti join truth.phase_span using (issue_id)")


def test_effort_is_conserved(company: duckdb.DuckDBPyConnection) -> None:
    given, people, departments, of_initiatives = company.sql("""
        select
            (select sum(seconds) from hidden.effort where work_date < date '2026-07-01'),
            (select sum(seconds) from truth.effort_person_month),
            (select sum(seconds) from truth.effort),
            (select sum(seconds) from truth.initiative_day)
    """).fetchall()[0]
    assert people == pytest.approx(given, rel=1e-12) and departments == pytest.approx(people)
    assert 0 < of_initiatives < given
    none(
        company,
        """
        select person_id, work_date from truth.effort_day group by all
        having sum(seconds) > 28800 + 1e-6
        """,
    )


def test_index_is_made_of_its_components(company: duckdb.DuckDBPyConnection) -> None:
    parts = {
        (metric, start): realised
        for metric, start, realised in company.sql("""
            select metric_id, period_start, realised_value from truth.metric
            where metric_id like 'innovation_index%' and department_id = 'ALL'
        """).fetchall()
    }
    starts = {start for metric, start in parts if metric == "innovation_index"}
    assert len(starts) == 5
    for start in starts:
        components = [parts[f"innovation_index.{c}", start] for c in "vcex"]
        value = parts["innovation_index", start]
        if any(component is None for component in components):
            assert value is None
        else:
            assert value == pytest.approx(index_value(*components))


def test_no_parameter_is_told_that_is_no_expectation(company: duckdb.DuckDBPyConnection) -> None:
    """And where one is missing, the note says why."""
    none(
        company,
        """
        from truth.metric
        where parameter_value is not null and (
            metric_id in (
                'innovation_index', 'innovation_index.e', 'cross_departmental_success.scope_met'
            )
            or metric_id = 'time_to_market.restricted_mean' and realised_value is null
        ) or parameter_value is null and coalesce(parameter_note, '') = ''
        """,
    )


def test_identity_knows_everybody(company: duckdb.DuckDBPyConnection) -> None:
    none(
        company,
        """
        from truth.identity
        where (kind = 'employee') <> (employee_id is not null) or person_id is null
        """,
    )
    assert (
        company.sql("""
        select
            (select count(*) from truth.identity),
            (select count(distinct (system, account_id)) from truth.identity)
    """).fetchall()
        == company.sql("""
        select count(*), count(*) from hidden.account
        where opened_at < timestamp '2026-06-30 22:00:00'
    """).fetchall()
    )


def test_survival_tables_agree_with_the_rows(company: duckdb.DuckDBPyConnection) -> None:
    """The median of the last year, by counting instead of by arrays."""
    found = company.sql("""
        with waiting as (
            select days, ended = 1 as is_event from truth.waiting
            where clock = 'time_to_market' and begun_on >= date '2025-07-01'
        ),
        risk as (
            select
                days, count(*) filter (is_event) as events,
                (select count(*) from waiting as other where other.days >= waiting.days) as at_risk
            from waiting group by days
        ),
        curve as (
            select days, exp(sum(ln(greatest(1 - events / at_risk, 1e-300))) over (order by days))
                as survival
            from risk where events > 0
        )
        select
            (select min(days) from curve where survival <= .5 + 1e-9),
            (
                select realised_value from truth.metric
                where metric_id = 'time_to_market' and department_id = 'ALL'
                    and objective_id = 'ALL' and period_grain = 'trailing_12m'
                    and period_start = '2025-07-01'
            )
    """).fetchall()[0]
    assert found[0] is not None and found[1] == pytest.approx(found[0])


def test_planted_values_are_near_what_came_of_them(
    messy: dict[tuple[Any, ...], tuple[Any, ...]],
) -> None:
    """Four standard errors: a parameter that forgot a factor is further off."""
    for metric in ("cross_departmental_success", "customer_satisfaction", "innovation_index.c"):
        cells = [
            value
            for key, value in messy.items()
            if key[0] == metric and key[1:4] == ("ALL", "ALL", "trailing_12m") and value[3]
        ]
        assert cells
        for realised, _, _, n, planted in cells:
            assert abs(realised - planted) < 4 * (planted * (1 - planted) / n) ** 0.5


# -- independence -----------------------------------------------------------------------------


def test_what_systems_fail_to_see_is_true_all_the_same(
    clean_world: World, messy: dict[tuple[Any, ...], tuple[Any, ...]]
) -> None:
    clean = rows(clean_world)
    assert_same(
        {key: value[:4] for key, value in clean.items() if key[0] != RESPONSE_RATE},
        {key: value[:4] for key, value in messy.items() if key[0] != RESPONSE_RATE},
    )
    # The share of answers is what the profiles differ in.
    assert {key[0] for key in clean if not same(clean[key], messy[key])} == {RESPONSE_RATE}
    last = (RESPONSE_RATE, "ALL", "ALL", "trailing_12m", date(2025, 7, 1))
    assert (clean[last][0], messy[last][0]) == (1.0, pytest.approx(0.6, abs=0.08))


def test_truth_needs_nothing_that_was_observed(
    world: World, messy: dict[tuple[Any, ...], tuple[Any, ...]]
) -> None:
    blind = clone(world, "blind")
    blind.connection.execute("""
        delete from hidden.account;
        delete from hidden.hr_post;
        delete from hidden.worklog;
        update hidden.survey set responded_at = null;
        update hidden.engagement set responded_on = null
    """)
    told = {key: value for key, value in messy.items() if key[0] != RESPONSE_RATE}
    seen = {key: value for key, value in rows(blind).items() if key[0] != RESPONSE_RATE}
    assert_same(seen, told)
    assert blind.connection.sql("from truth.identity").fetchall() == []
    # Proof that the comparison could fail: without effort nothing is the same.
    blind.connection.execute("delete from hidden.effort")
    with pytest.raises(AssertionError):
        assert_same(rows(blind), messy)
    forget(blind, "blind")


def test_truth_imports_no_records() -> None:
    for module in Path(sandbox.truth.__file__).parent.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        imported = {
            node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        } | {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for name in node.names
        }
        ours = {name for name in imported if name.startswith(("sandbox", "dagster_project"))}
        assert all(
            name.startswith("sandbox.truth")
            or name in ("sandbox.calendars", "sandbox.spec", "sandbox.world")
            for name in ours
        ), module.name


def test_what_happens_later_does_not_count(world: World) -> None:
    before = rows(world, EARLIER)
    assert max(key[4] for key in before if key[3] == "month") == date(2025, 9, 1)
    cut = clone(world, "cut")
    at = f"timestamp '{first_instant(EARLIER).astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
    day = f"date '{EARLIER}'"
    begun = {
        "issue": "created_at", "change": "changed_at", "phase_span": "from_at",
        "assignee_span": "from_at", "comment": "written_at", "worklog": "logged_at",
        "initiative_objective": "from_at", "deal_stage": "entered_at",
        "ticket_stage": "entered_at", "ticket": "opened_at", "survey": "answers_at",
        "account": "opened_at", "customer": "created_at", "contact": "created_at",
    }  # fmt: skip
    started = {
        "effort": "work_date", "post": "from_date", "absence": "from_date",
        "engagement": "sent_on", "objective": "valid_from", "department": "valid_from",
        "exchange_rate": "valid_from",
    }  # fmt: skip
    undone = {
        "phase_span": "to_at", "assignee_span": "to_at", "initiative_objective": "to_at",
        "issue": "deleted_at", "ticket": "closed_at", "deal": "archived_at",
    }  # fmt: skip
    moved = cut.connection.sql(
        f"select distinct issue_id from hidden.change where field = 'parent' and changed_at >= {at}"
    ).fetchall()
    for (issue,) in moved:
        cut.connection.execute(
            f"update hidden.issue set initiative_issue_id = null where issue_id = {issue}"
        )
    for tables, limit in ((begun, at), (started, day)):
        for table, column in tables.items():
            cut.connection.execute(f"delete from hidden.{table} where {column} >= {limit}")
    for table, column in undone.items():
        cut.connection.execute(f"update hidden.{table} set {column} = null where {column} >= {at}")
    for table in ("post", "department", "objective"):
        end = "to_date" if table == "post" else "valid_to"
        cut.connection.execute(f"update hidden.{table} set {end} = null where {end} >= {day}")
    for column in ("approved_at", "started_at", "done_at", "available_at", "cancelled_at",
                   "first_available_at"):  # fmt: skip
        cut.connection.execute(
            f"update hidden.initiative set {column} = null where {column} >= {at}"
        )
    cut.connection.execute(
        "update hidden.initiative set is_justified = false where cancelled_at is null"
    )
    cut.connection.execute("update hidden.initiative set fate = null")
    cut.connection.execute(
        "update hidden.idea set fate = null, launched_at = null, rejected_at = null"
    )
    cut.connection.execute(
        "delete from hidden.initiative where issue_id not in (select issue_id from hidden.issue)"
    )
    assert_same(rows(cut, EARLIER), before)
    # And what happens before does count: the same cut company, one day longer ago.
    with pytest.raises(AssertionError):
        assert_same(rows(cut, date(2025, 9, 1)), before)
    forget(cut, "cut")


def test_a_day_outside_the_simulation_is_refused(world: World) -> None:
    with pytest.raises(SandboxError, match="2024-07-01"):
        metrics(world, date(2024, 7, 1))


def test_a_young_company_has_truth_too(world: World) -> None:
    young = rows(world, date(2024, 7, 20))
    assert young == {}
    assert {key[3] for key in rows(world, date(2024, 8, 2))} == {"month"}


# -- files ------------------------------------------------------------------------------------


def test_same_truth_same_files(clean_world: World, tmp_path: Path) -> None:
    written = write(clean_world, tmp_path / "one")
    again = write(clean_world, tmp_path / "two")
    assert written.rows == again.rows
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(f"{name}.parquet" for name in written.rows)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert all(written.rows[name] > 0 for name in written.rows)
    stored = duckdb.sql(f"""
        select round(realised_value, 6) from '{tmp_path}/one/metric.parquet'
        where metric_id = 'time_to_market' and department_id = 'ALL' and objective_id = 'ALL'
            and period_grain = 'trailing_12m' order by period_start desc limit 1
    """).fetchall()
    assert (
        stored
        == clean_world.connection.sql("""
        select round(realised_value, 6) from truth.metric
        where metric_id = 'time_to_market' and department_id = 'ALL' and objective_id = 'ALL'
            and period_grain = 'trailing_12m' order by period_start desc limit 1
    """).fetchall()
    )


def test_tiny_truth_is_cheap(world: World) -> None:
    """0.8 s of processor time on 2026-11-25; `make accuracy SEEDS=200` pays for it 200 times."""
    started = time.process_time()
    metrics(world)
    assert time.process_time() - started < 2.5
