"""What a check is, and the few kinds of rule that the suites are written in.

Belongs here: declarations as plain data. Does not belong here: Great Expectations itself (its
import takes seconds, so only the runner imports it, and only when it runs) and any single rule.

A rule in SQL reads the table under test as `batch` and selects the rows that break the rule. What
it selects is shown to everybody who reads the published file: never a name, an e-mail address or
the id of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["block", "warn"]
CheckKind = Literal["expectation", "dbt_test", "reconciliation"]

# The largest share: a sum of parts of one may exceed it by what floating point adds.
WHOLE = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on one table.

    `expectation` is the name of a class of Great Expectations and `arguments` are its own;
    `table` is `schema.table`; a failed `block` stops publication, a failed `warn` does not.
    `asset` names the table that the result is reported on where that is not `table`.
    """

    table: str
    claim: str
    expectation: str
    arguments: Mapping[str, Any]
    severity: Severity
    description: str
    expected: str
    metrics: tuple[str, ...] = ()
    kind: CheckKind = "expectation"
    asset: str = field(default="")

    @property
    def check_id(self) -> str:
        """Unique over all suites; fit for a Dagster check name ([a-z0-9_])."""
        return f"{self.reported_on.removeprefix('main.').replace('.', '_')}__{self.claim}"

    @property
    def reported_on(self) -> str:
        """The table that a reader sees the result on."""
        return self.asset or self.table


@dataclass(frozen=True, slots=True)
class Suite:
    """The checks of one source or mart; `metrics` are those that its checks protect."""

    name: str
    metrics: tuple[str, ...]
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, name: str, metrics: Iterable[str], checks: Iterable[Check]) -> Suite:
        """A suite whose checks protect `metrics` unless they say otherwise."""
        protected = tuple(metrics)
        return cls(
            name,
            protected,
            tuple(
                check if check.metrics else replace(check, metrics=protected) for check in checks
            ),
        )


def not_empty(table: str, description: str, *, severity: Severity = "block") -> Check:
    """The table has a row."""
    return Check(
        table,
        "is_not_empty",
        "ExpectTableRowCountToBeBetween",
        {"min_value": 1},
        severity,
        description,
        "at least 1 row",
    )


def present(table: str, column: str, description: str, *, severity: Severity = "block") -> Check:
    """The column is never null."""
    return Check(
        table,
        f"{column}_is_present",
        "ExpectColumnValuesToNotBeNull",
        {"column": column},
        severity,
        description,
        f"{column} is not null",
    )


def among(
    table: str,
    column: str,
    values: Iterable[str],
    description: str,
    *,
    severity: Severity = "block",
) -> Check:
    """The column holds only `values`, or null."""
    allowed = list(values)
    return Check(
        table,
        f"{column}_is_known",
        "ExpectColumnValuesToBeInSet",
        {"column": column, "value_set": allowed},
        severity,
        description,
        f"{column} is one of {', '.join(allowed)}",
    )


def between(
    table: str,
    column: str,
    low: float | None,
    high: float | None,
    description: str,
    *,
    severity: Severity = "block",
) -> Check:
    """The column lies in [low, high] or is null; None leaves an end open."""
    return Check(
        table,
        f"{column}_is_in_range",
        "ExpectColumnValuesToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
        severity,
        description,
        " and ".join(
            part
            for part in (
                f"{column} >= {low}" if low is not None else "",
                f"{column} <= {high}" if high is not None else "",
            )
            if part
        ),
    )


def no_rows(
    table: str,
    claim: str,
    sql: str,
    description: str,
    *,
    severity: Severity = "block",
    kind: CheckKind = "expectation",
    expected: str = "no row breaks the rule",
) -> Check:
    """`sql`, which reads the table as `batch`, finds nothing."""
    return Check(
        table,
        claim,
        "UnexpectedRowsExpectation",
        {"unexpected_rows_query": sql},
        severity,
        description,
        expected,
        kind=kind,
    )
