with

    issues as (select * from {{ ref("stg_jira__issues") }}),

    build as (select * from {{ ref("int_mission__build") }}),

    sources as (select * from {{ ref("stg_mission__sources") }}),

    field_map as (select * from {{ ref("jira_field_map") }}),

    type_map as (select * from {{ ref("jira_issue_type_map") }}),

    -- A field may have one id on every site (`*`) and another on one site: the site's own wins.
    mapped_fields as (
        select
            issues.source_id,
            issues.issue_id,
            field_map.field,
            {{ json_text_at("issues.payload", "fields", "field_map.field_id") }} as field_value,
            row_number() over (
                partition by issues.source_id, issues.issue_id, field_map.field
                order by case when field_map.source_id = '*' then 1 else 0 end, field_map.field_id
            ) as map_rank
        from issues
        inner join field_map on field_map.source_id in (issues.source_id, '*')
    ),

    fields as (
        select
            source_id,
            issue_id,
            max(
                case when field = 'story_points' then try_cast(field_value as double) end
            ) as story_points,
            max(case when field = 'epic_link' then field_value end) as epic_key,
            max(
                case when field = 'due_date' then try_cast(field_value as date) end
            ) as mapped_due_date
        from mapped_fields
        where map_rank = 1
        group by source_id, issue_id
    ),

    roles as (
        select
            issues.source_id,
            issues.issue_id,
            type_map.role,
            row_number() over (
                partition by issues.source_id, issues.issue_id
                order by case when type_map.source_id = '*' then 1 else 0 end
            ) as map_rank
        from issues
        inner join
            type_map
            on type_map.issue_type = issues.issue_type
            and type_map.source_id in (issues.source_id, '*')
    ),

    final as (
        select
            issues.source_id,
            issues.issue_id,
            issues.issue_key,
            issues.project_key,
            issues.issue_type,
            coalesce(roles.role, 'work') as role,
            issues.summary,
            issues.status,
            issues.status_category,
            issues.resolution,
            -- The parent field replaced the epic link; old sites still fill only the latter.
            coalesce(issues.parent_issue_id, epics.issue_id) as parent_issue_id,
            issues.assignee_id,
            {{ json_array_joined("issues.payload", "fields.labels") }} as labels,
            {{ json_text("issues.payload", "fields.priority.name") }} as priority,
            fields.story_points,
            coalesce(fields.mapped_due_date, issues.due_date) as due_date,
            issues.created_at,
            issues.resolved_at,
            sources.base_url || '/browse/' || issues.issue_key as source_url
        from issues
        cross join build
        left join
            fields on fields.source_id = issues.source_id and fields.issue_id = issues.issue_id
        left join
            roles
            on roles.source_id = issues.source_id
            and roles.issue_id = issues.issue_id
            and roles.map_rank = 1
        left join
            issues as epics
            on epics.source_id = issues.source_id
            and epics.issue_key = fields.epic_key
        left join sources on sources.source_id = issues.source_id
        where issues.created_at < build.as_of
    )

select *
from final
