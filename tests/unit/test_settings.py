"""mission.yaml: what it accepts, its defaults, and that every error names key, line and remedy."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from dagster_project.errors import MissionError
from dagster_project.settings import (
    BambooHRSource,
    EntityFiles,
    HubSpotSource,
    JiraCloudSource,
    Organisation,
    Source,
    load_mission,
)
from dagster_project.sources.streams import TABULAR

MISSION = """\
organisation:
  name: Test
  vision: Clear
  timezone: Europe/Berlin
  currency: EUR
sources:
  - id: crm
    system: crm
    folder: files
    entities:
      accounts:
        path: accounts.csv
        columns: {account_id: Id}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "objectives.csv").touch()
    (tmp_path / "mission.yaml").write_text(MISSION)
    return tmp_path


def changed(home: Path, old: str, new: str) -> Path:
    assert old in MISSION
    path = home / "mission.yaml"
    path.write_text(MISSION.replace(old, new))
    return path


def refusal(home: Path, old: str, new: str) -> str:
    with pytest.raises(MissionError) as caught:
        load_mission(changed(home, old, new))
    return str(caught.value)


def test_defaults_are_those_of_the_reference(home: Path) -> None:
    mission = load_mission(home / "mission.yaml")
    assert mission.home == home
    assert mission.storage == home / "data"
    assert mission.seeds == home / "seeds"
    assert mission.warehouse_path == home / "data" / "warehouse" / "bi.duckdb"
    assert mission.dbt_target == home / "data" / "dbt_target"
    assert (mission.schedule.cron, mission.schedule.timezone) == ("0 5 * * *", "Europe/Berlin")
    assert mission.publication.keep == 7
    assert mission.organisation.as_of is None
    source = mission.sources[0]
    assert (source.kind, source.timezone, source.base_url) == ("files", "UTC", None)
    assert source.load_of("accounts") == "snapshot"
    reading = source.entities["accounts"]
    assert reading.path == ["accounts.csv"]
    assert (reading.encoding, reading.delimiter, reading.nulls) == ("utf-8", ",", [""])


def test_the_default_mission_of_the_repository_loads() -> None:
    mission = load_mission(Path(__file__).parents[2] / "mission.yaml")
    assert {source.system for source in mission.sources} == {"jira", "crm", "hr"}


def test_environment_variables_name_configuration_and_storage(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_CONFIG", str(home / "mission.yaml"))
    monkeypatch.setenv("MISSION_STORAGE", str(home / "elsewhere"))
    assert load_mission().storage == home / "elsewhere"


def test_a_path_alone_declares_an_entity(home: Path) -> None:
    path = changed(
        home,
        "      accounts:\n        path: accounts.csv\n        columns: {account_id: Id}\n",
        "      accounts: [a.csv, b.csv]\n",
    )
    assert load_mission(path).sources[0].entities["accounts"].path == ["a.csv", "b.csv"]


def test_as_of_is_a_date(home: Path) -> None:
    path = changed(home, "  currency: EUR\n", "  currency: EUR\n  as_of: 2024-03-01\n")
    assert load_mission(path).organisation.as_of == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    folder: files",
            "    foldr: files",
            ["line 9, sources[0].foldr: unknown key `foldr`", "did you mean `folder`?"],
        ),
        ("  vision:", "  visoin:", ["line 3", "organisation.visoin", "`vision`"]),
        ("columns:", "colums:", ["line 13", "entities.accounts.colums", "`columns`"]),
        ("  currency: EUR\n", "", ["line 1, organisation.currency", "is missing"]),
        ("currency: EUR", "currency: Euro", ["line 5, organisation.currency", "'Euro'"]),
        ("Europe/Berlin", "Berlin", ["organisation.timezone", "IANA"]),
        ("      accounts:", "      acounts:", ["crm has no entity `acounts`", "`accounts`"]),
        ("{account_id: Id}", "{acount_id: Id}", ["has no field `acount_id`", "`account_id`"]),
        (
            "{account_id: Id}",
            "{account_id: Id}\n        constants: {account_id: x}",
            ["line 14", "mapped to a column and set to a constant"],
        ),
        ("path: accounts.csv", "path: /accounts.csv", ["no path within the source's folder"]),
        ("path: accounts.csv", "{path: a, encoding: utf-9}", ["is not YAML"]),
        (
            "path: accounts.csv",
            "path: accounts.csv\n        encoding: utf-9",
            ["`utf-9` is no encoding", "cp1252"],
        ),
        (
            "path: accounts.csv",
            "path: accounts.csv\n        json_column: data",
            ["only records of Jira come in a JSON column"],
        ),
        (
            "path: accounts.csv",
            "path: accounts.csv\n        to_date_inclusive: true",
            ["has no to_date"],
        ),
        ("      accounts:", "      products:", ["has no field `account_id`"]),
        ("  name: Test", "  name: Test\n  name: Test", ["`name` stands twice"]),
        ("system: crm", "system: erp", ["sources[0].system", "'erp'"]),
        ("id: crm", "id: CRM-1", ["sources[0].id"]),
        (MISSION, "- a list\n", ["holds no keys"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(
    home: Path, old: str, new: str, expected: list[str]
) -> None:
    told = refusal(home, old, new)
    assert all(part in told for part in expected), told
    assert "Remedy: " in told


def test_a_required_entity_must_be_declared(home: Path) -> None:
    told = refusal(
        home,
        "      accounts:\n        path: accounts.csv\n        columns: {account_id: Id}\n",
        "      products: products.csv\n",
    )
    assert "source `crm` declares no accounts and no deals" in told


def test_two_sources_cannot_share_an_id(home: Path) -> None:
    source = MISSION[MISSION.index("  - id") :]
    assert "two sources have the id `crm`" in refusal(home, source, source + source)


def test_jira_tables_need_their_json_column(home: Path) -> None:
    source = MISSION[MISSION.index("  - id") :]
    jira = "  - {id: j, system: jira, folder: f, entities: {issues: {path: x, format: csv}}}\n"
    assert "set `json_column`" in refusal(home, source, jira)


def test_options_without_effect_on_jira_are_errors(home: Path) -> None:
    source = MISSION[MISSION.index("  - id") :]
    jira = "  - {id: j, system: jira, folder: f, entities: {issues: {path: x, columns: {a: b}}}}\n"
    assert "`columns` has no effect" in refusal(home, source, jira)


def test_seeds_must_be_there(home: Path) -> None:
    (home / "seeds" / "objectives.csv").unlink()
    with pytest.raises(MissionError, match="holds no csv files"):
        load_mission(home / "mission.yaml")


def test_a_missing_configuration_names_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(MissionError, match="MISSION_CONFIG"):
        load_mission(tmp_path / "mission.yaml")


def test_every_example_of_the_reference_loads(home: Path) -> None:
    reference = Path(__file__).parents[2] / "docs" / "sources.md"
    whole, *sources = re.findall(r"```yaml\n(.*?)```", reference.read_text(), re.DOTALL)
    (home / "mission.yaml").write_text(whole)
    assert len(load_mission(home / "mission.yaml").sources) == 3
    assert len(sources) == 5
    for source in sources:
        (home / "mission.yaml").write_text(MISSION[: MISSION.index("  - id")] + source)
        declared = load_mission(home / "mission.yaml").sources
        assert len(declared) == source.count("  - id:")


def test_the_reference_names_every_option_entity_and_field() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
    sections = {name: text.split(f"## {name}\n")[1].split("\n## ")[0] for name in ("CRM", "HR")}
    live = (JiraCloudSource, HubSpotSource, BambooHRSource)
    for model in (Organisation, Source, EntityFiles, *live):
        for option in model.model_fields:
            assert f"`{option}" in text or f".{option}" in text, option
    for system, section in sections.items():
        for entity, model in TABULAR[system.lower()].items():
            row = next(line for line in section.splitlines() if line.startswith(f"| `{entity}`"))
            assert all(f"`{field}`" in row for field in model.model_fields), entity
