"""What customers think: of every survey that was sent, the answer it would have got.

What belongs here: CSAT, NPS, the effect of joint effort. What does not: who answered; that is
the systems' view.
"""

from __future__ import annotations

from sandbox.truth.cells import declare
from sandbox.truth.definitions import WHOLE_SHARE
from sandbox.truth.seen import Seen

_METRIC = "customer_satisfaction"


def build(seen: Seen, response_rate: float) -> None:
    """Parts of customer_satisfaction, .nps and .response_rate, and truth.survey."""
    _surveys(seen)
    declare(seen, _METRIC, note="mean planted chance of a good answer")
    declare(
        seen,
        f"{_METRIC}.nps",
        factor=100,
        note="100 x (mean planted chance of a promoter - of a detractor)",
    )
    declare(
        seen,
        f"{_METRIC}.response_rate",
        note="planted share of answers; realised: answered by those who were asked",
    )
    _insert(seen, _METRIC, "instrument = 'csat'", "cast(is_good as integer)", "p_good")
    _insert(
        seen,
        f"{_METRIC}.nps",
        "instrument = 'nps'",
        "cast(is_good as integer) - cast(is_bad as integer)",
        "p_good - p_bad",
    )
    _insert(
        seen,
        f"{_METRIC}.response_rate",
        "true",
        "cast(is_answered as integer)",
        str(response_rate),
    )


def _insert(seen: Seen, metric_id: str, which: str, numerator: str, planted: str) -> None:
    seen.run(f"""
        insert into truth.part
        select
            '{metric_id}', scope, department_id, 'ALL', survey_id, answered_on, weight, {numerator},
            1.0, {planted}, 1.0, 0
        from truth.survey inner join truth.survey_weight using (survey_id)
        where {which}
    """)


def _surveys(seen: Seen) -> None:
    """Make truth.survey: one row per survey whose answer falls before the instant, given or not.

    And truth.survey_weight: the department of the ticket's handler, or of the customer's owner.
    """
    seen.run(f"""
        create table truth.survey as
        select
            survey_id, instrument, survey.customer_id, survey.ticket_id, score, p_good, p_bad,
            answers_at as answered_at,
            responded_at is not null as is_answered,
            truth.company_day(answers_at) as answered_on,
            case instrument when 'csat' then score >= scale_max - 1 else score >= 9 end as is_good,
            case instrument when 'csat' then score < scale_max - 1 else score <= 6 end as is_bad,
            coalesce(handler_id, owner_id) as person_id,
            customer.segment
        from hidden.survey
        inner join hidden.customer on customer.customer_id = survey.customer_id
        left join hidden.ticket on ticket.ticket_id = survey.ticket_id
        where answers_at < {seen.instant};

        create table truth.survey_weight as
        select survey_id, 'ALL' as scope, 'ALL' as department_id, 1.0 as weight from truth.survey
        union all
        select
            survey_id, 'department', coalesce(top_department_id, 'Unknown'),
            sum(coalesce(share, 1.0))
        from truth.survey
        left join truth.place
            on place.person_id = survey.person_id
            and place.from_date <= answered_on and place.to_date > answered_on
        group by all;

        -- Initiatives that IT and those who face customers share, from when they were available.
        create table truth.shared_initiative as
        select initiative.issue_id, available_at
        from truth.initiative
        inner join (
            select
                issue_id, sum(case when is_it then seconds else 0 end) / sum(seconds) as it_share,
                sum(case when is_customer_facing then seconds else 0 end) / sum(seconds)
                    as customer_share
            from truth.department_part where cutoff = 'decision' group by issue_id
        ) as sides using (issue_id)
        where it_share >= {WHOLE_SHARE} and customer_share >= {WHOLE_SHARE};

        create table truth.touched as
        select customer_id, min(available_at) as touched_at
        from hidden.initiative_customer inner join truth.shared_initiative using (issue_id)
        where available_at is not null group by customer_id;
    """)


def finish(seen: Seen) -> None:
    """The effect of joint effort: the change of CSAT of touched customers minus that of others.

    Against a year earlier; touched before they answered, that is.
    """
    metric_id = f"{_METRIC}.joint_effort_effect"
    seen.run(f"""
        insert into truth.metric by name
        with
            now_said as (
                select
                    period_grain, period_start, survey.customer_id,
                    -- A customer that was touched within the period is judged by its last answer.
                    max(answered_at) > coalesce(any_value(touched_at), timestamp '9999-01-01')
                        as is_touched,
                    sum(cast(is_good as integer)) as good, sum(p_good) as p_good, count(*) as n
                from truth.period
                inner join truth.survey on answered_on >= period_start and answered_on < period_end
                left join truth.touched using (customer_id)
                where instrument = 'csat' group by all
            ),
            year_before as (
                select
                    period_grain, period_start, customer_id, sum(cast(is_good as integer)) as good,
                    sum(p_good) as p_good, count(*) as n
                from truth.period
                inner join truth.survey
                    on answered_on >= period_start - interval 1 year
                    and answered_on < period_end - interval 1 year
                where instrument = 'csat' group by all
            ),
            change as (
                select
                    period_grain, period_start, is_touched, sum(now_said.n) as n,
                    sum(now_said.good) / sum(now_said.n)
                        - sum(year_before.good) / sum(year_before.n)
                        as realised,
                    sum(now_said.p_good) / sum(now_said.n)
                        - sum(year_before.p_good) / sum(year_before.n) as planted
                from now_said
                left join year_before using (period_grain, period_start, customer_id)
                group by period_grain, period_start, is_touched
            )
        select
            '{metric_id}' as metric_id, 'ALL' as department_id, 'ALL' as objective_id,
            period.period_grain, period.period_start,
            touched.realised - others.realised as realised_value,
            coalesce(touched.n, 0) + coalesce(others.n, 0) as n, 0 as undetermined_n,
            touched.planted - others.planted as parameter_value,
            case
                when realised_value is null then 'an arm is empty, now or a year earlier'
                else 'the same difference of differences of planted chances'
            end as parameter_note
        from truth.period
        left join change as touched
            on touched.period_grain = period.period_grain
            and touched.period_start = period.period_start and touched.is_touched
        left join change as others
            on others.period_grain = period.period_grain
            and others.period_start = period.period_start and not others.is_touched
    """)
