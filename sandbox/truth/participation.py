"""Who took part in an initiative, and with how much of its effort.

What belongs here: participation up to a cut-off day. What does not: the effort itself (`effort`).
"""

from __future__ import annotations

from sandbox.truth.definitions import (
    MIN_EFFECTIVE_DEPARTMENTS,
    MIN_PEOPLE_CROSS,
    MIN_SECOND_SHARE,
)
from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.taking_part: who took part in an initiative by its decision and landmark.

    And truth.share: with which part of the effort by the decision, by department.
    """
    seen.run(f"""
        create table truth.initiative_day as
        select
            initiative_issue_id as issue_id, department_id, top_department_id, work_date,
            max(function) as function, sum(seconds) as seconds
        from truth.effort_day where initiative_issue_id is not null
        group by all;

        create table truth.cutoff as
        select issue_id, 'decision' as cutoff, coalesce(decided_on, {seen.day}) as cutoff_on
        from truth.decision
        union all
        select issue_id, 'landmark', landmark_on from truth.decision where landmark_on is not null;

        create table truth.department_part as
        select
            issue_id, cutoff, department_id, top_department_id, sum(seconds) as seconds,
            bool_or(function = 'it') as is_it,
            bool_or(function = 'customer_facing') as is_customer_facing,
            bool_or(function not in ('it', 'Unknown')) as is_other
        from truth.cutoff inner join truth.initiative_day using (issue_id)
        where work_date <= cutoff_on
        group by all;

        create table truth.taking_part as
        with
            by_department as (
                select
                    issue_id, cutoff, department_id, sum(seconds) as seconds,
                    bool_or(is_it) as is_it, bool_or(is_other) as is_other
                from truth.department_part where department_id <> 'Unknown' and seconds > 0
                group by issue_id, cutoff, department_id
            ),
            departments as (
                select
                    issue_id, cutoff,
                    pow(sum(seconds), 2) / sum(pow(seconds, 2)) as effective_departments,
                    coalesce(max(seconds, 2)[2], 0) / sum(seconds) as second_share,
                    bool_or(is_it) and bool_or(is_other)
                        and count(*) filter (where is_it or is_other) > 1 as is_it_with_others
                from by_department group by issue_id, cutoff
            ),
            people as (
                select issue_id, cutoff, count(*) as people_n
                from truth.cutoff inner join (
                    select initiative_issue_id as issue_id, person_id, min(work_date) as first_on
                    from truth.effort_day where initiative_issue_id is not null and seconds > 0
                    group by all
                ) as workers using (issue_id)
                where first_on <= cutoff_on group by issue_id, cutoff
            )
        select
            issue_id, cutoff, effective_departments, second_share, people_n,
            coalesce(is_it_with_others, false) as is_it_with_others,
            coalesce(
                effective_departments >= {MIN_EFFECTIVE_DEPARTMENTS}
                and second_share >= {MIN_SECOND_SHARE} and people_n >= {MIN_PEOPLE_CROSS},
                false
            ) as is_cross
        from departments left join people using (issue_id, cutoff);

        create table truth.share as
        select
            issue_id, top_department_id as department_id,
            sum(seconds) / sum(sum(seconds)) over (partition by issue_id) as weight
        from truth.department_part where cutoff = 'decision'
        group by issue_id, top_department_id;
    """)
