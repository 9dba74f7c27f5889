"""Fixtures that many tests share: a mission in a temporary folder, and small records.

Belongs here: what at least two test modules need. Does not belong here: expectations.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.settings import Mission, load_mission

MakeMission = Callable[..., Mission]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MISSION_CONFIG", "MISSION_STORAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_mission(tmp_path: Path) -> MakeMission:
    """Write mission.yaml beside the folder `files` and load it."""

    def make(*sources: Mapping[str, Any], **organisation: Any) -> Mission:
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "seeds").mkdir(exist_ok=True)
        (tmp_path / "seeds" / "objectives.csv").touch()
        told = {"name": "Test", "vision": "Clear", "timezone": "UTC", "currency": "EUR"}
        content = {
            "organisation": {**told, **organisation},
            "sources": [{"folder": "files", **source} for source in sources],
        }
        path = tmp_path / "mission.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_mission(path)

    return make


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder that the sources of `make_mission` read."""
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    return folder


def write_csv(path: Path, header: Sequence[str], *rows: Sequence[object]) -> None:
    """A CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines, compressed where the name says so."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def jira_issue(number: int, *, changes: int = 0, **fields: Any) -> dict[str, Any]:
    """An issue as Jira's REST API gives it."""
    issue: dict[str, Any] = {
        "id": str(10_000 + number),
        "key": f"AB-{number}",
        "fields": {
            "created": "2024-01-02T03:04:05.000+0000",
            "updated": "2024-02-03T04:05:06.000+0000",
            "status": {"name": "Done"},
            "issuetype": {"name": "Task"},
            "project": {"key": "AB"},
            "description": "a secret text",
            **fields,
        },
    }
    if changes:
        issue["changelog"] = {
            "total": changes,
            "histories": [
                {
                    "id": str(100 * number + change),
                    "created": "2024-01-05T00:00:00.000+0000",
                    "author": {"accountId": "u1", "avatarUrls": {"16x16": "https://example.com"}},
                    "items": [{"field": "status", "fromString": "Open", "toString": "Done"}],
                }
                for change in range(changes)
            ],
        }
    return issue


JIRA = {"id": "jira", "system": "jira", "entities": {"issues": "issues*"}}
CRM = {"id": "crm", "system": "crm", "entities": {"accounts": "accounts.csv"}}
HR = {
    "id": "hr",
    "system": "hr",
    "entities": {"employees": "employees.csv", "department_history": "history.csv"},
}
