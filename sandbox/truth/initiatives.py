"""What became of every initiative by the instant that is looked at.

What belongs here: one row per initiative, judged. What does not: the metrics that count them, and
what the judgement rests on (`milestones`, `decisions`, `participation`).
"""

from __future__ import annotations

from sandbox.truth import decisions, milestones, participation
from sandbox.truth.definitions import (
    SCOPE_THRESHOLD,
    SECONDS_A_DAY,
    SIZE_LARGE_DAYS,
    SIZE_MEDIUM_DAYS,
)
from sandbox.truth.seen import Seen


def build(seen: Seen) -> None:
    """Make truth.initiative and what it is put together from."""
    milestones.build(seen)
    decisions.build(seen)
    participation.build(seen)
    _initiatives(seen)


def _initiatives(seen: Seen) -> None:
    """truth.initiative: one row per initiative that was ever approved or begun as an idea."""
    seen.run(f"""
        create table truth.initiative as
        with
            promised as (
                select
                    issue_id,
                    case
                        when bool_or(not is_met and measured_at < {seen.instant}) then false
                        when bool_and(is_met and coalesce(measured_at < {seen.instant}, false))
                        then true
                    end as is_outcome_met
                from hidden.key_result group by issue_id
            ),
            size as (
                select issue_id, sum(seconds) / {SECONDS_A_DAY} as effort_days
                from truth.initiative_day group by issue_id
            ),
            judged as (
                select
                    decision.* exclude (issue_type), planned.* exclude (issue_id),
                    by_decision.effective_departments, by_decision.second_share,
                    coalesce(by_decision.people_n, 0) as people_n,
                    coalesce(by_decision.is_cross, false) as is_cross_departmental,
                    coalesce(by_decision.is_it_with_others, false) as is_it_with_others,
                    case when landmark_on < coalesce(ended_on, {seen.day})
                        then coalesce(by_landmark.is_cross, false) end as is_cross_at_landmark,
                    available_at is not null as is_delivered,
                    case when decided_on is not null and original_limit is not null
                        then coalesce(available_on <= original_limit, false)
                    end as is_on_time_original,
                    case when decided_on is not null and latest_limit is not null
                        then coalesce(available_on <= latest_limit, false) end as is_on_time,
                    scope_done_n / nullif(scope_n, 0) as scope_ratio,
                    scope_done_n / nullif(scope_n, 0) >= {SCOPE_THRESHOLD} as is_scope_met,
                    coalesce(scope_growth_n, 0) as scope_growth_n,
                    promised.issue_id is not null as has_key_result, promised.is_outcome_met,
                    coalesce(planned.is_justified and decision_reason = 'cancelled', false)
                        as is_justified_cancellation,
                    coalesce(size.effort_days, 0) as effort_days
                from truth.decision
                inner join (
                    select
                        issue_id, owner_department_id, product_id, is_planned_cross, is_justified,
                        p_delivered, p_on_time, p_scope_met, p_outcome_met,
                        planted_median_days, planted_spread
                    from hidden.initiative
                ) as planned on planned.issue_id = decision.issue_id
                left join truth.scope on scope.issue_id = decision.issue_id
                left join promised on promised.issue_id = decision.issue_id
                left join size on size.issue_id = decision.issue_id
                left join truth.taking_part as by_decision
                    on by_decision.issue_id = decision.issue_id and by_decision.cutoff = 'decision'
                left join truth.taking_part as by_landmark
                    on by_landmark.issue_id = decision.issue_id and by_landmark.cutoff = 'landmark'
            )
        select
            *,
            case
                when approved_at is null then null
                when decided_on is null then 'undecided'
                when is_justified_cancellation then 'justified_cancellation'
                when not is_delivered or not coalesce(is_on_time, true)
                    or not coalesce(is_scope_met, true) or not coalesce(is_outcome_met, true)
                then 'failure'
                when has_key_result and is_outcome_met is null then 'undetermined'
                else 'success'
            end as success_class,
            case
                when effort_days < {SIZE_MEDIUM_DAYS} then 'S'
                when effort_days < {SIZE_LARGE_DAYS} then 'M' else 'L'
            end as size_class
        from judged order by issue_id;
    """)
