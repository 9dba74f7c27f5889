"""Expectations on fct_contribution, the effort of people on work (never published).

Belongs here: effort that a day can hold. Does not belong here: keys and relations (dbt tests hold
them). A rule selects counts and days, never a person.
"""

from __future__ import annotations

from dagster_project.quality.checks import WHOLE, Suite, between, no_rows, not_empty

TABLE = "main.fct_contribution"

SUITE = Suite.of(
    "fct_contribution",
    ("cross_departmental_success", "innovation_index"),
    (
        not_empty(
            TABLE,
            "Somebody worked on something; without effort every department metric is empty.",
            severity="warn",
        ),
        between(TABLE, "effort_days", 0, WHOLE, "One row is at most one day of effort."),
        no_rows(
            TABLE,
            "a_day_holds_one_day_of_effort",
            """
            select work_date, count(*) as people
            from (
                select person_key, work_date, sum(effort_days) as effort_days
                from batch
                where person_key is not null and lower(person_key) <> 'unknown'
                group by person_key, work_date
            ) as days
            where effort_days > 1 + 1e-9
            group by work_date
            """,
            "A person's effort on a day is never more than that day.",
        ),
        no_rows(
            TABLE,
            "events_have_no_effort",
            "select evidence, count(*) as events from batch "
            "where evidence = 'event' and effort_days <> 0 group by evidence",
            "A comment or a transition shows presence, not effort.",
        ),
        no_rows(
            TABLE,
            "logged_hours_fit_a_day",
            "select work_date, count(*) as contributions from batch "
            "where worklog_hours not between 0 and 24 group by work_date",
            "Hours logged on a day on one issue lie between 0 and 24.",
            severity="warn",
        ),
        no_rows(
            TABLE,
            "nothing_happens_after_as_of",
            "select work_date, count(*) as contributions from batch "
            # Work is dated where the person is, at most 14 hours to the east of UTC.
            "where work_date > (select cast(as_of + interval 14 hours as date) "
            "from raw_mission.build) group by work_date",
            "A frozen build knows no work after its as_of, wherever it was done.",
        ),
    ),
)
