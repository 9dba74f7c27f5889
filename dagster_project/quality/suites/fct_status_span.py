"""Expectations on fct_status_span, one row per stay of an issue in a status.

Belongs here: the spans of an issue tile its life. Does not belong here: keys and relations (dbt
tests hold them).
"""

from __future__ import annotations

from dagster_project.quality.checks import Suite, among, no_rows, not_empty
from dagster_project.quality.suites.fct_work_item import PHASES

TABLE = "main.fct_status_span"

SUITE = Suite.of(
    "fct_status_span",
    ("time_to_market", "cross_departmental_success"),
    (
        not_empty(TABLE, "Work has a history."),
        among(TABLE, "phase", PHASES, "A phase is one that the metrics know."),
        no_rows(
            TABLE,
            "spans_tile_an_issues_life",
            """
            select source_id, issue_id, span_number, exited_at, next_entered_at
            from (
                select
                    *,
                    lead(span_number) over spans as next_number,
                    lead(entered_at) over spans as next_entered_at
                from batch
                window spans as (partition by source_id, issue_id order by span_number)
            ) as ordered
            where next_number is distinct from span_number + 1 and next_number is not null
               or next_number is not null and exited_at is distinct from next_entered_at
            """,
            "A span begins the moment the one before it ends: no gap, no overlap.",
        ),
        no_rows(
            TABLE,
            "spans_are_not_negative",
            "select source_id, issue_id, span_number from batch where exited_at < entered_at",
            "No span ends before it begins.",
        ),
        no_rows(
            TABLE,
            "exactly_one_span_is_current",
            """
            select source_id, issue_id, count(*) filter (is_current) as current_spans
            from batch
            group by all
            having current_spans <> 1
                or count(*) filter (exited_at is null) <> 1
                or bool_or(is_current <> (exited_at is null))
            """,
            "An issue is in exactly one status now: that span, and only it, has no end.",
        ),
        no_rows(
            TABLE,
            "every_work_item_has_spans",
            """
            select source_id, count(*) as issues
            from main.fct_work_item
            where (source_id, issue_id) not in (select (source_id, issue_id) from batch)
            group by all
            """,
            "Every issue has at least the status it was created with.",
            kind="reconciliation",
            expected="issues with spans = work items",
        ),
        no_rows(
            TABLE,
            "nothing_happens_after_as_of",
            "select source_id, issue_id, span_number, entered_at from batch "
            "where greatest(entered_at, exited_at) >= (select as_of from raw_mission.build)",
            "A frozen build knows nothing at or after its as_of.",
        ),
    ),
)
