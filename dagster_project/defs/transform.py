"""Assets of the second stage: dbt's seeds and models, with its data tests as asset checks.

Belongs here: how a dbt node looks in Dagster and how dbt is run. Does not belong here: dbt's
environment (`manifest`), SQL (`models/`), the gate (`quality` and `publish` read dbt's results).
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from packaging.version import Version

from dagster_project.defs.dbt_child import TESTS_FAILED
from dagster_project.defs.manifest import (
    CHILD_ARGUMENTS,
    dbt_environment_set,
    dbt_project,
    ensure_manifest,
)
from dagster_project.defs.progress import OnPart, nobody_asked
from dagster_project.defs.resources import MissionResource, WriterLock, told_to_the_user
from dagster_project.errors import MissionError
from dagster_project.quality.warm_up import warm_up
from dagster_project.settings import Mission

DbtEvent = (
    dg.Output[Any]
    | dg.AssetMaterialization
    | dg.AssetObservation
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
)


class MissionTranslator(DagsterDbtTranslator):
    """dbt nodes as assets: key = [schema, table], group = layer and folder, owner from `meta`."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """[schema, table], the same address that readers use."""
        props = dbt_resource_props
        table = props.get("identifier") or props.get("alias") or props["name"]
        return dg.AssetKey([props["schema"], table])

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """A dbt test, never blocking: a failed one must reach the audit, which records it."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec._replace(blocking=False) if spec else None

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """staging_jira, intermediate_people, marts_work, ...; seeds are one group."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        folders: list[str] = list(dbt_resource_props["fqn"][1:3])
        if folders[-1] == dbt_resource_props["name"]:
            folders.pop()
        return "_".join(folders) or "models"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """`meta.owner`: an e-mail address as it is, everything else as a team."""
        owner = (dbt_resource_props.get("config") or {}).get("meta", {}).get("owner")
        if not owner:
            return ["team:data-engineering"]
        slug = re.sub(r"[^a-z0-9_]+", "-", str(owner).lower()).strip("-")
        return [str(owner)] if "@" in str(owner) else [f"team:{slug}"]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The description alone; the SQL stands in the repository."""
        return str(dbt_resource_props.get("description") or "")


class MissionDbt(DbtCliResource):
    """dbt run by this interpreter through `dbt_child.py`, so that it dies with its parent."""

    @cached_property
    def _cli_version(self) -> Version:
        # The parent asks `dbt --version`, which imports all of dbt and looks for updates online.
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> Any:
        # Only fetch_row_counts() and the like need an adapter here; dbt's imports cost seconds.
        return None


def dbt_of(mission: Mission) -> MissionDbt:
    """The dbt of this environment on the mission's copy of the dbt project."""
    return MissionDbt(
        project_dir=str(dbt_project(mission)),
        profiles_dir=str(dbt_project(mission)),
        dbt_executable=sys.executable,
        global_config_flags=CHILD_ARGUMENTS,
    )


def transform_assets(manifest: Path, on_part: OnPart = nobody_asked) -> dg.AssetsDefinition:
    """All seeds and models of a manifest as one step that can run any subset."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=MissionTranslator(), name="build_models")
    def transform(
        context: dg.AssetExecutionContext, mission: MissionResource, writer_lock: WriterLock
    ) -> Iterator[DbtEvent]:
        """Rebuild every seed and model from the frozen raw tables, then test them.

        Idempotent: tables are replaced whole. A failed test is recorded and stops the publication,
        not this step; a model that cannot be built fails the step.
        """
        settings = mission.load()
        with told_to_the_user():
            ensure_manifest(settings)  # a seed may have changed since the definitions were loaded
        # The next stage needs this library, and a core is idle while the child process works.
        warm_up()
        # What a dbt that never started left behind would be read as the results of this run.
        (settings.dbt_target / "run_results.json").unlink(missing_ok=True)
        with dbt_environment_set(settings):
            call = dbt_of(settings).cli(
                ["refresh"],
                context=context,
                target_path=settings.dbt_target,
                raise_on_error=False,
            )
            built: list[dg.Output[Any]] = []
            for event in call.stream():
                on_part("transform")
                if isinstance(event, dg.Output):
                    built.append(event)
                else:
                    yield event
        yield from _with_row_counts(context, settings, built)
        with told_to_the_user():
            if call.process.returncode not in (0, TESTS_FAILED):
                raise _not_built(settings, call)

    return transform


def _not_built(mission: Mission, call: DbtCliInvocation) -> MissionError:
    """What dbt could not build and why; without results it did not even start."""
    run_results = mission.dbt_target / "run_results.json"
    results = json.loads(run_results.read_bytes())["results"] if run_results.exists() else []
    broken = [r for r in results if r["status"] in ("error", "fail", "runtime error")]
    named = [
        f"{r['unique_id'].split('.')[-1]}: {' '.join(str(r['message']).split())}" for r in broken
    ]
    skipped = sum(r["status"] == "skipped" for r in results)
    if skipped:
        named.append(f"{skipped} nodes behind them were skipped")
    return MissionError(
        "dbt could not build the models:\n  - " + "\n  - ".join(named or [str(call.get_error())]),
        f"mend the model that dbt names; the details are in {mission.dbt_target / 'dbt.log'}.",
    )


def _with_row_counts(
    context: dg.AssetExecutionContext, mission: Mission, outputs: list[dg.Output[Any]]
) -> Iterator[dg.Output[Any]]:
    # After dbt has ended, for DuckDB lets one process at a time into the file.
    counts: dict[tuple[str, ...], int] = {}
    if outputs:
        with duckdb.connect(str(mission.warehouse_path), read_only=True) as warehouse:
            rows = warehouse.execute(
                "select schema_name, table_name, estimated_size from duckdb_tables()"
            )
            counts = {(schema, table): size for schema, table, size in rows.fetchall()}
    for output in outputs:
        key = context.asset_key_for_output(output.output_name)
        metadata: dict[str, Any] = dict(output.metadata)
        if tuple(key.path) in counts:
            metadata["dagster/row_count"] = counts[tuple(key.path)]
        yield dg.Output(None, output_name=output.output_name, metadata=metadata)
