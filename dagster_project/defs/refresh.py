"""The daily refresh in this process: what `mission refresh` runs.

Belongs here: running the job and telling how far it is. Does not belong here: the terminal
(`dagster_project.cli`), the stages themselves.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from dagster_project.definitions import build_definitions
from dagster_project.defs.instance import dagster_home
from dagster_project.defs.jobs import DAILY_REFRESH, STAGES, stage_of
from dagster_project.defs.quality import CHECKED
from dagster_project.defs.transform import BUILT
from dagster_project.errors import MissionError
from dagster_project.settings import Mission

#: Called with stage, parts done and parts in all.
OnProgress = Callable[[str, int, int], None]

# The terminal shows progress; dbt's output is in dbt.log, and nothing has to be captured.
_QUIET = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
_MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION
_EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION


class StageFailed(MissionError):
    """A stage of the refresh failed for a reason that the user can put right."""


@dataclass
class _Watch:
    """Counts the parts of each stage from Dagster's events."""

    stage_by_step: Mapping[str, str]
    totals: Mapping[str, int]
    on_progress: OnProgress
    done: Counter[str] = field(default_factory=Counter)
    failed: str | None = None

    def __call__(self, entry: dg.EventLogEntry) -> None:
        stage = self.stage_by_step.get(entry.step_key or "")
        if stage is None:
            return
        kind = entry.dagster_event.event_type if entry.dagster_event else None
        if kind is dg.DagsterEventType.STEP_FAILURE:
            self.failed = stage
        elif kind is dg.DagsterEventType.STEP_START:
            self.on_progress(stage, self.done[stage], self.totals[stage])
        elif _is_part(stage, kind, entry.user_message):
            self.done[stage] += 1
            self.on_progress(stage, self.done[stage], self.totals[stage])


def _is_part(stage: str, kind: dg.DagsterEventType | None, message: str) -> bool:
    """Whether an event is one part of its stage: a table, a node, a test, a check."""
    if stage == "transform":
        return message.startswith(BUILT) if kind is None else kind is _EVALUATED
    if stage == "audit":
        return kind is None and message.startswith(CHECKED)
    return kind is _MATERIALIZED


def run_refresh(
    mission: Mission,
    config: Path | None,
    *,
    as_of: str | None,
    full: bool,
    publish: bool,
    on_progress: OnProgress,
) -> str:
    """Run `daily_refresh` to its end and return the id of the run.

    Raises StageFailed with the stage's name for what the user can put right, and whatever else
    went wrong as it is. Dagster's history of the run is kept either way.
    """
    definitions = build_definitions(config)
    job = definitions.resolve_job_def(DAILY_REFRESH)
    watch = _Watch(*_plan(definitions), on_progress)
    run_id = str(uuid.uuid4())
    options = {"as_of": as_of, "full": full, "publish": publish}
    with dg.DagsterInstance.local_temp(str(dagster_home(mission)), overrides=_QUIET) as instance:
        instance.add_event_listener(run_id, watch)
        try:
            job.execute_in_process(
                instance=instance,
                run_id=run_id,
                run_config={
                    "resources": {"options": {"config": options}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )
        except Exception as error:
            told = _told_to_the_user(error)
            if told is None:
                raise
            where = f"stage `{watch.failed}` failed: " if watch.failed else ""
            raise StageFailed(f"{where}{told.message}", told.remedy) from error
    return run_id


def _plan(definitions: dg.Definitions) -> tuple[dict[str, str], dict[str, int]]:
    """Step -> stage, and stage -> number of its parts."""
    stage_by_step: dict[str, str] = {}
    totals = dict.fromkeys(STAGES, 0)
    for assets in definitions.assets or []:
        assert isinstance(assets, dg.AssetsDefinition)
        stage = stage_of(next(iter(assets.group_names_by_key.values())))
        stage_by_step[assets.node_def.name] = stage
        totals[stage] += {
            "transform": len(assets.keys) + len(assets.check_keys),
            "audit": len(assets.check_keys),
        }.get(stage, len(assets.keys))
    return stage_by_step, totals


def _told_to_the_user(error: BaseException | None) -> MissionError | None:
    """The MissionError that an exception was raised from, if there is one."""
    while error is not None:
        if isinstance(error, MissionError):
            return error
        error = error.__cause__ or error.__context__
    return None
