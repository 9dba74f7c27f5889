with

    objectives as (select * from {{ ref("objectives") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    final as (
        select
            objectives.objective_id,
            objectives.parent_objective_id,
            objectives.name as objective_name,
            build.vision,
            objectives.horizon,
            cast(objectives.weight as double) as weight,
            objectives.owner,
            objectives.valid_from,
            objectives.valid_to
        from objectives
        cross join build
    )

select *
from final
