with

    departments as (select * from {{ ref("stg_hr__departments") }}),

    history as (select * from {{ ref("stg_hr__department_history") }}),

    -- A source without a list of departments, or with a gap in it, still names them in its people's
    -- history.
    unlisted as (
        select distinct history.source_id, history.department_id
        from history
        left join
            departments
            on departments.source_id = history.source_id
            and departments.department_id = history.department_id
        where departments.department_id is null
    ),

    final as (
        select
            source_id || ':' || department_id as department_id,
            name as department_name,
            source_id || ':' || parent_department_id as parent_department_id,
            coalesce("function", 'Unknown') as "function",
            valid_from,
            valid_to
        from departments
        union all
        select
            source_id || ':' || department_id,
            department_id,
            cast(null as varchar),
            'Unknown',
            cast(null as date),
            cast(null as date)
        from unlisted
        union all
        select
            'Unknown',
            'Unknown',
            cast(null as varchar),
            'Unknown',
            cast(null as date),
            cast(null as date)
    )

select *
from final
