with

    deals as (select * from {{ ref("stg_crm__deals") }} where not is_deleted),

    stage_history as (select * from {{ ref("stg_crm__deal_stage_history") }}),

    stage_map as (select * from {{ ref("crm_stage_map") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    stages as (
        select source_id, stage
        from deals
        union
        select source_id, stage
        from stage_history
    ),

    -- A stage may mean one thing everywhere (`*`) and another in one source: the source's own wins.
    ranked_outcomes as (
        select
            stages.source_id,
            stages.stage,
            stage_map.outcome,
            row_number() over (
                partition by stages.source_id, stages.stage
                order by case when stage_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from stages
        inner join
            stage_map
            on stage_map.stage = stages.stage
            and stage_map.source_id in (stages.source_id, '*')
    ),

    outcomes as (select source_id, stage, outcome from ranked_outcomes where map_rank = 1),

    first_wins as (
        select
            stage_history.source_id, stage_history.deal_id, min(stage_history.entered_at) as won_at
        from stage_history
        inner join
            outcomes
            on outcomes.source_id = stage_history.source_id
            and outcomes.stage = stage_history.stage
            and outcomes.outcome = 'won'
        group by stage_history.source_id, stage_history.deal_id
    ),

    final as (
        select
            deals.source_id,
            deals.deal_id,
            outcomes.outcome,
            -- A deal that nobody closed was won when it first entered a won stage.
            case
                when outcomes.outcome = 'won' then coalesce(deals.closed_at, first_wins.won_at)
            end as won_at,
            deals.amount,
            -- A source that delivers no currency is taken to keep its books in the company's.
            upper(coalesce(deals.currency, build.currency)) as currency
        from deals
        cross join build
        left join outcomes on outcomes.source_id = deals.source_id and outcomes.stage = deals.stage
        left join
            first_wins
            on first_wins.source_id = deals.source_id
            and first_wins.deal_id = deals.deal_id
        where deals.created_at < build.as_of
    )

select *
from final
