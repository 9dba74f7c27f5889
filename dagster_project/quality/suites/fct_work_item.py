"""Expectations on fct_work_item, one row per Jira issue.

Belongs here: plausibility of dates and durations, agreement with staging. Does not belong here:
keys and relations (dbt tests hold them).
"""

from __future__ import annotations

from dagster_project.quality.checks import Suite, among, between, no_rows, not_empty

TABLE = "main.fct_work_item"
PHASES = (
    "idea",
    "approved",
    "waiting",
    "in_progress",
    "done",
    "released",
    "cancelled",
    "Unknown",
)

SUITE = Suite.of(
    "fct_work_item",
    ("cross_departmental_success", "innovation_index", "time_to_market"),
    (
        not_empty(TABLE, "There is work: a source of issues without any is a failure."),
        no_rows(
            TABLE,
            "every_staged_issue_is_a_work_item",
            """
            with staged as (
                select source_id, count(*) as staged_issues
                from staging.stg_jira__issues
                where created_at < (select as_of from raw_mission.build)
                group by source_id
            ),
            built as (select source_id, count(*) as work_items from batch group by source_id)
            select source_id, staged_issues, work_items
            from staged full join built using (source_id)
            where staged_issues is distinct from work_items
            """,
            "Each issue created before as_of is one work item: none lost, none fanned out.",
            kind="reconciliation",
            expected="work items = staged issues created before as_of",
        ),
        among(TABLE, "phase", PHASES, "A phase is one that the metrics know."),
        no_rows(
            TABLE,
            "nothing_happens_after_as_of",
            "select source_id, issue_id from batch "
            "where greatest(created_at, first_started_at, done_at, released_at) "
            ">= (select as_of from raw_mission.build)",
            "A frozen build knows nothing at or after its as_of.",
        ),
        no_rows(
            TABLE,
            "created_at_is_plausible",
            "select source_id, issue_id, created_at from batch "
            "where created_at < timestamp '1990-01-01'",
            "Work was created after 1990.",
            severity="warn",
        ),
        no_rows(
            TABLE,
            "steps_follow_creation",
            "select source_id, issue_id, created_at from batch "
            "where least(first_started_at, done_at, released_at) < created_at",
            "Work is not started, done or released before it is created.",
            severity="warn",
        ),
        # Warnings, not blocks: an imported issue can be older in its history than in its own date.
        *(
            between(TABLE, column, 0, None, f"{column} is not negative.", severity="warn")
            for column in ("elapsed_days", "working_days")
        ),
        no_rows(
            TABLE,
            "working_days_fit_elapsed_days",
            "select source_id, issue_id, working_days, elapsed_days from batch "
            "where working_days > ceil(elapsed_days) + 1",
            "Working days are among the days that passed.",
        ),
        between(TABLE, "reopen_count", 0, None, "Reopenings are a count."),
        between(TABLE, "story_points", 0, None, "Story points are not negative.", severity="warn"),
    ),
)
