"""Cross-departmental success and the rows beside it.

What belongs here: which initiatives are asked what, and what was planted. What does not: how an
initiative was decided (`initiatives`).
"""

from __future__ import annotations

from sandbox.truth.cells import declare
from sandbox.truth.definitions import OUTCOME_HORIZON_DAYS
from sandbox.truth.seen import Seen

_METRIC = "cross_departmental_success"
_JUSTIFIED_OF_FAILED = 0.15
"""Of the initiatives that fail to be delivered, three in four are cancelled, and every fifth of
these with a justification: it leaves the denominator."""
_DELIVERED = f"p_delivered / (p_delivered + (1 - p_delivered) * (1 - {_JUSTIFIED_OF_FAILED}))"
_MEASURED_A_KEY_RESULT = 11 / 12
"""One key result of twelve is never measured: what was reached then stays open."""
_OUTCOME = "p_outcome_met * p_measured"
PLANTED_SUCCESS = f"""
    {_DELIVERED} * coalesce(p_on_time, 1) * coalesce(p_scope_met, 1)
    * case when has_key_result then {_OUTCOME} else 1 end
"""
"""Planted chance that a row of truth.decided is a success; unmeasured ones are none yet."""
_QUESTIONS = {
    # metric: who is asked, numerator, planted chance
    "": ("is_cross_departmental", "success_class = 'success'", PLANTED_SUCCESS),
    ".delivered": ("is_cross_departmental", "is_delivered", _DELIVERED),
    ".on_time": (
        "is_cross_departmental and is_on_time is not null",
        "is_on_time",
        f"{_DELIVERED} * p_on_time",
    ),
    ".scope_met": (
        "is_cross_departmental and is_scope_met is not null",
        "is_scope_met",
        "cast(null as double)",
    ),
    ".outcome_met": (
        "is_cross_departmental and has_key_result",
        "coalesce(is_outcome_met, false)",
        f"{_DELIVERED} * {_OUTCOME}",
    ),
    ".it_with_others": (
        "is_cross_departmental and is_it_with_others",
        "success_class = 'success'",
        PLANTED_SUCCESS,
    ),
    ".single_department": (
        "not is_cross_at_landmark",
        "success_class = 'success'",
        PLANTED_SUCCESS,
    ),
    ".cross_at_landmark": ("is_cross_at_landmark", "success_class = 'success'", PLANTED_SUCCESS),
}
_NOTES = {
    ".delivered": "mean of p_delivered among what is not cancelled with a justification",
    ".on_time": "mean of chance of delivery x p_on_time: what is not delivered is not on time",
    ".scope_met": "planted for delivered ones only; what a cancelled one had done is nobody's plan",
    ".outcome_met": "mean of chance of delivery x p_outcome_met x chance that all is measured",
}
_COUNTED = "success_class in ('success', 'failure', 'undetermined')"


def build(seen: Seen) -> None:
    """Parts of cross_departmental_success.*, and truth.landmark_comparison.

    The latter is single- against cross-departmental among those open at the landmark, by size.
    """
    horizon = f"""(
        select case when count(*) > 0 then {OUTCOME_HORIZON_DAYS} else 0 end from hidden.key_result
    )"""
    seen.run(f"""
        create table truth.decided as
        select
            initiative.*, cast(decided_on + {horizon} as date) as counted_on,
            coalesce(p_measured, 1) as p_measured
        from truth.initiative
        left join (
            select issue_id, pow({_MEASURED_A_KEY_RESULT}, count(*)) as p_measured
            from hidden.key_result group by issue_id
        ) as promised using (issue_id)
        where {_COUNTED};

        create table truth.initiative_weight as
        select
            issue_id, 'ALL' as scope, 'ALL' as department_id, 'ALL' as objective_id,
            1.0 as weight
        from truth.decided
        union all
        select
            issue_id, 'department', coalesce(share.department_id, 'Unknown'), 'ALL',
            coalesce(share.weight, 1.0)
        from truth.decided left join truth.share using (issue_id)
        union all
        select
            decided.issue_id, 'objective', 'ALL', coalesce(serves.objective_id, 'Unknown'),
            coalesce(serves.weight, 1.0)
        from truth.decided left join truth.serves
            on serves.initiative_issue_id = decided.issue_id
            and serves.from_date <= decided_on and serves.to_date > decided_on;
    """)
    for suffix, (asked, is_yes, planted) in _QUESTIONS.items():
        metric_id = _METRIC + suffix
        note = _NOTES.get(suffix, "mean of the product of the applicable planted chances")
        declare(seen, metric_id, note=note)
        asks_success = "success_class" in is_yes
        undetermined = (
            "success_class = 'undetermined'"
            if asks_success
            else "is_outcome_met is null"
            if suffix == ".outcome_met"
            else "false"
        )
        seen.run(f"""
            insert into truth.part
            select
                '{metric_id}', scope, department_id, objective_id, cast(issue_id as varchar),
                counted_on, weight, cast(cast({is_yes} as integer) as double), 1.0,
                {planted}, 1.0, cast({undetermined} as integer)
            from truth.decided inner join truth.initiative_weight using (issue_id)
            where {asked}
        """)
    _baseline_changes(seen)
    _landmark(seen)


def _baseline_changes(seen: Seen) -> None:
    metric_id = f"{_METRIC}.baseline_changes"
    declare(seen, metric_id, note="nothing planted: how often due dates move is no effect")
    seen.run(f"""
        insert into truth.part
        select
            '{metric_id}', scope, department_id, objective_id, cast(issue_id as varchar),
            counted_on, weight, baseline_changes_n, 1.0, null, null, 0
        from truth.decided inner join truth.initiative_weight using (issue_id)
        where is_cross_departmental
    """)


def _landmark(seen: Seen) -> None:
    seen.run(f"""
        create table truth.landmark_comparison as
        select
            size_class, is_cross_at_landmark, count(*) as n,
            count(*) filter (where success_class = 'success') as success_n,
            avg({PLANTED_SUCCESS}) as parameter_value
        from truth.decided where is_cross_at_landmark is not null
        group by all order by size_class, is_cross_at_landmark
    """)
