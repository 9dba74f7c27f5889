"""From the ledger to hidden.issue, change, phase_span and assignee_span.

What belongs here: the texts behind codes, and the SQL that joins them. What does not: ids, keys
and values, which are settled before (`numbering`).
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import START
from sandbox.simulation.draws import keep
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import Array, Ints, Issues
from sandbox.simulation.work.numbering import (
    FIRST_CHANGE,
    KEY_FACTOR,
    WORD_FIELDS,
    Ledger,
    project_number,
)
from sandbox.simulation.work.words import (
    FIELD,
    FIELDS,
    NOTHING,
    PHASES,
    STEPS,
    TROUBLES,
    TYPES,
    VERBS,
    WORDS,
    WORKFLOWS,
    things,
)

CHUNK = 2_000_000
"""Changes written together: bounds the memory."""
_LABELS, _PROJECTS = 1_000_000, 2_000_000
"""Where labels and projects begin among all texts."""


def write_issues(
    connection: duckdb.DuckDBPyConnection,
    cast: Cast,
    issues: Issues,
    ledger: Ledger,
) -> None:
    """Fill hidden.issue."""
    ids = ledger.issue_id
    person_ids = cast.work_time.person_ids
    has_below = np.zeros(issues.count, dtype=np.bool_)
    has_below[issues["parent"][issues["parent"] != NOTHING]] = True
    adopted = ledger.events["field"] == FIELD["parent"]
    later = ledger.events["value"][adopted]
    has_below[np.isin(ids, later)] = True

    def referred(name: str, numbers: Ints) -> Ints:
        column = issues[name]
        return np.where(column == NOTHING, NOTHING, numbers[np.maximum(column, 0)])

    keep(
        connection,
        "issue",
        {
            "issue_id": ids,
            "project": project_number(cast, issues["team"]),
            "key_number": ledger.key_number,
            "type": issues["type"],
            "flow": issues["workflow"],
            "parent": referred("parent", ids),
            "initiative": referred("initiative", ids),
            "is_leaf": ~has_below,
            "verb": issues["verb"],
            "thing": issues["thing"] + 10 * np.maximum(issues["team"], 0),
            "priority_code": issues["priority"],
            "creator": referred("creator", person_ids),
            "assignee": referred("assignee", person_ids),
            "status_code": issues["status"],
            "due": issues["due"],
            "label_code": issues["labels"],
            "points": issues["points"],
            "created_at": issues["created"],
            "deleted_at": issues["deleted"],
            "expected_effort_days": issues["expected"],
        },
        _ISSUE_SQL,
    )


_ISSUE_SQL = f"""
    select
        given.issue_id, project.text || '-' || given.key_number as issue_key,
        project.text as project_key, type.text as issue_type, flow.text as workflow,
        nullif(given.parent, {NOTHING}) as parent_issue_id,
        nullif(given.initiative, {NOTHING}) as initiative_issue_id, given.is_leaf,
        case
            when opening.text like '%|%'
            then replace(opening.text, '|', thing.text)
            else opening.text
        end as summary,
        priority.text as priority, given.creator as creator_id,
        nullif(given.assignee, {NOTHING}) as assignee_id, status.text as status,
        case when given.due <> {NOTHING} then date '{START}' + given.due::integer end as due_date,
        coalesce(label.text, '') as labels,
        nullif(given.points, {NOTHING})::double as story_points, given.created_at,
        given.deleted_at, given.expected_effort_days
    from given
    inner join word_project as project on project.code = given.project
    inner join word_type as type on type.code = given.type
    inner join word_flow as flow on flow.code = given.flow
    inner join word as priority on priority.code = given.priority_code
    inner join word as status on status.code = given.status_code
    inner join word_opening as opening on opening.code = given.verb
    left join word_thing as thing on thing.code = given.thing
    left join word_label as label on label.code = given.label_code
    order by given.issue_id
"""


def dictionaries(
    connection: duckdb.DuckDBPyConnection, cast: Cast, products: list[str], labels: list[str]
) -> None:
    """Temporary tables from codes to texts."""
    openings = {number: f"{verb} |" for number, verb in enumerate(VERBS)}
    openings |= {20 + number: f"{step} |" for number, step in enumerate(STEPS)}
    openings |= {40 + number: f"The | {trouble}" for number, trouble in enumerate(TROUBLES)}
    openings[50] = "Maintain |"
    openings |= {60 + number: f"Part {number + 1} of |" for number in range(3)}
    openings |= {100 + number: name for number, name in enumerate(products)}
    all_things = {}
    for number, team in enumerate(cast.teams):
        for place, thing in enumerate(things(team.project_key, team.workflow)):
            all_things[number * 10 + place] = thing
    for number, verb in enumerate(VERBS):
        openings[1000 + number] = f"What if we could {verb.lower()} the |?"
    projects = [team.project_key for team in cast.teams] + ["IDEA"]
    tables = {
        "word": dict(enumerate(WORDS)),
        "word_project": dict(enumerate(projects)),
        "word_type": dict(enumerate(TYPES)),
        "word_flow": dict(enumerate(WORKFLOWS)),
        "word_phase": dict(enumerate(PHASES)),
        "word_field": dict(enumerate(FIELDS)),
        "word_label": dict(enumerate(labels)),
        "word_any": dict(enumerate(WORDS))
        | {_LABELS + number: label for number, label in enumerate(labels)}
        | {_PROJECTS + number: key for number, key in enumerate(projects)},
        "word_opening": openings,
        "word_thing": all_things,
    }
    for name, texts in tables.items():
        connection.register(
            "dictionary",
            {
                "code": np.array(list(texts), dtype=np.int64),
                "text": np.array(list(texts.values()), dtype=str),
            },
        )
        connection.execute(
            f"create or replace temp table {name} as select code, text from dictionary"
        )
        connection.unregister("dictionary")


def write_changes(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Fill hidden.change: one id per issue, moment and author, in the order of time."""
    events = ledger.events
    order = np.lexsort((events["field"], events["author"], events["issue"], events["at"]))
    change_id = FIRST_CHANGE
    low = 0
    while low < len(order):
        rows = _whole_edits(events, order, low)
        change_id = _write_edits(connection, ledger, rows, change_id)
        low += len(rows)


def _whole_edits(events: dict[str, Array], order: Ints, low: int) -> Ints:
    """About CHUNK events from `low` on, up to the end of an edit."""
    high = min(low + CHUNK, len(order))
    while high < len(order) and events["at"][order[high]] == events["at"][order[high - 1]]:
        high += 1
    return order[low:high]


def _write_edits(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, rows: Ints, change_id: int
) -> int:
    """Write some events, and say which id the next edit has."""
    events = {name: column[rows] for name, column in ledger.events.items()}
    issue, at, author, field = (events[name] for name in ("issue", "at", "author", "field"))
    opens = np.ones(len(rows), dtype=np.bool_)
    opens[1:] = (at[1:] != at[:-1]) | (author[1:] != author[:-1]) | (issue[1:] != issue[:-1])
    edit = np.cumsum(opens) - 1
    issue_id = ledger.issue_id[issue]
    columns = {
        "change_id": change_id + edit,
        "item_index": np.arange(len(rows)) - np.flatnonzero(opens)[edit],
        "issue_id": issue_id,
        "changed_at": at,
        "author_id": author,
        "field_code": field,
        "titled_issue": np.where(field == FIELD["summary"], issue_id, NOTHING),
    }
    for name in ("before", "value"):
        columns[f"{name}_text"], columns[f"{name}_number"] = _told(field, events[name])
    keep(connection, "change", columns, _CHANGE_SQL)
    return change_id + int(edit[-1]) + 1


def _told(field: Array, codes: Ints) -> tuple[Ints, Ints]:
    """Code of the text in word_any and number beside it; NOTHING for what is not told."""
    fields = {name: field == number for name, number in FIELD.items()}
    is_word = np.logical_or.reduce([fields[name] for name in WORD_FIELDS])
    text = np.where(is_word, codes, NOTHING)
    text = np.where(fields["labels"], _LABELS + codes, text)
    text = np.where(fields["project"], _PROJECTS + codes, text)
    text = np.where(fields["key"], _PROJECTS + codes // KEY_FACTOR, text)
    has_number = ~(is_word | fields["labels"] | fields["project"])
    number = np.where(fields["key"], codes % KEY_FACTOR, codes)
    empty = codes == NOTHING
    return np.where(empty, NOTHING, text), np.where(has_number & ~empty, number, NOTHING)


def _value_sql(column: str) -> str:
    """The text of a value of any field; null where it is empty."""
    number = f"nullif(given.{column}_number, {NOTHING})"
    return f"""
        case word_field.text
            when 'duedate' then (date '{START}' + ({number})::integer)::varchar
            when 'summary'
            then titled.summary || case
                when {number} > 0 then ' (' || {number} || ')' else ''
            end
            when 'key' then {column}_word.text || '-' || {number}
            else coalesce({column}_word.text, ({number})::varchar)
        end
    """


def write_spans(connection: duckdb.DuckDBPyConnection, issues: Issues, ledger: Ledger) -> None:
    """Fill hidden.phase_span from the phases that were planned, and hidden.assignee_span."""
    events = ledger.events
    status = events["field"] == FIELD["status"]
    connection.register(
        "entered",
        {
            "issue_id": np.concatenate([ledger.issue_id, ledger.issue_id[events["issue"][status]]]),
            "at_time": np.concatenate([issues["created"], events["at"][status]]),
            "number": np.concatenate(
                [np.zeros(issues.count, dtype=np.int64), 1 + np.flatnonzero(status)]
            ),
            "phase": np.concatenate([issues["phase"], events["phase"][status]]),
            "status": np.concatenate([issues["status"], events["value"][status]]),
        },
    )
    connection.execute("""
        insert into hidden.phase_span by name
        select
            entered.issue_id,
            (row_number() over spans)::integer as span_number,
            word_phase.text as phase, word.text as status, entered.at_time as from_at,
            lead(entered.at_time) over spans as to_at
        from entered
        inner join word_phase on word_phase.code = entered.phase
        inner join word on word.code = entered.status
        window spans as (partition by entered.issue_id order by entered.at_time, entered.number)
        order by entered.issue_id, span_number
    """)
    connection.unregister("entered")
    connection.execute("""
        insert into hidden.assignee_span by name
        with
            held as (
                select issue_id, assignee_id as person_id, created_at as from_at, 0 as change_id
                from hidden.issue
                union all
                select issue_id, to_value::integer, changed_at, change_id
                from hidden.change
                where field = 'assignee'
            ),
            spans as (
                select
                    issue_id, person_id, from_at,
                    lead(from_at) over (partition by issue_id order by from_at, change_id) as to_at
                from held
            )
        select issue_id, person_id, from_at, to_at
        from spans
        where person_id is not null
        order by issue_id, from_at
    """)


_CHANGE_SQL = f"""
    select
        change_id, item_index, given.issue_id, changed_at, author_id, word_field.text as field,
        {_value_sql("before")} as from_value, {_value_sql("value")} as to_value
    from given
    inner join word_field on word_field.code = given.field_code
    left join word_any as before_word on before_word.code = given.before_text
    left join word_any as value_word on value_word.code = given.value_text
    left join hidden.issue as titled on titled.issue_id = given.titled_issue
    order by change_id, item_index
"""
