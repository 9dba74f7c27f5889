"""The words of the work: what issues are called, and the codes under which arrays hold texts.

What belongs here: vocabulary that does not depend on the seed. What does not: who says what when.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

FIELDS = (
    "status",
    "resolution",
    "assignee",
    "duedate",
    "labels",
    "story_points",
    "fix_version",
    "sprint",
    "priority",
    "issuetype",
    "parent",
    "project",
    "key",
    "link",
    "rank",
    "description",
    "summary",
)
"""Fields of a history in the order in which one edit lists them."""
FIELD = {name: number for number, name in enumerate(FIELDS)}

PHASES = ("idea", "approved", "waiting", "in_progress", "done", "released", "cancelled")
PHASE = {name: number for number, name in enumerate(PHASES)}

TYPES = ("Initiative", "Idea", "Story", "Task", "Bug", "Incident", "Sub-task")
WORKFLOWS = ("software", "hardware", "service", "business", "initiative", "idea")
WORKFLOW = {name: number for number, name in enumerate(WORKFLOWS)}

WORDS = (
    "Idea",
    "Approved",
    "In Progress",
    "Blocked",
    "Done",
    "Released",
    "Cancelled",
    "New",
    "Under Review",
    "Accepted",
    "In Development",
    "Launched",
    "Rejected",
    "To Do",
    "In Review",
    "Open",
    "Waiting for Customer",
    "Resolved",
    "Closed",
    "Fixed",
    "Won't Do",
    "Superseded",
    "Duplicate",
    "Cannot Reproduce",
    "Highest",
    "High",
    "Medium",
    "Low",
    "Ranked higher",
    "Ranked lower",
    "What it is for",
    "What it is for, and how we see that it works",
    "Notes of the refinement added",
    "Acceptance criteria added",
    *TYPES,
)
WORD = {word: number for number, word in enumerate(WORDS)}
"""Statuses, resolutions, priorities, types, ranks and descriptions under one numbering."""

NOTHING = -1
"""The code of an empty field."""

VERBS = [
    "Introduce",
    "Rework",
    "Automate",
    "Unify",
    "Simplify",
    "Replace",
    "Extend",
    "Harden",
    "Measure",
    "Open",
]
STEPS = [
    "Clarify needs for",
    "Sketch",
    "Build",
    "Wire up",
    "Test",
    "Document",
    "Migrate data of",
    "Review cost of",
    "Train users of",
    "Roll out",
    "Clean up",
    "Describe interface of",
]
TROUBLES = [
    "loses readings",
    "shows wrong unit",
    "is slow on Mondays",
    "rejects upload",
    "drops sessions",
]
_THINGS = {
    "PLAT": "ingest pipeline|sensor gateway|access control|data archive|alerting|edge runtime",
    "SOFT": "forecast view|station map|export service|mobile console|customer portal|report editor",
    "SALE": "quote desk|partner programme|pricing model|demo kit|renewal process|tender library",
    "CARE": "help centre|repair desk|onboarding course|answer catalogue|callback line|field visits",
    "INST": "buoy hull|pressure cell|calibration bench|power stage|mooring kit|salinity cell",
    "FSC": "order flow|spare parts store|supplier portal|invoice run|stock count|customs file",
}
_OF_WORKFLOW = {"software": "SOFT", "hardware": "INST", "service": "CARE", "business": "FSC"}


def things(project_key: str, workflow: str) -> list[str]:
    """What the project of a team is about; six things."""
    return _THINGS.get(project_key, _THINGS[_OF_WORKFLOW[workflow]]).split("|")


def coded(words: str) -> Ints:
    """Codes of words separated by bars."""
    return np.array([WORD[word] for word in words.split("|")], dtype=np.int64)


# By everyday workflow (software, hardware, service, business): the names of its steps.
FIRST = coded("To Do|To Do|Open|To Do")
BLOCKED = coded("Blocked|Blocked|Waiting for Customer|Blocked")
DONE = coded("Done|Done|Resolved|Done")
REVIEW_PHASE = np.array(
    [PHASE["in_progress"], PHASE["waiting"], PHASE["in_progress"], PHASE["in_progress"]]
)
"""In hardware, the supplier looks at it: the team waits."""
HAS_REVIEW = np.array([True, True, False, False])
