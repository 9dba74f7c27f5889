with

    items as (select * from {{ ref("stg_jira__changelog_items") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    field_map as (select * from {{ ref("jira_field_map") }}),

    sources as (select distinct source_id from issues),

    -- A site's own id of a field wins over the general one, as in int_jira__issues.
    ranked_ids as (
        select
            sources.source_id,
            field_map.field_id,
            field_map.field,
            rank() over (
                partition by sources.source_id, field_map.field
                order by case when field_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from sources
        inner join field_map on field_map.source_id in (sources.source_id, '*')
    ),

    named as (
        select
            items.*,
            case
                when ranked_ids.field is not null
                then ranked_ids.field
                -- A custom field may bear the name of one of Jira's own; only the id tells.
                when
                    items.field_id like 'customfield%'
                    and lower(items.field) in ('status', 'assignee', 'labels', 'priority')
                then items.field_id
                else items.field
            end as field_name
        from items
        left join
            ranked_ids
            on ranked_ids.source_id = items.source_id
            and ranked_ids.field_id = coalesce(items.field_id, items.field)
            and ranked_ids.map_rank = 1
    ),

    final as (
        select
            named.source_id,
            named.issue_id,
            named.history_id,
            named.item_index,
            named.field_name as field,
            named.from_id,
            named.from_value,
            named.to_id,
            named.to_value,
            named.author_id,
            named.created_at,
            -- Histories come unsorted and several may share a millisecond: the numeric id is the
            -- order of writing.
            row_number() over (
                partition by named.source_id, named.issue_id, named.field_name
                order by
                    named.created_at,
                    try_cast(named.history_id as bigint),
                    named.history_id,
                    named.item_index
            ) as change_number
        from named
        inner join issues on issues.source_id = named.source_id and issues.issue_id = named.issue_id
    )

select *
from final
