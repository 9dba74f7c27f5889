"""Expectations on fct_innovation_index, one row per department (or ALL) and quarter.

Belongs here: bounds of the components and of the index they make. Does not belong here: the
formula (dbt unit tests hold it), keys and relations.
"""

from __future__ import annotations

from dagster_project.quality.checks import WHOLE, Suite, between, no_rows

TABLE = "main.fct_innovation_index"

SUITE = Suite.of(
    "fct_innovation_index",
    ("innovation_index",),
    (
        *(
            between(TABLE, component, 0, WHOLE, f"Component {component} is a share.")
            for component in ("v", "c", "e", "x")
        ),
        between(TABLE, "index_value", 0, 100, "The index lies between 0 and 100."),
        between(TABLE, "ideas_n", 0, None, "Ideas are a count."),
        between(TABLE, "ideas_per_100_people", 0, None, "Ideas per head are not negative."),
        no_rows(
            TABLE,
            "no_index_without_its_components",
            "select department_id, v, c, e, x, index_value from batch "
            "where index_value is not null "
            "and (v is null or c is null or e is null or x is null)",
            "With a component missing there is no headline.",
        ),
        no_rows(
            TABLE,
            "index_is_a_mean_of_its_components",
            "select department_id, v, c, e, x, index_value from batch "
            "where index_value < 100 * greatest(least(v, c, e, x), .01) - 1e-6 "
            "or index_value > 100 * greatest(v, c, e, x, .01) + 1e-6",
            "Whatever the weights, a geometric mean lies between its least and greatest part.",
        ),
        no_rows(
            TABLE,
            "sensitivity_holds_the_index",
            "select department_id, sensitivity_low, index_value, sensitivity_high from batch "
            "where index_value not between sensitivity_low - 1e-6 and sensitivity_high + 1e-6",
            "The index lies within the range that other weights would give.",
            severity="warn",
        ),
    ),
)
