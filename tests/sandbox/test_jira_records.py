"""What Jira's records say is what happened, no more and no less, whenever one looks.

Belongs here: emitted records against the hidden state, in both directions. Does not belong here:
HTTP (test_jira_server), and whether the hidden state itself is sensible.
"""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import jira_company as made
import pytest

from sandbox.calendars import END, first_instant
from sandbox.records import jira
from sandbox.records.jira import places
from sandbox.records.jira.catalogue import (
    CHANGED_FIELDS,
    ISSUE_TYPES,
    PRIORITIES,
    RESOLUTIONS,
    SPRINT,
    STORY_POINTS,
)
from sandbox.records.jira.issues import Inline, issues
from sandbox.records.jira.wire import Wire

if TYPE_CHECKING:
    import duckdb

    from sandbox.world import World

Record: TypeAlias = dict[str, Any]

END_SEEN = first_instant(END).astimezone(UTC)
INSTANTS = {
    "simulated, early": datetime(2025, 3, 4, 12, 30, tzinfo=UTC),
    "simulated, at the end": END_SEEN,
    "made by hand, early": datetime(2025, 1, 24, 12, 30, tzinfo=UTC),
    "made by hand, at the end": datetime(2025, 4, 1, tzinfo=UTC),
}
FIELD_OF = {told.name: field for field, told in CHANGED_FIELDS.items()}


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Rows as dicts; instants in UTC are naive, as the hidden state keeps them."""
    result = connection.execute(sql)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def told(connection: duckdb.DuckDBPyConnection, now: datetime) -> dict[str, list[Record]]:
    """All records of the files as of an instant, by group; all issues by one query."""
    jira.prepare(connection, now)
    groups: dict[str, list[Record]] = {"jira/issues": whole_issues(connection)}
    for file in jira.files(connection, now):
        if file.group != "jira/issues":
            groups[file.group] = [json.loads(row["line"]) for row in rows(connection, file.sql)]
    return groups


def whole_issues(connection: duckdb.DuckDBPyConnection) -> list[Record]:
    """All issues as of the instant that was prepared, as files tell them."""
    return [
        {
            "id": str(row["issue_id"]),
            "key": row["issue_key"],
            "fields": json.loads(row["fields"]),
            "changelog": json.loads(row["changelog"]),
        }
        for row in rows(connection, issues(Wire(), "true"))
    ]


@pytest.fixture(scope="module")
def made_company() -> World:
    return made.company()


@dataclass(frozen=True)
class Seen:
    """A company as of an instant: what Jira tells of it, and what happened."""

    connection: duckdb.DuckDBPyConnection
    now: datetime
    records: dict[str, list[Record]]
    replay: Replay


@pytest.fixture(scope="module", params=INSTANTS)
def seen(request: pytest.FixtureRequest, world: World, made_company: World) -> Seen:
    """Each company at each instant."""
    now = INSTANTS[request.param]
    company = world if request.param.startswith("simulated") else made_company
    connection = company.connection
    return Seen(connection, now, told(connection, now), Replay(connection, now))


class Replay:
    """The hidden work before an instant, replayed row by row: slow, plain and independent."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        self.now = now.astimezone(UTC).replace(tzinfo=None)
        until = f"timestamp '{self.now}'"
        self.issues = {
            row["issue_id"]: row
            for row in rows(
                connection,
                f"""select * from hidden.issue where created_at < {until}
                and (deleted_at is null or deleted_at >= {until})""",
            )
        }
        self.changes: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows(
            connection,
            f"""select * from hidden.change where changed_at < {until}
            order by change_id, item_index""",
        ):
            if row["issue_id"] in self.issues:
                self.changes[row["issue_id"]].append(row)
        self.worklogs = [
            row
            for row in rows(
                connection,
                f"""select * from hidden.worklog where logged_at < {until}
                and (deleted_at is null or deleted_at >= {until})""",
            )
            if row["issue_id"] in self.issues
        ]
        self.comments = [
            row
            for row in rows(connection, f"select * from hidden.comment where written_at < {until}")
            if row["issue_id"] in self.issues
        ]
        self.accounts = {
            row["person_id"]: row
            for row in rows(
                connection, "select * from hidden.account where system = 'jira' order by opened_at"
            )
            if row["opened_at"] < self.now
        }

    def account(self, person_id: Any) -> str | None:
        """The account id of a person, given as number or text."""
        account = self.accounts.get(int(person_id)) if person_id is not None else None
        return account["account_id"] if account else None

    def current(self, issue_id: int) -> dict[str, Any]:
        """Field of the hidden state: its value at the instant."""
        issue = self.issues[issue_id]
        now: dict[str, Any] = {
            "status": issue["status"],
            "assignee": issue["assignee_id"],
            "duedate": issue["due_date"],
            "labels": issue["labels"],
            "story_points": issue["story_points"],
            "priority": issue["priority"],
            "issuetype": issue["issue_type"],
            "parent": issue["parent_issue_id"],
            "project": issue["project_key"],
            "key": issue["issue_key"],
            "summary": issue["summary"],
        }
        for change in self.changes[issue_id]:
            now[change["field"]] = change["to_value"]
        return now

    def told_items(self, issue_id: int) -> set[tuple[int, str, bool, bool]]:
        """(history, field, was something, becomes something) of items that Jira tells."""
        items = set()
        for change in self.changes[issue_id]:
            before, after = change["from_value"], change["to_value"]
            if change["field"] == "assignee":
                before, after = self.account(before), self.account(after)
                if before is None and after is None:
                    continue
            item = (change["change_id"], change["field"])
            if change["field"] == "fix_version" and before is not None and after is not None:
                items |= {(*item, True, False), (*item, False, True)}
            else:
                items.add((*item, before is not None, after is not None))
        return items


def value(user: Record | None) -> str | None:
    return user["accountId"] if user else None


def problems(records: list[Record], replay: Replay) -> list[str]:
    """Where issues differ from what happened, in either direction."""
    found = []
    by_id = {int(record["id"]): record for record in records}
    if len(by_id) != len(records) or set(by_id) != set(replay.issues):
        found.append("issues are lost, invented or repeated")
    for issue_id in set(by_id) & set(replay.issues):
        record, now = by_id[issue_id], replay.current(issue_id)
        said = spoken_fields(record)
        for field, spoken in said.items():
            if spoken != expected(replay, field, now.get(field)):
                found.append(f"{issue_id} {field}: {spoken}, not {now.get(field)}")
        items = {
            (int(history["id"]), FIELD_OF[item["field"]], *map(bool, ends(item)))
            for history in record["changelog"]["histories"]
            for item in history["items"]
        }
        if items != replay.told_items(issue_id):
            found.append(f"{issue_id}: items differ")
        found += [f"{issue_id}: {problem}" for problem in broken_chains(record, said)]
    return found


def ends(item: Record) -> tuple[str | None, str | None]:
    """What an item says a field was and becomes: the id, or the text where there is none."""
    return (
        item["from"] or item["fromString"] or None,
        item["to"] or item["toString"] or None,
    )


def spoken_fields(record: Record) -> dict[str, Any]:
    """The current values that a record states, by field of the hidden state."""
    fields = record["fields"]
    named = {name: fields[name] and fields[name]["name"] for name in ("status", "priority")}
    return {
        **named,
        "issuetype": fields["issuetype"]["name"],
        "resolution": fields["resolution"] and fields["resolution"]["name"],
        "assignee": value(fields["assignee"]),
        "duedate": fields["duedate"],
        "labels": fields["labels"],
        "story_points": fields[STORY_POINTS],
        "project": fields["project"]["key"],
        "key": record["key"],
        "parent": fields["parent"]["id"] if "parent" in fields else None,
        "summary": fields["summary"],
        "fix_version": [version["id"] for version in fields["fixVersions"]],
        "sprint": sorted(sprint["id"] for sprint in fields[SPRINT] or []),
    }


def expected(replay: Replay, field: str, now: Any) -> Any:
    """The value as a record has to state it."""
    if field == "assignee":
        return replay.account(now)
    if field == "labels":
        return now.split() if now else []
    if field == "fix_version":
        return [now] if now else []
    if field == "sprint":
        return sorted(int(number) for number in (now or "").replace(",", " ").split())
    if field == "parent":
        return str(now) if now is not None and int(now) in replay.issues else None
    if now is None or now == "":
        return None
    return float(now) if field == "story_points" else str(now)


_IDS = {"status": None, "resolution": RESOLUTIONS, "priority": PRIORITIES, "issuetype": ISSUE_TYPES}


def broken_chains(record: Record, said: Record) -> list[str]:
    """Where an item does not begin with what the one before it left, or the last one does not
    end with the current value."""
    found = []
    held: dict[str, str | None] = {}
    for history in reversed(record["changelog"]["histories"]):
        for item in history["items"]:
            field = FIELD_OF[item["field"]]
            if field in ("rank", "link"):  # they tell of an act, not of a value that is held
                continue
            was, becomes = ends(item)
            if field in held and held[field] != was:
                found.append(f"{field} was {held[field]}, not {was}")
            held[field] = becomes
    for field, last in held.items():
        if field in _IDS:
            current = record["fields"][field]
            if (current and current["id"]) != last:
                found.append(f"{field} ends as {last}, is {current}")
        elif field in ("assignee", "key", "summary") and said[field] != last:
            found.append(f"{field} ends as {last}, is {said[field]}")
        elif field == "project" and record["fields"]["project"]["id"] != last:
            found.append(f"project ends as {last}")
        elif field == "fix_version" and said["fix_version"] != ([last] if last else []):
            found.append(f"version ends as {last}, is {said['fix_version']}")
        elif field == "sprint" and said["sprint"] != sorted(map(int, (last or "").split(", "))):
            found.append(f"sprint ends as {last}, is {said['sprint']}")
        elif field == "labels" and said["labels"] != (last or "").split():
            found.append(f"labels end as {last}, are {said['labels']}")
        elif field == "duedate" and said["duedate"] != last:
            found.append(f"duedate ends as {last}, is {said['duedate']}")
        elif field == "story_points" and said["story_points"] != (last and float(last)):
            found.append(f"story points end as {last}, are {said['story_points']}")
    return found


def test_every_issue_and_change_is_told_and_nothing_else(seen: Seen) -> None:
    assert len(seen.replay.issues) > 80
    assert problems(seen.records["jira/issues"], seen.replay) == []


@pytest.mark.parametrize("damage", ["issue", "history", "item", "value", "chain"])
def test_a_lost_or_altered_record_is_noticed(seen: Seen, damage: str) -> None:
    """The proof that the reconciliation above can fail."""
    told_issues = list(seen.records["jira/issues"])
    number = next(
        n
        for n, record in enumerate(told_issues)
        if sum(i["field"] == "status" for h in record["changelog"]["histories"] for i in h["items"])
        > 1
    )
    victim = told_issues[number] = copy.deepcopy(told_issues[number])
    histories = victim["changelog"]["histories"]
    if damage == "issue":
        del told_issues[number]
    elif damage == "history":
        del histories[0]
    elif damage == "item":
        del histories[0]["items"][0]
    elif damage == "value":
        victim["fields"]["status"]["name"] = "Somewhere else"
    else:
        item = next(i for h in histories for i in h["items"] if i["field"] == "status")
        item["from"] = "1"
    assert problems(told_issues, seen.replay) != []


def test_files_hold_each_issue_in_the_month_of_its_creation(made_company: World) -> None:
    connection = made_company.connection
    jira.prepare(connection, INSTANTS["made by hand, at the end"])
    found = []
    for file in jira.files(connection, INSTANTS["made by hand, at the end"]):
        if file.group == "jira/issues":
            assert (file.format, file.compression) == ("lines", "gzip")
            month = file.path.removeprefix("jira/issues-").removesuffix(".jsonl.gz")
            for row in rows(connection, file.sql):
                record = json.loads(row["line"])
                assert record["fields"]["created"].startswith(month)
                assert record.pop("self").endswith(f"/rest/api/3/issue/{record['id']}")
                found.append(record)
    assert found == whole_issues(connection)


def test_every_booked_hour_and_comment_is_told(seen: Seen) -> None:
    told_issues, replay = seen.records["jira/issues"], seen.replay
    worklogs = [
        (
            int(w["id"]),
            int(w["issueId"]),
            value(w["author"]),
            w["timeSpentSeconds"],
            w["started"],
            w["created"],
        )
        for record in told_issues
        for w in record["fields"]["worklog"]["worklogs"]
    ]
    assert sorted(worklogs, key=lambda w: w[0]) == [
        (
            w["worklog_id"],
            w["issue_id"],
            replay.account(w["person_id"]),
            w["seconds"],
            stamp(w["started_at"]),
            stamp(w["logged_at"]),
        )
        for w in sorted(replay.worklogs, key=lambda w: int(w["worklog_id"]))
    ]
    comments = {
        (int(c["id"]), int(record["id"]), c["created"])
        for record in told_issues
        for c in record["fields"]["comment"]["comments"]
        if c["body"] == {"type": "doc", "version": 1, "content": []}
    }
    assert comments == {
        (c["comment_id"], c["issue_id"], stamp(c["written_at"])) for c in replay.comments
    }


def stamp(when: datetime, zone: str = "Europe/Berlin") -> str:
    """Jira's text of a naive UTC instant, by Python's own zones."""
    local = when.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%dT%H:%M:%S}.000{local:%z}"


def test_every_account_is_told_and_hidden_addresses_are_not(seen: Seen) -> None:
    naive = seen.replay.now
    accounts = [
        row
        for row in rows(seen.connection, "select * from hidden.account where system = 'jira'")
        if row["opened_at"] < naive
    ]
    users = {user["accountId"]: user for user in seen.records["jira/users"]}
    assert set(users) == {row["account_id"] for row in accounts}
    for row in accounts:
        user = users[row["account_id"]]
        is_renamed = row["renamed_at"] is not None and row["renamed_at"] < naive
        assert user["displayName"] == (row["renamed_to"] if is_renamed else row["display_name"])
        assert user.get("emailAddress") == (row["email"] if row["is_email_shown"] else None)
        assert ("emailAddress" in user) == row["is_email_shown"]
        assert user["active"] == (row["closed_at"] is None or row["closed_at"] >= naive)


def test_updated_is_the_last_thing_that_happened(seen: Seen) -> None:
    replay = seen.replay
    last = {issue_id: issue["created_at"] for issue_id, issue in replay.issues.items()}
    until = f"timestamp '{replay.now}'"
    happened = [
        (row["issue_id"], row[column])
        for column, found in (
            ("changed_at", [c for changes in replay.changes.values() for c in changes]),
            ("written_at", replay.comments),
            ("logged_at", rows(seen.connection, "select * from hidden.worklog")),
            (
                "deleted_at",
                rows(seen.connection, f"select * from hidden.worklog where deleted_at < {until}"),
            ),
        )
        for row in found
        if row["issue_id"] in replay.issues and row[column] < replay.now
    ]
    for issue_id, when in happened:
        last[issue_id] = max(last[issue_id], when)
    told_last = {int(r["id"]): r["fields"]["updated"] for r in seen.records["jira/issues"]}
    assert told_last == {issue_id: stamp(when) for issue_id, when in last.items()}


def test_histories_come_newest_first(seen: Seen) -> None:
    for record in seen.records["jira/issues"]:
        page = record["changelog"]
        ids = [int(history["id"]) for history in page["histories"]]
        assert ids == sorted(ids, reverse=True)
        assert page["total"] == page["maxResults"] == len(ids)


def test_an_earlier_view_is_the_beginning_of_a_later_one(made_company: World) -> None:
    connection = made_company.connection
    early = told(connection, INSTANTS["made by hand, early"])["jira/issues"]
    late = told(connection, INSTANTS["made by hand, at the end"])["jira/issues"]
    later = {record["id"]: record for record in late}
    still_there = [record for record in early if record["id"] in later]
    assert 0.9 * len(early) < len(still_there) < len(early)
    for record in still_there:
        before, after = (r["changelog"]["histories"] for r in (record, later[record["id"]]))
        assert [h["id"] for h in before] == [h["id"] for h in after][len(after) - len(before) :]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
def test_stamps_are_right_in_every_zone_and_season(world: World, zone: str) -> None:
    moments = [
        datetime(2024, 7, 1) + timedelta(hours=hours, minutes=59) for hours in range(0, 17_500, 13)
    ]
    moments += [
        datetime(2024, 10, 27, 0, 59, 59),
        datetime(2024, 10, 27, 1, 0, 0),
        datetime(2025, 3, 9, 6, 59, 59),
        datetime(2025, 3, 9, 7, 0, 0),
    ]
    values = ", ".join(f"(timestamp '{moment}')" for moment in moments)
    wire = Wire(ZoneInfo(zone))
    texts = world.connection.execute(
        f"select happened_at, {wire.stamp('happened_at')} from (values {values}) as t(happened_at)"
    ).fetchall()
    assert len(texts) == len(moments)
    assert [text for _, text in texts] == [stamp(when, zone) for when, _ in texts]


def test_inline_changelog_is_capped_and_says_so(made_company: World) -> None:
    connection = made_company.connection
    jira.prepare(connection, INSTANTS["made by hand, at the end"])

    def page(inline: Inline) -> Record:
        sql = issues(Wire(), f"issue_id = {made.ENDLESS}", ["summary"], inline)
        changelog: Record = json.loads(rows(connection, sql)[0]["changelog"])
        return changelog

    capped, whole = page(Inline(histories=40)), page(Inline())
    assert (capped["total"], capped["maxResults"]) == (made.ENDLESS_HISTORIES, 40)
    assert (whole["total"], whole["maxResults"]) == (made.ENDLESS_HISTORIES,) * 2
    assert capped["histories"] == whole["histories"][:40]


def test_statuses_that_were_removed_are_not_listed(seen: Seen) -> None:
    there = {
        row["status"]
        for row in rows(seen.connection, "select * from hidden.workflow_status")
        if row["deleted_at"] is None or row["deleted_at"] >= seen.replay.now
    }
    assert {status["name"] for status in seen.records["jira/statuses"]} == there


def test_versions_have_a_release_date_once_it_has_passed(seen: Seen) -> None:
    released = {
        str(row["version_id"]): stamp(row["released_at"])[:10]
        for row in rows(seen.connection, "select * from hidden.version")
        if row["released_at"] is not None and row["released_at"] < seen.replay.now
    }
    versions = seen.records["jira/versions"]
    assert {v["id"] for v in versions if v["released"]} == set(released)
    assert {v["id"]: v["releaseDate"] for v in versions if "releaseDate" in v} == released


def test_sprints_open_and_close(made_company: World) -> None:
    connection = made_company.connection
    sprint = rows(connection, "select * from hidden.sprint where sprint_id = 502")[0]
    states = []
    for column, seconds in (("started_at", 0), ("started_at", 1), ("completed_at", 1)):
        jira.prepare(connection, (sprint[column] + timedelta(seconds=seconds)).replace(tzinfo=UTC))
        found = rows(
            connection, f"select record from ({places.sprints(Wire())}) where sprint_id = 502"
        )
        record = json.loads(found[0]["record"])
        states.append((record["state"], "completeDate" in record))
    assert states == [("future", False), ("active", False), ("closed", True)]


def test_what_clean_worlds_tell_is_whole(clean_world: World) -> None:
    """Where everybody has an account, no author, assignee or reporter is missing."""
    everything = told(clean_world.connection, END_SEEN)["jira/issues"]
    assert problems(everything, Replay(clean_world.connection, END_SEEN)) == []
    assert all(record["fields"]["creator"] for record in everything)
    assert all("author" in h for r in everything for h in r["changelog"]["histories"])
