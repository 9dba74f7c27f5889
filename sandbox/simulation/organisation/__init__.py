"""The organisation: sites, the department tree with its dated changes, projects, objectives.

What belongs here: everything that governed seeds may name, so nothing depends on the random
seed. What does not: the people (`people`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from sandbox.calendars import HOLIDAYS, LOCATIONS
from sandbox.simulation.organisation.departments import TIMESHEETS, Department, departments
from sandbox.spec import Effects, Spec

IDEA_PROJECT = "IDEA"
FIRST_PROJECT_ID = 10_000
SINCE = "2014-01-01"

_CATEGORIES = {
    "new": "Idea|New|Under Review|To Do|Open|Approved|Accepted",
    "indeterminate": "In Progress|In Development|In Review|Blocked|Waiting for Customer",
    "done": "Done|Resolved|Released|Launched|Cancelled|Rejected",
}
STATUSES = {
    name: (10_200 + 20 * block + number, category)
    for block, (category, names) in enumerate(_CATEGORIES.items())
    for number, name in enumerate(names.split("|"))
}
"""Status -> (Jira's id, Jira's category). A status is one thing everywhere; its phase is not."""

WORKFLOWS = {
    "software": "To Do: approved|In Progress: in_progress|Blocked: waiting"
    "|In Review: in_progress|Done: done",
    # Here a review means that a supplier looks at the part, and everybody waits.
    "hardware": "To Do: approved|In Progress: in_progress|Blocked: waiting"
    "|In Review: waiting|Done: done",
    "service": "Open: approved|In Progress: in_progress|Waiting for Customer: waiting"
    "|Resolved: done",
    "business": "To Do: approved|In Progress: in_progress|Blocked: waiting|Done: done",
    "initiative": "Idea: idea|Approved: approved|In Progress: in_progress|Blocked: waiting"
    "|Done: done|Released: released|Cancelled: cancelled",
    "idea": "New: idea|Under Review: idea|Accepted: approved|In Development: in_progress"
    "|Launched: released|Rejected: cancelled",
}

_OBJECTIVES = """
V1||Every coast reads its water in real time|visionary|Managing Director|living-coast
S1|V1|A second revenue leg from data subscriptions|strategic|Technology|data-subscriptions
S2|V1|Instruments that calibrate themselves|strategic|Operations|self-calibration
O1|S1|One dependable platform for all measurements|operational|Technology|dependable-platform
O2|S2|Customers get help in one conversation|operational|Customers|one-conversation
O3|S2|Orders leave the house within five days|operational|Operations|five-day-orders
"""
_WEIGHTS = {
    "V1": (0.20, 0.20),
    "S1": (0.15, 0.25),
    "S2": (0.20, 0.20),
    "O1": (0.15, 0.15),
    "O2": (0.15, 0.15),
    "O3": (0.15, 0.05),
}
"""Before and after the board changed the priorities."""
_PULLS = {
    "S1": (0.14, 0.32),
    "S2": (0.17, 0.17),
    "O1": (0.16, 0.12),
    "O2": (0.14, 0.12),
    "O3": (0.14, 0.04),
}
"""Relative to each other, beside Effects.visionary_pull for the vision itself."""
OBJECTIVES_SINCE = "2024-01-01"
WEIGHTS_CHANGED = "2025-07-01"
PULLS_CHANGED = "2025-08-01"
"""New initiatives follow the new priorities a month later."""


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill location, holiday, department, project, workflow_status, objective."""
    found = departments(spec.size)
    _insert(
        connection,
        "location",
        ((place.location_id, str(place.zone), place.calendar_id) for place in LOCATIONS.values()),
    )
    _insert(
        connection,
        "holiday",
        (
            (calendar, day.isoformat(), name)
            for calendar, days in HOLIDAYS.items()
            for day, name in sorted(days.items())
        ),
    )
    _insert(connection, "department", _department_rows(found, spec.profile.logging_teams))
    _insert(connection, "project", _project_rows(found))
    _insert(
        connection,
        "workflow_status",
        (
            (workflow, status, STATUSES[status][0], phase, STATUSES[status][1], None)
            for workflow, steps in WORKFLOWS.items()
            for status, phase in (step.split(": ") for step in steps.split("|"))
        ),
    )
    _insert(connection, "objective", _objective_rows(spec.effects))


def _department_rows(found: Sequence[Department], logging_teams: float) -> Iterable[Any]:
    """One row per department and version; only teams may book their time."""
    teams = [unit for unit in found if unit.project_key]
    first = [unit for unit in teams if unit.project_key in TIMESHEETS]
    rest = sorted(
        (unit for unit in teams if unit.project_key not in TIMESHEETS),
        key=lambda unit: (unit.is_old, int(unit.department_id) * 7_919 % 1_009),
    )
    logging = {unit.department_id for unit in [*first, *rest][: round(logging_teams * len(teams))]}
    for unit in found:
        for version in unit.versions:
            yield (
                unit.department_id,
                version.name,
                version.parent_id,
                unit.function,
                unit.project_key,
                unit.department_id in logging,
                version.valid_from or SINCE,
                version.valid_to,
            )


def _project_rows(found: Sequence[Department]) -> Iterable[Any]:
    """A project a team, and one for everybody's ideas."""
    teams = [unit for unit in found if unit.project_key]
    for number, team in enumerate(teams):
        yield (
            team.project_key,
            FIRST_PROJECT_ID + number,
            team.versions[0].name,
            team.department_id,
            team.workflow,
            "2018-03-01 08:00:00",
        )
    last = FIRST_PROJECT_ID + len(teams)
    yield (IDEA_PROJECT, last, "Ideas of everybody", None, "idea", "2018-03-01 08:00:00")


def _objective_rows(effects: Effects) -> Iterable[Any]:
    """Versions by weight and by pull: what the board says, and what initiatives follow."""
    others = [sum(pulls[later] for pulls in _PULLS.values()) for later in (0, 1)]
    spans = (
        (OBJECTIVES_SINCE, WEIGHTS_CHANGED, 0, 0),
        (WEIGHTS_CHANGED, PULLS_CHANGED, 1, 0),
        (PULLS_CHANGED, None, 1, 1),
    )
    for line in _OBJECTIVES.strip().splitlines():
        objective, parent, name, horizon, owner, label = line.split("|")
        leader = owner if owner == "Managing Director" else f"Head of {owner}"
        for begins, ends, weighed, pulled in spans:
            pull = effects.visionary_pull
            if objective in _PULLS:
                pull = (1 - pull) * _PULLS[objective][pulled] / others[pulled]
            weight = _WEIGHTS[objective][weighed]
            parts = (objective, parent or None, name, horizon, leader, f"obj-{label}")
            yield (*parts, weight, pull, begins, ends)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Any]) -> None:
    """A few rows of constants."""
    connection.execute(f"insert into hidden.{table} values " + ", ".join(map(_row, rows)))


def _row(values: Iterable[Any]) -> str:
    return "(" + ", ".join(map(_literal, values)) + ")"


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
