with

    cells as (select * from {{ ref("int_metrics__success_cells") }}),

    periods as (select * from {{ ref("int_metrics__periods") }}),

    scored as (
        select
            *,
            numerator / nullif(cast(denominator as double), 0) as value,
            {{ wilson("numerator", "denominator", -1) }} as ci_low,
            -- What is not measured yet could still turn out a success: the upper limit allows for
            -- it.
            {{ wilson("numerator + undetermined_n", "denominator", 1) }} as ci_high
        from cells
    ),

    final as (
        select
            scored.metric_id,
            scored.period_grain,
            scored.period_start,
            scored.period_end,
            scored.value,
            cast(scored.numerator as double) as numerator,
            cast(scored.denominator as double) as denominator,
            scored.denominator as n,
            scored.people_n,
            scored.ci_low,
            scored.ci_high,
            'wilson' as ci_method,
            scored.coverage,
            0 as censored_n,
            scored.undetermined_n,
            baseline.value as baseline_value,
            scored.value - baseline.value as change_value,
            {{
                newcombe(
                    "scored.value",
                    "scored.ci_low",
                    "scored.ci_high",
                    "baseline.value",
                    "baseline.ci_low",
                    "baseline.ci_high",
                    -1,
                )
            }} as change_ci_low,
            {{
                newcombe(
                    "scored.value",
                    "scored.ci_low",
                    "scored.ci_high",
                    "baseline.value",
                    "baseline.ci_low",
                    "baseline.ci_high",
                    1,
                )
            }} as change_ci_high,
            case
                when scored.denominator = 0
                then 'no cross-departmental initiative was decided in the period'
            end as undefined_reason,
            baseline.people_n as baseline_people_n
        from scored
        inner join
            periods
            on periods.period_grain = scored.period_grain
            and periods.period_start = scored.period_start
        left join
            scored as baseline
            on baseline.metric_id = scored.metric_id
            and baseline.period_grain = scored.period_grain
            and baseline.period_start = periods.baseline_start
    )

select *
from final
