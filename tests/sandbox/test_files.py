"""Folders are written whole or not at all, always with the same bytes, and described in full."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from dagster_project.settings import load_mission
from sandbox.calendars import END, LOCATIONS
from sandbox.cli import app
from sandbox.files import MARKER, write, write_world
from sandbox.spec import SandboxError, Spec
from sandbox.world import World, build

ROOT = Path(__file__).parents[2]
MIDDLE = date(2025, 5, 20)


@pytest.fixture(scope="module")
def half(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records as they were in the middle of the simulation."""
    return write_world(tmp_path_factory.mktemp("sandbox") / "half", world, MIDDLE).folder


def read_issues(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((folder / "jira").glob("issues-*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- bytes and folders -------------------------------------------------------------------------


def test_same_spec_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    assert files(write(tmp_path / "again", Spec.of("tiny")).folder) == files(written)


def test_another_seed_gives_another_company(written: Path, tmp_path: Path) -> None:
    other = files(write(tmp_path / "other", Spec.of("tiny", seed=8)).folder)
    mine = files(written)
    for name in ("crm/deals.csv", "hr/department_history.csv", "jira/issues-2025-03.jsonl.gz"):
        assert other[name] != mine[name]
    # What is governed by hand holds for every seed.
    seeds = {name: content for name, content in mine.items() if name.startswith("seeds/")}
    assert {name: other[name] for name in seeds} == seeds


def test_gzip_files_carry_no_clock(written: Path) -> None:
    packed = list((written / "jira").glob("*.gz"))
    assert len(packed) >= 24
    for path in packed:
        assert path.read_bytes()[4:8] == b"\0\0\0\0"


def test_writing_leaves_the_hidden_state_alone(world: World, half: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "again", world)
    assert files(write_world(tmp_path / "again", world, MIDDLE).folder) == files(half)


def test_only_the_owner_reads_the_records(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(SandboxError, match="did not make"):
        write_world(tmp_path, world)
    assert names(tmp_path) == ["thesis.txt"]
    with pytest.raises(SandboxError, match="is not a folder"):
        write_world(tmp_path / "thesis.txt", world)


def test_an_earlier_sandbox_is_replaced_whole(world: World, written: Path, tmp_path: Path) -> None:
    out = tmp_path / "sandbox"
    shutil.copytree(written, out)
    (out / "jira" / "issues-1999-01.jsonl.gz").write_bytes(b"stale")
    write_world(out, world, MIDDLE)
    assert not (out / "jira" / "issues-1999-01.jsonl.gz").exists()
    assert json.loads((out / MARKER).read_text())["until"] == str(MIDDLE)
    assert names(tmp_path) == ["sandbox"]


def test_what_the_platform_stored_beside_the_records_is_kept(
    world: World, written: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sandbox"
    shutil.copytree(written, out)
    (out / "data").mkdir()
    (out / "data" / "warehouse").write_text("months of history")
    write_world(out, world, MIDDLE)
    assert (out / "data" / "warehouse").read_text() == "months of history"
    assert names(tmp_path) == ["sandbox"]


def test_a_failed_write_leaves_the_old_folder(
    world: World, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sandbox"
    shutil.copytree(written, out)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("sandbox.files.bamboohr.prepare", fail)
    with pytest.raises(OSError, match="disk full"):
        write_world(out, world, MIDDLE)
    assert files(out) == files(written)
    assert names(tmp_path) == ["sandbox"]


def test_a_world_in_a_file_gives_the_bytes_of_one_in_memory(written: Path, tmp_path: Path) -> None:
    world = build(Spec.of("tiny"), database=tmp_path / "world.duckdb", memory_limit="1GB")
    try:
        found = files(write_world(tmp_path / "sandbox", world).folder)
    finally:
        world.connection.close()
    assert found == files(written)


# -- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "huge"], "Unknown size 'huge'. Sizes are: tiny, small, medium, large."),
        (["--profile", "dirty"], "Unknown profile 'dirty'. Profiles are: clean, messy."),
        (["--until", "2031-01-01"], "outside the simulation"),
    ],
)
def test_command_line_explains_what_it_cannot_do(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["write", "--out", str(tmp_path / "x"), *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert names(tmp_path) == []


def test_command_line_writes_and_counts(tmp_path: Path) -> None:
    out = tmp_path / "sandbox"
    arguments = ["write", "--out", str(out), "--until", "2024-09-01", "--profile", "clean"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert f"{len(read_issues(out)):,}" in result.output
    told = json.loads((out / MARKER).read_text())
    assert (told["sandbox"], told["profile"], told["until"]) == ("tiny", "clean", "2024-09-01")
    # Nothing has been answered yet, and the table still has its header.
    assert read_csv(out / "hr" / "engagement_responses.csv") == []
    assert (out / "hr" / "engagement_responses.csv").read_text().startswith("responseId,")


# -- what the platform is told -----------------------------------------------------------------


def test_the_seeds_of_the_repository_describe_the_default_company(written: Path) -> None:
    mine = {path.name: path.read_text() for path in (written / "seeds").iterdir()}
    assert mine == {path.name: path.read_text() for path in (ROOT / "seeds").glob("*.csv")}


def test_mission_yaml_beside_the_records_reads_them(half: Path) -> None:
    mission = load_mission(half / "mission.yaml")
    assert mission.organisation.as_of == MIDDLE
    assert mission.storage == half / "data"
    assert mission.seeds == half / "seeds"
    assert {mission.folder(source) for source in mission.sources} == {
        half / "jira",
        half / "crm",
        half / "hr",
    }


def test_mission_yaml_maps_columns_that_the_files_have(written: Path) -> None:
    mission = yaml.safe_load((ROOT / "sandbox" / "files.yaml").read_text(encoding="utf-8"))
    assert mission["organisation"]["as_of"] == END
    for source in mission["sources"]:
        folder = written / Path(source["folder"]).relative_to("data/sandbox")
        for name, entity in source["entities"].items():
            found = list(folder.glob(entity["path"]))
            assert found, f"{source['id']}.{name}: no file matches {entity['path']}"
            if found[0].suffix == ".csv":
                columns = set(read_csv(found[0])[0])
                for wanted in entity.get("columns", {}).values():
                    assert set([wanted] if isinstance(wanted, str) else wanted) <= columns


def mapped(folder: Path, name: str, column: str) -> set[str]:
    return {row[column] for row in read_csv(folder / "seeds" / name)}


def test_every_word_of_jira_and_crm_is_mapped(written: Path) -> None:
    issues = read_issues(written)
    items = [i for issue in issues for h in issue["changelog"]["histories"] for i in h["items"]]
    said = {
        field: {item[side] for item in items if item["field"] == field for side in _SIDES}
        for field in ("status", "resolution", "issuetype")
    }
    now = {
        field: {issue["fields"][field]["name"] for issue in issues if issue["fields"][field]}
        for field in said
    }
    for field, seed, column in (
        ("status", "jira_status_map.csv", "status"),
        ("resolution", "jira_resolution_map.csv", "resolution"),
        ("issuetype", "jira_issue_type_map.csv", "issue_type"),
    ):
        assert (said[field] | now[field]) - {None} <= mapped(written, seed, column), field
    stages = {row["dealstage"] for row in read_csv(written / "crm" / "deal_stage_history.csv")}
    assert {"closedwon", "closedlost"} < stages
    assert stages <= mapped(written, "crm_stage_map.csv", "stage")


_SIDES = ("fromString", "toString")


def test_the_status_map_gives_every_project_the_true_phases(world: World, written: Path) -> None:
    wrong = world.connection.sql(
        f"""
        with map as (
            from read_csv('{written}/seeds/jira_status_map.csv', all_varchar = true)
        )
        select project.project_key, own.status, own.phase, map.phase
        from hidden.project
        inner join hidden.workflow_status as own using (workflow)
        left join map on map.status = own.status
            and map.project_key in (project.project_key, '*')
        qualify row_number() over (
            partition by project.project_key, own.status order by map.project_key = '*'
        ) = 1 and map.phase is distinct from own.phase
        """
    ).fetchall()
    assert wrong == []
    # The rule has something to find: what waits in one project is progress in another.
    assert {"INST", "*"} == mapped(written, "jira_status_map.csv", "project_key")


def test_the_seeds_describe_the_calendars_that_people_live_by(written: Path) -> None:
    seeds = written / "seeds"
    locations = {row["location_id"]: row for row in read_csv(seeds / "locations.csv")}
    assert locations.pop("*")["timezone"] == ""  # where HR names no place
    assert locations.keys() == LOCATIONS.keys()
    for location in LOCATIONS.values():
        row = locations[location.location_id]
        assert (row["timezone"], row["calendar_id"]) == (location.zone.key, location.calendar_id)
        seeded = {
            date.fromisoformat(holiday["holiday_date"])
            for holiday in read_csv(seeds / "holidays.csv")
            if holiday["calendar_id"] == location.calendar_id
        }
        assert seeded == location.holidays


def test_the_weights_of_the_objectives_sum_to_one(written: Path) -> None:
    rows = read_csv(written / "seeds" / "objectives.csv")
    for day in ("2024-07-01", "2026-06-30"):
        weights = [
            float(row["weight"])
            for row in rows
            if row["valid_from"] <= day < (row["valid_to"] or "9999")
        ]
        assert sum(weights) == pytest.approx(1)


def test_the_override_names_an_account_that_nothing_else_identifies(
    world: World, written: Path
) -> None:
    (override,) = read_csv(written / "seeds" / "identity_overrides.csv")
    accounts = world.connection.sql(
        "select account_id, is_email_shown, display_name <> first_name || ' ' || last_name "
        "from hidden.account inner join hidden.person using (person_id) "
        f"where system = 'jira' and employee_id = '{override['person_native_id']}'"
    ).fetchall()
    assert accounts == [(override["source_user_id"], False, True)]
    assert mapped(written, "shared_mailboxes.csv", "email") == {
        "service-desk@tidewater.example.com"
    }


def test_key_results_are_told_where_they_are_promised(tmp_path: Path) -> None:
    spec = Spec.of("tiny", key_results=True)
    written = write(tmp_path / "sandbox", spec, date(2025, 1, 1))
    rows = read_csv(written.folder / "seeds" / "key_results.csv")
    keys = {issue["key"] for issue in read_issues(written.folder)}
    assert len(rows) >= 5
    assert {row["initiative_key"] for row in rows} <= keys


@pytest.mark.parametrize("size", ["small"])
def test_larger_companies_are_described_by_their_own_seeds(size: str, tmp_path: Path) -> None:
    folder = write(tmp_path / size, Spec.of(size), date(2024, 8, 1)).folder
    assert names(tmp_path) == [size]
    with duckdb.connect() as connection:
        (unmapped,) = connection.sql(
            f"select count(*) from read_csv('{folder}/crm/products.csv') as product "
            f"anti join read_csv('{folder}/seeds/product_map.csv') as map "
            "on map.product_id = product.hs_object_id"
        ).fetchone() or (None,)
    assert unmapped == 0
    assert len(mapped(folder, "product_map.csv", "product_id")) > 10
