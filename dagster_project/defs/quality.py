"""Asset of the third stage: every check of the build, as asset checks and as rows.

Belongs here: how results look in Dagster. Does not belong here: suites and their runner
(`dagster_project.quality`), the decision to publish (`dagster_project.publish`).
"""

import time
from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from dagster_project.defs.progress import OnPart, nobody_asked
from dagster_project.defs.resources import MissionResource, WriterLock, told_to_the_user
from dagster_project.quality.results import CheckResult, dbt_results, record
from dagster_project.quality.runner import run_suites, suite_checks

QUALITY_RESULT = dg.AssetKey(["meta", "quality_result"])
_SHOWN = 200


def quality_assets(
    existing: Iterable[dg.AssetKey], on_part: OnPart = nobody_asked
) -> dg.AssetsDefinition:
    """The audit of the tables in `existing`; an expectation on another table is left out."""
    tables = set(existing)
    specs = [
        dg.AssetCheckSpec(
            name,
            asset=QUALITY_RESULT,
            description=f"{table}: {description}",
            metadata={"table": table, "severity": severity},
        )
        for name, table, severity, description in suite_checks()
    ]
    checked = {dg.AssetKey(table.split(".")) for _, table, _, _ in suite_checks()}

    @dg.multi_asset(
        name="run_checks",
        specs=[
            dg.AssetSpec(
                QUALITY_RESULT,
                deps=sorted(checked & tables),
                description="One row per check of a run: expectations, dbt tests, reconciliations.",
                group_name="audit",
                owners=["team:data-quality"],
                kinds={"python", "duckdb"},
            )
        ],
        check_specs=specs,
    )
    def audit(
        context: dg.AssetExecutionContext,
        mission: MissionResource,
        writer_lock: WriterLock,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Run every expectation and record it together with dbt's tests.

        Grain: one row per check and run. Idempotent: a run replaces its own rows. A failed check
        never fails this step: publication decides by what is recorded.
        """
        started = time.monotonic()
        settings = mission.load()
        with told_to_the_user():
            expectations = run_suites(settings, on_result=lambda _: on_part("audit"))
            results = [*expectations, *dbt_results(settings.dbt_target)]
            record(settings, context.run.run_id, results)
        yield dg.MaterializeResult(
            asset_key=QUALITY_RESULT,
            metadata=_metadata(results, time.monotonic() - started),
        )
        for result in expectations:
            yield _check_result(result)

    return audit


def _check_result(result: CheckResult) -> dg.AssetCheckResult:
    blocks = result.severity == "block"
    return dg.AssetCheckResult(
        asset_key=QUALITY_RESULT,
        check_name=result.check_id,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={
            "table": result.asset,
            "expected": result.expected,
            "observed": result.observed,
            "metrics": ", ".join(result.metrics) or "-",
        },
    )


def _metadata(results: Sequence[CheckResult], seconds: float) -> dict[str, dg.MetadataValue]:
    failed = [r for r in results if not r.passed]
    shown = sorted(results, key=lambda r: (r.passed, r.severity, r.asset, r.check_id))[:_SHOWN]
    table = [
        dg.TableRecord(
            {
                "check": r.check_id,
                "table": r.asset,
                "kind": r.check_kind,
                "severity": r.severity,
                "passed": r.passed,
                "observed": r.observed,
                "expected": r.expected,
            }
        )
        for r in shown
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.IntMetadataValue(len(results)),
        "failed_block": dg.IntMetadataValue(sum(r.severity == "block" for r in failed)),
        "failed_warn": dg.IntMetadataValue(sum(r.severity == "warn" for r in failed)),
        "seconds": dg.FloatMetadataValue(seconds),
    }
    if table:
        metadata["results"] = dg.MetadataValue.table(table)
    return metadata
