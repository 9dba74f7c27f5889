"""All truth of a company as of a day, in schema `truth` of its database.

What belongs here: the order in which it is put together. What does not: any of its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from sandbox.calendars import END, START
from sandbox.spec import SandboxError
from sandbox.truth import (
    cells,
    collaboration,
    effort,
    initiatives,
    innovation,
    mission,
    people,
    periods,
    problems,
    resources,
    revenue,
    satisfaction,
    success,
    time_to_market,
)
from sandbox.truth.seen import Seen, open_eyes

if TYPE_CHECKING:
    from sandbox.world import World

Progress = Callable[[str], None]


def metrics(
    world: World, until: date = END, progress: Progress = lambda part: None
) -> duckdb.DuckDBPyRelation:
    """Make schema `truth` anew as of the start of `until`; returns truth.metric, ordered.

    One row per metric_id, department_id, objective_id, period_grain and period_start. Nothing
    that happens at or after `until` counts. SandboxError for a day outside the simulation.
    """
    if not START < until <= END:
        raise SandboxError(f"--until must be a day after {START}, {END} at the latest.")
    # One thread adds the same numbers in the same order every time; two do not.
    threads = world.connection.sql("select current_setting('threads')").fetchone()
    world.connection.execute("set threads = 1")
    try:
        return _metrics(world, until, progress)
    finally:
        world.connection.execute(f"set threads = {threads[0] if threads else 2}")


def _metrics(world: World, until: date, progress: Progress) -> duckdb.DuckDBPyRelation:
    seen = Seen(world.connection, until)
    effects = world.spec.effects
    progress("People and effort")
    open_eyes(seen)
    periods.build(seen)
    people.build(seen)
    effort.build(seen)
    progress("Initiatives")
    initiatives.build(seen)
    cells.prepare(seen)
    progress("Metrics")
    success.build(seen)
    revenue.build(seen)
    innovation.build(seen, effects)
    satisfaction.build(seen, world.spec.profile.response_rate)
    resources.build(seen, effects)
    cells.sum_up(seen)
    innovation.finish(seen)
    satisfaction.finish(seen)
    time_to_market.build(seen)
    progress("Mission and collaboration")
    mission.build(seen)
    collaboration.build(seen)
    problems.build(seen)
    return world.connection.sql("""
        select
            metric_id, department_id, objective_id, period_grain, period_start, realised_value,
            numerator, denominator, n, undetermined_n, parameter_value, parameter_note
        from truth.metric
        order by metric_id, department_id, objective_id, period_grain, period_start
    """)
