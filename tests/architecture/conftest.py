"""The dbt project as dbt itself reads it, parsed once."""

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.defs.manifest import ROOT, ensure_manifest
from dagster_project.settings import load_mission


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """manifest.json of the models and seeds of this repository."""
    storage = tmp_path_factory.mktemp("storage")
    mission = load_mission(ROOT / "mission.yaml").model_copy(update={"storage": Path(storage)})
    parsed: dict[str, Any] = json.loads(ensure_manifest(mission).read_bytes())
    return parsed
