with

    leave as (select * from {{ ref("stg_hr__leave") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    days as (
        select
            employees.person_key,
            {{
                date_series(
                    "leave.from_date",
                    "least(" ~ dbt.dateadd("day", -1, "leave.to_date") ~ ", build.as_of_date)",
                )
            }} as leave_date
        from leave
        inner join
            employees
            on employees.source_id = leave.source_id
            and employees.employee_id = leave.employee_id
        cross join build
        -- Hours are those of the whole record: less than half a working day for each of its days
        -- is leave by the hour and takes no whole day away.
        where
            leave.hours is null
            or leave.hours
            >= {{ dbt.datediff("leave.from_date", "leave.to_date", "day") }}
            * 0.5
            * {{ metric_parameter("hours_per_day") }}
    ),

    final as (select distinct person_key, cast(leave_date as date) as leave_date from days)

select *
from final
