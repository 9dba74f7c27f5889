"""The truth about initiatives and ideas as hidden tables.

What belongs here: hidden.initiative, initiative_objective and idea. What does not: their issues.
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.catalogue import Product
from sandbox.simulation.draws import keep
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.ideas import FATES as IDEA_FATES
from sandbox.simulation.work.ideas import Ideas
from sandbox.simulation.work.milestones import Objectives, Served
from sandbox.simulation.work.notebook import NEVER, Ints
from sandbox.simulation.work.timelines import (
    CANCELLED,
    DELIVERED,
    FATES,
    NOT_REOPENED,
    STOPPED_IDEA,
    STUCK,
    Timelines,
)
from sandbox.simulation.work.words import NOTHING
from sandbox.spec import Spec


def write(
    connection: duckdb.DuckDBPyConnection,
    cast: Cast,
    times: Timelines,
    served: Served,
    objectives: Objectives,
    issue_id: Ints,
    products: list[Product],
) -> None:
    """Fill hidden.initiative and hidden.initiative_objective."""
    delivered, approved = times.fate == DELIVERED, times.fate <= STUCK
    started = approved & ((times.fate != CANCELLED) | (times.started < times.cancelled))
    stopped = np.flatnonzero((times.fate == CANCELLED) | (times.fate == STOPPED_IDEA))
    is_justified = np.zeros(len(issue_id), dtype=np.bool_)
    # Every fifth is superseded, as the resolutions say.
    is_justified[stopped[1::5]] = True
    done = np.where(times.reopened == NOT_REOPENED, times.done, times.done_again)
    has_due = times.has_due & approved
    keep(
        connection,
        "initiative",
        {
            "issue_id": issue_id,
            "team": times.team,
            "lead_id": cast.work_time.person_ids[times.lead],
            "product": times.product,
            "is_planned_cross": times.cross,
            "fate_code": times.fate,
            "is_justified": is_justified,
            "p_delivered": times.p_delivered,
            "p_on_time": np.where(has_due, times.p_on_time, np.nan),
            "p_scope_met": np.where(approved & times.has_children, times.p_scope_met, np.nan),
            "p_outcome_met": times.p_outcome_met,
            "planted_median_days": times.median_days,
            "planted_spread": np.full(len(issue_id), cast.effects.duration_spread),
            "idea_at": np.where(times.approved > times.created, times.created, NEVER),
            "approved_at": np.where(approved, times.approved, NEVER),
            "started_at": np.where(started, times.started, NEVER),
            "done_at": np.where(delivered, done, NEVER),
            "first_available_at": np.where(delivered, times.first_release, NEVER),
            "available_at": np.where(delivered, times.available, NEVER),
            "cancelled_at": times.cancelled,
        },
        f"""
        select
            given.* exclude (team, product, fate_code),
            {_listed([team.department_id for team in cast.teams], "given.team")}
                as owner_department_id,
            {_listed([product.product_id for product in products], "given.product")} as product_id,
            {_listed(list(FATES), "given.fate_code")} as fate
        from given
        order by issue_id
        """,
    )
    _write_objectives(connection, served, objectives, issue_id)


def _listed(texts: list[str], number: str) -> str:
    """SQL that picks one of the texts by its number; null for NOTHING."""
    return f"case when {number} >= 0 then {texts}[{number} + 1] end"


def _write_objectives(
    connection: duckdb.DuckDBPyConnection, served: Served, objectives: Objectives, issue_id: Ints
) -> None:
    connection.register(
        "served",
        {
            "issue_id": issue_id,
            "first": served.first,
            "second": served.second,
            "later": served.later,
            "changed_at": served.changed_at,
        },
    )
    ids = objectives.ids
    connection.execute(f"""
        insert into hidden.initiative_objective by name
        with
            served_first as (
                select issue_id, unnest([first, second]) as objective, second, changed_at
                from served
            ),
            rows as (
                select
                    served_first.issue_id, objective,
                    case when second = {NOTHING} then 1.0 else 0.5 end as weight,
                    issue.created_at as from_at, changed_at as to_at
                from served_first
                inner join hidden.issue on issue.issue_id = served_first.issue_id
                where objective <> {NOTHING}
                union all
                select issue_id, later, 1.0, changed_at, null
                from served
                where changed_at is not null
            )
        select issue_id, {_listed(ids, "objective")} as objective_id, weight, from_at, to_at
        from rows
        order by issue_id, from_at, objective_id
    """)
    connection.unregister("served")
    connection.execute("""
        update hidden.initiative set objective_ids = listed.ids
        from (
            select issue_id, string_agg(objective_id, ' ' order by objective_id) as ids
            from hidden.initiative_objective where to_at is null group by issue_id
        ) as listed
        where listed.issue_id = initiative.issue_id
    """)


def write_ideas(
    connection: duckdb.DuckDBPyConnection, cast: Cast, spec: Spec, ideas: Ideas, issue_id: Ints
) -> None:
    """Fill hidden.idea."""
    keep(
        connection,
        "idea",
        {
            "issue_id": issue_id,
            "team": ideas.team,
            "fate_code": ideas.fate,
            "p_launched": np.full(len(issue_id), spec.effects.idea_launched),
            "is_planned_cross": ideas.cross,
            "launched_at": ideas.launched_at,
            "rejected_at": ideas.rejected_at,
        },
        f"""
        select
            given.* exclude (team, fate_code),
            {_listed([team.department_id for team in cast.teams], "given.team")} as department_id,
            {_listed(list(IDEA_FATES), "given.fate_code")} as fate
        from given
        order by issue_id
        """,
    )
