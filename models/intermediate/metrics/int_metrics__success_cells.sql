with

    initiatives as (
        select *
        from {{ ref("fct_cross_departmental_success") }}
        where success_class not in ('undecided', 'justified_cancellation') and is_cross_departmental
    ),

    periods as (select * from {{ ref("int_metrics__periods") }}),

    persons as (select * from {{ ref("dim_person") }} where is_employee),

    shares as (
        select * from {{ ref("int_initiatives__department_shares") }} where cutoff = 'decision'
    ),

    -- People in the sense of suppression are employees; service accounts make no crowd.
    contributions as (
        select distinct
            contributions.initiative_id, contributions.person_key, contributions.work_date
        from {{ ref("fct_contribution") }} as contributions
        inner join persons on persons.person_key = contributions.person_key
        where contributions.effort_days > 0 and contributions.initiative_id is not null
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

    asked as (select * from answers where is_asked),

    people as (
        select
            asked.metric_id,
            asked.period_grain,
            asked.period_start,
            count(distinct contributions.person_key) as people_n
        from asked
        inner join
            contributions
            on contributions.initiative_id = asked.initiative_id
            and contributions.work_date <= asked.decided_on
        group by asked.metric_id, asked.period_grain, asked.period_start
    ),

    final as (
        select
            periods.period_grain,
            periods.period_start,
            periods.period_end,
            questions.metric_id,
            count(case when asked.is_yes then 1 end) as numerator,
            count(asked.initiative_id) as denominator,
            count(case when asked.is_undetermined then 1 end) as undetermined_n,
            coalesce(max(people.people_n), 0) as people_n,
            sum(shares.attributed_days) / nullif(sum(shares.effort_days), 0) as coverage
        from periods
        cross join (select distinct metric_id from {{ ref("metric_definitions") }}) as questions
        left join
            asked
            on asked.metric_id = questions.metric_id
            and asked.period_grain = periods.period_grain
            and asked.period_start = periods.period_start
        left join shares on shares.initiative_id = asked.initiative_id
        left join
            people
            on people.metric_id = questions.metric_id
            and people.period_grain = periods.period_grain
            and people.period_start = periods.period_start
        where questions.metric_id like 'cross_departmental_success%'
        group by periods.period_grain, periods.period_start, periods.period_end, questions.metric_id
    )

select *
from final
