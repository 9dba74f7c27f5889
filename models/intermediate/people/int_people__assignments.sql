with

    history as (select * from {{ ref("stg_hr__department_history") }}),

    employees as (select * from {{ ref("int_people__employees") }}),

    windows as (select * from {{ ref("stg_mission__windows") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    final as (
        select
            employees.person_key,
            history.source_id,
            history.source_id || ':' || history.department_id as department_id,
            coalesce(history.location_id, employees.location_id) as location_id,
            history.from_date,
            -- Leaving the company ends every post, whatever the history forgot to close; a post
            -- that began later is a return, whose record still carries the old date.
            case
                when
                    employees.terminated_on is null
                    or history.from_date > employees.terminated_on
                    or history.to_date <= employees.terminated_on
                then history.to_date
                else cast({{ dbt.dateadd("day", 1, "employees.terminated_on") }} as date)
            end as to_date,
            coalesce(history.fte, 1.0) as fte,
            history.share,
            cast(
                coalesce(windows.as_of, windows.newest_record_at, build.as_of) as timestamp
            ) as recorded_from
        from history
        cross join build
        -- A post of somebody HR does not know has no person; int_people__coverage counts it.
        inner join
            employees
            on employees.source_id = history.source_id
            and employees.employee_id = history.employee_id
        left join
            windows
            on windows.source_id = history.source_id
            and windows.window_id = history.window_id
            and windows.stream = 'department_history'
        where history.to_date is null or history.from_date < history.to_date
    )

select *
from final
where to_date is null or from_date < to_date
