with

    curve as (select * from {{ ref("int_metrics__survival_curve") }}),

    final as (
        select
            metric_id,
            period_grain,
            period_start,
            arm,
            sum(events_n) as events_n,
            sum(censored_n) as censored_n,
            sum(events_n) + sum(censored_n) as n,
            max(days) as longest_days,
            -- A curve that passes through exactly one half must not miss it by the last bit of a
            -- logarithm.
            min(case when survival <= 0.5 + 1e-9 then days end) as median_days,
            -- The interval holds every time at which the curve's own interval covers one half
            -- (Brookmeyer & Crowley 1982).
            min(case when survival_low <= 0.5 then days end) as median_low,
            min(case when survival_high <= 0.5 then days end) as median_high
        from curve
        group by metric_id, period_grain, period_start, arm
    )

select *
from final
