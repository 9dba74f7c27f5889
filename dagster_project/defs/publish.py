"""Asset of the last stage: the published generation.

Belongs here: which recorded audit a publication may rest on, and what the UI shows. Does not
belong here: the building of a generation (`dagster_project.publish`).
"""

import time
from collections.abc import Iterable, Iterator

import dagster as dg

from dagster_project.defs.progress import OnPart, nobody_asked
from dagster_project.defs.quality import QUALITY_RESULT
from dagster_project.defs.resources import (
    MissionResource,
    RefreshOptions,
    WriterLock,
    told_to_the_user,
)
from dagster_project.errors import MissionError
from dagster_project.publish.generations import publish

GENERATION = dg.AssetKey(["published", "generation"])


def publish_assets(
    public_tables: Iterable[dg.AssetKey],
    freshness: dg.FreshnessPolicy | None = None,
    on_part: OnPart = nobody_asked,
) -> dg.AssetsDefinition:
    """The generation that readers see, made of `public_tables`."""
    tables = sorted(public_tables)

    @dg.asset(
        key=GENERATION,
        deps=[QUALITY_RESULT, *tables],
        description="The public tables as one immutable generation behind `current`.",
        group_name="publish",
        owners=["team:data-engineering"],
        kinds={"duckdb", "parquet"},
        freshness_policy=freshness,
        output_required=False,
    )
    def generation(
        context: dg.AssetExecutionContext,
        mission: MissionResource,
        options: RefreshOptions,
        writer_lock: WriterLock,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Publish what the audit let through; raises when a blocking check failed.

        Grain: one generation per publication. Earlier generations stay as they are.
        """
        if not options.publish:
            context.log.info("not published, as asked for (publish = false)")
            return
        started = time.monotonic()
        with told_to_the_user():
            made = publish(mission.load(), audited_run(context.instance, tables))
        on_part("publish")
        yield dg.MaterializeResult(
            metadata={
                "generation": made.id,
                "as_of_date": str(made.as_of_date),
                "dagster/row_count": sum(made.rows.values()),
                "rows": dg.MetadataValue.table(
                    [dg.TableRecord({"table": t, "rows": n}) for t, n in sorted(made.rows.items())]
                ),
                "path": dg.MetadataValue.path(made.path),
                "seconds": time.monotonic() - started,
            }
        )

    return generation


def audited_run(instance: dg.DagsterInstance, tables: Iterable[dg.AssetKey]) -> str:
    """The run whose audit covers the tables as they are now.

    The order of steps is no proof: stages can be run one by one, from the UI too. Raises
    MissionError when there is no audit, or when a table was rebuilt after it.
    """
    audit = instance.get_latest_materialization_event(QUALITY_RESULT)
    if audit is None:
        raise MissionError(
            "nothing was audited yet",
            "run the job `daily_refresh`, or `audit` before `publish`.",
        )
    for table in tables:
        built = instance.get_latest_materialization_event(table)
        if built is not None and built.timestamp > audit.timestamp:
            raise MissionError(
                f"{'.'.join(table.path)} was rebuilt after the last audit",
                "run the job `audit` and then `publish`, or `daily_refresh`.",
            )
    return audit.run_id
