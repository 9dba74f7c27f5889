"""What Jira delivers: the parts of its REST records that must be there and be typed.

Belongs here: required and optional fields of REST records (v2 and v3). Does not belong here:
taking an issue apart (see `records`). A record is kept as received; only what is declared here is
looked at, because validating fields that nobody reads costs time.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field, model_validator

from dagster_project.sources.fields import Day, Number, Part, Text, Timestamp


class Named(Part):
    """A status or an issue type."""

    name: Text


class Keyed(Part):
    """A project."""

    key: Text


class IssueFields(Part):
    """`fields` of an issue."""

    created: Timestamp
    updated: Timestamp | None = None
    status: Named
    issuetype: Named
    project: Keyed
    resolutiondate: Timestamp | None = None
    duedate: Day | None = None


class Issue(Part):
    """An issue of `/rest/api/2|3/issue` or of a search."""

    id: Text
    key: Text
    fields: IssueFields


class History(Part):
    """One entry of a changelog."""

    id: Text
    created: Timestamp
    items: list[dict[str, Any]] = Field(default_factory=list)


class Worklog(Part):
    """Time that somebody logged."""

    id: Text
    started: Timestamp
    updated: Timestamp | None = None
    timeSpentSeconds: Number | None = None


class IssueWorklog(Worklog):
    """A worklog in a file of its own, where it has to name its issue."""

    issueId: Text


class Comment(Part):
    """A comment; its text is never kept."""

    id: Text
    created: Timestamp
    updated: Timestamp | None = None


class IssueHistories(Part):
    """Histories of one issue in a file of their own: a bulk answer, or one history a record."""

    issueId: Annotated[Text, Field(validation_alias=AliasChoices("issueId", "issue_id"))]


class User(Part):
    """An account; `accountId` in the cloud, `key` or `name` on a server of one's own."""

    accountId: Text | None = None
    key: Text | None = None
    name: Text | None = None

    @model_validator(mode="after")
    def _has_an_id(self) -> User:
        if self.user_id is None:
            raise ValueError("has neither accountId nor key nor name")
        return self

    @property
    def user_id(self) -> str | None:
        """The id that issues refer to."""
        return self.accountId or self.key or self.name


class Status(Part):
    """A status."""

    id: Text
    name: Text


class Version(Part):
    """A version of a project."""

    id: Text
    name: Text | None = None
    releaseDate: Day | None = None


#: The record that each declared entity's file holds.
ENTITIES: dict[str, type[BaseModel]] = {
    "issues": Issue,
    "changelogs": IssueHistories,
    "worklogs": IssueWorklog,
    "users": User,
    "statuses": Status,
    "versions": Version,
}
