"""The schedule: what mission.yaml may ask for."""

from __future__ import annotations

import pytest

from dagster_project.defs.jobs import freshness, schedule
from dagster_project.errors import MissionError
from tests.conftest import CRM, MakeMission


@pytest.mark.parametrize("cron", ["99 99 * * *", "0 5 31 2 *"])
@pytest.mark.parametrize("part", [schedule, freshness])
def test_a_cron_that_names_no_time_is_told_with_key_and_remedy(
    make_mission: MakeMission, cron: str, part: object
) -> None:
    mission = make_mission(CRM)
    told = mission.schedule.model_copy(update={"cron": cron})
    with pytest.raises(MissionError) as caught:
        assert callable(part)
        part(mission.model_copy(update={"schedule": told}))
    assert f"mission.yaml, schedule.cron: `{cron}` names no time" in caught.value.message
    assert "`0 5 * * *`" in caught.value.remedy
