"""The company's work as Jira Cloud tells it (REST v3 shapes), as of any moment.

What belongs here: wire format and the view of a past moment. What does not: invented facts;
whatever is written here follows from `work.History` by replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from sandbox.calendars import COMPANY_ZONE, END
from sandbox.company import TEAMS, Company, Person
from sandbox.work import Change, Comment, Fields, History, Issue, Version, Worklog

Record: TypeAlias = dict[str, Any]

BASE_URL = "https://tidewater.example.com"
STORY_POINTS = "customfield_10016"

PROJECTS = {
    **{team.project_key or "": team.name for team in TEAMS},
    "IDEA": "Ideas of everybody",
}
PROJECT_IDS = {key: str(10_000 + number) for number, key in enumerate(PROJECTS)}
ISSUE_TYPES = {
    name: str(10_100 + number)
    for number, name in enumerate(
        ("Initiative", "Idea", "Story", "Task", "Bug", "Incident", "Sub-task")
    )
}
_CATEGORIES = {
    "new": "Idea|New|Under Review|To Do|Open|Approved|Accepted",
    "indeterminate": "In Progress|In Development|In Review|Blocked|Waiting for Customer",
    "done": "Done|Resolved|Released|Launched|Cancelled|Rejected",
}
_CATEGORY_NAMES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
_CATEGORY_IDS = {"new": 2, "indeterminate": 4, "done": 3}
STATUSES = {
    name: (str(10_200 + 20 * block + number), category)
    for block, (category, names) in enumerate(_CATEGORIES.items())
    for number, name in enumerate(names.split("|"))
}
RESOLUTIONS = {
    name: str(10_300 + number)
    for number, name in enumerate(
        ("Done", "Fixed", "Won't Do", "Superseded", "Duplicate", "Cannot Reproduce")
    )
}
PRIORITIES = {name: str(n + 1) for n, name in enumerate(("Highest", "High", "Medium", "Low"))}


def stamp(when: datetime) -> str:
    """Jira's timestamp in the zone of the API user, e.g. 2024-07-01T09:15:22.000+0200."""
    local = when.astimezone(COMPANY_ZONE)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def users(company: Company, until: datetime) -> Iterator[Record]:
    """Accounts opened before `until`, inactive once their owner has left."""
    for person in _accounts(company, until):
        yield {
            "self": f"{BASE_URL}/rest/api/3/user?accountId={person.account_id}",
            **_user(person),
            "active": _is_active(person, until),
            "accountType": "atlassian",
            "timeZone": str(person.zone_on(min(until.date(), END))),
        }


def statuses() -> Iterator[Record]:
    """All statuses; they do not change."""
    for name in STATUSES:
        yield _status(name)


def versions(history: History, until: datetime) -> Iterator[Record]:
    """Versions begun before `until`; a release date only where it has passed."""
    for version in history.versions:
        if version.started_on < until.astimezone(COMPANY_ZONE).date():
            released = version.released_at < until
            yield {
                "self": f"{BASE_URL}/rest/api/3/version/{version.number}",
                "id": str(version.number),
                "name": version.name,
                "projectId": int(PROJECT_IDS[version.project_key]),
                "startDate": version.started_on.isoformat(),
                "archived": False,
                "released": released,
            } | ({"releaseDate": _local_date(version.released_at).isoformat()} if released else {})


def issues(history: History, until: datetime) -> Iterator[tuple[str, Record]]:
    """(month of creation YYYY-MM, issue) for issues created before `until`, as of then.

    All ids are numbered over the whole simulation: an earlier view has the same ids, only fewer.
    """
    for issue in history.issues:
        if issue.created_at < until:
            yield stamp(issue.created_at)[:7], _issue(issue, until)


def _issue(issue: Issue, until: datetime) -> Record:
    histories: list[Record] = []
    now = dict(issue.initial)
    resolved_at: datetime | None = None
    updated_at = issue.created_at
    for change, before in issue.replay(until):
        histories.append(_history(change, before))
        now |= change.fields
        updated_at = change.at
        if "resolution" in change.fields:
            resolved_at = change.at if change.fields["resolution"] else None
    worklogs = [_worklog(w, issue) for w in issue.worklogs if w.at < until]
    comments = [_comment(c) for c in issue.comments if c.at < until]
    noted: list[Worklog | Comment] = [*issue.worklogs, *issue.comments]
    booked = [note.at for note in noted if note.at < until]
    parent = issue.parent
    fields: Record = {
        "summary": issue.summary,
        "issuetype": {
            "id": ISSUE_TYPES[issue.issue_type],
            "name": issue.issue_type,
            "subtask": issue.issue_type == "Sub-task",
        },
        "project": {
            "id": PROJECT_IDS[issue.project_key],
            "key": issue.project_key,
            "name": PROJECTS[issue.project_key],
        },
        "status": _status(now["status"]),
        "priority": {"id": PRIORITIES[issue.priority], "name": issue.priority},
        "resolution": now["resolution"] and _resolution(now["resolution"]),
        "resolutiondate": resolved_at and stamp(resolved_at),
        "created": stamp(issue.created_at),
        "updated": stamp(max(updated_at, *booked) if booked else updated_at),
        "duedate": now["duedate"] and now["duedate"].isoformat(),
        "labels": list(now["labels"]),
        "assignee": now["assignee"] and _user(now["assignee"]),
        "reporter": _user(issue.creator),
        "creator": _user(issue.creator),
        STORY_POINTS: now["story_points"],
        "fixVersions": [_version(now["fix_version"], until)] if now["fix_version"] else [],
        "worklog": _page(worklogs, "worklogs"),
        "comment": _page(comments, "comments"),
    }
    if parent:
        fields["parent"] = {"id": str(parent.number), "key": parent.key}
    return {
        "id": str(issue.number),
        "key": issue.key,
        "self": f"{BASE_URL}/rest/api/3/issue/{issue.number}",
        "fields": fields,
        # Newest first, as Jira Cloud answers.
        "changelog": _page(histories[::-1], "histories"),
    }


def _page(records: list[Record], name: str) -> Record:
    return {"startAt": 0, "maxResults": len(records), "total": len(records), name: records}


def _history(change: Change, before: Fields) -> Record:
    return {
        "id": str(change.number),
        "author": _user(change.author),
        "created": stamp(change.at),
        "items": [_item(name, before[name], value) for name, value in change.fields.items()],
    }


_FIELDS = {
    "status": ("status", "jira", "status"),
    "resolution": ("resolution", "jira", "resolution"),
    "assignee": ("assignee", "jira", "assignee"),
    "duedate": ("duedate", "jira", "duedate"),
    "labels": ("labels", "jira", "labels"),
    "story_points": ("Story point estimate", "custom", STORY_POINTS),
    "fix_version": ("Fix Version", "jira", "fixVersions"),
}
"""Our field: name, type and id of the changelog item."""


def _item(name: str, old: Any, new: Any) -> Record:
    field, fieldtype, field_id = _FIELDS[name]
    from_id, from_text = _told(name, old)
    to_id, to_text = _told(name, new)
    return {
        "field": field,
        "fieldtype": fieldtype,
        "fieldId": field_id,
        "from": from_id,
        "fromString": from_text,
        "to": to_id,
        "toString": to_text,
    }


def _told(name: str, value: Any) -> tuple[str | None, str | None]:
    """(id, text) of a value in a changelog item, with Jira's habits for each field."""
    if name == "labels":
        return "", " ".join(value)
    if value is None:
        return None, None
    if name == "status":
        return STATUSES[value][0], value
    if name == "resolution":
        return RESOLUTIONS[value], value
    if isinstance(value, Person):
        return value.account_id, value.display_name
    if isinstance(value, Version):
        return str(value.number), value.name
    if isinstance(value, date):
        return value.isoformat(), f"{value.isoformat()} 00:00:00.0"
    return None, f"{value:g}"


def _worklog(worklog: Worklog, issue: Issue) -> Record:
    return {
        "id": str(worklog.number),
        "issueId": str(issue.number),
        "author": _user(worklog.author),
        "updateAuthor": _user(worklog.author),
        "created": stamp(worklog.at),
        "updated": stamp(worklog.at),
        "started": stamp(worklog.started_at),
        "timeSpentSeconds": worklog.seconds,
    }


def _comment(comment: Comment) -> Record:
    return {
        "id": str(comment.number),
        "author": _user(comment.author),
        "body": {"type": "doc", "version": 1, "content": []},
        "created": stamp(comment.at),
        "updated": stamp(comment.at),
    }


def _status(name: str) -> Record:
    status_id, category = STATUSES[name]
    return {
        "id": status_id,
        "name": name,
        "statusCategory": {
            "id": _CATEGORY_IDS[category],
            "key": category,
            "name": _CATEGORY_NAMES[category],
        },
    }


def _resolution(name: str) -> Record:
    return {"id": RESOLUTIONS[name], "name": name}


def _version(version: Version, until: datetime) -> Record:
    return {
        "id": str(version.number),
        "name": version.name,
        "released": version.released_at < until,
    }


def _user(person: Person) -> Record:
    """A user as seen by others; an e-mail only where the owner shows it."""
    shown = {} if person.hides_email else {"emailAddress": person.email}
    return {"accountId": person.account_id, "displayName": person.display_name} | shown


def _accounts(company: Company, until: datetime) -> Iterator[Person]:
    today = until.astimezone(COMPANY_ZONE).date()
    for person in (*company.people, company.contractor, company.service_desk):
        if person.has_account and person.hired_on < today:
            yield person


def _is_active(person: Person, until: datetime) -> bool:
    """Still employed on the last day before `until`."""
    return person.post_on(_local_date(until, days=-1)) is not None


def _local_date(when: datetime, days: int = 0) -> date:
    return when.astimezone(COMPANY_ZONE).date() + timedelta(days)
