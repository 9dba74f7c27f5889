with

    periods as (select * from {{ ref("int_metrics__periods") }}),

    medians as (select * from {{ ref("int_metrics__survival_medians") }}),

    survival_times as (select * from {{ ref("int_metrics__survival_times") }}),

    persons as (select * from {{ ref("dim_person") }} where is_employee),

    -- People in the sense of suppression are employees; service accounts make no crowd.
    contributions as (
        select distinct contributions.initiative_id, contributions.person_key
        from {{ ref("fct_contribution") }} as contributions
        inner join persons on persons.person_key = contributions.person_key
        where contributions.effort_days > 0 and contributions.initiative_id is not null
    ),

    shares as (
        select * from {{ ref("int_initiatives__department_shares") }} where cutoff = 'decision'
    ),

    metrics as (
        select distinct metric_id
        from {{ ref("metric_definitions") }}
        where metric_id in ('time_to_market', 'time_to_market.from_idea')
    ),

    people as (
        select
            survival_times.metric_id,
            survival_times.period_grain,
            survival_times.period_start,
            count(
                distinct case when survival_times.arm = 'current' then contributions.person_key end
            ) as people_n,
            count(
                distinct case when survival_times.arm = 'baseline' then contributions.person_key end
            ) as baseline_people_n
        from survival_times
        inner join contributions on contributions.initiative_id = survival_times.initiative_id
        group by survival_times.metric_id, survival_times.period_grain, survival_times.period_start
    ),

    attribution as (
        select
            survival_times.metric_id,
            survival_times.period_grain,
            survival_times.period_start,
            sum(shares.attributed_days) / nullif(sum(shares.effort_days), 0) as coverage
        from survival_times
        inner join shares on shares.initiative_id = survival_times.initiative_id
        where survival_times.arm = 'current'
        group by survival_times.metric_id, survival_times.period_grain, survival_times.period_start
    ),

    compared as (
        select
            metrics.metric_id,
            periods.period_grain,
            periods.period_start,
            periods.period_end,
            coalesce(current_arm.n, 0) as n,
            coalesce(current_arm.events_n, 0) as events_n,
            coalesce(current_arm.censored_n, 0) as censored_n,
            current_arm.longest_days,
            current_arm.median_days,
            current_arm.median_low,
            current_arm.median_high,
            baseline_arm.median_days as baseline_median,
            {{
                mover_log_ratio(
                    "current_arm.median_days",
                    "current_arm.median_low",
                    "current_arm.median_high",
                    "baseline_arm.median_days",
                    "baseline_arm.median_low",
                    "baseline_arm.median_high",
                    -1,
                )
            }} as log_ratio_low,
            {{
                mover_log_ratio(
                    "current_arm.median_days",
                    "current_arm.median_low",
                    "current_arm.median_high",
                    "baseline_arm.median_days",
                    "baseline_arm.median_low",
                    "baseline_arm.median_high",
                    1,
                )
            }} as log_ratio_high
        from periods
        cross join metrics
        left join
            medians as current_arm
            on current_arm.metric_id = metrics.metric_id
            and current_arm.period_grain = periods.period_grain
            and current_arm.period_start = periods.period_start
            and current_arm.arm = 'current'
        left join
            medians as baseline_arm
            on baseline_arm.metric_id = metrics.metric_id
            and baseline_arm.period_grain = periods.period_grain
            and baseline_arm.period_start = periods.period_start
            and baseline_arm.arm = 'baseline'
    ),

    final as (
        select
            compared.metric_id,
            compared.period_grain,
            compared.period_start,
            compared.period_end,
            compared.median_days as value,
            cast(compared.events_n as double) as numerator,
            cast(compared.n as double) as denominator,
            compared.n,
            coalesce(people.people_n, 0) as people_n,
            case when compared.median_days is not null then compared.median_low end as ci_low,
            case when compared.median_days is not null then compared.median_high end as ci_high,
            'kaplan_meier_log_log' as ci_method,
            attribution.coverage,
            compared.censored_n,
            0 as undetermined_n,
            compared.baseline_median as baseline_value,
            1.0 - compared.median_days / nullif(compared.baseline_median, 0) as change_value,
            1.0 - exp(compared.log_ratio_high) as change_ci_low,
            1.0 - exp(compared.log_ratio_low) as change_ci_high,
            case
                when compared.n = 0
                then 'no initiative was approved in the period'
                when compared.median_days is null
                then
                    '> '
                    || cast(cast(floor(compared.longest_days) as bigint) as varchar)
                    || ' days: fewer than half have reached the market'
            end as undefined_reason,
            coalesce(people.baseline_people_n, 0) as baseline_people_n
        from compared
        left join
            people
            on people.metric_id = compared.metric_id
            and people.period_grain = compared.period_grain
            and people.period_start = compared.period_start
        left join
            attribution
            on attribution.metric_id = compared.metric_id
            and attribution.period_grain = compared.period_grain
            and attribution.period_start = compared.period_start
    )

select *
from final
