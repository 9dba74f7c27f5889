"""What is kept of a record that Jira's API gave.

Belongs here: leaving out texts, avatars and links before anything is written. Does not belong here:
types and required fields (see `shapes` and `entities`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project.sources.pulls import Json

#: Of a person: what identifies them.
PERSON = frozenset(
    ("accountId", "accountType", "active", "displayName", "emailAddress", "key", "name", "timeZone")
)
#: Of an issue.
ISSUE = ("self", "id", "key", "fields")
AUTHORS = ("author", "updateAuthor")
_PEOPLE_OF_ISSUES = ("assignee", "reporter", "creator")
_TEXTS_OF_ISSUES = ("description", "comment", "worklog", "attachment", "environment")


def slim_person(person: Mapping[str, Any]) -> Json:
    """An account without avatar, links and groups."""
    return {name: value for name, value in person.items() if name in PERSON}


def slim_issue(issue: Mapping[str, Any]) -> Json:
    """An issue without texts but its summary, and without what has a stream of its own."""
    kept = {name: issue[name] for name in ISSUE if name in issue}
    fields = without(kept.get("fields") or {}, *_TEXTS_OF_ISSUES)
    for name in _PEOPLE_OF_ISSUES:
        if isinstance(person := fields.get(name), dict):
            fields[name] = slim_person(person)
    return {**kept, "fields": fields}


def slim_history(history: Mapping[str, Any]) -> Json:
    """One entry of a changelog."""
    return _slim(history, ("id", "created", "items"))


def slim_worklog(worklog: Mapping[str, Any]) -> Json:
    """A worklog without its text."""
    return _slim(worklog, [n for n in worklog if n not in ("comment", "self", *AUTHORS)])


def slim_comment(comment: Mapping[str, Any]) -> Json:
    """Who commented when."""
    return _slim(comment, ("id", "created", "updated"))


def without(record: Mapping[str, Any], *names: str) -> Json:
    """A record without the named fields."""
    return {name: value for name, value in record.items() if name not in names}


def _slim(record: Mapping[str, Any], names: Any) -> Json:
    """The named fields, and of the people only what identifies them."""
    kept = {name: record[name] for name in names if name in record}
    for author in AUTHORS:
        if isinstance(person := record.get(author), dict):
            kept[author] = slim_person(person)
    return kept
