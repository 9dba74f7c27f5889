"""Truth and estimate side by side, one row a quantity.

What belongs here: the joins of `truth` and `hidden` with the marts (attached as `bi`), and what
"covered" and "equal" mean. What does not: running anything, or many seeds together (`report`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from math import isclose
from pathlib import Path
from typing import Any

import duckdb

from sandbox.calendars import START, first_instant

_TOLERANCE = 1e-6
"""Relative: both sides add the same numbers in another order."""


@dataclass(frozen=True)
class Row:
    """One quantity; None where one side does not have it."""

    metric_id: str
    realised: float | None
    parameter: float | None
    estimate: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    """Why there is no estimate, or what is counted."""

    @property
    def is_equal(self) -> bool | None:
        """Whether the estimate is what the history amounts to."""
        if self.realised is None or self.estimate is None:
            return None
        return isclose(self.realised, self.estimate, rel_tol=_TOLERANCE, abs_tol=1e-9)

    def covers(self, truth: float | None) -> bool | None:
        """Whether the interval holds `truth`; None where there is no interval or no truth."""
        if truth is None or self.low is None or self.high is None:
            return None
        return self.low - 1e-9 <= truth <= self.high + 1e-9


@dataclass(frozen=True)
class Comparison:
    """One company: the newest trailing year of every metric, all cells, and the foundations."""

    metrics: Sequence[Row]
    cells: Sequence[tuple[str, int, int]]
    """Metric, cells with truth and estimate, equal ones; over all periods."""
    foundations: Sequence[Row]
    """Who is who, who was where, what phase, how much effort."""


def compare(connection: duckdb.DuckDBPyConnection, warehouse: Path, until: date) -> Comparison:
    """Compare the tables `truth.metric` and `hidden.*` of `connection` with a warehouse."""
    connection.execute(f"attach '{warehouse}' as bi (read_only)")
    try:
        return Comparison(_metrics(connection), _cells(connection), _foundations(connection, until))
    finally:
        connection.execute("detach bi")


_PAIRS = """
    select
        metric_id, department_id, objective_id, period_grain, period_start,
        truth.realised_value, truth.parameter_value, estimate.value, estimate.ci_low,
        estimate.ci_high, estimate.status_reason, estimate.metric_id is not null as has_row
    from truth.metric as truth
    left join (
        -- The platform's ids begin with the source's.
        select * replace (split_part(department_id, ':', -1) as department_id)
        from bi.main.mart_scorecard
    ) as estimate
        using (metric_id, department_id, objective_id, period_grain, period_start)
"""


def _metrics(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """The newest trailing year of the company; metrics that the scorecard never has: no row."""
    found = connection.execute(
        f"""
        with pairs as ({_PAIRS}),
        known as (select distinct metric_id from bi.main.mart_scorecard)
        select
            metric_id, realised_value, parameter_value, value, ci_low, ci_high,
            case
                when known.metric_id is null then 'no row'
                else coalesce(status_reason, '')
            end
        from pairs
        left join known using (metric_id)
        where department_id = 'ALL' and objective_id = 'ALL' and period_grain = 'trailing_12m'
        qualify row_number() over (
            partition by metric_id order by has_row desc, period_start desc
        ) = 1
        order by metric_id
        """
    ).fetchall()
    return [
        Row(str(name), *(_float(n) for n in numbers), note=note) for name, *numbers, note in found
    ]


def _cells(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    return connection.execute(
        f"""
        select
            metric_id, count(*),
            count(*) filter (
                abs(value - realised_value)
                <= greatest({_TOLERANCE} * greatest(abs(value), abs(realised_value)), 1e-9)
            )
        from ({_PAIRS})
        where value is not null and realised_value is not null
        group by metric_id order by metric_id
        """
    ).fetchall()


def _foundations(connection: duckdb.DuckDBPyConnection, until: date) -> list[Row]:
    moment = first_instant(until).astimezone(UTC)
    asked = {"until": until, "start": START, "moment": f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'"}
    rows = []
    for metric_id, note, sql in _FOUNDATIONS:
        for name, realised, estimate in connection.execute(sql.format(**asked)).fetchall():
            label = f"{metric_id}{name or ''}"
            rows.append(Row(label, _float(realised), None, _float(estimate), note=note))
    return rows


def _float(value: Any) -> float | None:
    """Some sums come as decimals."""
    return None if value is None else float(value)


_ACCOUNTS = """
    with accounts as (
        select account.account_id, person.employee_id as true_id, known.employee_id as found_id
        from hidden.account
        inner join hidden.person using (person_id)
        left join bi.main.bridge_person_identity as bridge
            on bridge.source_id = 'jira' and bridge.source_user_id = account.account_id
        left join bi.pii.int_people__employees as known using (person_key)
        where account.system = 'jira' and account.opened_at < {moment}
    )
"""
_DAYS = """
    with days as (select cast(range as date) as day from range(date '{start}', date '{until}',
        interval 1 day)),
    true_days as (
        select person.employee_id, day, department_id, sum(share) as share
        from hidden.post
        inner join hidden.person using (person_id)
        inner join days on day >= from_date and (to_date is null or day < to_date)
        where person.kind = 'employee'
        group by all
    ),
    found_days as (
        select employees.employee_id, day, split_part(department_id, ':', -1) as department_id,
            sum(fte_weight) as share
        from bi.main.dim_worker_assignment
        inner join bi.pii.int_people__employees as employees using (person_key)
        inner join days on day >= valid_from and (valid_to is null or day < valid_to)
        group by all
    )
"""
_PHASES = """
    with true_spans as (
        select cast(issue_id as varchar) as issue_id, phase, from_at,
            least(coalesce(to_at, {moment}), {moment}) as to_at
        from hidden.phase_span inner join hidden.issue using (issue_id)
        where from_at < {moment} and (deleted_at is null or deleted_at >= {moment})
    ),
    found_spans as (
        select issue_id, phase, entered_at, coalesce(exited_at, {moment}) as exited_at
        from bi.main.fct_status_span
    )
"""
_EFFORT = """
    with true_effort as (
        select department_id, sum(seconds * share) / 28800e0 as days
        from hidden.effort inner join hidden.post using (person_id)
        where work_date >= from_date and (to_date is null or work_date < to_date)
            and work_date < date '{until}'
        group by department_id
    ),
    found_effort as (
        select split_part(department_id, ':', -1) as department_id, sum(effort_days) as days
        from bi.main.fct_contribution group by all
    )
"""

_FOUNDATIONS = (
    (
        "identity.precision",
        "share of the accounts given to an employee that are that employee's",
        _ACCOUNTS
        + """select null, 1e0, avg(cast(found_id is not distinct from true_id as integer))
        from accounts where found_id is not null""",
    ),
    (
        "identity.recall",
        "share of the employees' accounts that are given to them",
        _ACCOUNTS
        + """select null, 1e0, avg(cast(found_id is not distinct from true_id as integer))
        from accounts where true_id is not null""",
    ),
    (
        "department.person_days",
        "share of employees' days, by share of post, in the true department",
        _DAYS
        + """select null, 1e0,
            sum(least(true_days.share, coalesce(found_days.share, 0))) / sum(true_days.share)
        from true_days left join found_days using (employee_id, day, department_id)""",
    ),
    (
        "phase.issue_time",
        "share of the time of all issues in the true phase",
        _PHASES
        + """select null, 1e0,
            sum(epoch(least(to_at, exited_at) - greatest(from_at, entered_at)))
            / (select sum(epoch(to_at - from_at)) from true_spans)
        from true_spans inner join found_spans using (issue_id)
        where true_spans.phase = found_spans.phase
            and entered_at < to_at and exited_at > from_at""",
    ),
    (
        "effort.in_place",
        "effort in the true department (overlap of the sums), of the true effort",
        _EFFORT
        + """select null, 1e0,
            sum(least(true_effort.days, coalesce(found_effort.days, 0))) / sum(true_effort.days)
        from true_effort left join found_effort using (department_id)""",
    ),
    (
        "effort.days.",
        "person-days of the department",
        _EFFORT
        + """select department_id, true_effort.days, found_effort.days
        from true_effort full join found_effort using (department_id) order by department_id""",
    ),
)
"""Name, what it is, and a query of (suffix, truth, estimate)."""
