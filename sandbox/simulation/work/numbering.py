"""From notebook to ledger: ids and keys by time, and what a field held before.

What belongs here: everything that needs the whole of the work at once. What does not: what
happened (the other modules).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import Array, Events, Ints, Issues
from sandbox.simulation.work.words import FIELD, FIELDS, NOTHING, TYPES, WORDS

FIRST_ISSUE, FIRST_CHANGE, FIRST_WORKLOG, FIRST_COMMENT, FIRST_VERSION = (
    20_001, 100_001, 300_001, 400_001, 30_001,
)  # fmt: skip
KEY_FACTOR = 10_000_000
"""The code of an issue key: number of the project x this + number of the issue."""
WORD_FIELDS = ["status", "resolution", "priority", "issuetype", "rank", "description"]
_ISSUE_FIELDS = ("parent", "link")


@dataclass
class Ledger:
    """Issues and events in their final order."""

    issue_id: Ints
    key_number: Ints
    """Number within the project it was created in."""
    events: dict[str, Array]
    """Sorted by issue, field and time; no change leaves a value as it was."""


def settle(cast: Cast, issues: Issues, events: Events) -> Ledger:
    """Number issues, and find what each field held before."""
    found = events.all()
    order = np.lexsort((np.arange(issues.count), issues["created"]))
    issue_id = np.empty(issues.count, dtype=np.int64)
    issue_id[order] = FIRST_ISSUE + np.arange(issues.count)
    key_number, found = _keys(cast, issues, found)
    referring = np.isin(found["field"], [FIELD[name] for name in _ISSUE_FIELDS])
    referring &= found["value"] != NOTHING
    found["value"][referring] = issue_id[found["value"][referring]]
    person_ids = cast.work_time.person_ids
    assigned = (found["field"] == FIELD["assignee"]) & (found["value"] != NOTHING)
    found["value"][assigned] = person_ids[found["value"][assigned]]
    found["author"] = person_ids[found["author"]].astype(np.int32)
    place = found["issue"].astype(np.int64) * len(FIELDS) + found["field"]
    order = np.lexsort((found["author"], found["at"], place))
    found = {name: column[order] for name, column in found.items()}
    return Ledger(issue_id, key_number, _chained(cast, issues, issue_id, key_number, found))


def _keys(cast: Cast, issues: Issues, found: dict[str, Array]) -> tuple[Ints, dict[str, Array]]:
    """Numbers within projects in the order of arrival, by creation or by a move.

    A move is noted as a change of `project`; its new key is added beside it.
    """
    moves = np.flatnonzero(found["field"] == FIELD["project"])
    count = issues.count
    project = np.concatenate([project_number(cast, issues["team"]), found["value"][moves]])
    at = np.concatenate([issues["created"], found["at"][moves]])
    order = np.lexsort((np.arange(len(at)), at, project))
    arrived = project[order]
    first = np.flatnonzero(np.concatenate(([True], arrived[1:] != arrived[:-1])))
    sizes = np.diff(np.append(first, len(arrived)))
    number = np.empty(len(at), dtype=np.int64)
    number[order] = np.arange(len(at)) - first.repeat(sizes) + 1
    added = {name: column[moves] for name, column in found.items()}
    added["field"] = np.full(len(moves), FIELD["key"], dtype=np.int8)
    added["value"] = found["value"][moves] * KEY_FACTOR + number[count:]
    return number[:count], {
        name: np.concatenate([column, added[name]]) for name, column in found.items()
    }


def project_number(cast: Cast, team: Ints) -> Ints:
    """Numbers of projects: the teams' in their order, then the one of ideas."""
    return np.where(team == NOTHING, len(cast.teams), team).astype(np.int64)


def _initial(
    cast: Cast, issues: Issues, issue_id: Ints, key_number: Ints, field: int, issue: Ints
) -> Ints:
    """What a field held at creation."""
    name = FIELDS[field]
    project = project_number(cast, issues["team"][issue])
    if name == "status":
        return issues["status"][issue].astype(np.int64)
    if name == "assignee":
        person = issues["assignee"][issue]
        ids = cast.work_time.person_ids[np.maximum(person, 0)]
        return np.where(person == NOTHING, NOTHING, ids).astype(np.int64)
    if name == "parent":
        parent = issues["parent"][issue]
        return np.where(parent == NOTHING, NOTHING, issue_id[np.maximum(parent, 0)])
    if name == "project":
        return project
    if name == "key":
        return project * KEY_FACTOR + key_number[issue]
    if name == "issuetype":
        return len(WORDS) - len(TYPES) + issues["type"][issue].astype(np.int64)
    if name == "summary":
        return np.zeros(len(issue), dtype=np.int64)
    column = {
        "labels": "labels",
        "story_points": "points",
        "duedate": "due",
        "priority": "priority",
    }.get(name)
    if column is None:
        return np.full(len(issue), NOTHING, dtype=np.int64)
    return issues[column][issue].astype(np.int64)


def _chained(
    cast: Cast, issues: Issues, issue_id: Ints, key_number: Ints, found: dict[str, Array]
) -> dict[str, Array]:
    """Add `before`.

    Edits that change nothing are left out, and all but the last of one field in one edit.
    """
    issue, field, at, author = (found[name] for name in ("issue", "field", "at", "author"))
    same = (issue[1:] == issue[:-1]) & (field[1:] == field[:-1])
    twice = same & (at[1:] == at[:-1]) & (author[1:] == author[:-1])
    found = {name: column[~np.append(twice, False)] for name, column in found.items()}
    while True:
        issue, field, value = found["issue"], found["field"], found["value"]
        first = np.ones(len(issue), dtype=np.bool_)
        first[1:] = (issue[1:] != issue[:-1]) | (field[1:] != field[:-1])
        before = np.empty(len(issue), dtype=np.int64)
        before[1:] = value[:-1]
        for number in np.unique(field).tolist():
            rows = np.flatnonzero(first & (field == number))
            before[rows] = _initial(cast, issues, issue_id, key_number, number, issue[rows])
        found["before"] = before
        acts = np.isin(field, [FIELD["rank"], FIELD["link"]])
        kept = (before != value) | acts
        if kept.all():
            before[acts] = NOTHING
            return found
        found = {name: column[kept] for name, column in found.items()}
