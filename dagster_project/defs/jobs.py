"""Jobs and the schedule.

Belongs here: what runs together and when. Does not belong here: assets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg

from dagster_project.errors import MissionError
from dagster_project.settings import Mission

DAILY_REFRESH = "daily_refresh"
#: Stage -> prefixes of the asset groups that it runs.
STAGES = ("ingest", "transform", "audit", "publish")
_GRACE = timedelta(hours=6)


def stage_of(group: str) -> str:
    """The stage that an asset group belongs to."""
    first = group.split("_")[0]
    return first if first in STAGES else "transform"


def jobs(groups: Iterable[str]) -> list[dg.UnresolvedAssetJobDefinition]:
    """`daily_refresh` over everything, and one job per stage."""
    names = sorted(set(groups))
    stage_jobs = [
        dg.define_asset_job(
            stage,
            selection=dg.AssetSelection.groups(*(n for n in names if stage_of(n) == stage)),
            description=f"Only the stage `{stage}`, on what the stages before it left.",
        )
        for stage in STAGES
    ]
    daily = dg.define_asset_job(
        DAILY_REFRESH,
        selection=dg.AssetSelection.all(),
        description="Ingest, transform, audit and publish: the whole road.",
    )
    return [daily, *stage_jobs]


def _timezone(mission: Mission) -> str:
    return mission.schedule.timezone or mission.organisation.timezone


@contextmanager
def _cron_explained(mission: Mission) -> Iterator[None]:
    # Whether a cron is one is Dagster's to say: settings only sees that it has five fields.
    try:
        yield
    except dg.DagsterInvalidDefinitionError as error:
        raise MissionError(
            f"mission.yaml, schedule.cron: `{mission.schedule.cron}` names no time",
            "write minute, hour, day, month and weekday of a time that comes, such as `0 5 * * *` "
            "for 05:00 every day.",
        ) from error


def schedule(mission: Mission) -> dg.ScheduleDefinition:
    """The daily refresh at the hour of mission.yaml; runs as soon as the daemon does.

    Raises MissionError where the cron of mission.yaml is none.
    """
    with _cron_explained(mission):
        return dg.ScheduleDefinition(
            name="daily",
            job_name=DAILY_REFRESH,
            cron_schedule=mission.schedule.cron,
            execution_timezone=_timezone(mission),
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )


def freshness(mission: Mission) -> dg.FreshnessPolicy:
    """Late when a scheduled refresh has not arrived six hours after it was due.

    Raises MissionError where the cron of mission.yaml is none.
    """
    with _cron_explained(mission):
        ticks = dg.TimeWindowPartitionsDefinition(
            start=datetime(2024, 1, 1, tzinfo=UTC),
            cron_schedule=mission.schedule.cron,
            timezone=_timezone(mission),
            fmt="%Y-%m-%dT%H:%M",
            end=datetime(2024, 2, 15, tzinfo=UTC),
        )
    windows = [ticks.time_window_for_partition_key(k) for k in ticks.get_partition_keys()]
    longest = max((w.end - w.start for w in windows), default=timedelta(days=31))
    return dg.FreshnessPolicy.time_window(fail_window=longest + _GRACE)
