with

    survival_times as (select * from {{ ref("int_metrics__survival_times") }}),

    at_times as (
        select
            metric_id,
            period_grain,
            period_start,
            arm,
            days,
            count(case when is_event then 1 end) as events_n,
            count(*) as leaving_n
        from survival_times
        group by metric_id, period_grain, period_start, arm, days
    ),

    -- Events precede censorings at ties: whoever leaves at a time still was at risk at it.
    at_risk as (
        select
            *,
            sum(leaving_n) over (
                partition by metric_id, period_grain, period_start, arm
                order by days desc
                rows between unbounded preceding and current row
            ) as at_risk_n
        from at_times
    ),

    -- The product is a sum of logarithms; the last death makes it zero, whose logarithm does not
    -- exist.
    accumulated as (
        select
            *,
            max(case when events_n = at_risk_n then 1 else 0 end) over up_to_here
            as has_reached_zero,
            sum(
                case
                    when events_n < at_risk_n then ln(1.0 - (1.0 * events_n) / at_risk_n) else 0.0
                end
            ) over up_to_here as log_survival,
            sum(
                case
                    when events_n < at_risk_n
                    then (1.0 * events_n) / (at_risk_n * (at_risk_n - events_n))
                    else 0.0
                end
            ) over up_to_here as greenwood_sum
        from at_risk
        window
            up_to_here as (
                partition by metric_id, period_grain, period_start, arm
                order by days
                rows between unbounded preceding and current row
            )
    ),

    final as (
        select
            metric_id,
            period_grain,
            period_start,
            arm,
            days,
            cast(at_risk_n as bigint) as at_risk_n,
            events_n,
            leaving_n - events_n as censored_n,
            case when has_reached_zero = 1 then 0.0 else exp(log_survival) end as survival,
            -- Greenwood's variance on the log-log scale keeps both limits within 0 and 1
            -- (Kalbfleisch & Prentice 1980).
            case
                when has_reached_zero = 0 and log_survival < 0
                then exp(log_survival * exp({{ z_score() }} * sqrt(greenwood_sum) / - log_survival))
            end as survival_low,
            case
                when has_reached_zero = 0 and log_survival < 0
                then
                    exp(log_survival * exp(-{{ z_score() }} * sqrt(greenwood_sum) / - log_survival))
            end as survival_high
        from accumulated
    )

select *
from final
