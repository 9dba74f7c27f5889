"""What the administrators of the company's Jira have set up, with its ids.

What belongs here: names and ids that no simulated day changes. What does not: whatever the
hidden state decides (statuses, projects, versions, sprints).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BASE_URL = "https://tidewater.example.com"
API = f"{BASE_URL}/rest/api/3"
AGILE = f"{BASE_URL}/rest/agile/1.0"

STORY_POINTS = "customfield_10016"
RANK = "customfield_10019"
SPRINT = "customfield_10020"


def _numbered(first: int, names: str) -> Mapping[str, str]:
    return MappingProxyType({name: str(first + n) for n, name in enumerate(names.split("|"))})


ISSUE_TYPES = _numbered(10_100, "Initiative|Idea|Story|Task|Bug|Incident|Sub-task|Epic")
HIERARCHY_LEVELS: Mapping[str, int] = MappingProxyType({"Initiative": 2, "Epic": 1, "Sub-task": -1})
"""Where an issue type stands above or below the everyday ones, which are at 0."""
RESOLUTIONS = _numbered(10_300, "Done|Fixed|Won't Do|Superseded|Duplicate|Cannot Reproduce")
PRIORITIES = _numbered(1, "Highest|High|Medium|Low|Lowest")
CATEGORIES: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "new": (2, "To Do", "blue-gray"),
        "indeterminate": (4, "In Progress", "yellow"),
        "done": (3, "Done", "green"),
    }
)
"""Key of a status category: id, name and colour."""


@dataclass(frozen=True)
class ChangedField:
    """How the changelog names a field of the hidden state."""

    name: str
    fieldtype: str = "jira"
    field_id: str | None = None
    is_null_when_empty: bool = True
    """Otherwise an empty value is told as empty text, as Jira does for some fields."""


CHANGED_FIELDS: Mapping[str, ChangedField] = MappingProxyType(
    {
        "status": ChangedField("status", field_id="status"),
        "resolution": ChangedField("resolution", field_id="resolution"),
        "assignee": ChangedField("assignee", field_id="assignee"),
        "duedate": ChangedField("duedate", field_id="duedate"),
        "labels": ChangedField("labels", field_id="labels", is_null_when_empty=False),
        "story_points": ChangedField("Story point estimate", "custom", STORY_POINTS),
        "fix_version": ChangedField("Fix Version", field_id="fixVersions"),
        "sprint": ChangedField("Sprint", "custom", SPRINT, is_null_when_empty=False),
        "priority": ChangedField("priority", field_id="priority"),
        "issuetype": ChangedField("issuetype", field_id="issuetype"),
        # Neither of these has a field id in Jira's answers.
        "parent": ChangedField("IssueParentAssociation"),
        "key": ChangedField("Key"),
        "link": ChangedField("Link"),
        "project": ChangedField("project", field_id="project"),
        "rank": ChangedField("Rank", "custom", RANK, is_null_when_empty=False),
        "description": ChangedField("description", field_id="description"),
        "summary": ChangedField("summary", field_id="summary"),
    }
)
"""Field of hidden.change: how Jira tells of it."""
