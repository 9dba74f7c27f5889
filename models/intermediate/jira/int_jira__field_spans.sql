with

    issues as (select * from {{ ref("int_jira__issues") }}),

    changes as (
        select *
        from {{ ref("int_jira__field_changes") }}
        where field in ('status', 'assignee', 'due_date', 'labels', 'priority')
    ),

    current_values as (
        select
            source_id,
            issue_id,
            created_at,
            'status' as field,
            cast(null as varchar) as value_id,
            status as value
        from issues
        union all
        select source_id, issue_id, created_at, 'assignee', assignee_id, cast(null as varchar)
        from issues
        union all
        select
            source_id,
            issue_id,
            created_at,
            'due_date',
            cast(due_date as varchar),
            cast(due_date as varchar)
        from issues
        union all
        select source_id, issue_id, created_at, 'labels', cast(null as varchar), labels
        from issues
        union all
        select source_id, issue_id, created_at, 'priority', cast(null as varchar), priority
        from issues
    ),

    build as (select * from {{ ref("int_mission__build") }}),

    -- Jira writes no history entry for the value an issue is created with: it is the `from` of the
    -- first change, and today's value where nothing ever changed.
    initial_states as (
        select
            current_values.source_id,
            current_values.issue_id,
            current_values.field,
            0 as change_number,
            case
                when first_changes.issue_id is null
                then current_values.value_id
                else first_changes.from_id
            end as value_id,
            case
                when first_changes.issue_id is null
                then current_values.value
                else first_changes.from_value
            end as value,
            least(
                current_values.created_at,
                coalesce(first_changes.created_at, current_values.created_at)
            ) as entered_at
        from current_values
        left join
            changes as first_changes
            on first_changes.source_id = current_values.source_id
            and first_changes.issue_id = current_values.issue_id
            and first_changes.field = current_values.field
            and first_changes.change_number = 1
    ),

    states as (
        select source_id, issue_id, field, change_number, value_id, value, entered_at
        from initial_states
        union all
        -- A change still to come already told the value before it; it has not happened yet.
        select
            changes.source_id,
            changes.issue_id,
            changes.field,
            changes.change_number,
            changes.to_id,
            changes.to_value,
            changes.created_at
        from changes
        cross join build
        where changes.created_at < build.as_of
    ),

    final as (
        select
            source_id,
            issue_id,
            field,
            change_number + 1 as span_number,
            value_id,
            value,
            entered_at,
            lead(entered_at) over (
                partition by source_id, issue_id, field order by change_number
            ) as exited_at,
            lead(entered_at) over (partition by source_id, issue_id, field order by change_number)
            is null as is_current
        from states
    )

select *
from final
