"""What the company does: initiatives and what hangs below them, ideas, incidents.

What belongs here: issues with their initial fields and every later change, comments and
worklogs, as hidden state. What does not: Jira's wire format (`jira`) and the people (`company`).

Effects planted here (none is written into a record): an initiative that really involves several
departments is delivered, on time and complete more often, and takes less time; the second year
is somewhat faster and more punctual than the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from sandbox.calendars import CLOSES, COMPANY_ZONE, END, OPENS, START, first_instant, offset
from sandbox.company import (
    OBJECTIVES,
    PRIORITIES_CHANGED,
    TEAMS,
    Company,
    Objective,
    Person,
    Product,
    pick,
)

Fields: TypeAlias = dict[str, Any]
"""status, assignee (Person | None), resolution, duedate (date | None), labels (tuple of str),
story_points (float | None), fix_version (Version | None)."""

CROSS_SHARE = 0.55
DELIVERED = {True: 0.94, False: 0.76}
ON_TIME = {True: 0.84, False: 0.60}
SCOPE_MET = {True: 0.95, False: 0.86}
PACE = {True: 0.62, False: 1.0}
"""By "several departments": chances, and the factor on the duration."""
SECOND_YEAR_PACE = 0.88
SECOND_YEAR_ON_TIME = 0.06
LATE = START + timedelta(365)


@dataclass(eq=False)
class Version:
    """A release of a project."""

    project_key: str
    name: str
    started_on: date
    released_at: datetime
    number: int = 0


@dataclass
class Change:
    """Fields that one person sets at one moment; what they were before follows by replay."""

    at: datetime
    author: Person
    fields: Fields
    number: int = 0


@dataclass
class Worklog:
    """Time spent from `started_at` to `at`, when its author books it."""

    started_at: datetime
    at: datetime
    author: Person
    seconds: int
    number: int = 0


@dataclass
class Comment:
    """Something said; what is nobody's business."""

    at: datetime
    author: Person
    number: int = 0


@dataclass(eq=False)
class Issue:
    """One Jira issue: initial fields, and everything that happened to it to HORIZON."""

    project_key: str
    issue_type: str
    summary: str
    created_at: datetime
    creator: Person
    initial: Fields
    parent: Issue | None = None
    priority: str = "Medium"
    changes: list[Change] = field(default_factory=list)
    worklogs: list[Worklog] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    number: int = 0
    key: str = ""

    def set(self, at: datetime, author: Person, **fields: Any) -> None:
        """Record that `author` sets `fields` at `at`."""
        self.changes.append(Change(at, author, fields))

    def replay(self, until: datetime) -> Iterable[tuple[Change, Fields]]:
        """Changes before `until` in order, each with the fields as they were before it.

        A change that changes nothing is left out.
        """
        now = dict(self.initial)
        for change in sorted(self.changes, key=lambda change: change.at):
            real = {name: value for name, value in change.fields.items() if now[name] != value}
            if change.at < until and real:
                yield replace(change, fields=real), dict(now)
                now |= real

    def fields_at(self, until: datetime) -> Fields:
        """The fields as they are just before `until`."""
        now = dict(self.initial)
        for change, _ in self.replay(until):
            now |= change.fields
        return now

    def forget_after(self, cut: datetime) -> None:
        """What was planned after `cut` never happens."""
        self.changes = [change for change in self.changes if change.at < cut]
        self.comments = [comment for comment in self.comments if comment.at < cut]


@dataclass
class History:
    """All work of the company."""

    issues: list[Issue]
    versions: list[Version]


def simulate(company: Company) -> History:
    """The company's work, planned to HORIZON."""
    planner = _Planner(company)
    planner.initiatives()
    planner.ideas()
    planner.standalone()
    _book_time(planner.issues, company)
    _number(planner.issues, planner.versions)
    return History(planner.issues, planner.versions)


def launches(history: History) -> dict[str, datetime]:
    """When each product label was first released."""
    released: dict[str, datetime] = {}
    for issue in history.issues:
        labels = [label for label in issue.initial["labels"] if label.startswith("product-")]
        for label in labels:
            ends = [c.at for c in issue.changes if c.fields.get("status") == "Released"]
            if ends:
                released[label] = min([*ends, *([released[label]] if label in released else [])])
    return released


_VERBS = "Introduce|Rework|Automate|Unify|Simplify|Replace|Extend|Harden|Measure|Open"
_THINGS = {
    "PLAT": "ingest pipeline|sensor gateway|access control|data archive|alerting|edge runtime",
    "SOFT": "forecast view|station map|export service|mobile console|customer portal|report editor",
    "SALE": "quote desk|partner programme|pricing model|demo kit|renewal process|tender library",
    "CARE": "help centre|repair desk|onboarding course|answer catalogue|callback line|field visits",
    "INST": "buoy hull|pressure cell|calibration bench|power stage|mooring kit|salinity cell",
    "FSC": "order flow|spare parts store|supplier portal|invoice run|stock count|customs file",
}
_STEPS = (
    "Clarify needs for|Sketch|Build|Wire up|Test|Document|Migrate data of|Review cost of"
    "|Train users of|Roll out|Clean up|Describe interface of"
)
_TROUBLES = "loses readings|shows wrong unit|is slow on Mondays|rejects upload|drops sessions"


class _Planner:
    """Plans issues one after the other and remembers how busy everybody is."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.rng = company.random("work")
        self.issues: list[Issue] = []
        self.versions: list[Version] = []
        self.stopped = 0

    # -- small helpers ---------------------------------------------------------------------

    def days(self, median: float, spread: float = 0.5) -> float:
        """A log-normal number of days."""
        return float(median * np.exp(self.rng.normal(0, spread)))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def at(self, person: Person, when: datetime, after_days: float = 0.0) -> datetime:
        """`acts_at` for people who stay for ever (leads)."""
        moment = person.acts_at(when, self.rng, after_days)
        if moment is None:
            raise LookupError(f"{person.number} leaves, but was planned to lead")
        return moment

    def new(self, issue: Issue) -> Issue:
        self.issues.append(issue)
        return issue

    def thing(self, project_key: str) -> str:
        return self.word(_THINGS[project_key])

    def word(self, words: str) -> str:
        return pick(self.rng, words.split("|"))

    def worker(self, department_id: str, when: datetime, work_days: float) -> Person:
        """The least busy member of the department in the coming days, with some luck."""
        day = when.astimezone(COMPANY_ZONE).date()
        team = self.company.team(department_id, day)
        if department_id == "11" and self.chance(0.12):
            return self.company.contractor
        span = slice(offset(day), offset(day) + max(int(work_days * 1.5), 2))
        present = [person for person in team if person.works[span].any()] or team

        def busyness(person: Person) -> float:
            return float(person.load[span].mean() + (~person.works[span]).mean())

        chosen = min(present, key=lambda p: busyness(p) + self.rng.uniform(0, 0.6))
        chosen.load[span] += 1
        return chosen

    # -- tasks -----------------------------------------------------------------------------

    def carry_out(
        self,
        issue: Issue,
        assignee: Person,
        lead: Person,
        begins: datetime,
        work_days: float,
        *,
        done: str = "Done",
        resolution: str = "Done",
    ) -> datetime:
        """Somebody does the task; answers when it is done (for the last time).

        Whoever leaves the company hands over to the lead, who never does.
        """
        now, who = begins, assignee

        def work(days: float) -> None:
            nonlocal now, who
            moment = who.acts_at(now + timedelta(minutes=1), self.rng, days)
            if moment is None:
                now, who = self.at(lead, now + timedelta(minutes=1)), lead
                issue.set(now, lead, assignee=lead)
                moment = self.at(lead, now + timedelta(minutes=1), days)
            now = moment

        work(0.0)
        issue.set(now, who, assignee=who)
        work(float(self.rng.uniform(0.0, 0.2)))
        issue.set(now, who, status="In Progress")
        if self.chance(0.09):
            work(work_days * 0.4)
            who = self.colleague(who, now)
            work(0.0)
            issue.set(now, who, assignee=who)
            work_days *= 0.6
        if self.chance(0.1):
            work(work_days * 0.5)
            issue.set(now, who, status="Blocked")
            work(self.days(2.0))
            issue.set(now, who, status="In Progress")
            work_days *= 0.5
        if issue.issue_type != "Incident" and self.chance(0.45):
            work(work_days * 0.85)
            issue.set(now, who, status="In Review")
            work_days *= 0.15
        work(max(work_days, 0.05))
        issue.set(now, who, status=done, resolution=resolution)
        if self.chance(0.055):
            work(self.days(2.0))
            issue.set(now, who, status="In Progress", resolution=None)
            work(self.days(1.0))
            issue.set(now, who, status=done, resolution=resolution)
        self.talk(issue, (assignee, lead), begins, now)
        return now

    def colleague(self, person: Person, when: datetime) -> Person:
        """Somebody of the same department who takes over (the person itself where none)."""
        day = when.astimezone(COMPANY_ZONE).date()
        post = person.post_on(day)
        team = self.company.team(post.department_id, day) if post and person.in_hr else []
        present = [other for other in team if other.works[offset(day)]]
        return pick(self.rng, present) if present else person

    def talk(
        self, issue: Issue, people: Sequence[Person], begins: datetime, ends: datetime
    ) -> None:
        """Some comments in the life of an issue."""
        for _ in range(int(self.rng.poisson(0.8))):
            person = pick(self.rng, people)
            when = person.acts_at(begins + (ends - begins) * self.rng.random(), self.rng)
            if when and when < ends:
                issue.comments.append(Comment(when, person))

    def task(
        self,
        parent: Issue,
        department_id: str,
        created: datetime,
        lead: Person,
        issue_type: str = "",
    ) -> Issue:
        """A story, task or bug below `parent`, not yet begun. Projects are the parent's."""
        project = parent.project_key if parent.project_key != "IDEA" else _project(department_id)
        points = float(pick(self.rng, (1, 2, 3, 5, 8))) if project in ("PLAT", "SOFT") else None
        issue = self.new(
            Issue(
                project,
                issue_type or pick(self.rng, ("Story", "Task", "Bug"), (0.55, 0.3, 0.15)),
                f"{self.word(_STEPS)} {self.thing(project)}",
                created,
                lead,
                _fields("To Do", story_points=points),
                parent,
                pick(self.rng, ("Low", "Medium", "High"), (0.2, 0.6, 0.2)),
            )
        )
        if points and self.chance(0.15):
            later = self.at(lead, created + timedelta(hours=2), 1.0)
            issue.set(later, lead, story_points=points + pick(self.rng, (1.0, 2.0, 3.0)))
        return issue

    def split(self, story: Issue, worker: Person, lead: Person) -> None:
        """Give a finished story sub-tasks that share its life."""
        doing = [c.at for c in story.changes if c.fields.get("status") == "In Progress"]
        done = [c.at for c in story.changes if c.fields.get("status") == "Done"]
        count = int(self.rng.integers(2, 4))
        for number in range(count):
            begins = doing[0] + (done[0] - doing[0]) * (number / count)
            created = self.at(lead, story.created_at + timedelta(minutes=5 * (number + 1)))
            summary = f"{story.summary}, part {number + 1}"
            fields = _fields("To Do")
            part = self.new(
                Issue(story.project_key, "Sub-task", summary, created, lead, fields, story)
            )
            begins = max(begins, created + timedelta(minutes=10))
            at_work = np.count_nonzero(worker.works[_day(begins) : _day(done[0])])
            self.carry_out(part, worker, lead, begins, max(at_work / count * 0.7, 0.3))

    # -- initiatives -----------------------------------------------------------------------

    def initiatives(self) -> None:
        """Launches first, then the others, evenly over the years with a busy beginning."""
        count = self.company.size.initiatives
        launched = [product for product in self.company.products if product.launch_starts_on]
        for product in launched:
            assert product.launch_starts_on
            team = next(t for t in TEAMS if t.department_id == product.department_id)
            self.initiative(_noon(product.launch_starts_on), team.department_id, product)
        others = count - len(launched)
        for number in range(others):
            # The first sixth was in the drawer when Jira was introduced.
            if number < others // 6:
                begins = START + timedelta(int(self.rng.integers(0, 30)))
            else:
                begins = START + timedelta(int(self.rng.integers(10, offset(END) - 10)))
            owner = pick(self.rng, TEAMS, (0.22, 0.26, 0.1, 0.16, 0.16, 0.1))
            self.initiative(_noon(begins), owner.department_id, None, index=number)

    def initiative(
        self, begins: datetime, owner_id: str, product: Product | None, index: int = -1
    ) -> None:
        """One initiative from idea to release, or to wherever it gets."""
        lead = pick(self.rng, self.company.steady(owner_id, begins.date()))
        project = _project(owner_id)
        objectives = self.objectives(begins.date())
        labels = [objective.label for objective in objectives]
        if product and product.label:
            labels.append(product.label)
        late_label = bool(labels) and not product and self.chance(0.25)
        created = self.at(lead, begins)
        issue = self.new(
            Issue(
                project,
                "Initiative",
                product.name if product else f"{self.word(_VERBS)} {self.thing(project)}",
                created,
                lead,
                _fields("Idea", assignee=lead, labels=() if late_label else tuple(sorted(labels))),
            )
        )
        fate = self.rng.random()
        if index % 20 == 7:  # sits in the drawer
            return
        approved = self.at(lead, created, self.days(9, 0.6))
        if not product and fate < 0.07:  # dies as an idea
            self.stop(issue, lead, approved)
            return
        issue.set(approved, lead, status="Approved")
        if late_label:
            issue.set(approved + timedelta(minutes=4), lead, labels=tuple(sorted(labels)))
        started = self.at(lead, approved, self.days(6, 0.5))
        issue.set(started, lead, status="In Progress")
        cross = self.chance(CROSS_SHARE) if product is None else product.product_id != "4010"
        second_year = created.date() >= LATE
        pace = PACE[cross] * (SECOND_YEAR_PACE if second_year else 1.0)
        delivered = product is not None or self.chance(DELIVERED[cross])
        complete = product is not None or self.chance(SCOPE_MET[cross])
        length = timedelta(days=min(max(self.days(66, 0.42), 14), 200) * pace)
        finished = self.children(issue, lead, owner_id, cross, approved, started, length, complete)
        done = self.at(lead, max(finished, started + length) + timedelta(hours=1), 0.4)
        released = self.at(lead, done, self.days(3, 0.6))
        chance = ON_TIME[cross] + (SECOND_YEAR_ON_TIME if second_year else 0.0)
        on_time = product is not None or self.chance(chance)
        if self.chance(0.94):
            self.due_dates(issue, lead, approved, released, on_time)
        if not delivered:
            cut = self.at(lead, started + (done - started) * self.rng.uniform(0.35, 0.95))
            self.abandon(issue, lead, cut)
            return
        if not product and index % 23 == 11:  # stuck: all tasks done, nobody decides
            issue.set(done, lead, status="Blocked")
            return
        self.finish(issue, lead, done, released)
        if not product and self.chance(0.09):
            self.relabel(issue, lead, started, done)
        if index % 9 == 4:
            self.reopen(issue, lead, owner_id, released, within=4.0 if index % 27 != 22 else 24.0)

    def objectives(self, day: date) -> list[Objective]:
        """None, one or two objectives, drawn by the pull in force."""
        pulls = [o.pull_later if day >= PRIORITIES_CHANGED else o.pull for o in OBJECTIVES]
        count = pick(self.rng, (0, 1, 2), (0.12, 0.8, 0.08))
        p = np.asarray(pulls) / sum(pulls)
        chosen = self.rng.choice(len(OBJECTIVES), size=count, replace=False, p=p)
        return [OBJECTIVES[int(i)] for i in chosen]

    def children(
        self,
        issue: Issue,
        lead: Person,
        owner_id: str,
        cross: bool,
        approved: datetime,
        started: datetime,
        length: timedelta,
        complete: bool,
    ) -> datetime:
        """The tasks of an initiative; answers when the last one is finished."""
        if not cross and self.chance(0.1):
            return started  # nothing below: the lead does it alone
        size = pick(self.rng, (2, 7, 13, 21), (0.16, 0.37, 0.33, 0.14))
        count = size + int(self.rng.integers(0, 4))
        effort = (3.0 if size == 2 else 8.0) * (0.85 if cross else 1.0)
        departments = self.departments(owner_id, cross, count)
        grown = int(count * self.rng.uniform(0.0, 0.3))
        dropped_share = self.rng.uniform(0.0, 0.1) if complete else self.rng.uniform(0.28, 0.45)
        dropped = round((count - grown) * dropped_share)
        if not complete:
            dropped = max(dropped, 1)
        finished = started
        for number, department_id in enumerate(departments):
            grows = number >= count - grown
            work_days = min(max(self.days(effort, 0.5), 0.4), 25.0)
            room = max(length - timedelta(days=work_days * 1.6), timedelta(hours=4))
            begins = started + room * ((number + self.rng.random()) / count)
            if grows:
                created = self.at(lead, started + (begins - started) * self.rng.random())
            else:
                created = self.at(lead, approved + (started - approved) * self.rng.random())
                if created >= started:
                    created = approved + timedelta(minutes=5 + number)
            task = self.task(issue, department_id, created, lead)
            begins = max(begins, created + timedelta(minutes=30))
            if number < dropped:  # the first ones of the original scope: closed unworked
                when = self.at(lead, begins, 1.0)
                reason = "Duplicate" if complete and self.chance(0.3) else "Won't Do"
                task.set(when, lead, status="Done", resolution=reason)
                finished = max(finished, when)
                continue
            worker = self.worker(department_id, begins, work_days)
            done = self.carry_out(task, worker, lead, begins, work_days)
            finished = max(finished, done)
            if task.issue_type == "Story" and self.chance(0.14):
                before = len(self.issues)
                self.split(task, worker, lead)
                parts = [change.at for part in self.issues[before:] for change in part.changes]
                finished = max(finished, *parts)
        return finished

    def departments(self, owner_id: str, cross: bool, count: int) -> list[str]:
        """Who does the tasks: mostly the owner, and one or two others where `cross`."""
        partners = [team.department_id for team in TEAMS if team.department_id != owner_id]
        if not cross:
            strangers = 1 if count >= 14 and self.chance(0.4) else 0
            ids = [owner_id] * (count - strangers) + [pick(self.rng, partners)] * strangers
        else:
            # IT and the rest of the house meet more often than two teams of IT.
            weights = [3.0 if p[0] != owner_id[0] else 1.0 for p in partners]
            first = pick(self.rng, partners, weights)
            ids = [first] * max(1, round(count * self.rng.uniform(0.3, 0.45)))
            if count >= 8 and self.chance(0.4):
                rest = [partner for partner in partners if partner != first]
                ids += [pick(self.rng, rest)] * max(1, round(count * 0.15))
            ids += [owner_id] * (count - len(ids))
        return [ids[int(i)] for i in self.rng.permutation(len(ids))]

    def due_dates(
        self, issue: Issue, lead: Person, approved: datetime, released: datetime, on_time: bool
    ) -> None:
        """A due date at approval and its moves; the last one is kept where `on_time`."""
        end = released.astimezone(COMPANY_ZONE).date()
        slack = int(self.rng.integers(1, 18)) if on_time else -int(self.rng.integers(3, 40))
        last = max(end + timedelta(slack), approved.date() + timedelta(10))
        dues = [last]
        for _ in range(pick(self.rng, (0, 1, 2), (0.48, 0.34, 0.18))):
            earlier = dues[0] - timedelta(int(self.rng.integers(7, 26)))
            if earlier > approved.date() + timedelta(12):
                dues.insert(0, earlier)
        issue.set(approved + timedelta(minutes=2), lead, duedate=dues[0])
        since = approved + timedelta(days=3)
        for before, due in pairwise(dues):
            # It moves while it is still ahead, and before everything is over.
            latest = min(_noon(before) - timedelta(days=1), released - timedelta(days=2))
            if latest > since:
                since = self.at(lead, since + (latest - since) * self.rng.uniform(0.4, 0.95))
                issue.set(since, lead, duedate=due)

    def stop(self, issue: Issue, lead: Person, when: datetime) -> None:
        # In turn rather than by chance: even a small company has some of each.
        reasons = ("Won't Do", "Superseded", "Won't Do", "Won't Do", "Duplicate")
        issue.set(when, lead, status="Cancelled", resolution=reasons[self.stopped % len(reasons)])
        self.stopped += 1

    def abandon(self, issue: Issue, lead: Person, cut: datetime) -> None:
        """Cancel an initiative and close (most of) what hangs below."""
        issue.forget_after(cut)
        self.stop(issue, lead, cut)
        below = [i for i in self.issues if issue in (i.parent, i.parent and i.parent.parent)]
        gone = {id(task) for task in below if task.created_at >= cut}
        self.issues = [i for i in self.issues if id(i) not in gone]
        for number, task in enumerate(t for t in below if id(t) not in gone):
            task.forget_after(cut)
            if task.fields_at(cut)["status"] != "Done" and self.chance(0.85):
                when = cut + timedelta(minutes=number + 1)
                task.set(when, lead, status="Done", resolution="Won't Do")

    def finish(self, issue: Issue, lead: Person, done: datetime, released: datetime) -> None:
        """Done, then released to the first customer, in software projects with a version."""
        version = None
        if issue.project_key in ("PLAT", "SOFT") and self.chance(0.8):
            version = Version(issue.project_key, "", done.date() - timedelta(20), released)
            self.versions.append(version)
        issue.set(done, lead, status="Done", resolution="Done", fix_version=version)
        issue.set(released, lead, status="Released")
        self.talk(issue, (lead,), issue.created_at + timedelta(hours=1), released)

    def relabel(self, issue: Issue, lead: Person, begins: datetime, ends: datetime) -> None:
        """The initiative turns out to serve another objective."""
        label = pick(self.rng, OBJECTIVES).label
        when = self.at(lead, begins + (ends - begins) * self.rng.uniform(0.2, 0.6))
        issue.set(when, lead, labels=(label,))

    def reopen(
        self, issue: Issue, lead: Person, owner_id: str, released: datetime, within: float
    ) -> None:
        """Released, taken back after some working days, mended, released again."""
        again = self.at(lead, released, self.rng.uniform(0.3, 1.0) * within)
        issue.set(again, lead, status="In Progress", resolution=None)
        bug = self.task(issue, owner_id, again + timedelta(minutes=9), lead, "Bug")
        begins = again + timedelta(hours=1)
        worker = self.worker(owner_id, begins, 4.0)
        mended = self.carry_out(bug, worker, lead, begins, self.days(3.0))
        done = self.at(lead, mended + timedelta(hours=1))
        issue.set(done, lead, status="Done", resolution="Done")
        issue.set(self.at(lead, done, 1.0), lead, status="Released")

    # -- ideas and everyday work -----------------------------------------------------------

    def ideas(self) -> None:
        """Ideas of everybody: some are launched, some rejected, some forgotten."""
        for _ in range(self.company.size.ideas):
            day = START + timedelta(int(self.rng.integers(3, offset(END) - 5)))
            team = pick(self.rng, TEAMS)
            author = pick(self.rng, self.company.team(team.department_id, day))
            created = author.acts_at(_noon(day), self.rng)
            if created is None:
                continue
            labels = tuple(o.label for o in self.objectives(day)[:1])
            thing = self.thing(team.project_key or "")
            summary = f"What if we could {self.word(_VERBS).lower()} the {thing}?"
            issue = self.new(
                Issue("IDEA", "Idea", summary, created, author, _fields("New", labels=labels))
            )
            fate = pick(
                self.rng, ("forgotten", "rejected", "launched", "late"), (0.32, 0.3, 0.3, 0.08)
            )
            if fate == "forgotten":
                continue
            lead = pick(self.rng, self.company.steady(team.department_id, day))
            reviewed = self.at(lead, created, self.days(12, 0.6))
            issue.set(reviewed, lead, status="Under Review", assignee=lead)
            waits = self.days(230, 0.1) if fate == "late" else self.days(20, 0.6)
            decided = self.at(lead, reviewed, waits)
            if fate == "rejected":
                reason = pick(self.rng, ("Won't Do", "Duplicate"), (0.75, 0.25))
                issue.set(decided, lead, status="Rejected", resolution=reason)
                continue
            issue.set(decided, lead, status="Accepted")
            begins = self.at(lead, decided, self.days(6))
            issue.set(begins, lead, status="In Development")
            partner = pick(self.rng, TEAMS) if self.chance(0.6) else team
            finished = begins
            for number in range(int(self.rng.integers(2, 5))):
                who_does = (team, partner)[number % 2].department_id
                task = self.task(issue, who_does, begins + timedelta(minutes=7 + number), lead)
                work_days = min(self.days(7.0), 18.0)
                start = begins + timedelta(days=1 + 6 * number)
                worker = self.worker(who_does, start, work_days)
                finished = max(finished, self.carry_out(task, worker, lead, start, work_days))
            launched = self.at(lead, finished + timedelta(hours=2), self.days(2.0))
            issue.set(launched, lead, status="Launched", resolution="Done")

    def standalone(self) -> None:
        """Work that serves no initiative: bugs, tasks and incidents."""
        for _ in range(self.company.size.standalone_issues):
            day = START + timedelta(int(self.rng.integers(1, offset(END) - 1)))
            team = pick(self.rng, TEAMS, (0.29, 0.26, 0.04, 0.32, 0.05, 0.04))
            if team.project_key == "CARE" and self.chance(0.5):
                self.incident(day)
                continue
            author = pick(self.rng, self.company.steady(team.department_id, day))
            created = self.at(author, _noon(day))
            project = team.project_key or ""
            kind = pick(self.rng, ("Bug", "Task"))
            issue = self.new(
                Issue(
                    project,
                    kind,
                    f"{self.thing(project)} {self.word(_TROUBLES)}".capitalize()
                    if kind == "Bug"
                    else f"Maintain {self.thing(project)}",
                    created,
                    author,
                    _fields("To Do"),
                )
            )
            begins = self.at(author, created, self.days(4.0, 0.9))
            if self.chance(0.1):
                reason = "Cannot Reproduce" if kind == "Bug" else "Won't Do"
                issue.set(begins, author, status="Done", resolution=reason)
                continue
            work_days = min(self.days(4.0 if kind == "Bug" else 18.0, 0.5), 45.0)
            worker = self.worker(team.department_id, begins, work_days)
            self.carry_out(issue, worker, author, begins, work_days)

    def incident(self, day: date) -> None:
        """Reported through the shared mailbox; half of them need a second department."""
        desk = self.company.service_desk
        created = self.at(desk, _noon(day))
        issue = self.new(
            Issue(
                "CARE",
                "Incident",
                f"{self.thing(pick(self.rng, ('PLAT', 'SOFT', 'INST')))} "
                f"{self.word(_TROUBLES)}".capitalize(),
                created,
                desk,
                _fields("Open", assignee=desk),
                priority=pick(self.rng, ("Medium", "High", "Highest"), (0.5, 0.35, 0.15)),
            )
        )
        lead = pick(self.rng, self.company.steady("22", day))
        begins = self.at(lead, created + timedelta(minutes=20), self.days(0.3, 0.8))
        worker = self.worker("22", begins, 2.0)
        if self.chance(0.5):
            helper = self.worker(pick(self.rng, ("11", "12", "31")), begins, 2.0)
            issue.set(begins, lead, assignee=worker)
            issue.set(begins + timedelta(minutes=2), lead, status="In Progress")
            if self.chance(0.3):
                asked = self.at(lead, begins + timedelta(minutes=30), 0.3)
                issue.set(asked, lead, status="Waiting for Customer")
                begins = self.at(lead, asked, self.days(1.5))
                issue.set(begins, lead, status="In Progress")
            begins = self.at(lead, begins + timedelta(minutes=30), self.days(0.5))
            worker = helper
        self.carry_out(
            issue, worker, lead, begins, self.days(0.8, 0.7), done="Resolved", resolution="Fixed"
        )


def _fields(status: str, **given: Any) -> Fields:
    """The fields of a new issue."""
    return {
        "status": status,
        "assignee": None,
        "resolution": None,
        "duedate": None,
        "labels": (),
        "story_points": None,
        "fix_version": None,
    } | given


def _project(department_id: str) -> str:
    return next(t.project_key or "" for t in TEAMS if t.department_id == department_id)


def _noon(day: date) -> datetime:
    return first_instant(day) + timedelta(hours=12)


def _day(when: datetime) -> int:
    return max(offset(when.astimezone(COMPANY_ZONE).date()), 0)


def _book_time(issues: Sequence[Issue], company: Company) -> None:
    """Teams that log book most of a day on what they have in progress, a quarter at a time."""
    rng = company.random("worklogs")
    parents = {id(issue.parent) for issue in issues if issue.parent}
    logging = {team.department_id for team in TEAMS if team.logs_work}
    active: dict[tuple[int, date], list[_Span]] = defaultdict(list)
    for issue in issues:
        if id(issue) in parents:
            continue
        for begins, ends, who in _doing(issue):
            day = begins.date()
            while day <= min(ends.date(), END):
                active[who.number, day].append((begins, ends, issue, who))
                day += timedelta(1)
    for (_, day), spans in sorted(active.items(), key=lambda item: item[0]):
        who = spans[0][3]
        post = who.post_on(day)
        if not post or post.department_id not in logging or day < START:
            continue
        if not who.works[offset(day)] or rng.random() < 0.06:
            continue
        zone = who.zone_on(day)
        cursor = datetime.combine(day, OPENS, zone)
        closes = datetime.combine(day, CLOSES, zone)
        hours = 8 * post.fte * rng.uniform(0.72, 0.98)
        for begins, ends, issue, _ in spans:
            start = max(cursor, begins)
            share = timedelta(hours=hours / len(spans))
            seconds = int(min(share, min(ends, closes) - start).total_seconds()) // 900 * 900
            if seconds <= 0:
                continue
            cursor = start + timedelta(seconds=seconds)
            issue.worklogs.append(
                Worklog(start.astimezone(UTC), cursor.astimezone(UTC), who, seconds)
            )


_Span: TypeAlias = tuple[datetime, datetime, Issue, Person]


def _doing(issue: Issue) -> Iterable[tuple[datetime, datetime, Person]]:
    """Spans [from, to) of In Progress with an assignee."""
    now: Fields = dict(issue.initial)
    since = issue.created_at
    horizon = first_instant(END) + timedelta(days=1)
    for change, _ in issue.replay(horizon):
        if now["status"] == "In Progress" and now["assignee"]:
            yield since, change.at, now["assignee"]
        now |= change.fields
        since = change.at
    if now["status"] == "In Progress" and now["assignee"]:
        yield since, horizon, now["assignee"]


def _number(issues: list[Issue], versions: list[Version]) -> None:
    """Ids and keys in the order of creation: cutting the end off never renumbers."""
    issues.sort(key=lambda issue: issue.created_at)
    counts: dict[str, int] = defaultdict(int)
    for number, issue in enumerate(issues):
        counts[issue.project_key] += 1
        issue.number = 20001 + number
        issue.key = f"{issue.project_key}-{counts[issue.project_key]}"
    changes = [change for issue in issues for change in issue.changes]
    worklogs = [worklog for issue in issues for worklog in issue.worklogs]
    comments = [comment for issue in issues for comment in issue.comments]
    numbered: list[tuple[int, Sequence[Change | Worklog | Comment]]] = [
        (100_001, changes),
        (300_001, worklogs),
        (400_001, comments),
    ]
    for first, records in numbered:
        for number, record in enumerate(sorted(records, key=lambda record: record.at)):
            record.number = first + number
    versions.sort(key=lambda version: version.released_at)
    for number, version in enumerate(versions):
        version.number = 30001 + number
        version.name = f"{version.started_on:%Y.%m}-{number + 1}"
