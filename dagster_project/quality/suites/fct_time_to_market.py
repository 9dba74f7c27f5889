"""Expectations on fct_time_to_market, one row per initiative.

Belongs here: order of the milestones, signs of the durations, agreement of the event with them.
Does not belong here: survival estimates (dbt unit tests hold them), keys and relations.
"""

from __future__ import annotations

from dagster_project.quality.checks import WHOLE, Suite, between, no_rows

TABLE = "main.fct_time_to_market"

SUITE = Suite.of(
    "fct_time_to_market",
    ("time_to_market",),
    (
        *(
            between(TABLE, column, 0, None, f"{column} is not negative.")
            for column in ("elapsed_days", "working_days", "idea_elapsed_days")
        ),
        between(TABLE, "flow_efficiency", 0, WHOLE, "Flow efficiency is a share."),
        no_rows(
            TABLE,
            "availability_follows_approval",
            "select initiative_id, approved_at, available_at from batch "
            "where available_at < approved_at or first_available_at > available_at",
            "Nothing is available before it is approved, and the first time is the earliest.",
        ),
        no_rows(
            TABLE,
            "delivered_means_available",
            "select initiative_id, event, available_at from batch "
            "where event = 'delivered' and available_at is null "
            "or event = 'open' and available_at is not null",
            "Delivered initiatives have a day of availability, open ones have none.",
        ),
        no_rows(
            TABLE,
            "working_days_fit_elapsed_days",
            "select initiative_id, working_days, elapsed_days from batch "
            "where working_days > ceil(elapsed_days) + 1",
            "Working days are among the days that passed.",
        ),
        no_rows(
            TABLE,
            "nothing_happens_after_as_of",
            "select initiative_id from batch where greatest(idea_at, approved_at, started_at, "
            "done_at, available_at) >= (select as_of from raw_mission.build)",
            "A frozen build knows nothing at or after its as_of.",
        ),
        no_rows(
            TABLE,
            "start_follows_approval",
            "select initiative_id, approved_at, started_at from batch "
            "where started_at < approved_at",
            "Work starts once it is approved.",
            severity="warn",
        ),
    ),
)
