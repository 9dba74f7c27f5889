"""What a changelog calls the values of the hidden state.

What belongs here: ids and texts by field and value, as tables of schema jira_now. What does not:
the items that tell them (`changes`).
"""

from __future__ import annotations

from sandbox.records.jira.catalogue import CHANGED_FIELDS, ISSUE_TYPES, PRIORITIES, RESOLUTIONS
from sandbox.records.json_text import quoted


def words() -> str:
    """One row per field and value that a change names: its id and text, as JSON texts.

    Texts are those of the time of the change: from `renamed_at` on they are others. Somebody
    without an account is nobody to Jira.
    """
    fixed = " union all ".join(
        f"select '{field}' as field, {quoted(name)} as value, '{number}' as id"
        for field, ids in (
            ("resolution", RESOLUTIONS),
            ("priority", PRIORITIES),
            ("issuetype", ISSUE_TYPES),
        )
        for name, number in ids.items()
    )
    return f"""
        create table jira_now.word as
        with
            said as (
                select distinct field, unnest([from_value, to_value]) as value
                from hidden.change
                where field not in ('key', 'summary', 'description')
            ),
            fixed as ({fixed}),
            keys as (
                select
                    c.issue_id,
                    max(c.changed_at) as moved_at,
                    arg_max(c.to_value, c.change_id) as moved_to
                from hidden.change as c
                where c.field = 'key'
                group by c.issue_id
            ),
            named as (
                select
                    field, value, id, value as name,
                    null::timestamp as renamed_at, null as renamed_to
                from fixed
                union all
                select 'status', status, min(status_id)::varchar, status, null, null
                from hidden.workflow_status
                group by status
                union all
                select 'project', project_key, project_id::varchar, name, null, null
                from hidden.project
                union all
                select 'fix_version', version_id::varchar, version_id::varchar, name, null, null
                from hidden.version
                union all
                select
                    'assignee', person_id::varchar, account_id, display_name, renamed_at, renamed_to
                from jira_now.person
                union all
                select 'assignee', said.value, null, null, null, null
                from said
                anti join jira_now.person as person on person.person_id::varchar = said.value
                where said.field = 'assignee' and said.value is not null
                union all
                select
                    field.field,
                    i.issue_id::varchar,
                    case when field.field = 'parent' then i.issue_id::varchar else i.issue_key end,
                    field.before || i.issue_key,
                    keys.moved_at,
                    field.before || keys.moved_to
                from (values ('parent', ''), ('link', 'This issue blocks ')) as field(field, before)
                inner join said on said.field = field.field
                inner join hidden.issue as i on i.issue_id = try_cast(said.value as bigint)
                left join keys on keys.issue_id = i.issue_id
                union all
                select
                    'sprint', lists.value, lists.value,
                    string_agg(s.name, ', ' order by s.started_at, s.sprint_id), null, null
                from (
                    select value, unnest(regexp_split_to_array(value, '[, ]+')) as sprint_id
                    from said
                    where field = 'sprint' and value is not null
                ) as lists
                left join hidden.sprint as s on s.sprint_id = try_cast(lists.sprint_id as integer)
                group by lists.value
                union all
                select 'duedate', value, value, value || ' 00:00:00.0', null, null
                from said where field = 'duedate' and value is not null
                union all
                select field, value, '', value, null, null
                from said where field in ('labels', 'rank') and value is not null
                union all
                select 'story_points', value, null, format('{{:g}}', value::double), null, null
                from said where field = 'story_points' and value is not null
            )
        select
            named.field,
            named.value,
            coalesce(to_json(named.id)::varchar, 'null') as id,
            coalesce(to_json(named.name)::varchar, 'null') as name,
            named.renamed_at,
            to_json(named.renamed_to)::varchar as renamed_to
        from named
        semi join said on said.field = named.field and said.value = named.value
    """


def heads() -> str:
    """One row per field of the hidden state: how a changelog item about it begins."""
    rows = ",\n".join(
        f"({quoted(field)}, {quoted(_head(field))}, "
        f"{quoted('null' if told.is_null_when_empty else chr(34) * 2)})"
        for field, told in CHANGED_FIELDS.items()
    )
    return f"create table jira_now.head as select * from (values {rows}) as t(field, head, empty)"


def _head(field: str) -> str:
    told = CHANGED_FIELDS[field]
    field_id = f',"fieldId":"{told.field_id}"' if told.field_id else ""
    return f'{{"field":"{told.name}","fieldtype":"{told.fieldtype}"{field_id}'
