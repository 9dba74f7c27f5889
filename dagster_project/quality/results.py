"""The result of a check, wherever it was made, and its record in the warehouse.

Belongs here: CheckResult, dbt's own results in that shape, and table meta.quality_result. Does not
belong here: making checks, and the decision to publish.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import MissionError
from dagster_project.quality.checks import CheckKind, Severity
from dagster_project.settings import Mission

_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(\.[\w-]+)+")
# Enough for three example rows; a database error can quote a whole statement.
_LONGEST_TEXT = 500

_BROKEN = ("error", "runtime error")

_TABLE = """
create schema if not exists meta;
create table if not exists meta.quality_result (
    check_id varchar not null,
    check_kind varchar not null,
    suite varchar not null,
    asset varchar not null,
    severity varchar not null,
    passed boolean not null,
    observed varchar not null,
    expected varchar not null,
    description varchar not null,
    metrics varchar not null,
    run_id varchar not null,
    as_of timestamp not null
);
"""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found. `asset` is `schema.table`; `observed` and `expected` are for people.

    The results are published: their texts hold no e-mail address and are cut to 500 characters.
    """

    check_id: str
    check_kind: CheckKind
    suite: str
    asset: str
    severity: Severity
    passed: bool
    observed: str
    expected: str
    description: str
    metrics: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in ("observed", "expected", "description"):
            object.__setattr__(self, name, _fit_to_publish(getattr(self, name)))


def _fit_to_publish(text: str) -> str:
    flat = _EMAIL.sub("<e-mail>", " ".join(text.split()))
    return flat if len(flat) <= _LONGEST_TEXT else flat[: _LONGEST_TEXT - 1] + "…"


def record(mission: Mission, run_id: str, results: Iterable[CheckResult]) -> int:
    """Replace the rows of `run_id` in meta.quality_result by `results`, all or nothing.

    Returns the number of rows. The caller holds the writer's lock. Raises MissionError when the
    build was never frozen (raw_mission.build is missing or empty) or two results share an id.
    """
    rows = list(results)
    ids = [row.check_id for row in rows]
    twice = sorted({check_id for check_id in ids if ids.count(check_id) > 1})
    if twice:
        raise ValueError(f"two results share an id: {', '.join(twice)}")
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        try:
            frozen = warehouse.execute("select as_of from raw_mission.build").fetchone()
        except duckdb.CatalogException:
            frozen = None
        if frozen is None:
            raise MissionError(
                f"{mission.warehouse_path} has no frozen build to judge",
                "run `mission refresh`, which ingests and freezes before it checks.",
            )
        warehouse.execute(_TABLE)
        warehouse.execute("begin")
        warehouse.execute("delete from meta.quality_result where run_id = ?", [run_id])
        if rows:
            warehouse.executemany(
                "insert into meta.quality_result values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    [
                        row.check_id,
                        row.check_kind,
                        row.suite,
                        row.asset,
                        row.severity,
                        row.passed,
                        row.observed,
                        row.expected,
                        row.description,
                        ",".join(row.metrics),
                        run_id,
                        frozen[0],
                    ]
                    for row in rows
                ],
            )
        warehouse.execute("commit")
    return len(rows)


def dbt_results(target_dir: Path) -> list[CheckResult]:
    """The last dbt run as check results: every test and unit test, and every node that failed.

    A test that was skipped or broke proves nothing and counts as failed; what broke also blocks,
    whatever its configured severity, and so does a model, seed or snapshot that failed or was
    skipped: its table is missing or stale. Raises MissionError without dbt's files.
    """
    run_results = _artifact(target_dir / "run_results.json")
    manifest = _artifact(target_dir / "manifest.json")
    nodes: dict[str, dict[str, Any]] = {
        **manifest["nodes"],
        **manifest["sources"],
        **manifest["unit_tests"],
    }
    return list(_dbt_results(run_results["results"], nodes))


def _dbt_results(
    results: Iterable[Mapping[str, Any]], nodes: Mapping[str, Mapping[str, Any]]
) -> Iterator[CheckResult]:
    for result in results:
        node = nodes.get(result["unique_id"])
        if node is None:
            continue
        status = result["status"]
        if node["resource_type"] in ("test", "unit_test"):
            tested = _tested_node(node, nodes)
            yield CheckResult(
                check_id=_dbt_check_id(node),
                check_kind="dbt_test",
                suite="dbt",
                asset=_relation(tested),
                severity=_dbt_severity(node, status),
                passed=status in ("pass", "success"),
                observed=_dbt_observed(result),
                expected="the expected rows"
                if node["resource_type"] == "unit_test"
                else "no failing row",
                description=node.get("description") or node["name"],
                metrics=_metrics(node) or _metrics(tested),
            )
        elif status in (*_BROKEN, "skipped", "partial success"):
            yield CheckResult(
                check_id=f"dbt_built__{node['name']}",
                check_kind="dbt_test",
                suite="dbt",
                asset=_relation(node),
                severity="block",
                passed=False,
                observed=_dbt_observed(result),
                expected="dbt builds it",
                description=f"dbt built {node['name']}; else its table is missing or stale.",
                metrics=_metrics(node),
            )


def _artifact(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MissionError(
            f"{path} is missing or unreadable ({type(error).__name__}): nobody can tell how dbt's "
            "tests went",
            "run `mission refresh`, which builds and tests the models.",
        ) from error
    return dict(content)


def _dbt_severity(node: Mapping[str, Any], status: str) -> Severity:
    if status == "warn":  # beyond warn_if, within error_if
        return "warn"
    configured = str((node.get("config") or {}).get("severity") or "error").lower()
    return "warn" if configured == "warn" and status not in _BROKEN else "block"


def _dbt_check_id(node: Mapping[str, Any]) -> str:
    # Unit tests are unique by model only; data tests by their last part, a hash.
    if node["resource_type"] == "unit_test":
        return f"{node['model']}__{node['name']}"
    return str(node["name"])


def _tested_node(
    node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """The model, seed or source that a test speaks of; for a singular test the last it reads."""
    candidates = [
        node.get("attached_node"),
        node.get("tested_node_unique_id"),
        *reversed(node.get("depends_on", {}).get("nodes", [])),
    ]
    return next((nodes[name] for name in candidates if name in nodes), {})


def _relation(node: Mapping[str, Any]) -> str:
    if not node:
        return "meta.quality_result"
    return f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"


def _metrics(node: Mapping[str, Any]) -> tuple[str, ...]:
    config = node.get("config") or {}
    named = (config.get("meta") or {}).get("metrics") or (node.get("meta") or {}).get("metrics")
    return tuple(named or ())


def _dbt_observed(result: Mapping[str, Any]) -> str:
    if result["status"] in ("pass", "success"):
        return "0 rows"
    failures = result.get("failures")
    found = f"{failures} rows" if failures else str(result["status"])
    return f"{found}: {result['message']}" if result.get("message") else found
