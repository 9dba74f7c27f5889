"""The organisation's hidden state: departments, people, objectives, products.

What belongs here: who the company is, and on which day everybody worked where. What does not:
what they did (`work`, `market`), and how a vendor's system tells of it (`jira`, `crm`, `hr`).

The state holds the truth to the end of the simulation. Looking at an earlier day is the
emitters' business, so that truth never depends on what was emitted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sandbox.calendars import (
    CLOSES,
    END,
    HORIZON,
    LOCATIONS,
    OFFICE_MINUTES,
    OPENS,
    START,
    offset,
    working_days,
)

MAIL_DOMAIN = "tidewater.example.com"
MIN_DEPARTMENT = 8
"""No move is made that would leave a department with fewer people on any day."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Size:
    """How large a company to simulate. Counts are for the whole period unless named otherwise."""

    people_per_department: int
    hires: int
    leavers: int
    transfers: int
    initiatives: int
    ideas: int
    standalone_issues: int
    accounts: int
    deals_a_month: int
    csat_responses: int
    nps_responses: int


SIZES = {
    "tiny": Size(
        people_per_department=10,
        hires=9,
        leavers=8,
        transfers=12,
        initiatives=90,
        ideas=96,
        standalone_issues=740,
        accounts=42,
        deals_a_month=8,
        csat_responses=440,
        nps_responses=260,
    )
}


@dataclass(frozen=True)
class Department:
    """A unit of the tree. Only leaves (with a project) have people of their own."""

    department_id: str
    name: str
    parent_id: str | None
    function: str
    project_key: str | None
    logs_work: bool


DEPARTMENTS = (
    Department("10", "Technology", None, "it", None, False),
    Department("11", "Platform Engineering", "10", "it", "PLAT", True),
    Department("12", "Product Software", "10", "it", "SOFT", True),
    Department("20", "Customers", None, "customer_facing", None, False),
    Department("21", "Sales", "20", "customer_facing", "SALE", False),
    Department("22", "Customer Care", "20", "customer_facing", "CARE", True),
    Department("30", "Operations", None, "business", None, False),
    Department("31", "Instrument Development", "30", "business", "INST", False),
    Department("32", "Finance and Supply", "30", "business", "FSC", False),
)
TEAMS = tuple(d for d in DEPARTMENTS if d.project_key)
DEPARTMENT_SINCE = date(2014, 1, 1)


@dataclass(frozen=True)
class Objective:
    """What an initiative may serve; `label` is how its Jira issues say so."""

    objective_id: str
    horizon: str
    label: str
    pull: float
    """Relative chance that a new initiative serves it."""
    pull_later: float
    """The same from the change of priorities on (a month after 2025-07-01)."""


PRIORITIES_CHANGED = date(2025, 8, 1)
OBJECTIVES = (
    Objective("V1", "visionary", "obj-living-coast", 0.17, 0.18),
    Objective("S1", "strategic", "obj-data-subscriptions", 0.14, 0.32),
    Objective("S2", "strategic", "obj-self-calibration", 0.17, 0.17),
    Objective("O1", "operational", "obj-dependable-platform", 0.16, 0.12),
    Objective("O2", "operational", "obj-one-conversation", 0.14, 0.12),
    Objective("O3", "operational", "obj-five-day-orders", 0.14, 0.04),
)


@dataclass
class Product:
    """Something sold. A launched product has a label instead of a first sale date at first."""

    product_id: str
    name: str
    department_id: str
    list_price: float
    first_sold_on: date | None
    label: str | None = None
    launch_starts_on: date | None = None
    """When the initiative that launches it appears in Jira."""


def products() -> list[Product]:
    """The catalogue: four products older than the simulated years, six launched within them."""
    return [
        Product("4001", "Tide Gauge TG-2", "31", 9_500, date(2014, 5, 6)),
        Product("4002", "Harbour Level Sensor", "31", 5_200, date(2018, 2, 20)),
        Product("4003", "Wave Buoy WB-5", "31", 27_000, date(2022, 9, 12)),
        Product("4004", "Tidewater Cloud Basic", "12", 7_800, date(2023, 10, 2)),
        *(
            Product(number, name, department, price, None, label, START + timedelta(days))
            for number, name, department, price, label, days in (
                ("4005", "Drift Forecast", "12", 12_000, "product-drift-forecast", 9),
                ("4006", "Wave Buoy WB-6", "31", 31_000, "product-wave-buoy-6", 110),
                ("4007", "Remote Calibration", "22", 6_400, "product-remote-calibration", 205),
                ("4008", "Harbour Dashboard", "12", 9_900, "product-harbour-dashboard", 310),
                ("4009", "Spares Subscription", "32", 3_600, "product-spares-subscription", 415),
                ("4010", "Salinity Probe SP-1", "31", 14_500, "product-salinity-probe", 500),
            )
        ),
    ]


@dataclass(frozen=True)
class Post:
    """A person's place in a department over [from_date, to_date); None = open."""

    department_id: str
    from_date: date
    to_date: date | None
    fte: float
    location_id: str
    share: float = 1.0

    def covers(self, day: date) -> bool:
        """Whether the post is held on `day`."""
        return self.from_date <= day and (self.to_date is None or day < self.to_date)


@dataclass(frozen=True)
class Leave:
    """Absence over [from_date, to_date)."""

    from_date: date
    to_date: date
    leave_type: str


@dataclass(eq=False)
class Person:
    """Somebody who acts in Jira, in HR, or in both. Compared by identity."""

    number: int
    first_name: str
    last_name: str
    email: str
    posts: list[Post]
    in_hr: bool = True
    has_account: bool = True
    hides_email: bool = False
    nickname: str | None = None
    leaves: list[Leave] = field(default_factory=list)
    works: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """One flag a day from START: at work (employed, no holiday, no leave). Set by `settle`."""
    load: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Planned concurrent tasks a day from START; the planner's notebook."""

    @property
    def full_name(self) -> str:
        """The name in HR."""
        return f"{self.first_name} {self.last_name}"

    @property
    def display_name(self) -> str:
        """The name in Jira."""
        return self.nickname or self.full_name

    @property
    def account_id(self) -> str:
        """Stable over seeds, since a governed seed (identity_overrides) names one."""
        return f"712020:0000000a-5eed-4000-8000-{self.number:012d}"

    @property
    def hired_on(self) -> date:
        """First day of the first post."""
        return min(post.from_date for post in self.posts)

    @property
    def left_on(self) -> date | None:
        """First day after the last post, None while employed."""
        ends = [post.to_date for post in self.posts]
        return None if None in ends else max(end for end in ends if end)

    def post_on(self, day: date) -> Post | None:
        """The main post: the largest share, then the newest."""
        held = [post for post in self.posts if post.covers(day)]
        return max(held, key=lambda post: (post.share, post.from_date)) if held else None

    def zone_on(self, day: date) -> ZoneInfo:
        """The zone of the location of that day (of the last post where there is none)."""
        post = self.post_on(day) or self.posts[-1]
        return LOCATIONS[post.location_id].zone

    def settle(self) -> None:
        """Work out the days at work from posts, holidays and leave."""
        self.works = np.zeros(offset(HORIZON), dtype=np.bool_)
        for post in self.posts:
            span = slice(max(offset(post.from_date), 0), offset(post.to_date or HORIZON))
            self.works[span] = working_days(LOCATIONS[post.location_id])[span]
        for leave in self.leaves:
            self.works[max(offset(leave.from_date), 0) : max(offset(leave.to_date), 0)] = False
        self.load = np.zeros(len(self.works))

    def acts_at(
        self, when: datetime, rng: np.random.Generator, after_days: float = 0.0
    ) -> datetime | None:
        """The first moment in own office hours at or after `when`, then `after_days` later.

        `after_days` counts days at work, fractions are parts of the office day. The answer is
        in UTC; None when this person does not work that long any more: hand the work over.
        """
        local = when.astimezone(self.zone_on(when.date()))
        day = max(offset(local.date()), 0)
        moved_on = local.time() >= CLOSES or not self.works[day] or day != offset(local.date())
        at_work = np.flatnonzero(self.works[day:]) + day
        if moved_on:
            at_work = at_work[at_work > offset(local.date())]
        if len(at_work) == 0:
            return None
        if moved_on or local.time() < OPENS:
            minutes = float(rng.uniform(0, 75))
        else:
            minutes = (local.hour - OPENS.hour) * 60 + local.minute + local.second / 60
        total = minutes / OFFICE_MINUTES + after_days
        if int(total) >= len(at_work):
            return None
        begins = START + timedelta(int(at_work[int(total)]))
        passed = timedelta(minutes=(total - int(total)) * OFFICE_MINUTES)
        opens = datetime.combine(begins, OPENS, self.zone_on(begins))
        return (opens + passed).astimezone(UTC)


@dataclass
class Company:
    """All that is true about the company before it starts to work."""

    size: Size
    seed: int
    people: list[Person]
    contractor: Person
    service_desk: Person
    products: list[Product]

    def random(self, part: str) -> np.random.Generator:
        """An independent stream a part, so that one part can grow and leave the others alone."""
        return np.random.default_rng([self.seed, *part.encode()])

    def team(self, department_id: str, day: date) -> list[Person]:
        """People with an account whose main post on `day` is in the department."""
        return [
            person
            for person in self.people
            if person.has_account
            and (post := person.post_on(day)) is not None
            and post.department_id == department_id
        ]

    def steady(self, department_id: str, day: date) -> list[Person]:
        """Members of the team who never leave the company: they can lead."""
        return [p for p in self.team(department_id, day) if p.left_on is None and len(p.posts) < 4]


def pick(rng: np.random.Generator, items: Sequence[Item], weights: Sequence[float] = ()) -> Item:
    """One of `items`, by `weights` where given (they need not sum to 1)."""
    if not weights:
        return items[int(rng.integers(len(items)))]
    p = np.asarray(weights, dtype=float)
    return items[int(rng.choice(len(items), p=p / p.sum()))]


_NAMES = """
Amara Okafor|Jonas Petersen|Mei-Ling Tan|Lucía Fernández|Henrik Lindqvist|Priya Raghavan
Tobias Brandt|Aisha Rahman|Matteo Conti|Ewa Nowicka|Samuel Adeyemi|Hannah Voss|Kenji Morimoto
Carla Ribeiro|Björn Hansen|Leila Haddad|Nikolai Sorokin|Grace Whitfield|Arjun Deshpande
Sophie Lefèvre|Dmitri Volkov|Yara Mansour|Lukas Ahrens|Wei Zhang|Ingrid Solberg|Kofi Mensah
Elena Popescu|Farid Azizi|Nora Janssen|Diego Castillo|Fatima Zahra|Oliver Grant|Sunita Iyer
Jan Kowalski|Chloe Bennett|Rashid Karimi|Maja Horvat|Thabo Nkosi|Katrin Schuster|Luis Navarro
Anh Nguyen|Peter Dunne|Zeynep Arslan|Marek Dvořák|Olivia Chen|Emeka Eze|Silke Harms
Ravi Pillai|Isabel Moreno|Gustav Nyberg|Hye-jin Park|Daniel Cohen|Noor Malik|Stefan Kruse
Adaeze Obi|Tom Gallagher|Mariana Costa|Ivo Petrov|Linh Tran|Karl Behrens|Aylin Demir
Joseph Mwangi|Rosa Vitale|Erik Halvorsen|Shreya Menon|Hugo Delacroix|Salma Idris|Felix Lorenz
Mina Takahashi|Abdul Qureshi|Clara Weiss|Pedro Almeida|Ngozi Balogun|Anton Berg|Layla Nasser
"""
NAMES = [name for line in _NAMES.split("\n") if line for name in line.split("|")]

# Fixed places in the story, so that governed seeds and tests can name them.
HIDDEN_EMAILS = (1013, 1035)
NICKNAMED = 1017
NO_ACCOUNT = (1049, 1059, 1060)


def found(size: Size, seed: int) -> Company:
    """The company with all moves of its people already decided, to END and beyond."""
    company = Company(size, seed, [], _contractor(), _service_desk(), products())
    rng = company.random("people")
    for index in range(len(TEAMS) * size.people_per_department):
        team = TEAMS[index // size.people_per_department]
        hired = START - timedelta(int(rng.integers(40, 3200)))
        company.people.append(_person(index, team.department_id, hired, rng))
    for index in range(len(company.people), len(company.people) + size.hires):
        hired = _month(rng, START + timedelta(30), END - timedelta(60))
        company.people.append(_person(index, pick(rng, TEAMS).department_id, hired, rng))
    _move_people(company, rng)
    for person in company.people:
        person.leaves = _leaves(person, rng)
        person.settle()
    company.contractor.settle()
    company.service_desk.settle()
    return company


def _person(index: int, department_id: str, hired: date, rng: np.random.Generator) -> Person:
    number = 1001 + index
    first, last = NAMES[index].split(" ", 1)
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
    location = pick(rng, ("HAM", "BOS", "SIN"), (0.65, 0.2, 0.15))
    fte = pick(rng, (1.0, 0.8, 0.6, 0.5), (0.88, 0.06, 0.03, 0.03))
    return Person(
        number,
        first,
        last,
        f"{plain.lower().replace(' ', '')}@{MAIL_DOMAIN}",
        [Post(department_id, hired, None, fte, location)],
        has_account=number not in NO_ACCOUNT,
        hides_email=number in HIDDEN_EMAILS or number == NICKNAMED,
        nickname="Niko" if number == NICKNAMED else None,
    )


def _contractor() -> Person:
    """Does work in Jira and is unknown to HR: stays Unknown for ever."""
    post = Post("11", date(2024, 1, 1), None, 1.0, "HAM")
    return Person(9001, "Rafael", "Quint", "r.quint@brightforge.example.com", [post], in_hr=False)


def _service_desk() -> Person:
    """A mailbox that several people share."""
    post = Post("22", date(2020, 1, 1), None, 1.0, "HAM")
    return Person(9002, "Service", "Desk", f"service-desk@{MAIL_DOMAIN}", [post], in_hr=False)


def _month(rng: np.random.Generator, earliest: date, latest: date) -> date:
    """The first day of a month in [earliest, latest]: HR moves people at month starts."""
    day = earliest + timedelta(int(rng.integers(0, (latest - earliest).days)))
    return next_month(day)


def next_month(day: date) -> date:
    """The first day of the month after `day`."""
    return (day.replace(day=1) + timedelta(32)).replace(day=1)


def _smallest_team(people: Sequence[Person]) -> int:
    """The least head count of any team on any month start of the simulated years."""
    day, least = START, len(people)
    while day < END:
        held = {team.department_id: 0 for team in TEAMS}
        for person in people:
            post = person.post_on(day)
            if post:
                held[post.department_id] += 1
        least = min(least, *held.values())
        day = next_month(day)
    return least


def _move_people(company: Company, rng: np.random.Generator) -> None:
    """Leavers, a rehire, transfers (one with an HR overlap) and a concurrent post."""
    size = company.size
    heads = {n * size.people_per_department for n in range(len(TEAMS))}
    fixed = {*HIDDEN_EMAILS, NICKNAMED}
    movable = [
        person
        for index, person in enumerate(company.people)
        if index not in heads and person.number not in fixed
    ]
    order = [movable[int(i)] for i in rng.permutation(len(movable))]

    def apply(person: Person, posts: list[Post]) -> bool:
        before, person.posts = person.posts, posts
        if _smallest_team(company.people) >= MIN_DEPARTMENT:
            return True
        person.posts = before
        return False

    # One person a move: every story stays legible, and the order decides who is left.
    def planned(count: int) -> list[Person]:
        return [order.pop() for _ in range(min(count, len(order)))]

    moved = 0
    while moved < size.transfers and order:
        (person,) = planned(1)
        post = person.posts[0]
        if post.from_date > END - timedelta(180):
            continue  # too new to move on
        day = _month(rng, max(START, post.from_date) + timedelta(60), END - timedelta(60))
        target = pick(rng, [t for t in TEAMS if t.department_id != post.department_id])
        ends = next_month(day) if moved == 0 else day  # the first one overlaps for a month
        place = "BOS" if moved == 1 and post.location_id == "HAM" else post.location_id
        arrived = replace(
            post, department_id=target.department_id, from_date=day, location_id=place
        )
        moved += apply(person, [replace(post, to_date=ends), arrived])

    while order:  # two departments at once for a year
        (person,) = planned(1)
        post = person.posts[0]
        if post.from_date >= START or post.department_id == "21":
            continue
        begins, ends = date(2024, 11, 1), date(2025, 11, 1)
        posts = [
            replace(post, to_date=begins),
            replace(post, from_date=begins, to_date=ends, share=0.6),
            replace(post, department_id="21", from_date=begins, to_date=ends, share=0.4),
            replace(post, from_date=ends),
        ]
        if apply(person, posts):
            break

    rehired = False
    left = 0
    while (left < size.leavers or not rehired) and order:
        (person,) = planned(1)
        post = person.posts[0]
        if post.from_date >= START:
            continue
        if not rehired:
            gone = _month(rng, START + timedelta(60), START + timedelta(150))
            back = _month(rng, gone + timedelta(150), gone + timedelta(300))
            rehired = apply(person, [replace(post, to_date=gone), replace(post, from_date=back)])
        else:
            gone = _month(rng, START + timedelta(60), END - timedelta(60))
            left += apply(person, [replace(post, to_date=gone)])


def _leaves(person: Person, rng: np.random.Generator) -> list[Leave]:
    """Three holidays and some sick days a year, never overlapping, only while employed."""
    plans: list[tuple[date, int, str]] = []
    for year in (2024, 2025, 2026):
        for month, days in ((7, 18), (12, 10), (4, 8)):
            begins = date(year, month, 1) + timedelta(int(rng.integers(0, 45)))
            plans.append((begins, int(rng.integers(4, days)), "vacation"))
        for _ in range(int(rng.poisson(1.4))):
            begins = date(year, 1, 1) + timedelta(int(rng.integers(0, 360)))
            plans.append((begins, int(rng.integers(1, 5)), "sick"))
    leaves: list[Leave] = []
    for begins, days, leave_type in sorted(plans):
        leave = Leave(begins, begins + timedelta(days), leave_type)
        held = all(person.post_on(begins + timedelta(n)) for n in range(days))
        # Nobody takes leave twice on a day, and records begin with the simulated years.
        if held and begins >= START and (not leaves or leaves[-1].to_date <= begins):
            leaves.append(leave)
    return leaves
