"""The register of all systems, entities, streams and fields.

Belongs here: which entities a system has, which streams of the lake they feed, which column has
which type. Does not belong here: readers and rules of a single system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from dagster_project.sources.crm.entities import ENTITIES as CRM
from dagster_project.sources.fields import Record
from dagster_project.sources.hr.entities import ENTITIES as HR
from dagster_project.sources.jira.entities import ENTITIES as JIRA

_SQL_TYPES = {str: "VARCHAR", datetime: "TIMESTAMP", date: "DATE"}


@dataclass(frozen=True, slots=True)
class Stream:
    """A table of the raw schemas.

    `keys`: typed columns beside the payload and their SQL types; `identity`: the columns that tell
    one record from another; `fields`: payload fields that models read -> required.
    """

    system: str
    name: str
    description: str
    keys: Mapping[str, str]
    identity: tuple[str, ...]
    fields: Mapping[str, bool]


def _jira(name: str, description: str, keys: str, identity: str, fields: str) -> Stream:
    """A stream of Jira: keys are text unless they end in _at; required fields end in `*`."""
    typed = {key: "TIMESTAMP" if key.endswith("_at") else "VARCHAR" for key in keys.split()}
    wanted = {field.rstrip("*"): field.endswith("*") for field in fields.split()}
    return Stream("jira", name, description, typed, tuple(identity.split()), wanted)


def _tabular(system: str, name: str, model: type[Record]) -> Stream:
    """A stream of CRM or HR: all of it follows from the model of its record."""
    keys: dict[str, str] = {}
    for key in model.keys:
        annotation: Any = model.model_fields[key].annotation
        keys[key] = _SQL_TYPES[annotation]
    fields = {field: info.is_required() for field, info in model.model_fields.items()}
    return Stream(system, name, model.description, keys, model.identity, fields)


#: system -> its streams, in the order in which they are shown.
STREAMS: Mapping[str, tuple[Stream, ...]] = {
    "jira": (
        _jira(
            "issues",
            "One row per delivered version of an issue, without changelog and texts.",
            keys="issue_id issue_key created_at updated_at",
            identity="issue_id",
            fields="id* key* fields.created* fields.status.name* fields.issuetype.name*"
            " fields.project.key* fields.updated fields.assignee fields.resolution"
            " fields.resolutiondate fields.duedate fields.labels fields.parent"
            " changelog fields.worklog fields.comment",
        ),
        _jira(
            "changelogs",
            "One row per delivered history of an issue: who changed which fields when.",
            keys="issue_id history_id created_at",
            identity="issue_id history_id",
            fields="id* created* author items",
        ),
        _jira(
            "worklogs",
            "One row per delivered version of a worklog, without its text.",
            keys="issue_id worklog_id started_at updated_at",
            identity="worklog_id",
            fields="id* started* author timeSpentSeconds updated",
        ),
        _jira(
            "comments",
            "One row per delivered comment: who and when, never its text.",
            keys="issue_id comment_id created_at",
            identity="comment_id",
            fields="id* created* author updated",
        ),
        _jira(
            "users",
            "One row per delivered version of a Jira account.",
            keys="user_id",
            identity="user_id",
            fields="accountId displayName emailAddress active accountType timeZone",
        ),
        _jira(
            "statuses",
            "One row per delivered version of a status.",
            keys="status_id",
            identity="status_id",
            fields="id* name* statusCategory",
        ),
        _jira(
            "versions",
            "One row per delivered version of a project's release.",
            keys="version_id",
            identity="version_id",
            fields="id* name projectId released releaseDate",
        ),
        _jira(
            "worklog_deletions",
            "One row per worklog that Jira reported as deleted, in each delivery that says so.",
            keys="worklog_id deleted_at",
            identity="worklog_id",
            fields="worklogId* updatedTime*",
        ),
        _jira(
            "projects",
            "One row per delivered version of a project.",
            keys="project_id",
            identity="project_id",
            fields="id* key* name* projectTypeKey",
        ),
        _jira(
            "sprints",
            "One row per delivered version of a sprint; a board that shows it delivers it.",
            keys="sprint_id",
            identity="sprint_id",
            fields="id* name* state startDate endDate completeDate originBoardId",
        ),
        _jira(
            "fields",
            "One row per delivered version of an issue field: its id, name and type.",
            keys="field_id",
            identity="field_id",
            fields="id* name* custom schema",
        ),
    ),
    "crm": tuple(_tabular("crm", name, model) for name, model in CRM.items()),
    "hr": tuple(_tabular("hr", name, model) for name, model in HR.items()),
}

#: CRM and HR: system -> entity (which is a stream) -> its record.
TABULAR: Mapping[str, Mapping[str, type[Record]]] = {"crm": CRM, "hr": HR}

#: system -> entity of mission.yaml -> the record that its files hold.
ENTITIES: Mapping[str, Mapping[str, type[BaseModel]]] = {"jira": JIRA, "crm": CRM, "hr": HR}

#: Streams that come inside the issues of Jira.
INLINE_STREAMS = ("changelogs", "worklogs", "comments")

#: system -> groups of entities; of each group one must be declared and must hold rows.
REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "jira": (("issues",),),
    "crm": (("accounts", "deals"),),
    "hr": (("employees",), ("department_history",)),
}


def stream(system: str, name: str) -> Stream:
    """The declaration of one stream."""
    return next(found for found in STREAMS[system] if found.name == name)


def fed_streams(system: str, entity: str) -> tuple[str, ...]:
    """The streams that an entity's files feed, its own last (it is committed last)."""
    inline = INLINE_STREAMS if (system, entity) == ("jira", "issues") else ()
    return (*inline, entity)
