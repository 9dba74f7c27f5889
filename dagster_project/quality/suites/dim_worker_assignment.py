"""Expectations on dim_worker_assignment: who belonged to which department when (never published).

Belongs here: weights and intervals of the bitemporal assignment. Does not belong here: keys and
relations (dbt tests hold them). A rule selects counts and days, never a person.
"""

from __future__ import annotations

from dagster_project.quality.checks import WHOLE, Suite, between, no_rows

TABLE = "main.dim_worker_assignment"

SUITE = Suite.of(
    "dim_worker_assignment",
    ("cross_departmental_success", "innovation_index"),
    (
        between(TABLE, "fte_weight", 0, WHOLE, "A weight is a share of a person's day."),
        no_rows(
            TABLE,
            "weights_of_a_day_sum_to_one",
            """
            with known_now as (
                select person_key, fte_weight, valid_from, valid_to
                from batch
                where recorded_to is null and lower(person_key) <> 'unknown'
            ),
            -- The sum only changes where an assignment begins or ends.
            boundaries as (
                select person_key, valid_from as day from known_now
                union
                select person_key, valid_to from known_now where valid_to is not null
            ),
            sums as (
                select boundaries.person_key, boundaries.day, sum(known_now.fte_weight) as weight
                from boundaries
                join known_now
                  on known_now.person_key = boundaries.person_key
                 and known_now.valid_from <= boundaries.day
                 and (known_now.valid_to is null or boundaries.day < known_now.valid_to)
                group by all
            )
            select day, count(*) as people
            from sums
            where abs(weight - 1) > 1e-9
            group by day
            """,
            "The weights of a person on a day sum to one: nobody is counted twice or in part.",
        ),
        no_rows(
            TABLE,
            "intervals_have_a_duration",
            "select valid_from, count(*) as assignments from batch "
            "where valid_to <= valid_from or recorded_to <= recorded_from group by valid_from",
            "An assignment ends after it begins, in the world and on the record.",
        ),
        between(TABLE, "fte", 0, 1.5, "Contracted time is plausible.", severity="warn"),
    ),
)
