with

    build as (select * from {{ ref("int_mission__build") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    -- History begins with the month of the first record; the unfinished month at the end is left
    -- out.
    bounds as (
        select
            cast(
                date_trunc(
                    'month', {{ local_date("min(issues.created_at)", "max(build.timezone)") }}
                ) as date
            ) as first_month,
            cast(date_trunc('month', max(build.as_of_date)) as date) as end_month
        from issues
        cross join build
    ),

    dates as (
        select
            {{ date_series("bounds.first_month", "bounds.end_month") }} as calendar_date,
            bounds.first_month,
            bounds.end_month
        from bounds
    ),

    months as (
        select cast(calendar_date as date) as month_start, first_month, end_month
        from dates
        where extract(day from calendar_date) = 1
    ),

    periods as (
        select
            'month' as period_grain,
            month_start as period_start,
            cast({{ dbt.dateadd("month", 1, "month_start") }} as date) as period_end,
            first_month,
            end_month
        from months
        union all
        select
            'quarter',
            month_start,
            cast({{ dbt.dateadd("month", 3, "month_start") }} as date),
            first_month,
            end_month
        from months
        where extract(month from month_start) in (1, 4, 7, 10)
        union all
        select
            'trailing_12m',
            month_start,
            cast({{ dbt.dateadd("month", 12, "month_start") }} as date),
            first_month,
            end_month
        from months
    ),

    final as (
        select
            period_grain,
            period_start,
            period_end,
            cast({{ dbt.dateadd("year", -1, "period_start") }} as date) as baseline_start,
            cast({{ dbt.dateadd("year", -1, "period_end") }} as date) as baseline_end
        from periods
        where period_end <= end_month
    )

select *
from final
