with

    initiatives as (
        select *
        from {{ ref("fct_cross_departmental_success") }}
        where success_class not in ('undecided', 'justified_cancellation') and is_cross_departmental
    ),

    periods as (select * from {{ ref("int_metrics__periods") }}),

    contributions as (
        select distinct initiative_id, person_key, work_date
        from {{ ref("fct_contribution") }}
        where effort_days > 0 and initiative_id is not null
    ),

    -- Outcomes are due only where key results are configured; without any, nothing is waited for.
    outcome_horizon as (
        select
            case
                when count(*) > 0 then max({{ metric_parameter("outcome_horizon_days") }}) else 0
            end as horizon_days
        from {{ ref("key_results") }}
    ),

    dated as (
        select
            initiatives.*,
            cast(
                {{ dbt.dateadd("day", "outcome_horizon.horizon_days", "initiatives.decided_on") }}
                as date
            ) as counted_on
        from initiatives
        cross join outcome_horizon
    ),

    members as (
        select periods.period_grain, periods.period_start, periods.period_end, dated.*
        from periods
        inner join
            dated
            on dated.counted_on >= periods.period_start
            and dated.counted_on < periods.period_end
    ),

    people as (
        select
            members.period_grain,
            members.period_start,
            count(distinct contributions.person_key) as people_n
        from members
        inner join
            contributions
            on contributions.initiative_id = members.initiative_id
            and contributions.work_date <= members.decided_on
        group by members.period_grain, members.period_start
    ),

    -- Each row of the metric asks one yes/no question of the same initiatives; not applicable
    -- (NULL) drops out.
    answers as (
        select
            *,
            'cross_departmental_success' as metric_id,
            success_class = 'success' as is_yes,
            true as is_asked,
            success_class = 'undetermined' as is_undetermined
        from members
        union all
        select *, 'cross_departmental_success.delivered', is_delivered, true, false
        from members
        union all
        select
            *,
            'cross_departmental_success.on_time',
            is_on_time_latest,
            is_on_time_latest is not null,
            false
        from members
        union all
        select
            *, 'cross_departmental_success.scope_met', is_scope_met, is_scope_met is not null, false
        from members
        union all
        select
            *,
            'cross_departmental_success.it_with_others',
            success_class = 'success',
            is_it_with_others,
            success_class = 'undetermined'
        from members
    ),

    final as (
        select
            periods.period_grain,
            periods.period_start,
            periods.period_end,
            questions.metric_id,
            count(case when answers.is_asked and answers.is_yes then 1 end) as numerator,
            count(case when answers.is_asked then 1 end) as denominator,
            count(
                case when answers.is_asked and answers.is_undetermined then 1 end
            ) as undetermined_n,
            coalesce(max(people.people_n), 0) as people_n,
            sum(answers.attributed_days) / nullif(sum(answers.effort_days), 0) as coverage
        from periods
        cross join (select distinct metric_id from {{ ref("metric_definitions") }}) as questions
        left join
            answers
            on answers.metric_id = questions.metric_id
            and answers.period_grain = periods.period_grain
            and answers.period_start = periods.period_start
        left join
            people
            on people.period_grain = periods.period_grain
            and people.period_start = periods.period_start
        where questions.metric_id like 'cross_departmental_success%'
        group by periods.period_grain, periods.period_start, periods.period_end, questions.metric_id
    )

select *
from final
