"""A company whose few facts are written down one by one, for known answers of the truth.

Belongs here: filling the hidden tables by hand. Does not belong here: expectations.

Departments 1 (it), 2 (customer_facing) and 3 (business) stand alone; person n belongs to
department n from 2024 on. Work begins with issue 100 on 2024-07-01.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

import sandbox.world
from sandbox.spec import Spec
from sandbox.world import World

ISSUE_COLUMNS = """
    (issue_id, issue_key, project_key, issue_type, initiative_issue_id, is_leaf, created_at)
"""


class Hand:
    """Writes facts into hidden tables; times are UTC, at ten o'clock where a date is given."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("set global timezone = 'UTC'; set threads = 1")
        schema = Path(sandbox.world.__file__).with_name("hidden.sql")
        self.connection.execute(schema.read_text(encoding="utf-8"))
        self.connection.execute("""
            insert into hidden.location values ('HAM', 'Europe/Berlin', 'DE-HH');
            insert into hidden.department
            select
                col0, col1, null, col1, col0, true, date '2014-01-01', null
            from (values ('1', 'it'), ('2', 'customer_facing'), ('3', 'business'));
            insert into hidden.project (project_key, department_id) values ('1', '1');
            insert into hidden.person (person_id, kind)
            values (1, 'employee'), (2, 'employee'), (3, 'employee');
            insert into hidden.post
            select
                person_id, cast(person_id as varchar), 'HAM', 1.0, 1.0, date '2024-01-01', null
            from hidden.person;
            insert into hidden.objective
            values ('V1', null, 'Vision', 'visionary', null, null, 1, 1, '2024-01-01', null),
                ('O1', 'V1', 'Aim', 'operational', null, null, 1, 1, '2024-01-01', null);
        """)
        self._last_issue = 99
        self._changes = 0
        self.issue("Task", date(2024, 7, 1), {})

    def world(self) -> World:
        """The company as the truth takes it."""
        return World(Spec.of("tiny", profile="clean"), self.connection)

    def issue(
        self,
        kind: str,
        created: date,
        phases: dict[date, str],
        *,
        initiative: int | None = None,
        due: date | None = None,
        resolution: str | None = None,
    ) -> int:
        """An issue with its phases from given days on; created in phase approved."""
        self._last_issue += 1
        issue = self._last_issue
        owner = issue if kind == "Initiative" else initiative
        is_leaf = kind not in ("Initiative", "Idea")
        self._run(
            f"insert into hidden.issue {ISSUE_COLUMNS} values (?, ?, '1', ?, ?, ?, ?)",
            [issue, f"K-{issue}", kind, owner, is_leaf, _at(created)],
        )
        spans = {created: "approved"} | phases
        edges = sorted(spans)
        for number, since in enumerate(edges):
            until = _at(edges[number + 1]) if number + 1 < len(edges) else None
            self._run(
                "insert into hidden.phase_span values (?, ?, ?, ?, ?, ?)",
                [issue, number + 1, spans[since], spans[since], _at(since), until],
            )
        if resolution:
            self.change(issue, edges[-1], "resolution", None, resolution)
        if kind == "Initiative":
            if due:
                self._run("update hidden.issue set due_date = ? where issue_id = ?", [due, issue])
            self._run(
                """
                insert into hidden.initiative
                    (issue_id, owner_department_id, is_justified, p_delivered, p_on_time,
                    p_scope_met, p_outcome_met, planted_median_days, planted_spread)
                values (?, '1', false, .9, .8, .95, .5, 80, .4)
                """,
                [issue],
            )
        return issue

    def change(
        self, issue: int, on: date, field: str, before: str | None, after: str | None
    ) -> None:
        """A change of a field."""
        self._changes += 1
        self._run(
            "insert into hidden.change values (?, 0, ?, ?, 1, ?, ?, ?)",
            [self._changes, issue, _at(on), field, before, after],
        )

    def effort(
        self, person: int, issue: int, first: date, days: int, seconds: int = 28_800
    ) -> None:
        """Working days of a person for an issue, from the first one on, weekends left out."""
        day = first
        while days:
            if day.weekday() < 5:
                self._run(
                    "insert into hidden.effort values (?, ?, ?, ?)", [person, issue, day, seconds]
                )
                days -= 1
            day += timedelta(1)

    def serves(self, issue: int, objective: str, since: date) -> None:
        """An initiative serves an objective, alone."""
        self._run(
            "insert into hidden.initiative_objective values (?, ?, 1.0, ?, null)",
            [issue, objective, _at(since)],
        )

    def shared_initiative(
        self, phases: dict[date, str], *, due: date | None = None, kind: str = "Initiative"
    ) -> int:
        """Created 2025-01-06 with one task done on 2025-01-17; departments 1 and 2 gave five days
        each, in the first two weeks."""
        created = date(2025, 1, 6)
        issue = self.issue(kind, created, {date(2025, 1, 7): "in_progress"} | phases, due=due)
        task = self.issue("Task", created, {date(2025, 1, 17): "done"}, initiative=issue)
        self.effort(1, task, date(2025, 1, 7), 5)
        self.effort(2, task, date(2025, 1, 7), 5)
        return issue

    def _run(self, sql: str, values: list[object]) -> None:
        # A bound list would import pandas; one row of plain values does not.
        self.connection.execute(sql, values)


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10)
