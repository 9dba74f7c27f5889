"""Live sources in mission.yaml: kinds, secrets by environment, and adding one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.errors import MissionError
from dagster_project.settings import JiraCloudSource, LiveSource, load_mission
from dagster_project.sources.add import add_source, unset
from dagster_project.sources.live import connect

MISSION = """\
organisation:
  name: Test
  vision: Clear
  timezone: Europe/Berlin
  currency: EUR
sources:
  - id: jira  # the first site
    kind: jira_cloud
    base_url: https://example.atlassian.net

# Below stands what must stay below.
schedule:
  cron: "0 5 * * *"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "objectives.csv").touch()
    path = tmp_path / "mission.yaml"
    path.write_text(MISSION)
    return path


def source(config: Path) -> LiveSource:
    (found,) = load_mission(config).sources
    assert isinstance(found, LiveSource)
    return found


def test_a_live_kind_implies_its_system_and_streams(config: Path) -> None:
    found = source(config)
    assert isinstance(found, JiraCloudSource)
    assert (found.system, found.token_variable) == ("jira", "MISSION_JIRA_TOKEN")
    assert {"issues", "changelogs", "worklogs", "worklog_deletions"} <= found.streams


def test_a_missing_secret_is_named(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISSION_JIRA_TOKEN", raising=False)
    with pytest.raises(MissionError, match="MISSION_JIRA_TOKEN"):
        connect(source(config))
    monkeypatch.setenv("MISSION_JIRA_TOKEN", "canary")
    monkeypatch.delenv("MISSION_JIRA_EMAIL", raising=False)
    with pytest.raises(MissionError, match="MISSION_JIRA_EMAIL") as caught:
        connect(source(config))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("jira_cloud", "jira_clod", "`kind` must be one of files, jira_cloud"),
        ("base_url", "base_ulr", "did you mean `base_url`?"),
        ("https://example.atlassian.net", "example.atlassian.net", "base_url"),
        ("    base_url: https://example.atlassian.net\n", "", "`base_url` is missing"),
        (
            "https://example.atlassian.net",
            "https://e.atlassian.net\n    api_version: v3",
            "unknown key `api_version`",
        ),
        (
            "https://example.atlassian.net",
            "https://e.atlassian.net\n    entities: {users: u.jsonl}",
            "no `folder`",
        ),
    ],
)
def test_mistakes_name_line_and_key(config: Path, old: str, new: str, told: str) -> None:
    config.write_text(MISSION.replace(old, new))
    with pytest.raises(MissionError) as caught:
        load_mission(config)
    assert told in str(caught.value)
    assert "mission.yaml, line" in str(caught.value)
    assert "sources[0].jira_cloud" not in str(caught.value)


def test_an_added_source_stands_below_the_others_and_comments_stay(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MISSION_CRM_TOKEN", raising=False)
    added = add_source(config, "hubspot", "crm", None)
    assert (added.id, added.system, unset(added)) == ("crm", "crm", ["MISSION_CRM_TOKEN"])
    text = config.read_text()
    assert [found.id for found in load_mission(config).sources] == ["jira", "crm"]
    assert text.startswith(MISSION[: MISSION.index("\n# Below")])
    assert text.endswith(MISSION[MISSION.index("\n# Below") :])
    add_source(config, "bamboohr", "hr", "https://example.bamboohr.com")
    assert [found.id for found in load_mission(config).sources] == ["jira", "crm", "hr"]
    assert not list(config.parent.glob(".mission*"))


@pytest.mark.parametrize(
    ("kind", "source_id", "url", "told"),
    [
        ("jira", "jira", "https://b.example.com", "has a source `jira` already"),
        ("jira", "second", None, "needs its address"),
        ("salesforce", "crm", None, "choose jira, hubspot, bamboohr, files"),
        ("jira", "Second Site", "https://b.example.com", "id"),
    ],
)
def test_a_source_that_cannot_be_added_changes_nothing(
    config: Path, kind: str, source_id: str, url: str | None, told: str
) -> None:
    with pytest.raises(MissionError, match=told):
        add_source(config, kind, source_id, url)
    assert config.read_text() == MISSION
    assert not list(config.parent.glob(".mission*"))
