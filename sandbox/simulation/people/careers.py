"""Who holds which post when: hires, leavers, rehires, transfers, concurrent posts.

What belongs here: the moves of everybody, decided at once. What does not: names, leave and what
the systems say of it (`people`, `identities`).

A company is a set of chairs, each in a team. At most one thing happens to a chair: its holder
leaves and somebody new follows, or its holder takes the next chair of a ring of transfers, which
leaves every team as large as it was. Only some chairs of a team may stand empty for a while, so
no team ever falls below its core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, HORIZON, START, offset
from sandbox.simulation.organisation.departments import Department
from sandbox.spec import Size

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

OPEN = offset(HORIZON) + 1
"""Day offset of an end that is not known."""
FIRST_PERSON = 1001
FIXED = (1013, 1017, 1035, 1049, 1059, 1060)
"""People whom governed seeds and tests name: they never move."""
CORE = 7
"""No team ever has fewer people."""
SMALLEST_TEAM = CORE + 1

PLACES = ("HAM", "BOS", "SIN")
_PLACE_CHANCES = (0.65, 0.20, 0.15)
_FTES = (1.0, 0.8, 0.6, 0.5)
_FTE_CHANCES = (0.88, 0.06, 0.03, 0.03)
_LEAVING = 0.24
_TRANSFERRED = 0.20
_REHIRED = 0.005
_CONCURRENT = 0.01
_GROWTH = 0.05
"""Shares of the people at START, over the simulated years."""
_SITE_CHANGES = 0.1
"""Share of the transfers."""
_FIRST_MONTH, _LAST_MONTH = 2, 22
"""Months after START in which people move: not at once, and not at the very end."""


@dataclass
class Posts:
    """One row per person and post; days are offsets from START, [first, last)."""

    person: Ints
    """0 = person 1001."""
    team: Ints
    """Index into the teams."""
    first: Ints
    last: Ints
    place: Ints
    """Index into PLACES."""
    share: Floats

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> Posts:
        """Some of the rows, in the order given."""
        return Posts(*(column[rows] for column in vars(self).values()))


@dataclass
class Careers:
    """Everybody's posts, sorted by person, first day and share (largest first)."""

    posts: Posts
    fte: Floats
    """By person."""
    is_steady: npt.NDArray[np.bool_]
    """By person: there from START to the end, in one team (a merger aside)."""

    def __len__(self) -> int:
        return len(self.fte)


def careers(size: Size, teams: Sequence[Department], rng: np.random.Generator) -> Careers:
    """The moves of the whole company, to HORIZON."""
    return _Company(size, teams, rng).careers()


def month_start(months: Ints) -> Ints:
    """Day offset of the first day of the month so many months after START's."""
    begins = np.datetime64(START.isoformat()[:7]) + months.astype("timedelta64[M]")
    return (begins.astype("datetime64[D]") - np.datetime64(START.isoformat())).astype(np.int64)


class _Company:
    """The chairs and what happens to them."""

    def __init__(self, size: Size, teams: Sequence[Department], rng: np.random.Generator) -> None:
        self.rng = rng
        self.size = size
        self.teams = teams
        heads = _team_sizes(size, rng)
        self.team = np.repeat(np.arange(len(teams)), heads)
        self.count = len(self.team)
        position = np.arange(self.count) - np.repeat(np.cumsum(heads) - heads, heads)
        core = np.maximum(CORE, heads * 4 // 5)
        self.may_be_empty = position >= core[self.team]
        fixed = np.isin(np.arange(self.count) + FIRST_PERSON, FIXED)
        self.is_free = (position > 0) & ~fixed
        """The head of a team stays, and so do the people of the story."""
        ends = np.array([team.merged_into is not None for team in teams])
        self.lasts = ~ends[self.team]
        self.hired = -rng.integers(40, 3_200, self.count)
        self.place = rng.choice(len(PLACES), self.count, p=_PLACE_CHANCES)

    def careers(self) -> Careers:
        """Posts of the people there at START, then of those hired later, by first day."""
        steady = np.ones(self.count, dtype=bool)
        rows: list[Posts] = []
        for found in (self._rehired(), self._concurrent()):
            steady[found.person] = False
            rows.append(found)
        transferred, leavers = self._movers()
        rows.append(self._transfers(transferred))
        steady[rows[-1].person] = False
        gone = self._gone(leavers)
        steady[leavers] = False
        stayed = np.flatnonzero(steady)
        rows += [gone, self._rows(stayed, self.team[stayed], self.hired[stayed], OPEN)]
        rows.append(self._hires(leavers, gone.last))
        posts = _merged(_joined(rows), self.teams)
        posts = posts.take(np.lexsort((posts.team, -posts.share, posts.first, posts.person)))
        count = int(posts.person.max()) + 1
        fte = self.rng.choice(_FTES, count, p=_FTE_CHANCES)
        return Careers(posts, fte, np.concatenate((steady, np.zeros(count - len(steady), bool))))

    def _rows(self, person: Ints, team: Ints, first: Ints, last: Ints | int) -> Posts:
        """Whole posts of people there at START, at their site."""
        ends = np.broadcast_to(np.asarray(last, dtype=np.int64), person.shape)
        return Posts(person, team, first, ends, self.place[person], np.ones(len(person)))

    def _pick(self, candidates: npt.NDArray[np.bool_], share: float) -> Ints:
        """Some free chairs, at least one; they are not free any more."""
        found = self.rng.permutation(np.flatnonzero(candidates & self.is_free))
        found = np.sort(found[: max(1, round(share * self.count))])
        self.is_free[found] = False
        return found

    def _months(self, first: int, last: int, count: int) -> Ints:
        return self.rng.integers(first, last + 1, count)

    def _rehired(self) -> Posts:
        """Gone for half a year or longer, then back in the same team."""
        chairs = self._pick(self.may_be_empty & self.lasts, _REHIRED)
        gone = self._months(_FIRST_MONTH, 5, len(chairs))
        back = gone + self._months(6, 11, len(chairs))
        team = self.team[chairs]
        return _joined(
            [
                self._rows(chairs, team, self.hired[chairs], month_start(gone)),
                self._rows(chairs, team, month_start(back), OPEN),
            ]
        )

    def _concurrent(self) -> Posts:
        """In two teams at once for a time, .6 and .4."""
        seller = next(n for n, team in enumerate(self.teams) if team.project_key == "SALE")
        chairs = self._pick(self.lasts & (self.team != seller), _CONCURRENT)
        begins, ends = np.full(len(chairs), 4), np.full(len(chairs), 16)
        other = np.full(len(chairs), seller)
        begins[1:] = self._months(_FIRST_MONTH, 8, len(chairs) - 1)
        ends[1:] = begins[1:] + self._months(6, 14, len(chairs) - 1)
        other[1:] = self._elsewhere(self.team[chairs[1:]])
        first, last = month_start(begins), month_start(ends)
        team = self.team[chairs]
        here = self._rows(chairs, team, first, last)
        there = self._rows(chairs, other, first, last)
        here.share, there.share = here.share * 0.6, there.share * 0.4
        before = self._rows(chairs, team, self.hired[chairs], first)
        return _joined([before, here, there, self._rows(chairs, team, last, OPEN)])

    def _elsewhere(self, team: Ints) -> Ints:
        """For each team another one with another function that is never merged away."""
        functions = np.array([unit.function for unit in self.teams])
        lasting = np.array([unit.merged_into is None for unit in self.teams])
        found = np.zeros(len(team), dtype=np.int64)
        for function in sorted(set(functions.tolist())):
            here = functions[team] == function
            others = np.flatnonzero((functions != function) & lasting)
            found[here] = self.rng.choice(others, int(here.sum()))
        return found

    def _movers(self) -> tuple[Ints, Ints]:
        """(chairs of transfers in the order of their rings, chairs of leavers)."""
        draw = self.rng.random(self.count)
        order = np.lexsort((draw, ~self.is_free, self.team))
        rank = np.empty(self.count, dtype=np.int64)
        heads = np.bincount(self.team, minlength=len(self.teams))
        rank[order] = np.arange(self.count) - np.repeat(np.cumsum(heads) - heads, heads)
        is_lasting = np.array([team.merged_into is None for team in self.teams])
        moving = np.floor(_TRANSFERRED * heads + 0.5).astype(np.int64) * is_lasting
        leaving = np.floor(_LEAVING * heads + self.rng.random(len(heads))).astype(np.int64)
        moves = self.is_free & (rank < moving[self.team])
        leaves = self.is_free & ~moves & (rank < (moving + leaving)[self.team])
        # Of each team one, then of each team another: neighbours are of different teams.
        transferred = np.flatnonzero(moves)
        shuffled = self.rng.random((len(self.teams), int(moving.max(initial=0)) + 1))
        by_round = shuffled[self.team[transferred], rank[transferred]]
        transferred = transferred[np.lexsort((by_round, rank[transferred]))]
        return transferred, np.flatnonzero(leaves)

    def _transfers(self, chairs: Ints) -> Posts:
        """Rings of three: each holder takes the next chair on the first day of a month."""
        ring = np.arange(len(chairs)) // 3
        is_last = np.append(ring[1:] != ring[:-1], True)
        following = np.where(is_last, ring * 3, np.arange(len(chairs)) + 1)
        target = self.team[chairs[following]]
        months = self._months(_FIRST_MONTH, _LAST_MONTH, int(ring.max(initial=-1)) + 1)
        day = month_start(months)[ring]
        moved = target != self.team[chairs]
        chairs, target, day = chairs[moved], target[moved], day[moved]
        before = self._rows(chairs, self.team[chairs], self.hired[chairs], day)
        after = self._rows(chairs, target, day, OPEN)
        changes = self.rng.random(len(chairs)) < _SITE_CHANGES
        other = (after.place + self.rng.integers(1, len(PLACES), len(chairs))) % len(PLACES)
        changes[:1], other[:1] = True, (after.place[:1] + 1) % len(PLACES)
        after.place = np.where(changes, other, after.place)
        return _joined([before, after])

    def _gone(self, chairs: Ints) -> Posts:
        day = month_start(self._months(_FIRST_MONTH, _LAST_MONTH, len(chairs)))
        return self._rows(chairs, self.team[chairs], self.hired[chairs], day)

    def _hires(self, chairs: Ints, free_from: Ints) -> Posts:
        """Successors of leavers, at once or some months later, and the people of the growth."""
        gaps = np.where(self.may_be_empty[chairs], self._months(0, 3, len(chairs)), 0)
        months = np.searchsorted(month_start(np.arange(40)), free_from) + gaps
        growth = max(1, round(_GROWTH * self.count))
        lasting = np.flatnonzero(self.lasts)
        team = np.concatenate((self.team[chairs], self.team[self.rng.choice(lasting, growth)]))
        months = np.concatenate((months, self._months(1, _LAST_MONTH, growth)))
        last_month = (END.year - START.year) * 12 + END.month - START.month - 1
        first = month_start(np.minimum(months, last_month))
        order = np.argsort(first, kind="stable")
        place = self.rng.choice(len(PLACES), len(first), p=_PLACE_CHANCES)
        return Posts(
            self.count + np.arange(len(first)),
            team[order],
            first[order],
            np.full(len(first), OPEN),
            place,
            np.ones(len(first)),
        )


def _team_sizes(size: Size, rng: np.random.Generator) -> Ints:
    """Heads by team at START, summing to the people of the size."""
    teams = size.teams
    if size.people < SMALLEST_TEAM * teams:
        raise ValueError(f"{size.people} people are too few for {teams} teams")
    if size.people <= 12 * teams:
        return size.people // teams + (np.arange(teams) < size.people % teams)
    spare = size.people - SMALLEST_TEAM * teams
    weights = rng.lognormal(0, 0.5, teams)
    parts = spare * weights / weights.sum()
    heads = np.floor(parts).astype(np.int64)
    largest = np.argsort(heads - parts, kind="stable")[: spare - int(heads.sum())]
    heads[largest] += 1
    return np.asarray(heads + SMALLEST_TEAM)


def _merged(posts: Posts, teams: Sequence[Department]) -> Posts:
    """A merged team's people go on in the team that takes them over."""
    numbers = {team.department_id: n for n, team in enumerate(teams)}
    into = np.array([numbers[team.merged_into] if team.merged_into else -1 for team in teams])
    ends = np.array([_last_day(team) for team in teams], dtype=np.int64)
    crossing = (into[posts.team] >= 0) & (posts.last > ends[posts.team])
    if not crossing.any():
        return posts
    day = ends[posts.team]
    before = posts.take(posts.first < np.where(crossing, day, OPEN + 1))
    before.last = np.where(
        (into[before.team] >= 0), np.minimum(before.last, ends[before.team]), before.last
    )
    after = posts.take(crossing)
    after.first = np.maximum(after.first, ends[after.team])
    after.team = into[after.team]
    return _joined([before, after])


def _last_day(team: Department) -> int:
    ends = team.versions[-1].valid_to
    return OPEN if ends is None else int((np.datetime64(ends) - np.datetime64(START)).astype(int))


def _joined(parts: Sequence[Posts]) -> Posts:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Posts(*(np.concatenate(column) for column in columns))
