"""The job `daily_refresh` on the sandbox company: what it materialises, shows and refuses."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from dagster_project.definitions import build_definitions
from dagster_project.defs.instance import dagster_home
from dagster_project.defs.manifest import ROOT
from dagster_project.defs.publish import audited_run
from dagster_project.defs.quality import QUALITY_RESULT
from dagster_project.errors import MissionError
from dagster_project.publish.generations import PublicationBlocked, current
from dagster_project.settings import Mission, load_mission
from sandbox.files import write
from sandbox.spec import Spec

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Company:
    """A sandbox company in a folder of its own, refreshed once."""

    config: Path
    mission: Mission
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    dead_run: str
    first: dg.ExecuteInProcessResult

    def run(self, job: str, assets: list[str] | None = None) -> dg.ExecuteInProcessResult:
        """Run a job, or some assets of it; errors are raised."""
        selection = [dg.AssetKey(asset.split(".")) for asset in assets] if assets else None
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, asset_selection=selection, run_config=QUIET
        )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp("company")
    shutil.copytree(ROOT / "seeds", home / "seeds")
    config = Path(shutil.copy(ROOT / "sandbox" / "files.yaml", home / "mission.yaml"))
    write(home / "data" / "sandbox", Spec())
    mission = load_mission(config)
    definitions = build_definitions(config)
    job = definitions.resolve_job_def("daily_refresh")
    with dg.DagsterInstance.local_temp(str(dagster_home(mission))) as instance:
        dead = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        first = job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
        yield Company(config, mission, definitions, instance, dead.run_id, first)


def _materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    events = result.get_asset_materialization_events()
    return sorted(".".join(e.asset_key.path) for e in events if e.asset_key)


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    key = dg.AssetKey(asset.split("."))
    events = result.get_asset_materialization_events()
    (found,) = [e.materialization for e in events if e.asset_key == key]
    return {name: value.value for name, value in found.metadata.items()}


def test_every_asset_is_materialised_once(company: Company) -> None:
    keys = company.definitions.resolve_asset_graph().get_all_asset_keys()
    assert _materialized(company.first) == sorted(".".join(key.path) for key in keys)


def test_every_check_is_evaluated(company: Company) -> None:
    evaluated = {e.asset_check_key for e in company.first.get_asset_check_evaluations()}
    assert evaluated == company.definitions.resolve_asset_graph().asset_check_keys


def test_published_rows_are_the_rows_that_the_assets_show(company: Company) -> None:
    generation = current(company.mission)
    assert generation is not None
    assert generation.run_id == company.first.run_id
    assert generation.rows["fct_work_item"] > 1_000
    shown = {
        table: _metadata(company.first, f"main.{table}")["dagster/row_count"]
        for table in generation.rows
    }
    assert shown == dict(generation.rows)
    total = _metadata(company.first, "published.generation")["dagster/row_count"]
    assert total == sum(generation.rows.values())


def test_raw_assets_show_rows_and_windows(company: Company) -> None:
    shown = _metadata(company.first, "raw_jira.issues")
    with duckdb.connect(str(company.mission.warehouse_path), read_only=True) as warehouse:
        (rows,) = warehouse.execute("select count(*) from raw_jira.issues").fetchone() or (0,)
    assert shown["rows_loaded"] == rows > 0
    assert shown["windows_new"] > 0
    assert shown["windows_skipped"] == shown["rows_quarantined"] == 0


def test_a_run_that_was_killed_is_not_shown_as_running_for_ever(company: Company) -> None:
    run = company.instance.get_run_by_id(company.dead_run)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE


def test_the_same_files_again_land_nothing(company: Company) -> None:
    again = company.run("ingest")
    for asset in ("raw_jira.issues", "raw_jira.changelogs", "raw_crm.deals", "raw_hr.employees"):
        shown = _metadata(again, asset)
        assert (shown["rows_loaded"], shown["windows_new"]) == (0, 0), asset
        assert shown["windows_skipped"] > 0, asset


def test_a_part_of_dbt_can_run_alone(company: Company) -> None:
    result = company.run("transform", ["main.dim_objective", "seeds.objectives"])
    assert _materialized(result) == ["main.dim_objective", "seeds.objectives"]


def test_nothing_is_published_from_tables_rebuilt_after_their_audit(company: Company) -> None:
    before = current(company.mission)
    company.run("transform", ["main.dim_objective"])
    with pytest.raises(dg.Failure, match="rebuilt after the last audit"):
        company.run("publish")
    assert current(company.mission) == before


def test_a_failed_dbt_test_is_recorded_and_blocks_publication(company: Company) -> None:
    before = current(company.mission)
    seed = company.mission.seeds / "jira_issue_type_map.csv"
    kept = seed.read_text()
    try:
        seed.write_text(kept + "*,Nonsense,no_such_role\n")
        built = company.run("transform", ["seeds.jira_issue_type_map"])
        failed = {e.check_name for e in built.get_asset_check_evaluations() if not e.passed}
        company.run("audit")
        with pytest.raises(dg.Failure) as raised:
            company.run("publish")
    finally:
        seed.write_text(kept)
    assert len(failed) == 1
    assert isinstance(raised.value.__cause__, PublicationBlocked)
    assert failed <= set(raised.value.__cause__.checks)
    assert current(company.mission) == before


def test_a_seed_that_cannot_be_loaded_fails_the_stage_and_is_named(company: Company) -> None:
    seed = company.mission.seeds / "objectives.csv"
    kept = seed.read_text()
    header, *_ = kept.splitlines()
    try:
        row = ["x"] * len(header.split(","))
        seed.write_text(f"{header}\n{','.join(row)}\n")
        with pytest.raises(dg.Failure, match="objectives") as raised:
            company.run("transform", ["seeds.objectives", "main.dim_objective"])
    finally:
        seed.write_text(kept)
    assert isinstance(raised.value.__cause__, MissionError)
    assert "dbt.log" in raised.value.__cause__.remedy


def test_a_source_that_is_missing_fails_without_a_second_try(company: Company) -> None:
    folder = company.mission.storage / "sandbox" / "crm"
    away = folder.with_name("away")
    folder.rename(away)
    try:
        with pytest.raises(dg.Failure, match="crm") as raised:
            company.run("ingest")
    finally:
        away.rename(folder)
    assert raised.value.allow_retries is False
    assert "Remedy" in str(raised.value.description)


def test_publication_asks_for_an_audit() -> None:
    table = dg.AssetKey(["main", "a"])
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(MissionError, match="nothing was audited"):
            audited_run(instance, [table])
        instance.report_runless_asset_event(dg.AssetMaterialization(table))
        instance.report_runless_asset_event(dg.AssetMaterialization(QUALITY_RESULT))
        audited_run(instance, [table])
        instance.report_runless_asset_event(dg.AssetMaterialization(table))
        with pytest.raises(MissionError, match=r"main\.a was rebuilt after the last audit"):
            audited_run(instance, [table])
