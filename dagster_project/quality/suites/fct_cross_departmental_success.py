"""Expectations on fct_cross_departmental_success, one row per initiative.

Belongs here: bounds of diversity and agreement of the verdict with its parts. Does not belong
here: the formula (dbt unit tests hold it), keys and relations.
"""

from __future__ import annotations

from dagster_project.quality.checks import WHOLE, Suite, among, between, no_rows

TABLE = "main.fct_cross_departmental_success"

SUITE = Suite.of(
    "fct_cross_departmental_success",
    ("cross_departmental_success",),
    (
        between(
            TABLE,
            "effective_departments",
            1 - 1e-9,
            None,
            "Attributed effort comes from at least one effective department.",
        ),
        between(TABLE, "second_share", 0, 0.5 + 1e-9, "The second department gives half at most."),
        between(TABLE, "people_n", 0, None, "People are a count."),
        between(TABLE, "baseline_changes_n", 0, None, "Changes of the baseline are a count."),
        between(TABLE, "scope_ratio", 0, WHOLE, "The share of the scope that was done is a share."),
        among(TABLE, "size_class", ("S", "M", "L", "Unknown"), "A size class is known."),
        among(
            TABLE,
            "decision_reason",
            ("delivered", "cancelled", "overdue"),
            "An initiative is decided by delivery, by cancelling or by its due date.",
        ),
        no_rows(
            TABLE,
            "decisions_have_a_day_and_a_reason",
            "select initiative_id, decided_on, decision_reason from batch "
            "where (decided_on is null) <> (decision_reason is null)",
            "A decision has a day exactly when it has a reason.",
        ),
        no_rows(
            TABLE,
            "crossing_needs_two_people_and_departments",
            "select initiative_id, effective_departments, second_share, people_n from batch "
            "where is_cross_departmental "
            "and (people_n < 2 or second_share <= 0 or effective_departments <= 1 "
            "or people_n is null or second_share is null or effective_departments is null)",
            "Cross-departmental work has two people from two departments at least.",
        ),
        no_rows(
            TABLE,
            "success_has_no_failed_part",
            "select initiative_id from batch "
            "where is_success and not (coalesce(is_delivered, false) "
            "and coalesce(is_on_time_latest, true) and coalesce(is_scope_met, true) "
            "and coalesce(is_outcome_met, true))",
            "A success was delivered and failed neither in time, nor in scope, nor in outcome.",
        ),
        no_rows(
            TABLE,
            "cancelled_is_not_delivered",
            "select initiative_id from batch where decision_reason = 'cancelled' and is_success",
            "A cancelled initiative is no success.",
        ),
    ),
)
