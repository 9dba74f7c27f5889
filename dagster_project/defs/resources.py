"""Resources: the mission, the options of one refresh and the writer's lock.

Belongs here: what every asset asks of a run. Does not belong here: the work of a stage.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.errors import MissionError, SourceUnavailable
from dagster_project.landing import writer_lock
from dagster_project.settings import Mission, load_mission

#: Between two tries of a source that has been patiently waited for already.
UNAVAILABLE_SECONDS = 60


class MissionResource(dg.ConfigurableResource["MissionResource"]):
    """mission.yaml, read again by every run."""

    config_path: str | None = Field(
        default=None,
        description="Path of mission.yaml; else MISSION_CONFIG, else ./mission.yaml.",
    )

    def load(self) -> Mission:
        """The checked mission; raises MissionError."""
        return load_mission(Path(self.config_path) if self.config_path else None)


class RefreshOptions(dg.ConfigurableResource["RefreshOptions"]):
    """What one run does differently from the daily one."""

    as_of: str | None = Field(
        default=None,
        description="Freeze the build at the start of this day (YYYY-MM-DD); else as mission.yaml.",
    )
    full: bool = Field(default=False, description="Land every file again, also unchanged ones.")
    since: str | None = Field(
        default=None,
        description="Take again at least what changed on this day (YYYY-MM-DD, UTC) or later.",
    )
    publish: bool = Field(default=True, description="Publish a generation when all checks pass.")

    def as_of_date(self) -> date | None:
        """`as_of` as a date; raises MissionError when it is none."""
        return _date("as_of", self.as_of)

    def since_date(self) -> date | None:
        """`since` as a date; raises MissionError when it is none."""
        return _date("since", self.since)


def _date(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise MissionError(
            f"{option} `{text}` is no date", "write it as YYYY-MM-DD, such as 2026-03-31."
        ) from None


class WriterLock(dg.ConfigurableResource["WriterLock"]):
    """Held for the whole run: one writer at a time, let go by the kernel when the run dies."""

    mission: dg.ResourceDependency[MissionResource]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WriterLock"]:
        """Take the lock or raise MissionError naming its holder."""
        run = context.run
        purpose = f"run {run.run_id[:8]} of {run.job_name}" if run else "a run"
        with writer_lock(self.mission.load(), purpose):
            if context.instance and run:
                _fail_dead_runs(context.instance, run.run_id)
            yield self


def _fail_dead_runs(instance: dg.DagsterInstance, run_id: str) -> None:
    # Whoever holds the lock knows that no other run is alive: a run that is still called started
    # was killed, and would be shown as running for ever.
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    for run in instance.get_runs(started):
        if run.run_id != run_id:
            instance.report_run_failed(run, "The process of this run died; the lock was free.")


@contextmanager
def told_to_the_user() -> Iterator[None]:
    """Turn what the user can put right into a failure that shows the remedy and is not retried.

    A live source that did not answer is another matter: the run asks again later, where it stopped.
    """
    try:
        yield
    except SourceUnavailable as error:
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=UNAVAILABLE_SECONDS) from error
    except MissionError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = MissionError(
            f"the disk is full: {error}",
            "make room and run again; readers still have the last generation.",
        )
        raise dg.Failure(description=str(full), allow_retries=False) from error
