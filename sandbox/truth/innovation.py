"""The innovation index and its four components.

What belongs here: the components, and the index of them. What does not: revenue (`revenue`), when
an idea was launched (`milestones`), who took part (`participation`).
"""

from __future__ import annotations

import numpy as np

from sandbox.spec import Effects
from sandbox.truth.cells import declare
from sandbox.truth.definitions import (
    ALPHA,
    EXPLORATORY_BAND,
    IDEA_MATURITY_DAYS,
    INDEX_FLOOR,
    SECONDS_A_DAY,
)
from sandbox.truth.seen import Seen
from sandbox.truth.survival import normal_probability

_METRIC = "innovation_index"


def build(seen: Seen, effects: Effects) -> None:
    """Parts of innovation_index.v, .c, .e, .x; `finish` makes the index of their sums."""
    _revenue(seen)
    _ideas(seen)
    _exploration(seen)
    _launches(seen, effects)


def band_score(share: float, band: tuple[float, float] = EXPLORATORY_BAND) -> float:
    """1 inside the band, linear to 0 at shares of 0 and 1."""
    low, high = band
    return min(1.0, share / low, (1 - share) / (1 - high))


def index_value(v: float, c: float, e: float, x: float) -> float:
    """The weighted geometric mean of the components, 0 to 100."""
    value = 100.0
    for component in (v, c, e, x):
        value *= max(component, INDEX_FLOOR) ** ALPHA
    return value


def _revenue(seen: Seen) -> None:
    """Won deals by the day they were won, in the company's currency at the rate of that day.

    A deal that was lost counts with its chance to be won in what was to be expected.
    """
    declare(
        seen,
        f"{_METRIC}.v",
        note="expected won revenue of new products / of all, over deals closed in the window",
    )
    seen.run(f"""
        insert into truth.part
        select
            '{_METRIC}.v', scope,
            case when scope = 'ALL' then 'ALL'
                else coalesce(place.top_department_id, 'Unknown') end,
            'ALL', revenue.product_id, closed_on, 1.0,
            case when is_won and is_new then amount else 0 end,
            case when is_won then amount else 0 end,
            case when is_new then p_won * amount else 0 end, p_won * amount, 0
        from truth.revenue
        cross join (values ('ALL'), ('department')) as scopes(scope)
        left join truth.department as place
            on place.department_id = revenue.department_id and scope = 'department'
            and place.valid_from <= closed_on and place.valid_to > closed_on
    """)


def _ideas(seen: Seen) -> None:
    """Ideas, and initiatives that began as one, by the day on which they mature."""
    declare(
        seen,
        f"{_METRIC}.c",
        note="mean planted chance of a launch within a year; of initiatives: of delivery within "
        "what their approval left of it",
    )
    _chances_of_initiatives(seen)
    seen.run(f"""
        create table truth.idea as
        select
            milestone.issue_id,
            truth.company_day(coalesce(milestone.idea_at, milestone.created_at)) as submitted_on,
            submitted_on + {IDEA_MATURITY_DAYS} as matures_on,
            truth.company_day(milestone.available_at) as launched_on,
            coalesce(launched_on <= matures_on, false) as is_launched_in_time,
            coalesce(idea.department_id, initiative.owner_department_id) as department_id,
            coalesce(idea.p_launched, launch_chance.p_launched, 0) as p_launched
        from truth.milestone
        left join hidden.idea on idea.issue_id = milestone.issue_id
        left join hidden.initiative on initiative.issue_id = milestone.issue_id
        left join truth.launch_chance on launch_chance.issue_id = milestone.issue_id
        where milestone.issue_type = 'Idea' or milestone.idea_at is not null;

        insert into truth.part
        select
            '{_METRIC}.c', scope,
            case when scope = 'ALL' then 'ALL'
                else coalesce(place.top_department_id, 'Unknown') end,
            'ALL', cast(issue_id as varchar), matures_on, 1.0,
            cast(is_launched_in_time as integer), 1.0, p_launched, 1.0, 0
        from truth.idea
        cross join (values ('ALL'), ('department')) as scopes(scope)
        left join truth.department as place
            on place.department_id = idea.department_id and scope = 'department'
            and place.valid_from <= submitted_on and place.valid_to > submitted_on
    """)


def _chances_of_initiatives(seen: Seen) -> None:
    """truth.launch_chance: planted chance that an initiative is there a year after the idea."""
    found = seen.connection.sql(f"""
        select
            issue_id, p_delivered, planted_median_days, planted_spread,
            greatest({IDEA_MATURITY_DAYS} - epoch(approved_at - idea_at) / 86400.0, 1e-3)
                as left_days
        from truth.initiative
        where idea_at is not null and p_delivered is not null and approved_at is not null
        order by issue_id
    """).fetchnumpy()
    z = (np.log(found["left_days"]) - np.log(found["planted_median_days"])) / found[
        "planted_spread"
    ]
    seen.connection.register(
        "chances",
        {
            "issue_id": np.asarray(found["issue_id"]),
            "p_launched": np.asarray(found["p_delivered"] * normal_probability(np.asarray(z))),
        },
    )
    seen.run("create table truth.launch_chance as from chances")
    seen.connection.unregister("chances")


def _exploration(seen: Seen) -> None:
    """Effort for objectives of the visionary horizon, of all that serves an objective.

    The sums are shares; `finish` puts them on their band.
    """
    declare(
        seen,
        f"{_METRIC}.e",
        note="no parameter: the score of a planted share is not the score to be expected, which "
        "falls on both sides of the band",
    )
    seen.run(f"""
        insert into truth.part
        select
            '{_METRIC}.e', scope,
            case when scope = 'ALL' then 'ALL' else top_department_id end, 'ALL',
            cast(initiative_issue_id as varchar), month_start, 1.0,
            sum(visionary_seconds) / {SECONDS_A_DAY}, sum(aligned_seconds) / {SECONDS_A_DAY},
            null, null, 0
        from truth.effort_person_month
        cross join (values ('ALL'), ('department')) as scopes(scope)
        where aligned_seconds > 0
        group by all
    """)


def _launches(seen: Seen, effects: Effects) -> None:
    """Released initiatives that began as an idea or bring a product to the market.

    What is delivered was planned across departments more often than what was begun (Bayes).
    """
    declare(
        seen,
        f"{_METRIC}.x",
        note="mean planted chance that what is launched was planned across departments; certain "
        "for products",
    )
    across = effects.cross_share * effects.delivered[1]
    chance = across / (across + (1 - effects.cross_share) * effects.delivered[0])
    seen.run(f"""
        insert into truth.part
        select
            '{_METRIC}.x', scope, department_id, 'ALL', cast(issue_id as varchar), available_on,
            weight, cast(is_cross_departmental as integer), 1.0,
            case when product_id is null then {chance} else cast(is_planned_cross as integer) end,
            1.0, 0
        from truth.initiative
        inner join (
            select issue_id, 'ALL' as scope, 'ALL' as department_id, 1.0 as weight
            from truth.initiative
            union all
            select issue_id, 'department', coalesce(share.department_id, 'Unknown'),
                coalesce(share.weight, 1.0)
            from truth.initiative left join truth.share using (issue_id)
        ) as belonging using (issue_id)
        where available_at is not null and (idea_at is not null or product_id is not null)
    """)


def finish(seen: Seen) -> None:
    """Put the exploratory share on its band, add the index, and ideas per 100 people."""
    low, high = EXPLORATORY_BAND
    score = f"least(1.0, {{0}} / {low}, (1 - {{0}}) / (1 - {high}))"
    power = " * ".join(f"pow(greatest({{0}}_{c}, {INDEX_FLOOR}), {ALPHA})" for c in "vcex")
    seen.run(f"""
        update truth.metric set realised_value = {score.format("realised_value")}
        where metric_id = '{_METRIC}.e';

        insert into truth.metric by name
        with component as (
            select
                department_id, period_grain, period_start,
                {
        ", ".join(
            f"max(realised_value) filter (where metric_id = '{_METRIC}.{c}') as real_{c}"
            for c in "vcex"
        )
    },
                sum(n) as n
            from truth.metric
            where metric_id in ('{_METRIC}.v', '{_METRIC}.c', '{_METRIC}.e', '{_METRIC}.x')
            group by department_id, period_grain, period_start
        )
        select
            '{_METRIC}' as metric_id, department_id, 'ALL' as objective_id, period_grain,
            period_start, 100 * {power.format("real")} as realised_value, n, 0 as undetermined_n,
            'no parameter: that of component e is none' as parameter_note
        from component
        -- greatest() would hide a missing component.
        where real_v + real_c + real_e + real_x is not null
        union all by name
        select
            '{_METRIC}' as metric_id, department_id, 'ALL' as objective_id, period_grain,
            period_start, n, 0 as undetermined_n, 'a component is missing' as parameter_note
        from component where real_v + real_c + real_e + real_x is null
    """)
    _ideas_per_100_people(seen)
    seen.run(f"""
        insert into truth.metric by name
        select
            '{_METRIC}.new_product_margin' as metric_id, 'ALL' as department_id,
            'ALL' as objective_id, period_grain, period_start, 0 as n, 0 as undetermined_n,
            'the company keeps no costs of products' as parameter_note
        from truth.period where is_innovation_window
    """)


def _ideas_per_100_people(seen: Seen) -> None:
    seen.run(f"""
        insert into truth.metric by name
        with
            window_of as (from truth.period where is_innovation_window),
            head as (
                select period_start, 'ALL' as department_id, person_id, 1.0 as share
                from window_of inner join truth.place
                    on from_date < period_end and to_date >= period_end
                where kind = 'employee' group by all
                union all
                select period_start, top_department_id, person_id, sum(share)
                from window_of inner join truth.place
                    on from_date < period_end and to_date >= period_end
                where kind = 'employee' group by all
            ),
            heads as (
                select period_start, department_id, sum(share) as headcount from head group by all
            ),
            submitted as (
                select
                    period_start, count(*) as ideas_n,
                    unnest(['ALL', coalesce(any_value(top_department_id), 'Unknown')])
                        as department_id
                from window_of
                inner join truth.idea on submitted_on >= period_start and submitted_on < period_end
                left join truth.department as place
                    on place.department_id = idea.department_id
                    and place.valid_from <= submitted_on and place.valid_to > submitted_on
                group by period_start, issue_id
            ),
            ideas as (
                select period_start, department_id, sum(ideas_n) as ideas_n
                from submitted group by all
            )
        select
            '{_METRIC}.ideas_per_100_people' as metric_id, department_id, 'ALL' as objective_id,
            'trailing_12m' as period_grain, period_start, coalesce(ideas_n, 0) as numerator,
            headcount as denominator, coalesce(ideas_n, 0) as n, 0 as undetermined_n,
            100 * numerator / denominator as realised_value,
            'nothing planted: how many ideas there are is no effect' as parameter_note
        from heads left join ideas using (period_start, department_id)
    """)
