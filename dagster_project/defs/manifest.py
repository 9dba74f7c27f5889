"""dbt's environment and its manifest: made from the mission, parsed again only when stale.

Belongs here: what every caller of dbt must agree on (paths, environment, freshness of the
manifest). Does not belong here: running models (`transform`), anything that imports Dagster or dbt.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import yaml

from dagster_project.errors import MissionError
from dagster_project.settings import Mission

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("dbt_project", "models")
CHILD = Path(__file__).with_name("dbt_child.py")
# -P keeps this folder off the child's module path: our `defs` modules must not shadow a library.
CHILD_ARGUMENTS = ["-P", str(CHILD)]
_KEPT_COPIES = 3
_GENERATED = {"target", "logs", ".user.yml", "__pycache__"}


def dbt_project(mission: Mission) -> Path:
    """The dbt project of one mission: a copy of ours beside a copy of the mission's seeds.

    dbt writes its work files to <target>/run/<path of the seed>: with seeds outside of the project
    it would overwrite the seeds themselves (an absolute path wins) or files of strangers. The copy
    is named after its content, so that a run keeps its copy when files change meanwhile.
    """
    return mission.storage / "dbt" / fingerprint(mission)[:16] / "dbt_project"


def dbt_environment(mission: Mission) -> dict[str, str]:
    """The environment variables that tie dbt to one mission; nothing is sent anywhere."""
    return {
        "MISSION_WAREHOUSE": str(mission.warehouse_path),
        "DBT_TARGET_PATH": str(mission.dbt_target),
        "DBT_LOG_PATH": str(mission.dbt_target),
        "DBT_PROFILES_DIR": str(dbt_project(mission)),
        "DBT_USE_COLORS": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # The child compares it with its parent, to notice a parent that died before it looked.
        "MISSION_PARENT_PID": str(os.getpid()),
    }


@contextmanager
def dbt_environment_set(mission: Mission) -> Iterator[None]:
    """Set `dbt_environment` for the duration; dagster-dbt reads os.environ."""
    wanted = dbt_environment(mission)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def fingerprint(mission: Mission) -> str:
    """Changes whenever a file that dbt parses is added, removed or edited; a touch is no edit."""
    digest = hashlib.sha256(version("dbt-core").encode())
    for folder in (*(ROOT / part for part in PARTS), mission.seeds):
        for parent, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if name not in _GENERATED)
            for name in sorted(files):
                if name not in _GENERATED:
                    path = Path(parent, name)
                    content = hashlib.sha256(path.read_bytes()).hexdigest()
                    digest.update(f"{folder.name}/{path.relative_to(folder)} {content}\n".encode())
    return digest.hexdigest()


def stage_dbt_project(mission: Mission) -> Path:
    """Copy models, macros and the mission's seeds to `dbt_project(mission)`; returns that folder.

    Nothing is done where the copy exists. The newest copies stay, for runs that still use them.
    Raises MissionError where the mission's folder lacks a seed.
    """
    project = dbt_project(mission)
    copy, copies = project.parent, project.parent.parent
    if project.exists():
        return project
    _require_seeds(mission)
    # What dbt remembers of its last parse names seeds by the folder they then lay in.
    (mission.dbt_target / "partial_parse.msgpack").unlink(missing_ok=True)
    copies.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".staging-", dir=copies))
    for part in PARTS:
        shutil.copytree(ROOT / part, fresh / part, ignore=shutil.ignore_patterns(*_GENERATED))
    shutil.copytree(mission.seeds, fresh / "seeds")
    try:
        fresh.rename(copy)
    except OSError:  # another process was faster; its copy is the same
        shutil.rmtree(fresh)
    by_age = sorted(copies.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-_KEPT_COPIES]:
        shutil.rmtree(old, ignore_errors=True)
    return project


def _require_seeds(mission: Mission) -> None:
    described = yaml.safe_load((ROOT / "models" / "seeds.yml").read_bytes())["seeds"]
    names = [f"{seed['name']}.csv" for seed in described]
    missing = [name for name in names if not (mission.seeds / name).is_file()]
    if missing:
        raise MissionError(
            f"{mission.seeds} lacks {', '.join(missing)}",
            f"copy it from {ROOT / 'seeds'} and keep the rows that hold for you, or only its "
            "first line; models/seeds.yml says what each file is for.",
        )


def ensure_manifest(mission: Mission) -> Path:
    """Path of an up-to-date manifest.json; runs `dbt parse` when there is none or it is stale.

    Raises MissionError with dbt's own words when the project does not parse.
    """
    manifest = mission.dbt_target / "manifest.json"
    stamp = mission.dbt_target / "manifest.fingerprint"
    now = fingerprint(mission)
    if manifest.exists() and stamp.exists() and stamp.read_text() == now:
        return manifest
    mission.dbt_target.mkdir(parents=True, exist_ok=True)
    project = stage_dbt_project(mission)
    parsed = subprocess.run(
        [sys.executable, *CHILD_ARGUMENTS, "--quiet", "parse"],
        check=False,
        cwd=project,
        env={**os.environ, **dbt_environment(mission)},
        capture_output=True,
        text=True,
    )
    if parsed.returncode != 0 or not manifest.exists():
        raise MissionError(
            f"dbt cannot read the models:\n{(parsed.stdout + parsed.stderr).strip()}",
            f"mend the file that dbt names; the details are in {mission.dbt_target / 'dbt.log'}.",
        )
    stamp.write_text(now)
    return manifest
