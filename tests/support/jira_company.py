"""A small company made by hand, in whose Jira everything happens that can happen.

Belongs here: hidden rows that are rare in a simulated company: moves, deletions, people without
an account, renamed ones, versions that replace each other, sprints that follow each other, very
long histories, many worklogs at one instant. Expectations belong to the tests.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from sandbox.spec import Spec
from sandbox.world import World

BEGINS = datetime(2025, 1, 6)
"""The first issue is created on this day; all is quiet from 2025-03-20 on (UTC)."""
ISSUES = 120
FIRST_ISSUE = 20_001
BUSY = 20_006
"""This issue has 41 histories and more: `BUSY_HISTORIES`."""
BUSY_HISTORIES = 57
ENDLESS = 20_007
"""This one has thousands, within a day."""
ENDLESS_HISTORIES = 2_345
BOOKED = 20_009
"""1,503 worklogs are booked on this one at the same instant, 1,400 more over a day."""
SAME_INSTANT, OVER_A_DAY = 1_503, 1_400
NOBODY = 1_009
"""A person without an account."""
RENAMED = 1_003

_DDL = Path(__file__).parents[2] / "sandbox" / "hidden.sql"


def company() -> World:
    """The company; whoever changes its rows gets a new one by calling this again."""
    connection = duckdb.connect()
    connection.execute("set global timezone = 'UTC'")
    connection.execute(_DDL.read_text(encoding="utf-8"))
    for statement in (*_PEOPLE, *_PLACES, _ISSUES, *_CHANGES, *_NOTES):
        connection.execute(statement)
    return World(Spec.of("tiny"), connection)


_PEOPLE = (
    """
    insert into hidden.location
    values ('HAM', 'Europe/Berlin', 'DE-HH'), ('SIN', 'Asia/Singapore', 'SG')
    """,
    """
    insert into hidden.post
    select 1001 + range, '11', if(range % 4 = 3, 'SIN', 'HAM'), 1.0, 1.0, date '2020-01-01', null
    from range(12)
    """,
    f"""
    insert into hidden.account
    select
        'jira', '712020:' || (1001 + range), 1001 + range, 'Ann "A" No. ' || range,
        'ann' || range || '@tidewater.example.com', range % 5 <> 4,
        if(range = 11, 'app', 'atlassian'),
        if(range = 10, timestamp '2025-01-20 08:00:00', timestamp '2020-01-01'),
        if(range = 5, timestamp '2025-01-25 08:00:00', null),
        if(range = {RENAMED - 1001}, timestamp '2025-01-22 08:00:00', null),
        if(range = {RENAMED - 1001}, 'Ann Married', null)
    from range(12)
    where range <> {NOBODY - 1001}
    """,
)
_PLACES = (
    """
    insert into hidden.workflow_status values
        ('software', 'To Do', 10200, 'approved', 'new', null),
        ('software', 'In Progress', 10220, 'in_progress', 'indeterminate', null),
        ('software', 'Done', 10240, 'done', 'done', null),
        ('hardware', 'To Do', 10200, 'approved', 'new', null),
        ('software', 'Parked', 10207, 'waiting', 'new', timestamp '2025-02-01')
    """,
    """
    insert into hidden.project
    select key, 10000 + number, 'The ' || key, '11', kind, timestamp '2014-01-01'
    from (values ('PLAT', 0, 'software'), ('SOFT', 1, 'software'), ('CARE', 2, 'service'))
        as t(key, number, kind)
    """,
    """
    insert into hidden.version
    select
        30001 + range, 'PLAT', 'v' || range, date '2025-01-01' + range::integer,
        timestamp '2025-01-15 23:30:00' + to_days(range::integer * 3)
    from range(12)
    """,
    """
    insert into hidden.sprint
    select
        501 + range, 1, 'PLAT', 'Sprint ' || (range + 1),
        timestamp '2025-01-06 07:00:00' + to_days(range::integer * 14),
        timestamp '2025-01-20 07:00:00' + to_days(range::integer * 14),
        timestamp '2025-01-20 09:00:00' + to_days(range::integer * 14)
    from range(6)
    """,
)
_ISSUES = f"""
    insert into hidden.issue
    select
        {FIRST_ISSUE} + range,
        ['PLAT', 'SOFT', 'CARE'][1 + range % 3] || '-' || (range // 3 + 1),
        ['PLAT', 'SOFT', 'CARE'][1 + range % 3], ['Story', 'Task', 'Bug'][1 + range % 3],
        'software', if(range % 4 = 3, {FIRST_ISSUE} + range - 3, null), null, true,
        'Mend "gauge" \\ No. ' || range, 'Medium', 1001 + range % 12,
        if(range % 5 = 0, 1001 + range * 7 % 12, null), 'To Do',
        if(range % 6 = 0, date '2025-06-01', null), if(range % 2 = 0, 'a b', ''),
        if(range % 3 = 0, 5.0, null),
        timestamp '{BEGINS}' + to_seconds(range * 16000),
        if(range % 20 = 19, timestamp '{BEGINS}' + to_seconds(range * 16000 + 1500000), null), 1.0
    from range({ISSUES})
"""
_ITEM = "select issue_id, {edit}, {item}, '{field}', ({was})::varchar, ({becomes})::varchar from i"


def _edits() -> str:
    """Edits of every issue in their order, two days apart: (issue, edit, item, field, from, to)."""
    version, assignee = "30001 + issue_id % 9", "1001 + issue_id * 5 % 12"
    moved = "issue_id % 10 = 4"
    new_key = "'SOFT-' || (1000 + issue_id)"
    table = (
        (0, 0, "assignee", "assignee_id", assignee, f"assignee_id is distinct from {assignee}"),
        (1, 0, "status", "'To Do'", "'In Progress'", "true"),
        (1, 1, "sprint", "null", "'501'", "project_key = 'PLAT'"),
        (2, 0, "labels", "nullif(labels, '')", "'a b c'", "true"),
        (3, 0, "duedate", "due_date", "date '2025-07-04'", "true"),
        (4, 0, "fix_version", "null", version, "project_key = 'PLAT'"),
        (5, 0, "fix_version", version, f"{version} + 1", "project_key = 'PLAT'"),
        (6, 0, "project", "project_key", "'SOFT'", f"{moved} and project_key <> 'SOFT'"),
        (6, 1, "key", "issue_key", new_key, f"{moved} and project_key <> 'SOFT'"),
        (6, 0, "priority", "'Medium'", "'High'", f"not ({moved})"),
        (7, 0, "status", "'In Progress'", "'Done'", "true"),
        (7, 1, "resolution", "null", "'Won''t Do'", "true"),
        (8, 0, "status", "'Done'", "'Parked'", "issue_id % 3 = 0"),
        (8, 1, "resolution", "'Won''t Do'", "null", "issue_id % 3 = 0"),
        (9, 0, "sprint", "'501'", "'501, 502'", "project_key = 'PLAT'"),
        (9, 0, "story_points", "story_points", "8.0", "project_key <> 'PLAT'"),
        (10, 0, "rank", "null", "'Ranked higher'", "issue_id % 2 = 0"),
        (10, 0, "link", "null", "issue_id - 1", "issue_id % 8 = 7"),
        (10, 0, "summary", "summary", "summary || ' (again)'", "issue_id % 8 = 5"),
        (10, 0, "description", "null", "'It \"drips\".'", "issue_id % 8 = 3"),
        (
            10,
            0,
            "parent",
            "parent_issue_id",
            "issue_id - 2",
            "issue_id % 8 = 1 and issue_id > 20003",
        ),
        (11, 0, "assignee", assignee, str(NOBODY), f"{assignee} <> {NOBODY} and issue_id % 4 = 1"),
        (12, 0, "labels", "'a b c'", "null", "issue_id % 7 = 2"),
    )
    return " union all ".join(
        _ITEM.format(edit=edit, item=item, field=field, was=was, becomes=becomes)
        + f" where {where}"
        for edit, item, field, was, becomes, where in table
    )


_EDITS_OF = "select count(distinct edit) from edits where issue_id = {}"
_CHANGES = (
    f"""
    create temp table edit as
    with
        i as (select * from hidden.issue),
        edits(issue_id, edit, item_index, field, from_value, to_value) as ({_edits()})
    select
        edits.*,
        i.created_at + to_seconds(edit * 172800 + edits.issue_id * 7919 % 80000) as changed_at
    from edits
    inner join i using (issue_id)
    union all
    select
        {BUSY}, 100 + range, 0, 'story_points', if(range = 0, '8.0', (range * 1.0)::varchar),
        (range + 1.0)::varchar, timestamp '2025-03-10 10:00:00' + to_minutes(range)
    from range({BUSY_HISTORIES} - ({_EDITS_OF.format(BUSY)}))
    union all
    select
        {ENDLESS}, 100 + range, 0, 'rank', null, 'Ranked ' || if(range % 2 = 0, 'higher', 'lower'),
        timestamp '2025-03-11 10:00:00' + to_seconds(range * 20)
    from range({ENDLESS_HISTORIES} - ({_EDITS_OF.format(ENDLESS)}))
    """,
    """
    insert into hidden.change
    select
        100000 + dense_rank() over (order by changed_at, issue_id, edit), item_index, issue_id,
        changed_at, 1001 + issue_id * (edit + 3) % 12, field, from_value, to_value
    from edit
    order by changed_at, issue_id, edit, item_index
    """,
    "drop table edit",
)
_NOTES = (
    f"""
    insert into hidden.worklog
    with notes as (
        select
            issue_id, n, 1001 + issue_id * (n + 1) % 8 as person_id,
            created_at + to_seconds(n * 90000 + 40000) as logged_at,
            if(n = 2 and issue_id % 9 = 0, created_at + to_seconds(900000), null) as deleted_at
        from hidden.issue, (select range as n from range(4))
        union all
        select {BOOKED}, 10 + range, 1001 + range % 8, timestamp '2025-03-12 17:00:00', null
        from range({SAME_INSTANT})
        union all
        select
            {BOOKED}, 9000 + range, 1001 + range % 8,
            timestamp '2025-03-13 08:00:00' + to_seconds(range * 30), null
        from range({OVER_A_DAY})
    )
    select
        300000 + row_number() over (order by logged_at, issue_id, n), issue_id, person_id,
        logged_at - interval 2 hour, logged_at, 3600 + n % 7 * 900, deleted_at
    from notes
    order by logged_at, issue_id, n
    """,
    """
    insert into hidden.comment
    select
        400000 + row_number() over (order by written_at, issue_id), issue_id, 1001 + issue_id % 8,
        written_at
    from (
        select issue_id, created_at + to_seconds(n * 200000 + 50000) as written_at
        from hidden.issue, (select range as n from range(2))
        where issue_id % 2 = 0
    )
    order by written_at, issue_id
    """,
)
