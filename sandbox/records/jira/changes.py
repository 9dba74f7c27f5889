"""Jira's changelog.

What belongs here: histories and their items, with Jira's habits for each field. What does not:
what a value is called (`state` prepares that), and how many histories an answer holds.
"""

from __future__ import annotations

from sandbox.records.jira.catalogue import CHANGED_FIELDS
from sandbox.records.jira.wire import Wire
from sandbox.records.json_text import json_list, json_object, plain


def histories(wire: Wire, where: str, created: str = "") -> str:
    """SQL of histories: (issue_id, change_id, changed_at, record).

    `where` chooses rows of hidden.change as `c`; `created` is SQL of the JSON text of its time,
    over `changed_at`, where it shall not be Jira's stamp. An edit without a known author has none,
    and what happens between people whom Jira does not know is not told.
    """
    author = 'person."full"' if wire.is_full else "person.brief"
    record = json_object(
        {
            "id": plain("change_id::varchar"),
            "created": created or plain(wire.stamp("changed_at")),
            "items": "items",
        },
        {"author": author},
    )
    return f"""
        select issue_id, change_id, changed_at, {record} as record
        from (
            select
                c.issue_id,
                c.change_id,
                any_value(c.changed_at) as changed_at,
                any_value(c.author_id) as author_id,
                {json_list(_item(), "c.item_index")} as items
            from hidden.change as c
            inner join jira_now.head as head on head.field = c.field
            left join jira_now.word as was on was.field = c.field and was.value = c.from_value
            left join jira_now.word as becomes
                on becomes.field = c.field and becomes.value = c.to_value
            where c.changed_at < (select now from jira_now.setting) and ({where})
                and (
                    c.field <> 'assignee'
                    or coalesce(was.name, 'null') <> 'null'
                    or coalesce(becomes.name, 'null') <> 'null'
                )
            group by c.issue_id, c.change_id
        ) as edits
        left join jira_now.person as person on person.person_id = edits.author_id
    """


def _item() -> str:
    """JSON text of an item; of two where one version replaces another, as Jira tells it."""
    was_id, was_text = _told("was", "c.from_value")
    new_id, new_text = _told("becomes", "c.to_value")
    removed = f"""concat(head.head, ',"from":', {was_id}, ',"fromString":', {was_text}"""
    added = f"""',"to":', {new_id}, ',"toString":', {new_text}, '}}')"""
    replaced = f"""{removed}, ',"to":null,"toString":null}},', head.head, """
    replaced += f"""',"from":null,"fromString":null', {added}"""
    return f"""
        case
            when c.field = 'fix_version' and c.from_value is not null and c.to_value is not null
            then {replaced}
            else {removed}, {added}
        end
    """


def _told(word: str, value: str) -> tuple[str, str]:
    """SQL of (id, text) of a value as JSON texts. Names are those of the time of the change."""
    empty = f"case when {value} is null then head.empty else to_json({value})::varchar end"
    name = (
        f"case when c.changed_at >= {word}.renamed_at then {word}.renamed_to else {word}.name end"
    )
    return f"coalesce({word}.id, head.empty)", f"coalesce({name}, {empty})"


def hidden_fields(field_ids: list[str]) -> list[str]:
    """Fields of hidden.change that Jira names by these field ids."""
    return [
        field
        for field, told in CHANGED_FIELDS.items()
        if (told.field_id or told.name).lower() in {given.lower() for given in field_ids}
    ]
