"""Who may do and lead what: the people of the departments as the planning of work sees them.

What belongs here: choosing people for many issues at once. What does not: what they then do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, HORIZON, START
from sandbox.simulation.draws import random_stream
from sandbox.simulation.work.words import WORKFLOW
from sandbox.simulation.worktime import DAYS, WorkTime
from sandbox.spec import Effects, Spec

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.datetime64]

TRIES = 24
"""How often somebody at work is looked for before the lead does it."""
CHOOSY = 8
"""So many tries for somebody without a task, then with one, and so on."""
BATCHES = 12
"""Tasks given out at once do not see each other."""
MONTH = 30
_SPAN = 100_000
_SIMULATED = (END - START).days


@dataclass(frozen=True)
class Team:
    """A department with a project."""

    department_id: str
    project_key: str
    function: str
    workflow: str


@dataclass
class Cast:
    """Teams (referred to by their place in `teams`) and their people (rows of WorkTime)."""

    teams: list[Team]
    since: Ints
    until: Ints
    """Day offsets between which a team exists."""
    workflow: Ints
    is_it: Flags
    work_time: WorkTime
    effects: Effects
    rng: np.random.Generator
    desk: int
    """The shared mailbox (-1: none)."""
    admin: int
    """Who administers Jira: somebody who stays."""
    _post: dict[str, Ints]
    _steady: dict[str, Ints]
    _load: npt.NDArray[np.int16]
    """Tasks planned so far, by person and month."""

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, spec: Spec, work_time: WorkTime) -> Cast:
        """The cast of the hidden departments and posts."""
        rows = connection.sql(f"""
            select
                department.department_id, any_value(department.project_key),
                arg_max(department.function, department.valid_from),
                any_value(project.workflow), min(department.valid_from) - date '{START}',
                max(coalesce(department.valid_to, date '{HORIZON}')) - date '{START}'
            from hidden.department
            inner join hidden.project on project.project_key = department.project_key
            group by department.department_id
            order by department.department_id
        """).fetchall()
        teams = [Team(*row[:4]) for row in rows]
        posts = _posts(connection, [team.department_id for team in teams], work_time)
        stays = posts["last"] >= (HORIZON - START).days
        order = np.lexsort((posts["person"], posts["first"], posts["team"]))
        steady = {name: column[order][stays[order]] for name, column in posts.items()}
        desks = connection.sql(
            "select person_id from hidden.person where kind = 'mailbox' order by person_id"
        ).fetchnumpy()["person_id"]
        return cls(
            teams,
            np.array([row[4] for row in rows]),
            np.array([row[5] for row in rows]),
            np.array([WORKFLOW[team.workflow] for team in teams]),
            np.array([team.function == "it" for team in teams]),
            work_time,
            spec.effects,
            random_stream(spec, "work"),
            int(work_time.index_of(desks)[0]) if len(desks) else -1,
            int(steady["person"][0]),
            posts,
            steady,
            np.zeros((len(work_time.person_ids), DAYS // MONTH + 1), dtype=np.int16),
        )

    @property
    def first_teams(self) -> list[str]:
        """Departments with a project on START, by id."""
        return [
            team.department_id
            for team, since, until in zip(self.teams, self.since, self.until, strict=True)
            if since <= 0 < until
        ]

    def person_days(self) -> Floats:
        """Days at work of the people of each team, START to END."""
        first = np.clip(self._post["first"], 0, _SIMULATED)
        last = np.clip(self._post["last"], 0, _SIMULATED)
        days = self.work_time.work_days(self._post["person"], first, last)
        counted = np.zeros(len(self.teams))
        np.add.at(counted, self._post["team"], days)
        return counted

    def draw_team(self, weights: Floats, day: Ints) -> Ints:
        """A team a day, by weight, of those that exist then."""
        return self._drawn(weights, day, lambda drawn, rows: np.ones(len(drawn), dtype=np.bool_))

    def draw_partner(self, team: Ints, day: Ints) -> Ints:
        """Another team each.

        IT and the rest of the house meet three times as often as two teams of one kind.
        """

        def accepted(drawn: Ints, rows: Ints) -> Flags:
            near = self.is_it[drawn] == self.is_it[team[rows]]
            return np.asarray(
                (drawn != team[rows]) & (~near | (self.rng.random(len(drawn)) < 1 / 3))
            )

        return self._drawn(np.ones(len(self.teams)), day, accepted)

    def lead(self, team: Ints, day: Ints) -> Ints:
        """Somebody of the team on the day who stays for good.

        Where there is nobody yet, the one who serves longest.
        """
        begins = np.searchsorted(self._steady["team"], team)
        reached = np.searchsorted(
            self._steady["team"] * _SPAN + self._steady["first"], team * _SPAN + day, side="right"
        )
        number = begins + (self.rng.random(len(team)) * (reached - begins)).astype(np.int64)
        ends = np.searchsorted(self._steady["team"], team, side="right")
        number = np.where(ends > begins, number, 0)
        return self._steady["person"][np.minimum(number, len(self._steady["person"]) - 1)]

    def worker(self, team: Ints, when: Moments, lead: Ints, days: Floats | None = None) -> Ints:
        """Somebody of the team who is at work at that time; the lead where nobody is found.

        Given how many `days` at work it will take, whoever has nothing else to do comes first.
        """
        if days is None:
            return self._found(team, when, lead)
        found = lead.astype(np.int64).copy()
        begins = np.clip(self._day(when), 0, DAYS - 1) // MONTH
        months = np.ceil(days * 1.45 / MONTH).astype(np.int64)
        order = np.argsort(begins, kind="stable")
        for batch in np.array_split(order, min(BATCHES, max(len(order), 1))):
            found[batch] = self._found(team[batch], when[batch], lead[batch], begins[batch])
            for month in range(int(months[batch].max(initial=0))):
                rows = batch[months[batch] > month]
                at = np.minimum(begins[rows] + month, self._load.shape[1] - 1)
                np.add.at(self._load, (found[rows], at), 1)
        return found

    def _found(self, team: Ints, when: Moments, lead: Ints, month: Ints | None = None) -> Ints:
        begins = np.searchsorted(self._post["team"], team)
        sizes = np.searchsorted(self._post["team"], team, side="right") - begins
        found = lead.astype(np.int64).copy()
        day = self._day(when)
        open_ = np.flatnonzero(sizes > 0)
        for attempt in range(TRIES):
            if len(open_) == 0:
                break
            number = begins[open_] + (self.rng.random(len(open_)) * sizes[open_]).astype(np.int64)
            person, on = self._post["person"][number], day[open_]
            held = (self._post["first"][number] <= on) & (on < self._post["last"][number])
            held &= self.work_time.is_at_work(person, on)
            if month is not None:
                held &= self._load[person, month[open_]] <= attempt // CHOOSY
            found[open_[held]] = person[held]
            open_ = open_[~held]
        return found

    @staticmethod
    def _day(when: Moments) -> Ints:
        return (when.astype("datetime64[D]") - np.datetime64(START)).astype(np.int64)

    def _drawn(self, chances: Floats, day: Ints, accepted: Callable[[Ints, Ints], Flags]) -> Ints:
        """A team each by rejection: one that exists on the day and is accepted."""
        cumulated = np.cumsum(chances)
        found = np.zeros(len(day), dtype=np.int64)
        open_ = np.arange(len(day))
        while len(open_):
            drawn = np.searchsorted(cumulated, self.rng.random(len(open_)) * cumulated[-1])
            found[open_] = drawn
            fits = (self.since[drawn] <= day[open_]) & (day[open_] < self.until[drawn])
            open_ = open_[~(fits & accepted(drawn, open_))]
        return found


def _posts(
    connection: duckdb.DuckDBPyConnection, departments: list[str], work_time: WorkTime
) -> dict[str, Ints]:
    """Posts of half a person and more, by team and person, as day offsets."""
    found = connection.sql(f"""
        select
            teams.number as team, post.person_id, post.from_date - date '{START}' as first,
            coalesce(post.to_date, date '{HORIZON}') - date '{START}' as last
        from hidden.post
        inner join hidden.person on person.person_id = post.person_id
        inner join (
            select unnest({departments}) as department_id,
                unnest(range({len(departments)})) as number
        ) as teams on teams.department_id = post.department_id
        where post.share >= 0.5 and person.kind <> 'mailbox'
        order by team, post.person_id, first
    """).fetchnumpy()
    posts = {name: np.asarray(column).astype(np.int64) for name, column in found.items()}
    posts["person"] = work_time.index_of(posts.pop("person_id"))
    return posts
