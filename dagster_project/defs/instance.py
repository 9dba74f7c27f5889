"""Where Dagster keeps its history: under the mission's storage, told to nobody.

Belongs here: the Dagster home and the environment of Dagster processes. Does not belong here:
Dagster itself, which this module never imports.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dagster_project.defs.manifest import ROOT
from dagster_project.settings import Mission

INSTANCE_CONFIG = ROOT / "dagster.yaml"
WORKSPACE = ROOT / "workspace.yaml"


def dagster_home(mission: Mission) -> Path:
    """The folder of Dagster's history, with a copy of dagster.yaml in it.

    A copy, because Dagster writes beside the file that it reads: no run writes to the clone.
    """
    home = mission.storage / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    copy = home / INSTANCE_CONFIG.name
    if not copy.exists() or copy.read_bytes() != INSTANCE_CONFIG.read_bytes():
        shutil.copyfile(INSTANCE_CONFIG, copy)
    return home


def dagster_environment(mission: Mission, config: Path) -> dict[str, str]:
    """The environment for `dagster dev` and for every process that it starts."""
    return {
        **os.environ,
        "DAGSTER_HOME": str(dagster_home(mission)),
        "MISSION_CONFIG": str(config.resolve()),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }
