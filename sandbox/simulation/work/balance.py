"""Sees to it that initiatives planned across departments are so in true effort too.

What belongs here: a second look at the plan once everybody's days are known, as a lead has who
asks another department for more. What does not: effort itself (`effort`).

Who is busy with what else dilutes the days that a task gets, and no plan of tasks alone knows
that. Where one department would have done nearly all up to the decision, some of its tasks are
given to the other one, from their beginning.
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import END, HORIZON, START
from sandbox.simulation.work import effort
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import Ints
from sandbox.spec import Spec

ROUNDS = 3
TOO_MUCH = 0.74
"""Share of the first department from which tasks are given away; D2 = 1.5 is reached at 0.789."""
ENOUGH = 0.55
"""They are given away until it would have about this share."""
MOST = 0.28
"""As much as it keeps at least."""


def repair(connection: duckdb.DuckDBPyConnection, spec: Spec, cast: Cast) -> None:
    """Give tasks of lopsided initiatives to their second department; effort follows."""
    _decisions(connection)
    for _ in range(ROUNDS):
        given = _given_away(connection, cast)
        if len(given["issue_id"]) == 0:
            break
        connection.register("given_away", given)
        for statement in _STATEMENTS:
            connection.execute(statement)
        connection.unregister("given_away")
        people = np.unique(np.concatenate([given["old_id"], given["new_id"]]))
        effort.simulate(connection, spec, cast.work_time, people)
    connection.execute("drop table cross_decision")


_STATEMENTS = (
    """
    update hidden.change set author_id = new_id
    from given_away where change.issue_id = given_away.issue_id and author_id = old_id
    """,
    *(
        f"""
        update hidden.change set {end} = new_id::varchar
        from given_away
        where change.issue_id = given_away.issue_id and field = 'assignee'
            and {end} = old_id::varchar
        """
        for end in ("from_value", "to_value")
    ),
    *(
        f"""
        update hidden.{table} set person_id = new_id
        from given_away
        where {table}.issue_id = given_away.issue_id and {table}.person_id = old_id
        """
        for table in ("assignee_span", "comment")
    ),
)


def _decisions(connection: duckdb.DuckDBPyConnection) -> None:
    """The day of decision of each initiative planned across departments."""
    connection.execute(f"""
        create or replace temp table cross_decision as
        with
            due as (
                select change.issue_id, arg_max(to_value, change_id)::date as due_date
                from hidden.change
                semi join hidden.initiative on initiative.issue_id = change.issue_id
                where field = 'duedate'
                group by change.issue_id
            )
        select
            initiative.issue_id, owner_department_id,
            least(
                coalesce(available_at, cancelled_at)::date, due_date, date '{END}'
            ) as decided_on
        from hidden.initiative
        left join due on due.issue_id = initiative.issue_id
        where is_planned_cross and approved_at is not null
    """)


def _given_away(connection: duckdb.DuckDBPyConnection, cast: Cast) -> dict[str, Ints]:
    """Issue, who does it and who shall do it instead."""
    found = connection.sql(f"""
        with
            given as (
                select
                    issue.initiative_issue_id as initiative_id, effort.issue_id, effort.person_id,
                    post.department_id,
                    sum(effort.seconds * round(post.share * 1000)::bigint)::bigint as seconds
                from cross_decision
                inner join hidden.issue on issue.initiative_issue_id = cross_decision.issue_id
                inner join hidden.effort
                    on effort.issue_id = issue.issue_id
                    and effort.work_date < cross_decision.decided_on
                inner join hidden.post
                    on post.person_id = effort.person_id
                    and post.from_date <= effort.work_date
                    and coalesce(post.to_date, date '{HORIZON}') > effort.work_date
                group by all
            ),
            sums as (
                select initiative_id, department_id, sum(seconds) as seconds
                from given
                group by initiative_id, department_id
            ),
            departments as (
                select
                    *, seconds / sum(seconds) over (partition by initiative_id) as share,
                    row_number() over (
                        partition by initiative_id order by seconds desc, department_id
                    ) as place
                from sums
            ),
            lopsided as (
                select
                    first.initiative_id, first.department_id, first.share,
                    first.seconds / first.share as total,
                    coalesce(
                        second.department_id,
                        nullif(cross_decision.owner_department_id, first.department_id)
                    ) as other_id
                from departments as first
                inner join cross_decision on cross_decision.issue_id = first.initiative_id
                left join departments as second
                    on second.initiative_id = first.initiative_id and second.place = 2
                where first.place = 1 and first.share > {TOO_MUCH}
            ),
            held as (
                select issue_id, min(person_id) as person_id, min(from_at) as from_at
                from hidden.assignee_span
                group by issue_id
                having count(distinct person_id) = 1
            ),
            tasks as (
                select
                    lopsided.*, given.issue_id, given.person_id, given.seconds, held.from_at,
                    sum(given.seconds) over (
                        partition by lopsided.initiative_id
                        order by given.seconds desc, given.issue_id
                    ) as moved
                from lopsided
                inner join given
                    on given.initiative_id = lopsided.initiative_id
                    and given.department_id = lopsided.department_id
                    and given.seconds <= (lopsided.share - {MOST}) * lopsided.total
                inner join held
                    on held.issue_id = given.issue_id and held.person_id = given.person_id
                inner join hidden.issue
                    on issue.issue_id = given.issue_id and issue.issue_type <> 'Initiative'
            )
        select
            issue_id, person_id, from_at, department_id::varchar as department_id,
            coalesce(other_id, '')::varchar as other_id, initiative_id
        from tasks
        where moved - seconds < (share - {ENOUGH}) * total
            and moved <= (share - {MOST}) * total
        order by initiative_id, issue_id
    """).fetchnumpy()
    team_of = {team.department_id: number for number, team in enumerate(cast.teams)}
    when = np.asarray(found["from_at"]).astype("datetime64[s]")
    day = np.maximum((when - np.datetime64(START)).astype("timedelta64[D]").astype(np.int64), 0)
    old = np.array([team_of[each] for each in found["department_id"]], dtype=np.int64)
    other = np.array([team_of.get(each, -1) for each in found["other_id"]], dtype=np.int64)
    other = np.where(other < 0, cast.draw_partner(old, day), other)
    person = cast.worker(other, when, cast.lead(other, day))
    return {
        "issue_id": np.asarray(found["issue_id"]).astype(np.int64),
        "old_id": np.asarray(found["person_id"]).astype(np.int64),
        "new_id": cast.work_time.person_ids[person].astype(np.int64),
    }
