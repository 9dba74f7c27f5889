with

    records as (
        {{ current_records(source("raw_jira", "issues"), ["source_id", "issue_id"], "updated_at") }}
    ),

    final as (
        select
            source_id,
            issue_id,
            issue_key,
            {{ json_text("payload", "fields.project.key") }} as project_key,
            {{ json_text("payload", "fields.issuetype.name") }} as issue_type,
            {{ json_text("payload", "fields.summary") }} as summary,
            {{ json_text("payload", "fields.status.name") }} as status,
            {{ json_text("payload", "fields.status.statusCategory.key") }} as status_category,
            {{ json_text("payload", "fields.resolution.name") }} as resolution,
            {{ json_text("payload", "fields.parent.id") }} as parent_issue_id,
            {{ jira_user("payload", "fields.assignee") }} as assignee_id,
            {{ json_text("payload", "fields.labels") }} as labels,
            created_at,
            updated_at,
            {{ utc_from_iso(json_text("payload", "fields.resolutiondate")) }} as resolved_at,
            cast({{ json_text("payload", "fields.duedate") }} as date) as due_date,
            payload,
            window_id
        from records
    )

select *
from final
