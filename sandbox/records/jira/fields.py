"""The fields of the company's Jira.

What belongs here: which fields there are and how Jira describes them. What does not: values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.records.jira.catalogue import RANK, SPRINT, STORY_POINTS


@dataclass(frozen=True)
class Field:
    """A field as an administrator sees it."""

    field_id: str
    name: str
    kind: str
    """Type of its value, "array" included."""
    items: str | None = None
    clauses: tuple[str, ...] = ()
    """Its names in JQL."""
    custom: str | None = None
    """Kind of a custom field; None: a field of Jira's own."""
    is_navigable: bool = True

    def details(self) -> Mapping[str, Any]:
        """The field as GET /field tells it."""
        return {
            "id": self.field_id,
            "key": self.field_id,
            "name": self.name,
            "custom": self.custom is not None,
            "orderable": True,
            "navigable": self.is_navigable,
            "searchable": bool(self.clauses),
            "clauseNames": list(self.clauses),
            "schema": self._schema(),
        }

    def found(self) -> Mapping[str, Any]:
        """The field as GET /field/search tells it."""
        return {
            "id": self.field_id,
            "key": self.field_id,
            "name": self.name,
            "schema": self._schema(),
            "isLocked": False,
        }

    def _schema(self) -> Mapping[str, Any]:
        schema: dict[str, Any] = {"type": self.kind}
        if self.items:
            schema["items"] = self.items
        if self.custom:
            number = int(self.field_id.removeprefix("customfield_"))
            return {**schema, "custom": self.custom, "customId": number}
        return {**schema, "system": self.field_id}


FIELDS = (
    Field("summary", "Summary", "string", clauses=("summary",)),
    Field("issuetype", "Issue Type", "issuetype", clauses=("issuetype", "type")),
    Field("project", "Project", "project", clauses=("project",)),
    Field("status", "Status", "status", clauses=("status",)),
    Field("priority", "Priority", "priority", clauses=("priority",)),
    Field("resolution", "Resolution", "resolution", clauses=("resolution",)),
    Field("resolutiondate", "Resolved", "datetime", clauses=("resolutiondate", "resolved")),
    Field("created", "Created", "datetime", clauses=("created", "createdDate")),
    Field("updated", "Updated", "datetime", clauses=("updated", "updatedDate")),
    Field("duedate", "Due date", "date", clauses=("due", "duedate")),
    Field("labels", "Labels", "array", "string", ("labels",)),
    Field("assignee", "Assignee", "user", clauses=("assignee",)),
    Field("reporter", "Reporter", "user", clauses=("reporter",)),
    Field("creator", "Creator", "user", clauses=("creator",)),
    Field(
        STORY_POINTS,
        "Story point estimate",
        "number",
        clauses=("cf[10016]", "Story point estimate"),
        custom="com.pyxis.greenhopper.jira:jsw-story-points",
    ),
    Field(
        SPRINT,
        "Sprint",
        "array",
        "json",
        ("cf[10020]", "Sprint"),
        custom="com.pyxis.greenhopper.jira:gh-sprint",
    ),
    Field("fixVersions", "Fix versions", "array", "version", ("fixVersion",)),
    Field("worklog", "Log Work", "array", "worklog", is_navigable=False),
    Field("comment", "Comment", "comments-page", clauses=("comment",), is_navigable=False),
    Field("parent", "Parent", "issuelink", clauses=("parent",)),
    Field("description", "Description", "string", clauses=("description",)),
    Field("timespent", "Time Spent", "number", clauses=("timespent",)),
    Field(
        RANK,
        "Rank",
        "any",
        clauses=("cf[10019]", "Rank"),
        custom="com.pyxis.greenhopper.jira:gh-lexo-rank",
    ),
)
"""In the order in which an issue holds them."""
