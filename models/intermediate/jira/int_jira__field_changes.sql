with

    items as (select * from {{ ref("stg_jira__changelog_items") }}),

    issues as (select * from {{ ref("int_jira__issues") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    field_map as (select * from {{ ref("jira_field_map") }}),

    mapped_ids as (
        select distinct issues.source_id, field_map.field_id, field_map.field
        from issues
        inner join field_map on field_map.source_id in (issues.source_id, '*')
    ),

    final as (
        select
            items.source_id,
            items.issue_id,
            items.history_id,
            items.item_index,
            coalesce(mapped_ids.field, items.field) as field,
            items.from_id,
            items.from_value,
            items.to_id,
            items.to_value,
            items.author_id,
            items.created_at,
            -- Histories come unsorted and several may share a millisecond: the numeric id is the
            -- order of writing.
            row_number() over (
                partition by
                    items.source_id, items.issue_id, coalesce(mapped_ids.field, items.field)
                order by
                    items.created_at,
                    try_cast(items.history_id as bigint),
                    items.history_id,
                    items.item_index
            ) as change_number
        from items
        inner join issues on issues.source_id = items.source_id and issues.issue_id = items.issue_id
        cross join build
        left join
            mapped_ids
            on mapped_ids.source_id = items.source_id
            and mapped_ids.field_id = coalesce(items.field_id, items.field)
        where items.created_at < build.as_of
    )

select *
from final
