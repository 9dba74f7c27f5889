"""The code location: assembles assets, checks, jobs, the schedule and resources.

Belongs here: the list of parts. Does not belong here: any part. Importing this module does no
I/O: Dagster calls `defs`, tests call `build_definitions`.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from dagster_project.defs import ingest, jobs, publish, quality, transform
from dagster_project.defs.manifest import ensure_manifest
from dagster_project.defs.progress import OnPart, nobody_asked
from dagster_project.defs.resources import MissionResource, RefreshOptions, WriterLock
from dagster_project.publish.contents import published_tables
from dagster_project.settings import load_mission


def build_definitions(config: Path | None = None, on_part: OnPart = nobody_asked) -> dg.Definitions:
    """Everything that Dagster may run for one mission.yaml; parses dbt's project when stale.

    Raises MissionError for what the user can put right.
    """
    mission = load_mission(config)
    freshness = jobs.freshness(mission)
    dbt_models = transform.transform_assets(ensure_manifest(mission), on_part)
    raw = [ingest.ingest_assets(system, freshness, on_part) for system in ingest.SYSTEMS]
    inputs = [*raw, ingest.build_assets(on_part), dbt_models]
    tables = [key for assets in inputs for key in assets.keys]
    public = [dg.AssetKey(["main", table.name]) for table in published_tables(mission.dbt_target)]
    assets = [
        *inputs,
        quality.quality_assets(tables, on_part),
        publish.publish_assets(public, freshness, on_part),
    ]
    groups = {group for a in assets for group in a.group_names_by_key.values()}
    resource = MissionResource(config_path=str(config.resolve()) if config else None)
    return dg.Definitions(
        assets=assets,
        jobs=jobs.jobs(groups),
        schedules=[jobs.schedule(mission)],
        resources={
            "mission": resource,
            "options": RefreshOptions(),
            "writer_lock": WriterLock(mission=resource),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev`, the daemon and `dagster definitions validate` load."""
    return build_definitions()
