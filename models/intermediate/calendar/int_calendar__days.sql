with

    build as (select * from {{ ref("int_mission__build") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    locations as (select * from {{ ref("locations") }}),

    working_calendars as (select * from {{ ref("working_calendars") }}),

    holidays as (select * from {{ ref("holidays") }}),

    -- `*` is the organisation itself: the calendar of everything that has no person, and of people
    -- without a location.
    places as (
        select
            locations.location_id,
            coalesce(locations.timezone, build.timezone) as timezone,
            locations.calendar_id
        from locations
        cross join build
        union all
        select '*', build.timezone, cast(null as varchar)
        from build
        where not exists (select 1 from locations where locations.location_id = '*')
    ),

    first_changes as (
        select min(created_at) as created_at from {{ ref("int_jira__field_changes") }}
    ),

    bounds as (
        select
            -- An imported history may begin before its issue was created.
            {{
                dbt.dateadd(
                    "day",
                    -1,
                    "cast(least(min(issues.created_at), min(coalesce(first_changes.created_at, issues.created_at))) as date)",
                )
            }}
            as first_date,
            {{ dbt.dateadd("day", 1, "max(build.as_of_date)") }} as last_date
        from issues
        cross join build
        cross join first_changes
    ),

    dates as (
        select {{ date_series("bounds.first_date", "bounds.last_date") }} as work_date from bounds
    ),

    days as (
        select
            places.location_id,
            places.timezone,
            dates.work_date,
            holidays.holiday_date is null
            -- Monday to Friday where no calendar says otherwise; ISO numbers, Monday = 1.
            and coalesce(
                working_calendars.is_working, {{ iso_weekday("dates.work_date") }} <= 5
            ) as is_working
        from dates
        cross join places
        left join
            working_calendars
            on working_calendars.calendar_id = places.calendar_id
            and working_calendars.weekday = {{ iso_weekday("dates.work_date") }}
        left join
            holidays
            on holidays.calendar_id = places.calendar_id
            and holidays.holiday_date = dates.work_date
    ),

    final as (
        select
            location_id,
            work_date,
            is_working,
            {{ day_start_utc("work_date", "timezone") }} as starts_at,
            {{ day_start_utc(dbt.dateadd("day", 1, "work_date"), "timezone") }} as ends_at,
            cast(
                coalesce(
                    sum(case when is_working then 1 else 0 end) over (
                        partition by location_id
                        order by work_date
                        rows between unbounded preceding and 1 preceding
                    ),
                    0
                ) as bigint
            ) as working_days_before
        from days
    )

select *
from final
