with

    histories as (
        {{
            current_records(
                source("raw_jira", "changelogs"), ["source_id", "issue_id", "history_id"]
            )
        }}
    ),

    final as (
        select
            histories.source_id,
            histories.issue_id,
            histories.history_id,
            items.element_index as item_index,
            {{ json_text("items.element", "field") }} as field,
            {{ json_text("items.element", "fieldId") }} as field_id,
            {{ json_text("items.element", "from") }} as from_id,
            {{ json_text("items.element", "fromString") }} as from_value,
            {{ json_text("items.element", "to") }} as to_id,
            {{ json_text("items.element", "toString") }} as to_value,
            {{ jira_user("histories.payload", "author") }} as author_id,
            {{ json_text("histories.payload", "author.displayName") }} as author_name,
            {{ json_text("histories.payload", "author.emailAddress") }} as author_email,
            histories.created_at
        from histories {{ json_elements("histories.payload", "items", "items") }}
    )

select *
from final
