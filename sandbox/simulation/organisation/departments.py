"""The department tree of every size: names, functions, projects, and how it changes.

What belongs here: the tree as plain data. What does not: who works in it. Nothing depends on the
random seed, since governed seeds name departments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count, product

from sandbox.spec import Size

TIMESHEETS = ("PLAT", "SOFT", "CARE")
"""Projects whose teams book their time before any other team does."""


@dataclass(frozen=True)
class Version:
    """What a department is called and where it hangs, over [valid_from, valid_to) (ISO dates)."""

    name: str
    parent_id: str | None
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass
class Department:
    """A unit of the tree. Only teams (with a project) have people of their own."""

    department_id: str
    function: str
    versions: list[Version]
    project_key: str | None = None
    workflow: str | None = None
    is_old: bool = False
    """One of those that exist in every size."""
    merged_into: str | None = None
    """The department that takes its people over on the last version's valid_to."""
    words: str = field(default="", repr=False)
    """What a project key is made of."""


_DIVISIONS = """
10 Technology it|20 Customers customer_facing|30 Operations business
40 Field Services customer_facing|50 Forecasting it|60 Manufacturing business
70 Corporate Services business|80 Americas customer_facing|90 Asia Pacific customer_facing
100 Research and Data it|110 Supply Chain business|120 Quality and Safety business
"""
_TEAMS = """
11 10 Platform Engineering PLAT software|12 10 Product Software SOFT software
21 20 Sales SALE business|22 20 Customer Care CARE service
31 30 Instrument Development INST hardware|32 30 Finance and Supply FSC business
"""
_RENAMED = ("32", "Finance and Supply Chain", "2025-10-01")

_THINGS = (
    "Tide|Wave|Harbour|Current|Salinity|Buoy|Sensor|Fleet|Dock|Estuary|Coast|Lagoon|Reef|Storm|"
    "Flood|River|Ice|Sediment|Wind|Lighthouse"
)
_REGIONS = (
    "Baltic|North Sea|Adriatic|Aegean|Iberian|Nordic|Celtic|Atlantic|Caribbean|Gulf|Great Lakes|"
    "Pacific|Andean|Malacca|Coral Sea|Bengal|Red Sea|Black Sea|Danube|Rhine"
)
_SUBJECTS = {
    "it": (_THINGS, "Data|Models|Portals|Telemetry|Mapping|Alerts"),
    "customer_facing": (_REGIONS, "Ports|Ferries|Insurers|Authorities|Fisheries|Marinas"),
    "business": (_THINGS, "Assembly|Purchasing|Calibration|Logistics|Costing|Compliance"),
}
"""By function: what the lowest units above the teams are about."""
_KINDS = {
    "it": "Platform|Engineering|Quality|Operations|Research|Design|Integration|Tools|Security",
    "customer_facing": "Sales|Care|Training|Onboarding|Renewals|Partners|Advice|Installation|"
    "Contracts|Repairs",
    "business": "Planning|Methods|Control|Stores|Standards|Prototypes|Testing|Analysis|"
    "Contracts|Improvement",
}
_AREAS = {
    "it": "Systems|Software|Networks",
    "customer_facing": "Markets|Accounts|Clients",
    "business": "Works|Services|Supply",
}
_AREA_WORDS = "Coastal|Harbour|Offshore|River|Polar|Inland|Oceanic|Tidal|Global|Northern"
_WORKFLOWS = {
    "it": "software",
    "Care": "service",
    "Repairs": "service",
    "Installation": "service",
    "Onboarding": "service",
    "Prototypes": "hardware",
    "Testing": "hardware",
    "Methods": "hardware",
}
"""By function, or by the kind of a team; others work by `business`."""
_RESERVED = {"IDEA"}
_CHANGE_DATES = ("2025-01-01", "2025-04-01", "2025-10-01", "2026-01-01")


@cache
def departments(size: Size) -> tuple[Department, ...]:
    """The tree of a size, parents first, with all its versions."""
    old = list(_old_teams())
    divisions = [
        Department(number, function, [Version(name, None)], is_old=True)
        for number, name, function in _divisions()[: size.divisions]
    ]
    per_division = -(-size.teams // size.divisions)
    upper: list[Department] = []
    teams: list[Department] = []
    makers = _Makers()
    for position, division in enumerate(divisions):
        own = [team for team in old if team.versions[0].parent_id == division.department_id]
        # The remaining divisions share evenly what is left to be had.
        left = size.teams - len(teams)
        wanted = min(per_division, -(-left // (len(divisions) - position)))
        units, found = makers.fill(division, own, wanted)
        upper += units
        teams += found
    _rename(teams)
    if len(teams) > len(old):
        _reorganise(teams)
    return (*divisions, *upper, *teams)


def _divisions() -> list[tuple[str, str, str]]:
    found = []
    for line in _DIVISIONS.strip().replace("\n", "|").split("|"):
        number, rest = line.split(" ", 1)
        name, function = rest.rsplit(" ", 1)
        found.append((number, name, function))
    return found


def _old_teams() -> Iterator[Department]:
    functions = {number: function for number, _, function in _divisions()}
    for line in _TEAMS.strip().replace("\n", "|").split("|"):
        number, division, rest = line.split(" ", 2)
        name, key, workflow = rest.rsplit(" ", 2)
        yield Department(
            number, functions[division], [Version(name, division)], key, workflow, is_old=True
        )


class _Makers:
    """Numbers and names that are given out once, over all divisions."""

    def __init__(self) -> None:
        self._areas = count(1_001)
        self._groups = count(3_001)
        self._teams = count(5_001)
        self._area_names = {
            function: (f"{word} {noun}" for noun, word in product(*_split(nouns, _AREA_WORDS)))
            for function, nouns in _AREAS.items()
        }
        self._subjects = {
            # The second word turns first, so that neighbours are about the same thing.
            function: (f"{first} {second}" for first, second in product(*_split(*words)))
            for function, words in _SUBJECTS.items()
        }
        self._keys = {team.project_key or "" for team in _old_teams()} | _RESERVED

    def fill(
        self, division: Department, own: Sequence[Department], wanted: int
    ) -> tuple[list[Department], list[Department]]:
        """(areas and groups, teams) below a division: 2, 3 or 4 levels by the number of teams."""
        if wanted <= len(own):
            return [], list(own)
        units: list[Department] = []
        if wanted > 12:
            groups = -(-wanted // 7)
            areas = [self._area(division) for _ in range(-(-groups // 5))]
            leaves = [self._group(areas[n * len(areas) // groups]) for n in range(groups)]
            units = [*areas, *leaves]
        else:
            leaves = [self._group(division) for _ in range(-(-wanted // 3))]
            units = leaves
        teams: list[Department] = []
        for number, leaf in enumerate(leaves):
            low, high = (wanted * n // len(leaves) for n in (number, number + 1))
            kinds = iter(_KINDS[division.function].split("|"))
            for place in range(low, high):
                if place < len(own):
                    teams.append(_below(own[place], leaf))
                else:
                    teams.append(self._team(leaf, next(kinds)))
        return units, teams

    def _area(self, division: Department) -> Department:
        name = next(self._area_names[division.function])
        return _unit(next(self._areas), division, name)

    def _group(self, parent: Department) -> Department:
        return _unit(next(self._groups), parent, next(self._subjects[parent.function]))

    def _team(self, parent: Department, kind: str) -> Department:
        name = f"{parent.versions[0].name} {kind}"
        team = _unit(next(self._teams), parent, name)
        team.project_key = self._key(name)
        team.workflow = _WORKFLOWS.get(kind, _WORKFLOWS.get(team.function, "business"))
        return team

    def _key(self, name: str) -> str:
        """A key of four letters or more, e.g. TIDP for Tide Data Platform."""
        words = name.upper().split()
        key = words[0][:2] + "".join(word[0] for word in words[1:])
        key = key if len(key) >= 4 else words[0][:3] + key[2:]
        letters = (
            "".join(pair) for n in (1, 2) for pair in product("ABCDEFGHKLMNPRSTUVW", repeat=n)
        )
        found = key
        while found in self._keys:
            found = key + next(letters)
        self._keys.add(found)
        return found


def _split(*words: str) -> list[list[str]]:
    return [text.split("|") for text in words]


def _unit(number: int, parent: Department, name: str) -> Department:
    return Department(str(number), parent.function, [Version(name, parent.department_id)])


def _below(team: Department, parent: Department) -> Department:
    team.versions = [replace(team.versions[0], parent_id=parent.department_id)]
    return team


def _rename(teams: Sequence[Department]) -> None:
    number, name, day = _RENAMED
    for team in teams:
        if team.department_id == number:
            _change(team, day, name=name)


def _reorganise(teams: Sequence[Department]) -> None:
    """Rename, move and merge some of the newer teams, a few of each every two years."""
    siblings: dict[str, list[Department]] = {}
    for team in teams:
        if not team.is_old:
            siblings.setdefault(team.versions[0].parent_id or "", []).append(team)
    groups = [found for found in siblings.values() if len(found) >= 2]
    rounds = max(1, len(groups) // 12)
    for number in range(rounds):
        renamed, moved, merged = (
            groups[(3 * number + n) * len(groups) // (3 * rounds)] for n in range(3)
        )
        day = _CHANGE_DATES[number % len(_CHANGE_DATES)]
        later = _CHANGE_DATES[(number + 1) % len(_CHANGE_DATES)]
        _change(renamed[0], day, name=f"{renamed[0].versions[0].name} Group")
        _change(moved[0], later, parent_id=merged[0].versions[0].parent_id)
        merged[-1].merged_into = merged[0].department_id
        merged[-1].versions[-1] = replace(merged[-1].versions[-1], valid_to=later)


def _change(
    team: Department, day: str, name: str | None = None, parent_id: str | None = None
) -> None:
    last = team.versions[-1]
    team.versions[-1] = replace(last, valid_to=day)
    team.versions.append(Version(name or last.name, parent_id or last.parent_id, valid_from=day))
