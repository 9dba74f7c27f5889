"""Runs the expectation suites against the warehouse, in SQL, inside DuckDB.

Belongs here: everything that touches Great Expectations, and the one place that imports it (inside
a function: the import takes longer than the suites). Does not belong here: a rule.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from dagster_project.errors import MissionError
from dagster_project.publish.contents import published_tables
from dagster_project.quality.checks import Check, Severity, Suite
from dagster_project.quality.results import CheckResult
from dagster_project.quality.suites import (
    crm,
    dim_worker_assignment,
    fct_contribution,
    fct_cross_departmental_success,
    fct_innovation_index,
    fct_status_span,
    fct_time_to_market,
    fct_work_item,
    hr,
    jira,
    mart_scorecard,
)
from dagster_project.quality.suites.privacy import Columns, privacy_suite
from dagster_project.settings import Mission

SUITES: tuple[Suite, ...] = tuple(
    module.SUITE
    for module in (
        jira,
        crm,
        hr,
        dim_worker_assignment,
        fct_work_item,
        fct_status_span,
        fct_contribution,
        fct_cross_departmental_success,
        fct_innovation_index,
        fct_time_to_market,
        mart_scorecard,
    )
)
_EXAMPLES = 3
# Results are cut to _EXAMPLES for display, counts are made by DuckDB: nothing reads more rows than
# this, and a rule broken by a million rows must not bring a million rows into Python.
_BUFFERED_ROWS = 1_000

_RULE = "with batch as (select * from {batch}) select * from ({rule}) as unexpected order by all"

OnResult = Callable[[CheckResult], None]


def suite_checks() -> list[tuple[str, str, Severity, str]]:
    """(check id, schema.table, severity, description) of every check, without importing gx."""
    return [
        (check.check_id, check.reported_on, check.severity, check.description)
        for suite in (*SUITES, privacy_suite({}))
        for check in suite.checks
    ]


def run_suites(
    mission: Mission,
    on_result: OnResult | None = None,
    *,
    only: Collection[str] | None = None,
) -> list[CheckResult]:
    """Run every suite; one result a check, in the order of suite_checks().

    `on_result` hears of each result as soon as it is there; `only` picks checks by their id. A
    check that cannot be evaluated (its table or a column is missing) is a failed `block` check that
    says so. Raises MissionError when there is no warehouse. Opens the warehouse read-only: no other
    process may be writing.
    """
    if not mission.warehouse_path.exists():
        raise MissionError(
            f"{mission.warehouse_path} does not exist: there is nothing to check",
            "run `mission refresh`, which ingests and builds before it checks.",
        )
    results = []
    with _Warehouse(mission) as warehouse:
        for suite in (*SUITES, privacy_suite(_published_text(mission, warehouse))):
            picked = [c for c in suite.checks if only is None or c.check_id in only]
            for result in warehouse.run(suite.name, picked):
                results.append(result)
                if on_result is not None:
                    on_result(result)
    return results


def _published_text(mission: Mission, warehouse: _Warehouse) -> Columns:
    """The text columns of each public table that is there; empty where nobody can tell."""
    try:
        names = [table.name for table in published_tables(mission.dbt_target)]
    except MissionError:
        return {}
    return {
        name: [
            column
            for column, kind in warehouse.columns.get(f"main.{name}", {}).items()
            if "VARCHAR" in kind or "JSON" in kind
        ]
        for name in names
    }


class _Warehouse:
    """One datasource over one read-only connection, for as long as the suites run."""

    def __init__(self, mission: Mission) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx
        from great_expectations import expectations
        from sqlalchemy import event

        self._gx = gx
        self._expectations = expectations
        context = gx.get_context(mode="ephemeral")
        bars: Any = {"globally": False}
        context.variables.progress_bars = bars
        # Its stub leaves out `kwargs`, the arguments of SQLAlchemy's create_engine.
        add_source: Any = context.data_sources.add_sql
        self._source = add_source(
            "warehouse",
            connection_string=f"duckdb:///{mission.warehouse_path}",
            kwargs={"connect_args": {"read_only": True}},
        )
        self._engine = self._source.get_execution_engine().engine
        event.listen(self._engine, "after_cursor_execute", _buffer_rows)
        self.columns = self._read_columns()

    def __enter__(self) -> _Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        # DuckDB keeps the file locked until the last connection is gone; Great Expectations has one
        # engine that looks for tables and another that runs the rules.
        self._source.get_execution_engine().close()
        self._engine.dispose()
        self._source.get_engine().dispose()

    def run(self, suite: str, checks: Sequence[Check]) -> Iterator[CheckResult]:
        """The results of a suite's checks, in their order, table by table."""
        for table, its_checks in groupby(checks, key=lambda check: check.table):
            yield from self._run_on_table(suite, table, list(its_checks))

    def _run_on_table(
        self, suite: str, table: str, checks: Sequence[Check]
    ) -> Iterator[CheckResult]:
        if table not in self.columns:
            for check in checks:
                yield _result(suite, check, None, f"table {table} does not exist")
            return
        schema, name = table.split(".")
        batch = (
            self._source.add_table_asset(
                f"{suite} {table} {checks[0].claim}", table_name=name, schema_name=schema
            )
            .add_batch_definition_whole_table("all rows")
            .get_batch()
        )
        outcome = batch.validate(
            self._gx.ExpectationSuite(
                name=f"{suite} {table}", expectations=[self._expectation(c) for c in checks]
            ),
            result_format={
                "result_format": "COMPLETE",
                "partial_unexpected_count": _EXAMPLES,
                "include_unexpected_rows": False,
            },
        )
        # Great Expectations returns the results in an order of its own.
        results: list[Any] = outcome.results
        found = {result.expectation_config.meta["check_id"]: result for result in results}
        for check in checks:
            yield _result(suite, check, found[check.check_id])

    def _expectation(self, check: Check) -> Any:
        arguments = dict(check.arguments)
        query = arguments.get("unexpected_rows_query")
        if query is not None:
            # Braces of the rule are its own; `order by all` gives the same examples every time.
            rule = query.replace("{", "{{").replace("}", "}}")
            arguments["unexpected_rows_query"] = _RULE.replace("{rule}", rule)
        kind = getattr(self._expectations, check.expectation)
        return kind(
            **arguments,
            severity="critical" if check.severity == "block" else "warning",
            meta={"check_id": check.check_id},
        )

    def _read_columns(self) -> dict[str, dict[str, str]]:
        """`schema.table` -> column -> type, of every table and view."""
        tables: dict[str, dict[str, str]] = {}
        with self._engine.connect() as connection:
            # A row per table: this engine's cursors end after the first thousand rows.
            rows = connection.exec_driver_sql(
                "select table_schema || '.' || table_name, "
                "list(column_name order by ordinal_position), "
                "list(data_type order by ordinal_position) "
                "from information_schema.columns group by 1 order by 1"
            )
            for table, columns, kinds in rows:
                tables[table] = dict(zip(columns, kinds, strict=True))
        return tables


def _buffer_rows(
    _connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    """Fetch the rows before Great Expectations closes the connection under its own result.

    On DuckDB a cursor of a closed connection has no rows ("list index out of range").
    """
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    if cursor.description:
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
            cursor,
            alternate_description=cursor.description,
            initial_buffer=cursor.fetchmany(_BUFFERED_ROWS),
        )


def _result(suite: str, check: Check, outcome: Any, problem: str = "") -> CheckResult:
    """A CheckResult from Great Expectations' outcome; `problem` stands in where there is none."""
    if outcome is not None:
        problem = _exception_message(outcome.exception_info)
    return CheckResult(
        check_id=check.check_id,
        check_kind=check.kind,
        suite=suite,
        asset=check.reported_on,
        # What could not be evaluated was not proven, however mild the rule.
        severity="block" if problem else check.severity,
        passed=not problem and bool(outcome.success),
        observed=f"could not be evaluated: {problem}" if problem else _observed(outcome.result),
        expected=check.expected,
        description=check.description,
        metrics=check.metrics,
    )


def _exception_message(info: Mapping[str, Any]) -> str:
    """The first line of the first exception, or nothing; gx nests them by metric."""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "unknown error").strip().splitlines()
            return lines[0]
    return ""


def _observed(result: Mapping[str, Any]) -> str:
    """What was found, for people: a count and up to three examples."""
    if "unexpected_count" in result:
        found = f"{result['unexpected_count']} of {result['element_count']} rows"
        values = result.get("partial_unexpected_list") or []
        examples = [value for value in values if value is not None][:_EXAMPLES]
    else:
        found = f"{result['observed_value']} rows"
        examples = (result.get("details") or {}).get("unexpected_rows", [])[:_EXAMPLES]
    return f"{found}, such as {'; '.join(map(_shown, examples))}" if examples else found


def _shown(example: object) -> str:
    if isinstance(example, Mapping):
        return ", ".join(f"{name} {value}" for name, value in example.items())
    return str(example)
