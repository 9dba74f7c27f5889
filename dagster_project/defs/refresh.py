"""The daily refresh in this process: what `mission refresh` runs.

Belongs here: running the job and telling how far it is. Does not belong here: the terminal
(`dagster_project.cli`), the stages themselves.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from dagster_project.definitions import build_definitions
from dagster_project.defs.instance import dagster_home
from dagster_project.defs.jobs import DAILY_REFRESH, stage_of
from dagster_project.errors import MissionError
from dagster_project.settings import Mission

#: Called with stage, parts done and parts in all; a stage that starts has no part done.
OnProgress = Callable[[str, int, int], None]


class StageFailed(MissionError):
    """A stage of the refresh failed for a reason that the user can put right."""


@dataclass
class _Watch:
    """Which stage is running, and how many of its parts are done."""

    on_progress: OnProgress
    stage_of_step: dict[str, str] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    stage: str | None = None

    def plan(self, definitions: dg.Definitions) -> None:
        """Learn the steps and the number of parts of each stage."""
        for assets in definitions.assets or []:
            assert isinstance(assets, dg.AssetsDefinition)
            stage = stage_of(next(iter(assets.group_names_by_key.values())))
            self.stage_of_step[assets.node_def.name] = stage
            parts = {"transform": {*assets.keys, *assets.check_keys}, "audit": assets.check_keys}
            self.totals[stage] += len(parts.get(stage, assets.keys))

    def started(self, entry: dg.EventLogEntry) -> None:
        """Hear of Dagster's events."""
        event = entry.dagster_event
        if event and event.event_type is dg.DagsterEventType.STEP_START and entry.step_key:
            self.stage = self.stage_of_step[entry.step_key]
            self.on_progress(self.stage, self.done[self.stage], self.totals[self.stage])

    def part(self, stage: str) -> None:
        """Hear of a part that is done."""
        self.done[stage] += 1
        self.on_progress(stage, self.done[stage], self.totals[stage])


def run_refresh(
    mission: Mission,
    config: Path | None,
    *,
    as_of: str | None,
    full: bool,
    since: str | None,
    publish: bool,
    on_progress: OnProgress,
) -> str:
    """Run `daily_refresh` to its end and return the id of the run.

    Raises StageFailed with the stage's name for what the user can put right, and whatever else
    went wrong as it is. Dagster's history of the run is kept either way.
    """
    watch = _Watch(on_progress)
    definitions = build_definitions(config, watch.part)
    watch.plan(definitions)
    job = definitions.resolve_job_def(DAILY_REFRESH)
    run_id = str(uuid.uuid4())
    options = {"as_of": as_of, "full": full, "since": since, "publish": publish}
    with _instance(dagster_home(mission)) as instance:
        instance.add_event_listener(run_id, watch.started)
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
            where = f"stage `{watch.stage}` failed: " if watch.stage else ""
            raise StageFailed(f"{where}{told.message}", told.remedy) from error
    return run_id


def _instance(home: Path) -> dg.DagsterInstance:
    """Dagster's history as `mission dev` sees it, without capturing output.

    The terminal shows progress, and dbt's output is in dbt.log.
    """
    return dg.DagsterInstance.local_temp(
        str(home),
        overrides={
            "compute_logs": {
                "module": "dagster._core.storage.noop_compute_log_manager",
                "class": "NoOpComputeLogManager",
            }
        },
    )


def _told_to_the_user(error: BaseException | None) -> MissionError | None:
    """The MissionError that an exception was raised from, if there is one."""
    while error is not None:
        if isinstance(error, MissionError):
            return error
        error = error.__cause__ or error.__context__
    return None
