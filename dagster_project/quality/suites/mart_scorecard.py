"""Expectations on mart_scorecard, the table that leaders and BI tools read.

Belongs here: bounds, intervals, evidence and honesty of every value. Does not belong here: how a
value is computed (dbt unit tests hold the formulas).
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from dagster_project.quality.checks import (
    WHOLE,
    Suite,
    between,
    no_rows,
    not_empty,
    present,
)

TABLE = "main.mart_scorecard"

METRICS = (
    "cross_departmental_success",
    "innovation_index",
    "time_to_market",
    "customer_satisfaction",
    "resource_optimization",
)

# Ratios of summed parts: 0 to 1, and value = numerator / denominator.
RATIOS = (
    "cross_departmental_success",
    "cross_departmental_success.delivered",
    "cross_departmental_success.on_time",
    "cross_departmental_success.scope_met",
    "cross_departmental_success.outcome_met",
    "cross_departmental_success.it_with_others",
    "cross_departmental_success.single_department",
    "innovation_index.v",
    "innovation_index.c",
    "innovation_index.x",
    "time_to_market.reopened_share",
    "customer_satisfaction",
    "customer_satisfaction.response_rate",
    "resource_optimization",
    "resource_optimization.sharing",
    "resource_optimization.visionary_share",
    "resource_optimization.unclassified_share",
)
# The other values that have natural bounds (None: open).
BOUNDS: dict[str, tuple[float, float | None]] = {
    **dict.fromkeys(RATIOS, (0.0, 1.0)),
    "cross_departmental_success.baseline_changes": (0.0, None),
    "innovation_index": (0.0, 100.0),
    "innovation_index.e": (0.0, 1.0),
    "innovation_index.ideas_per_100_people": (0.0, None),
    "time_to_market": (0.0, None),
    "time_to_market.from_idea": (0.0, None),
    "time_to_market.cumulative_incidence": (0.0, 1.0),
    "time_to_market.restricted_mean": (0.0, None),
    "customer_satisfaction.nps": (-100.0, 100.0),
    "resource_optimization.utilisation": (0.0, None),
    "resource_optimization.queue_age_days": (0.0, None),
}
CELL = "metric_id, department_id, objective_id, period_grain, period_start"
# A Poisson bootstrap is centred on its replicates, not on the value: alone among the methods it
# can miss the value in a tiny cell without being wrong.
EXACT_METHOD = "coalesce(ci_method, '') not ilike '%bootstrap%'"
OUTSIDE_INTERVAL = "(value < ci_low - 1e-9 or value > ci_high + 1e-9)"


def _bounds_sql() -> str:
    rows = ", ".join(
        f"('{metric_id}', {low}, {'null' if high is None else high})"
        for metric_id, (low, high) in BOUNDS.items()
    )
    return f"""
    with bounds as (
        select * from (values {rows}) as listed(metric_id, low, high)
    )
    select {CELL}, value, ci_low, ci_high, baseline_value
    from batch join bounds using (metric_id)
    where least(value, ci_low, baseline_value) < low - 1e-9
       or greatest(value, ci_high, baseline_value) > high + 1e-9
    """


SUITE = Suite.of(
    "mart_scorecard",
    METRICS,
    (
        not_empty(TABLE, "The scorecard has rows: an empty one is a failure, not a result."),
        present(TABLE, "as_of", "Every cell says at which day it was frozen."),
        between(TABLE, "coverage", 0, WHOLE, "Coverage is a share."),
        between(TABLE, "n", 0, None, "The evidence of a cell is a count."),
        between(TABLE, "censored_n", 0, None, "The censored of a cell are a count."),
        between(TABLE, "undetermined_n", 0, None, "The undetermined of a cell are a count."),
        no_rows(
            TABLE,
            "values_lie_within_their_bounds",
            _bounds_sql(),
            "Shares lie in 0..1, the index in 0..100, NPS in -100..100, durations and counts are "
            "not negative; so do their intervals and baselines.",
        ),
        no_rows(
            TABLE,
            "ratios_follow_from_their_parts",
            f"select {CELL}, value, numerator, denominator from batch "
            f"where metric_id in ({', '.join(repr(metric_id) for metric_id in RATIOS)}) "
            "and value is not null and numerator is not null "
            "and (denominator is null or denominator <= 0 "
            "or abs(value - numerator / denominator) > 1e-6)",
            "A ratio is its numerator over its denominator, never an average of ratios.",
        ),
        no_rows(
            TABLE,
            "intervals_are_ordered",
            f"select {CELL}, ci_low, ci_high, change_ci_low, change_ci_high from batch "
            "where ci_low > ci_high or change_ci_low > change_ci_high",
            "The lower end of an interval is not above its upper end.",
        ),
        no_rows(
            TABLE,
            "intervals_hold_their_value",
            f"select {CELL}, value, ci_low, ci_high from batch "
            f"where {EXACT_METHOD} and {OUTSIDE_INTERVAL}",
            "A value lies in its interval.",
        ),
        no_rows(
            TABLE,
            "bootstrap_intervals_hold_their_value",
            f"select {CELL}, value, ci_low, ci_high from batch "
            f"where not {EXACT_METHOD} and {OUTSIDE_INTERVAL}",
            "A value lies in its bootstrap interval.",
            severity="warn",
        ),
        no_rows(
            TABLE,
            "missing_values_are_explained",
            f"select {CELL}, value, n, status, status_reason from batch "
            "where value is null and n <> 0 and status <> 'withheld' and status_reason is null",
            "A cell without a value is withheld, has no evidence, or says why.",
        ),
        no_rows(
            TABLE,
            "no_value_without_evidence",
            f"select {CELL}, value, n, status from batch "
            "where value is not null and (status = 'withheld' or n is null or n = 0)",
            "A withheld cell shows no value, and n = 0 gives NULL, never 0.",
        ),
        no_rows(
            TABLE,
            "suppressed_cells_show_nothing",
            f"select {CELL} from batch where status_reason like '%suppressed%' and "
            "coalesce(value, numerator, ci_low, ci_high, baseline_value, change_value) is not null",
            "A cell of fewer than five people shows nothing that its value could be told from.",
        ),
        no_rows(
            TABLE,
            "exceptions_give_a_reason",
            f"select {CELL}, status from batch "
            "where status <> 'published' and status_reason is null",
            "A degraded or withheld cell says why.",
        ),
        no_rows(
            TABLE,
            "small_cells_are_flagged",
            f"select {CELL}, n, status_reason from batch "
            "where value is not null and n < 10 "
            "and coalesce(status_reason, '') not like '%low_confidence%'",
            "A value on fewer than ten records says low_confidence.",
            severity="warn",
        ),
        no_rows(
            TABLE,
            "changes_have_a_baseline",
            f"select {CELL}, change_value, baseline_value from batch "
            "where change_value is not null and (baseline_value is null or value is null)",
            "A change compares two values that are both there.",
        ),
        no_rows(
            TABLE,
            "significance_matches_its_interval",
            f"select {CELL}, change_ci_low, change_ci_high from batch "
            "where is_change_significant and (change_ci_low is null or change_ci_high is null "
            "or change_ci_low <= 0 and change_ci_high >= 0)",
            "A change is significant only when its interval leaves out zero.",
        ),
        no_rows(
            TABLE,
            "periods_are_whole",
            f"select {CELL}, period_end from batch "
            "where period_end <= period_start "
            "or period_grain = 'month' and period_start <> date_trunc('month', period_start) "
            "or period_grain = 'quarter' and period_start <> date_trunc('quarter', period_start)",
            "A period ends after it begins; months and quarters begin on their first day.",
        ),
        no_rows(
            TABLE,
            "one_as_of",
            "select count(distinct as_of) as days from batch having days > 1",
            "All cells are frozen at the same day.",
        ),
        no_rows(
            TABLE,
            "departments_have_a_company_row",
            f"""
            select {CELL} from batch
            where department_id <> 'ALL'
              and (metric_id, objective_id, period_grain, period_start) not in (
                  select (metric_id, objective_id, period_grain, period_start)
                  from batch where department_id = 'ALL'
              )
            """,
            "Where a department has a cell the company has one to compare it with.",
        ),
    ),
)
