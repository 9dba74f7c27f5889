with

    initiatives as (select * from {{ ref("int_initiatives__decisions") }}),

    periods as (select * from {{ ref("int_metrics__periods") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    -- The headline runs from approval, its companion from the idea; an idea that still waits for
    -- approval is watched like any other, or only those with a future would count.
    clocks as (
        select
            'time_to_market' as metric_id,
            initiative_id,
            approved_at as begun_at,
            available_at,
            cancelled_at
        from initiatives
        where approved_at is not null
        union all
        select 'time_to_market.from_idea', initiative_id, idea_at, available_at, cancelled_at
        from initiatives
        where idea_at is not null
    ),

    -- The baseline is the cohort of a year earlier, watched until a year earlier: both arms have
    -- had equal time to finish.
    cohorts as (
        select
            period_grain,
            period_start,
            'current' as arm,
            {{ day_start_utc("periods.period_start", "build.timezone") }} as begun_from,
            {{ day_start_utc("periods.period_end", "build.timezone") }} as begun_until,
            build.as_of as observed_until
        from periods
        cross join build
        union all
        select
            period_grain,
            period_start,
            'baseline',
            {{ day_start_utc("periods.baseline_start", "build.timezone") }},
            {{ day_start_utc("periods.baseline_end", "build.timezone") }},
            {{ dbt.dateadd("year", -1, "build.as_of") }}
        from periods
        cross join build
    ),

    watched as (
        select
            cohorts.period_grain,
            cohorts.period_start,
            cohorts.arm,
            clocks.metric_id,
            clocks.initiative_id,
            clocks.begun_at,
            cohorts.observed_until,
            case
                when clocks.available_at < cohorts.observed_until then clocks.available_at
            end as available_at,
            case
                when clocks.cancelled_at < cohorts.observed_until then clocks.cancelled_at
            end as cancelled_at
        from cohorts
        inner join
            clocks
            on clocks.begun_at >= cohorts.begun_from
            and clocks.begun_at < cohorts.begun_until
            and clocks.begun_at < cohorts.observed_until
    ),

    final as (
        select
            metric_id,
            period_grain,
            period_start,
            arm,
            initiative_id,
            {{
                seconds_between(
                    "begun_at", "coalesce(available_at, cancelled_at, observed_until)"
                )
            }} / 86400.0 as days,
            available_at is not null as is_event
        from watched
    )

select *
from final
