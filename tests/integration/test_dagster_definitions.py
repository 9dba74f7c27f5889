"""What the code location offers: assets, jobs, the schedule; nothing is run here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import build_definitions
from dagster_project.defs.manifest import ROOT, dbt_project, ensure_manifest, fingerprint
from dagster_project.errors import MissionError
from dagster_project.settings import Mission, load_mission
from dagster_project.sources.streams import STREAMS

CONFIG = ROOT / "mission.yaml"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def definitions(storage: Path) -> dg.Definitions:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISSION_STORAGE", str(storage))
        return build_definitions(CONFIG)


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {".".join(spec.key.path): spec for spec in definitions.resolve_all_asset_specs()}


def test_every_stream_of_the_lake_is_an_asset(specs: dict[str, dg.AssetSpec]) -> None:
    streams = {f"raw_{s}.{stream.name}" for s, found in STREAMS.items() for stream in found}
    assert streams == {
        key for key in specs if key.startswith("raw_") and not key.startswith("raw_mission.")
    }


def test_lineage_has_no_gap_between_landing_and_dbt(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert graph.external_asset_keys == set()
    issues = dg.AssetKey(["raw_jira", "issues"])
    generation = dg.AssetKey(["published", "generation"])
    downstream = dg.AssetSelection.assets(issues).downstream().resolve(graph)
    assert generation in downstream
    assert dg.AssetKey(["main", "mart_scorecard"]) in downstream
    secret = dg.AssetKey(["pii", "person_secret"])
    assert graph.get(secret).child_keys


def test_every_asset_says_what_it_is_and_who_owns_it(specs: dict[str, dg.AssetSpec]) -> None:
    assert len(specs) > 80
    for key, spec in specs.items():
        assert spec.description, key
        assert spec.owners, key
        assert spec.group_name not in (None, "default"), key
        assert spec.kinds, key


def test_groups_follow_the_layers(specs: dict[str, dg.AssetSpec]) -> None:
    groups = {
        "raw_jira.issues": "ingest_jira",
        "raw_mission.build": "ingest_build",
        "seeds.objectives": "seeds",
        "staging.stg_jira__issues": "staging_jira",
        "intermediate.int_jira__field_changes": "intermediate_jira",
        "main.fct_work_item": "marts_work",
        "main.mart_scorecard": "marts_metrics",
        "meta.quality_result": "audit",
        "published.generation": "publish",
    }
    assert {key: specs[key].group_name for key in groups} == groups


def test_published_tables_lead_to_the_generation_and_person_grain_does_not(
    specs: dict[str, dg.AssetSpec],
) -> None:
    inputs = {".".join(dep.asset_key.path) for dep in specs["published.generation"].deps}
    assert {"main.mart_scorecard", "main.fct_work_item", "meta.quality_result"} <= inputs
    assert not inputs & {"main.dim_person", "main.fct_contribution", "main.dim_worker_assignment"}


def test_one_job_for_everything_and_one_for_each_stage(definitions: dg.Definitions) -> None:
    everything = definitions.resolve_job_def("daily_refresh").asset_layer.selected_asset_keys
    assert everything == definitions.resolve_asset_graph().get_all_asset_keys()
    by_stage = [
        definitions.resolve_job_def(stage).asset_layer.selected_asset_keys
        for stage in ("ingest", "transform", "audit", "publish")
    ]
    assert set().union(*by_stage) == everything
    assert sum(map(len, by_stage)) == len(everything)


def test_the_schedule_runs_by_default_in_the_zone_of_the_organisation(
    definitions: dg.Definitions,
) -> None:
    schedule = definitions.resolve_schedule_def("daily")
    assert schedule.cron_schedule == "0 5 * * *"
    assert schedule.execution_timezone == "Europe/Berlin"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == "daily_refresh"


def test_a_refresh_that_does_not_arrive_is_late(specs: dict[str, dg.AssetSpec]) -> None:
    for key in ("raw_jira.issues", "published.generation"):
        policy = specs[key].freshness_policy
        assert policy is not None, key
        # Daily, summer time changes included, and six hours of grace.
        assert policy.fail_window.to_timedelta().total_seconds() == 30 * 3600  # type: ignore[attr-defined]


def test_ingestion_is_tried_again(definitions: dg.Definitions) -> None:
    for system in ("jira", "crm", "hr"):
        node = definitions.resolve_job_def("daily_refresh").get_node_named(f"ingest_{system}")
        assert node.definition.retry_policy.max_retries == 2  # type: ignore[union-attr]


def test_expectations_and_dbt_tests_are_asset_checks(definitions: dg.Definitions) -> None:
    keys = definitions.resolve_asset_graph().asset_check_keys
    tables = {".".join(key.asset_key.path) for key in keys}
    assert {"meta.quality_result", "main.mart_scorecard", "staging.stg_jira__issues"} <= tables


def test_a_changed_seed_or_model_makes_the_manifest_stale(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    mission = load_mission(CONFIG).model_copy(update={"seeds": seeds})
    before = fingerprint(mission)
    assert fingerprint(mission) == before
    (seeds / "objectives.csv").write_text("objective_id\n")
    added = fingerprint(mission)
    (seeds / "objectives.csv").write_text("objective_id\n1\n")
    assert len({before, added, fingerprint(mission)}) == 3


def test_the_manifest_is_parsed_once(definitions: dg.Definitions, storage: Path) -> None:
    manifest = storage / "dbt_target" / "manifest.json"
    parsed_at = manifest.stat().st_mtime_ns
    mission = load_mission(CONFIG).model_copy(update={"storage": storage})
    assert ensure_manifest(mission) == manifest
    assert manifest.stat().st_mtime_ns == parsed_at


def own_seeds(folder: Path) -> Mission:
    """A mission with a storage and a copy of the seeds of its own."""
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    return load_mission(CONFIG).model_copy(
        update={"storage": folder / "data", "seeds": folder / "seeds"}
    )


def test_a_seed_that_is_missing_is_named(tmp_path: Path) -> None:
    mission = own_seeds(tmp_path)
    (mission.seeds / "objectives.csv").unlink()
    with pytest.raises(MissionError, match=r"lacks objectives\.csv"):
        ensure_manifest(mission)


def test_a_project_that_dbt_cannot_read_is_told_in_dbts_words(tmp_path: Path) -> None:
    mission = own_seeds(tmp_path)
    (mission.seeds / "twice").mkdir()
    shutil.copy(mission.seeds / "objectives.csv", mission.seeds / "twice")
    with pytest.raises(MissionError, match='two seeds with the name "objectives"') as raised:
        ensure_manifest(mission)
    assert "dbt.log" in raised.value.remedy


def test_touching_is_no_edit_and_edited_seeds_are_read_from_the_newest_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.defs.manifest._KEPT_COPIES", 1)
    mission = own_seeds(tmp_path)
    ensure_manifest(mission)
    before = fingerprint(mission)
    (mission.seeds / "holidays.csv").touch()
    assert fingerprint(mission) == before
    for edit in range(2):
        with (mission.seeds / "holidays.csv").open("a") as file:
            file.write(f"NEW,2031-01-0{edit + 1},Day {edit}\n")
        manifest = json.loads(ensure_manifest(mission).read_bytes())
        seeds = [n for n in manifest["nodes"].values() if n["resource_type"] == "seed"]
        folders = {Path(n["root_path"], n["original_file_path"]).parent.resolve() for n in seeds}
        assert folders == {(dbt_project(mission).parent / "seeds").resolve()}
        assert all(folder.is_dir() for folder in folders)
    # dbt wrote its work files elsewhere.
    assert (mission.seeds / "objectives.csv").read_bytes() == (
        ROOT / "seeds" / "objectives.csv"
    ).read_bytes()


def test_dagster_validates_the_code_location_of_a_fresh_clone(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DAGSTER_HOME"}
    environment |= {"MISSION_STORAGE": str(tmp_path / "data"), "DAGSTER_HOME": str(tmp_path)}
    validated = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "--log-format", "json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
    manifest = tmp_path / "data" / "dbt_target" / "manifest.json"
    assert json.loads(manifest.read_bytes())["nodes"]


def test_no_check_stops_a_stage_for_the_audit_must_hear_of_it(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    assert not [key for key in graph.asset_check_keys if graph.get(key).blocking]
