"""When and why every initiative was decided, and what of its scope was done then.

What belongs here: decision days, landmarks, scope. What does not: milestones (`milestones`), who
took part (`participation`).
"""

from __future__ import annotations

from sandbox.truth.definitions import (
    DELIVERED_RESOLUTIONS,
    FINAL,
    GRACE_DAYS,
    LANDMARK_WORKING_DAYS,
)
from sandbox.truth.seen import Seen, listed


def build(seen: Seen) -> None:
    """Make truth.decision and truth.scope."""
    _decisions(seen)
    _scope(seen)


def _decisions(seen: Seen) -> None:
    """truth.decision: when each initiative was decided and why; the landmark after its start."""
    seen.run(f"""
        create table truth.working_day as
        select
            cast(day as date) as work_date,
            sum(cast(is_open as integer)) over (order by day) - cast(is_open as integer)
                as open_before
        from (
            select day, dayofweek(day) between 1 and 5 and holiday_date is null as is_open
            from unnest(
                generate_series(timestamp '2024-01-01', timestamp '2028-01-01', interval 1 day)
            ) as listed(day)
            left join hidden.holiday
                on holiday_date = cast(day as date)
                and calendar_id = (
                    select calendar_id from hidden.location
                    order by location_id <> 'HAM', location_id limit 1
                )
        );

        create table truth.decision as
        with dated as (
            select
                milestone.*,
                latest_due_date, original_due_date, coalesce(baseline_changes_n, 0)
                    as baseline_changes_n,
                cast(latest_due_date + {GRACE_DAYS} as date) as latest_limit,
                cast(original_due_date + {GRACE_DAYS} as date) as original_limit,
                truth.company_day(available_at) as available_on,
                truth.company_day(coalesce(available_at, cancelled_at)) as ended_on,
                landmark.work_date as landmark_on
            from truth.milestone
            left join truth.due_date using (issue_id)
            left join truth.working_day as first
                on first.work_date = truth.company_day(milestone.started_at)
            left join (
                select open_before, min(work_date) as work_date
                from truth.working_day group by open_before
            ) as landmark
                on landmark.open_before = first.open_before + {LANDMARK_WORKING_DAYS}
            where issue_type = 'Initiative'
        )
        select
            *,
            case
                when ended_on is not null and ended_on <= coalesce(latest_limit, ended_on)
                then ended_on
                when latest_limit < {seen.day} then latest_limit
            end as decided_on,
            case
                when ended_on is not null and ended_on <= coalesce(latest_limit, ended_on)
                then case when available_at is null then 'cancelled' else 'delivered' end
                when latest_limit < {seen.day} then 'overdue'
            end as decision_reason
        from dated;
    """)


def _scope(seen: Seen) -> None:
    """Make truth.scope: of the issues that existed when work began, how many were done.

    Done by the day of the decision, that is. Sub-tasks are part of their parent's promise, a
    duplicate promises nothing.
    """
    seen.run(f"""
        create table truth.scope as
        with
            moment as (
                select
                    issue_id,
                    coalesce(started_at, available_at, cancelled_at, {seen.instant}) as fixed_at,
                    timezone('UTC', timezone(
                        'Europe/Berlin',
                        cast(coalesce(decided_on, {seen.day}) + 1 as timestamp)
                    )) as judged_at
                from truth.decision
            ),
            child as (
                select
                    moment.issue_id as initiative_id, issue.issue_id, issue.created_at,
                    moment.fixed_at, least(moment.judged_at, {seen.instant}) as judged_at
                from moment
                inner join truth.issue on issue.initiative_issue_id = moment.issue_id
                where issue.issue_id <> moment.issue_id and not issue.is_deleted
                    and issue.issue_type not in ('Sub-task', 'Idea', 'Initiative')
            ),
            resolved as (
                select
                    child.issue_id,
                    nullif(
                        arg_max(coalesce(change.to_value, ''), change.change_id) filter (
                            where change.changed_at < child.judged_at
                        ),
                        ''
                    ) as resolution,
                    coalesce(arg_max(coalesce(change.to_value, ''), change.change_id), '')
                        = 'Duplicate' as is_duplicate
                from child inner join truth.change
                    on change.issue_id = child.issue_id and change.field = 'resolution'
                group by child.issue_id
            ),
            standing as (
                select child.issue_id, arg_max(phase, span_number) as phase
                from child inner join truth.phase_span on phase_span.issue_id = child.issue_id
                where phase_span.from_at < child.judged_at
                group by child.issue_id
            )
        select
            initiative_id as issue_id,
            count(*) filter (where child.created_at <= fixed_at) as scope_n,
            count(*) filter (
                where child.created_at <= fixed_at
                    and span.phase in {listed(FINAL)}
                    and coalesce(
                        resolution,
                        case when span.phase = 'cancelled' then 'Cancelled' else 'Done' end
                    ) in {listed(DELIVERED_RESOLUTIONS)}
            ) as scope_done_n,
            count(*) filter (where child.created_at > fixed_at) as scope_growth_n
        from child
        left join resolved on resolved.issue_id = child.issue_id
        left join standing as span on span.issue_id = child.issue_id
        where not coalesce(is_duplicate, false)
        group by initiative_id;
    """)
