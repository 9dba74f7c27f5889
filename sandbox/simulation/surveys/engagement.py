"""What the company's own people say when they are asked how they like to work here.

What belongs here: hidden.engagement. What does not: what an anonymous answer shows of it.

Planted: people who work on what several departments share are more engaged.
"""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np

from sandbox.calendars import START
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market.joint_effort import LEAST_SHARE
from sandbox.simulation.surveys.responses import answering_chance
from sandbox.spec import Spec

WAVES = (date(2024, 10, 7), date(2025, 4, 7), date(2025, 10, 6), date(2026, 4, 13))
BASE = 3.7
"""Expected answer, on the scale of 1 to 5, of people who keep to their department."""
STEPS = 4
"""From the lowest answer (1) to the highest (5)."""
EAGERNESS = 0.5
"""Rise of the log-odds of answering by one point of the score."""
RELUCTANCE = 0.4
"""Colleagues leave fewer questions unanswered than customers do: this part of their share."""
FIRST_RESPONSE = 90_001


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hidden.engagement: every employee of the day is asked in every wave."""
    rng, answers = random_stream(spec, "engagement"), random_stream(spec, "engagement_responses")
    rate = 1 - (1 - spec.profile.response_rate) * RELUCTANCE
    asked_so_far = 0
    for wave in WAVES:
        asked = _asked(connection, wave)
        count = len(asked["person_id"])
        lift = spec.effects.engagement_of_collaborators
        expected = BASE + lift * np.asarray(asked["collaborates"])
        # A binomial answer has exactly the expected score as its mean.
        score = 1 + rng.binomial(STEPS, (expected - 1) / STEPS)
        luck, days = answers.random(count), answers.integers(0, 10, count)
        chance = answering_chance(rate, EAGERNESS * score.astype(np.float64))
        responded = np.datetime64(wave) + days.astype("timedelta64[D]")
        # Numbers follow no staff list.
        numbers = FIRST_RESPONSE + asked_so_far + rng.permutation(count)
        asked_so_far += count
        keep(
            connection,
            "engagement",
            {
                "number": numbers,
                "person_id": np.asarray(asked["person_id"]),
                "department_id": np.asarray(asked["department_id"]).astype(str),
                "score": score,
                "expected_score": expected,
                "answered_at": np.where(luck < chance, responded, np.datetime64("NaT", "D")).astype(
                    "datetime64[s]"
                ),
            },
            f"""
            select
                person_id, department_id, score, expected_score,
                cast(number as varchar) as response_id, '{wave:%Y-%m}' as wave,
                date '{wave}' as sent_on, cast(answered_at as date) as responded_on
            from given order by number
            """,
        )


def _asked(connection: duckdb.DuckDBPyConnection, wave: date) -> dict[str, np.ndarray]:
    """Employees of that day with their main department, and whether they collaborate.

    They do when they worked, in the six months before, on an initiative in which a department
    other than their own has a tenth of the effort or more.
    """
    found: dict[str, np.ndarray] = connection.sql(
        f"""
        with
            held as (
                select
                    person_id, department_id, row_number() over (
                        partition by person_id order by share desc, from_date desc, department_id
                    ) as place
                from hidden.post join hidden.person using (person_id)
                where
                    kind = 'employee' and from_date <= date '{wave}'
                    and coalesce(to_date > date '{wave}', true)
            ),
            side as (
                select issue_id, department_id from hidden.initiative_effort
                qualify seconds >= {LEAST_SHARE} * sum(seconds) over (partition by issue_id)
            ),
            shared as (
                select
                    issue_id, min(department_id) as one_department,
                    max(department_id) as another_department
                from side group by issue_id
            ),
            worked as (
                select distinct person_id, initiative_issue_id as issue_id
                from hidden.effort join hidden.issue using (issue_id)
                where
                    work_date < date '{wave}'
                    and work_date >= greatest(date '{wave}' - interval 6 month, date '{START}')
            )
        select
            person_id, held.department_id,
            coalesce(bool_or(
                one_department <> held.department_id or another_department <> held.department_id
            ), false) as collaborates
        from held
        left join worked using (person_id)
        left join shared using (issue_id)
        where place = 1
        group by person_id, held.department_id
        order by person_id
        """
    ).fetchnumpy()
    return found
