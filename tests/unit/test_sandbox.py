"""The sandbox tells one consistent story, at any day that it is asked about."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from sandbox import calendars, company, jira
from sandbox.cli import app
from sandbox.write import MARKER, SandboxError, write

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
END = calendars.END
MIDDLE = date(2025, 5, 20)

Record = dict[str, Any]


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sandbox") / "full").folder


@pytest.fixture(scope="session")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sandbox") / "half", until=MIDDLE).folder


@pytest.fixture(scope="session")
def issues(full: Path) -> list[Record]:
    return read_issues(full)


@pytest.fixture(scope="session")
def people() -> dict[int, company.Person]:
    """The hidden state, by number."""
    state = company.found(company.SIZES["tiny"], 7)
    everybody = [*state.people, state.contractor, state.service_desk]
    return {person.number: person for person in everybody}


def read_issues(folder: Path) -> list[Record]:
    return [
        json.loads(line)
        for path in sorted((folder / "jira").glob("issues-*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def type_of(issue: Record) -> str:
    return str(issue["fields"]["issuetype"]["name"])


def histories(issue: Record) -> list[Record]:
    """Oldest first."""
    return list(reversed(issue["changelog"]["histories"]))


def statuses_of(issue: Record) -> list[str]:
    """All statuses in the order of time."""
    items = [i for h in histories(issue) for i in h["items"] if i["field"] == "status"]
    if not items:
        return [issue["fields"]["status"]["name"]]
    return [items[0]["fromString"], *(item["toString"] for item in items)]


def current(issue: Record, field: str) -> str | None:
    """The value of a changelog field as the issue itself states it."""
    fields = issue["fields"]
    match field:
        case "status" | "resolution":
            return fields[field] and fields[field]["name"]
        case "assignee":
            return fields["assignee"] and fields["assignee"]["accountId"]
        case "duedate":
            return fields["duedate"]
        case "labels":
            return " ".join(fields["labels"])
        case "Fix Version":
            return fields["fixVersions"][0]["name"] if fields["fixVersions"] else None
        case "Story point estimate":
            points = fields[jira.STORY_POINTS]
            return None if points is None else f"{points:g}"
    raise AssertionError(f"unknown field {field}")


def end_of(item: Record, side: str) -> str | None:
    """One side of a change item, in the terms of `current`."""
    text = "fromString" if side == "from" else "toString"
    return item[side] if item["field"] in ("assignee", "duedate") else item[text]


def chain_faults(issue: Record) -> list[str]:
    """Changes that do not start where the one before ended, or do not end at the issue."""
    last: dict[str, str | None] = {}
    faults = []
    for history in histories(issue):
        for item in history["items"]:
            field = item["field"]
            if field in last and end_of(item, "from") != last[field]:
                faults.append(f"{issue['key']} {field} at {history['created']}")
            last[field] = end_of(item, "to")
    faults += [
        f"{issue['key']} {field} now"
        for field, value in last.items()
        if value != current(issue, field)
    ]
    return faults


# -- bytes and files ---------------------------------------------------------------------------


def test_same_seed_gives_the_same_bytes(full: Path, tmp_path: Path) -> None:
    assert files(write(tmp_path / "again").folder) == files(full)


def test_another_seed_gives_another_company(full: Path, tmp_path: Path) -> None:
    other = files(write(tmp_path / "other", seed=8).folder)
    mine = files(full)
    for name in ("crm/deals.csv", "hr/department_history.csv", "jira/issues-2025-03.jsonl.gz"):
        assert other[name] != mine[name]


def test_gzip_files_carry_no_clock(full: Path) -> None:
    for path in (full / "jira").glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0"


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(SandboxError, match="did not make"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_earlier_sandbox_is_replaced_whole(full: Path, tmp_path: Path) -> None:
    out = tmp_path / "sandbox"
    shutil.copytree(full, out)
    (out / "jira" / "issues-1999-01.jsonl.gz").write_bytes(b"stale")
    write(out, until=MIDDLE)
    assert not (out / "jira" / "issues-1999-01.jsonl.gz").exists()
    assert json.loads((out / MARKER).read_text())["until"] == str(MIDDLE)
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox"]


def test_a_failed_write_leaves_the_old_folder(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sandbox"
    shutil.copytree(full, out)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("sandbox.write.hr.tables", fail)
    with pytest.raises(OSError, match="disk full"):
        write(out, until=MIDDLE)
    assert files(out) == files(full)
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "huge"], "Unknown size 'huge'. Sizes are: tiny."),
        (["--until", "2031-01-01"], "outside the simulation"),
    ],
)
def test_command_line_explains_what_it_cannot_do(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["write", "--out", str(tmp_path / "x"), *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_command_line_writes_and_counts(tmp_path: Path) -> None:
    out = tmp_path / "sandbox"
    result = CliRunner().invoke(app, ["write", "--out", str(out), "--until", "2024-09-01"])
    assert result.exit_code == 0, result.output
    assert f"{len(read_issues(out)):,}" in result.output
    # Nothing has been answered yet, and the table still has its header.
    assert read_csv(out / "hr" / "engagement_responses.csv") == []


# -- the view of an earlier day ----------------------------------------------------------------


def test_an_earlier_view_is_the_filtered_history(half: Path, issues: list[Record]) -> None:
    until = calendars.first_instant(MIDDLE)
    then = {issue["id"]: issue for issue in read_issues(half)}
    expected = [issue for issue in issues if moment(issue["fields"]["created"]) < until]
    assert then.keys() == {issue["id"] for issue in expected}
    for now in expected:
        was = then[now["id"]]
        for get in (
            lambda issue: issue["changelog"]["histories"],
            lambda issue: issue["fields"]["worklog"]["worklogs"],
            lambda issue: issue["fields"]["comment"]["comments"],
        ):
            assert get(was) == [r for r in get(now) if moment(r["created"]) < until]
        assert was["key"] == now["key"]


def test_an_earlier_view_shows_the_values_of_that_day(half: Path, issues: list[Record]) -> None:
    until = calendars.first_instant(MIDDLE)
    then = {issue["id"]: issue for issue in read_issues(half)}
    changed_later = Counter[str]()
    for now in issues:
        if now["id"] not in then:
            continue
        was = then[now["id"]]
        fields = {item["field"] for h in histories(now) for item in h["items"]}
        for field in fields:
            items = [(h, i) for h in histories(now) for i in h["items"] if i["field"] == field]
            before = [i for h, i in items if moment(h["created"]) < until]
            value = end_of(before[-1], "to") if before else end_of(items[0][1], "from")
            assert current(was, field) == value, (was["key"], field)
            changed_later[field] += value != current(now, field)
        assert (was["fields"]["resolutiondate"] is None) == (was["fields"]["resolution"] is None)
        assert moment(was["fields"]["updated"]) < until
    for field in ("status", "resolution", "assignee", "duedate"):
        assert changed_later[field] > 0, f"nothing tests {field}"


def test_an_earlier_view_of_sales_and_people_is_filtered(half: Path, full: Path) -> None:
    until = calendars.first_instant(MIDDLE)
    history = read_csv(full / "crm" / "deal_stage_history.csv")
    seen = [r for r in history if datetime.fromisoformat(r["timestamp"]) < until]
    assert read_csv(half / "crm" / "deal_stage_history.csv") == seen
    stage = {row["hs_object_id"]: row["dealstage"] for row in seen}
    deals = read_csv(half / "crm" / "deals.csv")
    assert {row["hs_object_id"]: row["dealstage"] for row in deals} == stage
    assert all(bool(row["closedate"]) == row["dealstage"].startswith("closed") for row in deals)
    posts = read_csv(half / "hr" / "department_history.csv")
    later = read_csv(full / "hr" / "department_history.csv")
    assert len(posts) == sum(row["startDate"] < str(MIDDLE) for row in later)
    assert all(row["endDate"] < str(MIDDLE) for row in posts)
    survey = read_csv(half / "crm" / "surveys.csv")
    assert survey == read_csv(full / "crm" / "surveys.csv")[: len(survey)]
    products = read_csv(half / "crm" / "products.csv")
    assert 4 < len(products) < 10
    assert all(row["first_sale_date"] < str(MIDDLE) for row in products)


def test_nothing_happens_at_or_after_the_end(full: Path, issues: list[Record]) -> None:
    end = calendars.first_instant(END)
    for issue in issues:
        fields = issue["fields"]
        stamps = [fields["created"], fields["updated"], fields["resolutiondate"]]
        stamps += [h["created"] for h in histories(issue)]
        stamps += [
            w[name] for w in fields["worklog"]["worklogs"] for name in ("created", "started")
        ]
        assert all(moment(stamp) < end for stamp in stamps if stamp)
    for name, column in (
        ("accounts", "createdate"),
        ("deals", "hs_lastmodifieddate"),
        ("deal_stage_history", "timestamp"),
        ("surveys", "hs_submission_timestamp"),
    ):
        for row in read_csv(full / "crm" / f"{name}.csv"):
            assert datetime.fromisoformat(row[column]) < end
    for name, column in (
        ("department_history", "startDate"),
        ("leave", "start"),
        ("engagement_responses", "submittedOn"),
    ):
        assert all(row[column] < str(END) for row in read_csv(full / "hr" / f"{name}.csv"))


# -- consistency -------------------------------------------------------------------------------


def test_every_change_starts_where_the_one_before_ended(issues: list[Record]) -> None:
    assert [fault for issue in issues for fault in chain_faults(issue)] == []


def test_a_broken_chain_would_be_noticed(issues: list[Record]) -> None:
    released = next(i for i in issues if statuses_of(i)[-1] == "Released")
    missing_change = json.loads(json.dumps(released))
    missing_change["changelog"]["histories"].pop(1)
    wrong_status = json.loads(json.dumps(released))
    wrong_status["fields"]["status"]["name"] = "Idea"
    assert chain_faults(released) == []
    assert chain_faults(missing_change)
    assert chain_faults(wrong_status)


def test_ids_are_unique_and_histories_come_newest_first(issues: list[Record]) -> None:
    for get in (
        lambda issue: [issue["id"]],
        lambda issue: [issue["key"]],
        lambda issue: [h["id"] for h in issue["changelog"]["histories"]],
        lambda issue: [w["id"] for w in issue["fields"]["worklog"]["worklogs"]],
        lambda issue: [c["id"] for c in issue["fields"]["comment"]["comments"]],
    ):
        ids = [identity for issue in issues for identity in get(issue)]
        assert len(ids) == len(set(ids))
    for issue in issues:
        created = [moment(h["created"]) for h in issue["changelog"]["histories"]]
        assert created == sorted(created, reverse=True)
        assert all(when >= moment(issue["fields"]["created"]) for when in created)
        assert issue["changelog"]["total"] == len(created)


def test_parents_exist_and_are_older(issues: list[Record]) -> None:
    by_id = {issue["id"]: issue for issue in issues}
    for issue in issues:
        parent = issue["fields"].get("parent")
        if parent:
            older = by_id[parent["id"]]
            assert older["key"] == parent["key"]
            assert moment(older["fields"]["created"]) <= moment(issue["fields"]["created"])
        else:
            assert type_of(issue) != "Sub-task"


def test_every_worklog_lies_in_the_life_of_its_issue(issues: list[Record]) -> None:
    for issue in issues:
        fields = issue["fields"]
        begins, ends = moment(fields["created"]), calendars.first_instant(END)
        if fields["resolutiondate"]:
            ends = moment(fields["resolutiondate"])
        for worklog in fields["worklog"]["worklogs"]:
            started = moment(worklog["started"])
            spent = timedelta(seconds=worklog["timeSpentSeconds"])
            assert begins <= started
            assert started + spent <= ends
            assert spent > timedelta(0)


def test_nobody_books_more_than_a_day_on_a_day(
    issues: list[Record], people: dict[int, company.Person]
) -> None:
    booked = Counter[tuple[int, date]]()
    for issue in issues:
        for worklog in issue["fields"]["worklog"]["worklogs"]:
            number = int(worklog["author"]["accountId"][-6:])
            started = moment(worklog["started"])
            zone = people[number].zone_on(started.date())
            key = (number, started.astimezone(zone).date())
            booked[key] += worklog["timeSpentSeconds"]
    assert max(booked.values()) <= 8 * 3600


def test_people_act_on_their_own_working_days(
    issues: list[Record], people: dict[int, company.Person]
) -> None:
    acts = [
        (record["author"]["accountId"], record[name])
        for issue in issues
        for records, name in (
            (histories(issue), "created"),
            (issue["fields"]["worklog"]["worklogs"], "started"),
            (issue["fields"]["comment"]["comments"], "created"),
        )
        for record in records
    ]
    for account, stamp in acts:
        person = people[int(account[-6:])]
        when = moment(stamp)
        local = when.astimezone(person.zone_on(when.date()))
        assert person.works[calendars.offset(local.date())], (account, stamp)
        # Closing the tasks of a cancelled initiative one by one may take into the evening.
        assert local.time() >= calendars.OPENS
        assert local.hour < 19


# -- what governs and describes it -------------------------------------------------------------


def mapped(name: str, column: str) -> set[str]:
    return {row[column] for row in read_csv(SEEDS / name)}


def test_every_type_status_and_resolution_is_in_the_seed_maps(issues: list[Record]) -> None:
    types = {type_of(issue) for issue in issues}
    statuses = {status for issue in issues for status in statuses_of(issue)}
    resolutions = {
        value
        for issue in issues
        for history in histories(issue)
        for item in history["items"]
        if item["field"] == "resolution"
        for value in (item["fromString"], item["toString"])
        if value
    }
    assert types == set(jira.ISSUE_TYPES)
    assert resolutions == set(jira.RESOLUTIONS)
    assert types <= mapped("jira_issue_type_map.csv", "issue_type")
    assert statuses | set(jira.STATUSES) <= mapped("jira_status_map.csv", "status")
    assert resolutions <= mapped("jira_resolution_map.csv", "resolution")
    assert jira.STORY_POINTS in mapped("jira_field_map.csv", "field_id")


def test_every_stage_is_in_the_seed_map(full: Path) -> None:
    stages = {row["dealstage"] for row in read_csv(full / "crm" / "deal_stage_history.csv")}
    assert {"closedwon", "closedlost"} < stages
    assert stages <= mapped("crm_stage_map.csv", "stage")


def test_the_seeds_describe_the_calendars_that_people_live_by() -> None:
    locations = {row["location_id"]: row for row in read_csv(SEEDS / "locations.csv")}
    locations.pop("*", None)  # where HR names no place
    assert locations.keys() == calendars.LOCATIONS.keys()
    for location in calendars.LOCATIONS.values():
        row = locations[location.location_id]
        assert (row["timezone"], row["calendar_id"]) == (location.zone.key, location.calendar_id)
        seeded = {
            date.fromisoformat(holiday["holiday_date"])
            for holiday in read_csv(SEEDS / "holidays.csv")
            if holiday["calendar_id"] == location.calendar_id
        }
        assert seeded == location.holidays


def test_the_seeds_name_the_objectives_and_products_of_the_company() -> None:
    rows = read_csv(SEEDS / "objectives.csv")
    assert {(row["objective_id"], row["horizon"], row["jira_label"]) for row in rows} == {
        (o.objective_id, o.horizon, o.label) for o in company.OBJECTIVES
    }
    for day in ("2024-07-01", "2026-06-30"):
        weights = [
            float(row["weight"])
            for row in rows
            if row["valid_from"] <= day < (row["valid_to"] or "9999")
        ]
        assert sum(weights) == pytest.approx(1)
    assert {
        (row["product_id"], row["jira_label"], row["owner_department_id"])
        for row in read_csv(SEEDS / "product_map.csv")
    } == {(p.product_id, p.label or "", p.department_id) for p in company.products()}


def test_the_seeds_of_identities_name_accounts_that_exist(
    people: dict[int, company.Person],
) -> None:
    (override,) = read_csv(SEEDS / "identity_overrides.csv")
    person = people[int(override["person_native_id"])]
    assert override["source_user_id"] == person.account_id
    assert person.hides_email
    assert person.display_name != person.full_name
    assert mapped("shared_mailboxes.csv", "email") == {people[9002].email}


def test_mission_yaml_maps_columns_that_the_files_have(full: Path) -> None:
    mission = yaml.safe_load((ROOT / "mission.yaml").read_text(encoding="utf-8"))
    assert mission["organisation"]["as_of"] == END
    for source in mission["sources"]:
        folder = full / Path(source["folder"]).relative_to("data/sandbox")
        for name, entity in source["entities"].items():
            found = list(folder.glob(entity["path"]))
            assert found, f"{source['id']}.{name}: no file matches {entity['path']}"
            if found[0].suffix == ".csv":
                columns = set(read_csv(found[0])[0])
                for wanted in entity.get("columns", {}).values():
                    assert set([wanted] if isinstance(wanted, str) else wanted) <= columns


# -- the story ---------------------------------------------------------------------------------


def test_every_department_has_people_enough_on_every_day(full: Path) -> None:
    posts = read_csv(full / "hr" / "department_history.csv")
    departments = {team.department_id for team in company.TEAMS}
    day = calendars.START
    while day < END:
        # A person counts once, where most of the share lies (the newest row of an overlap).
        main = {
            row["employeeNumber"]: row["departmentId"]
            for row in sorted(posts, key=lambda row: (float(row["share"]), row["startDate"]))
            if row["startDate"] <= str(day) and (not row["endDate"] or str(day) <= row["endDate"])
        }
        held = Counter(main.values())
        assert held.keys() == departments
        assert min(held.values()) >= 7, day
        day += timedelta(1)


def test_people_move_leave_return_and_overlap(full: Path) -> None:
    posts: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(full / "hr" / "department_history.csv"):
        posts.setdefault(row["employeeNumber"], []).append(row)
    employees = read_csv(full / "hr" / "employees.csv")
    gone = [row for row in employees if row["terminationDate"] != "0000-00-00"]
    hired = [row for row in employees if row["hireDate"] >= str(calendars.START)]
    pairs = [rows for rows in posts.values() if len(rows) == 2]
    transfers = [rows for rows in pairs if rows[0]["departmentId"] != rows[1]["departmentId"]]
    rehired = [rows for rows in pairs if rows[0]["departmentId"] == rows[1]["departmentId"]]
    overlapping = [rows for rows in pairs if rows[0]["endDate"] >= rows[1]["startDate"]]
    concurrent = [rows for rows in posts.values() if {row["share"] for row in rows} > {"0.6"}]
    assert 55 <= len(employees) - len(gone) <= 65
    assert len(gone) == 8
    assert len(hired) == 9
    assert len(transfers) == 12
    assert len(rehired) == len(overlapping) == len(concurrent) == 1
    assert sum(float(row["fte"]) < 1 for rows in posts.values() for row in rows) >= 3
    assert {row["location"] for rows in posts.values() for row in rows} == {"HAM", "BOS", "SIN"}


def test_identities_differ_between_jira_and_hr(full: Path) -> None:
    users = [json.loads(line) for line in (full / "jira" / "users.jsonl").open(encoding="utf-8")]
    names = Counter(
        f"{row['firstName']} {row['lastName']}" for row in read_csv(full / "hr" / "employees.csv")
    )
    mails = {row["workEmail"] for row in read_csv(full / "hr" / "employees.csv")}
    hidden = [user for user in users if "emailAddress" not in user]
    assert sum(names[user["displayName"]] == 1 for user in hidden) == 2
    assert sum(names[user["displayName"]] == 0 for user in hidden) == 1
    strangers = [u for u in users if "emailAddress" in u and u["emailAddress"] not in mails]
    assert sorted(user["displayName"] for user in strangers) == ["Rafael Quint", "Service Desk"]
    assert all(mail.endswith("example.com") for mail in mails)


def test_initiatives_have_every_ending(issues: list[Record]) -> None:
    initiatives = [issue for issue in issues if type_of(issue) == "Initiative"]
    paths = {issue["key"]: statuses_of(issue) for issue in initiatives}
    now = Counter(path[-1] for path in paths.values())
    assert 60 <= len(initiatives) <= 90
    assert now["Released"] >= 40
    assert now["Cancelled"] >= 5
    assert now["Idea"] >= 3
    assert now["In Progress"] + now["Blocked"] + now["Approved"] + now["Done"] >= 4
    taken_back = 0
    for issue in initiatives:
        steps = [
            (moment(h["created"]), item["fromString"], item["toString"])
            for h in histories(issue)
            for item in h["items"]
            if item["field"] == "status"
        ]
        for (released, _, to), (again, _, back) in pairwise(steps):
            if (to, back) == ("Released", "In Progress"):
                taken_back += again - released <= timedelta(days=14)
    assert taken_back >= 3
    resolutions = {
        (issue["fields"]["resolution"] or {}).get("name")
        for issue in initiatives
        if paths[issue["key"]][-1] == "Cancelled"
    }
    assert resolutions == {"Won't Do", "Superseded", "Duplicate"}


def test_plans_and_purposes_change(issues: list[Record]) -> None:
    initiatives = [issue for issue in issues if type_of(issue) == "Initiative"]

    def changed(field: str) -> int:
        return sum(
            any(
                i["field"] == field and i["fromString"]
                for h in histories(issue)
                for i in h["items"]
            )
            for issue in initiatives
        )

    labels = [{*issue["fields"]["labels"]} for issue in initiatives]
    objectives = [{x for x in found if x.startswith("obj-")} for found in labels]
    assert changed("duedate") >= 12
    assert changed("labels") >= 2
    assert set().union(*objectives) == {objective.label for objective in company.OBJECTIVES}
    assert sum(not found for found in objectives) >= 4
    assert sum(len(found) == 2 for found in objectives) >= 2
    assert {x for found in labels for x in found if x.startswith("product-")} == {
        product.label for product in company.products() if product.label
    }


def test_work_is_reopened_dropped_handed_over_and_split(issues: list[Record]) -> None:
    items = [
        (type_of(issue), item)
        for issue in issues
        for history in histories(issue)
        for item in history["items"]
    ]
    fields = Counter(item["field"] for _, item in items)
    resolutions = Counter(item["toString"] for _, item in items if item["field"] == "resolution")
    types = Counter(type_of(issue) for issue in issues)
    reopened = [i for _, i in items if i["field"] == "resolution" and i["to"] is None]
    handed_over = [i for _, i in items if i["field"] == "assignee" and i["from"] and i["to"]]
    assert 1_000 <= len(issues) <= 2_500
    assert len(reopened) >= 40
    assert len(handed_over) >= 40
    assert resolutions["Won't Do"] >= 50
    assert resolutions["Duplicate"] >= 5
    assert fields["Story point estimate"] >= 20
    assert fields["Fix Version"] >= 10
    assert min(types[name] for name in ("Sub-task", "Incident", "Idea")) >= 60
    ideas = Counter(statuses_of(issue)[-1] for issue in issues if type_of(issue) == "Idea")
    assert min(ideas["Launched"], ideas["Rejected"], ideas["New"]) >= 10
    contractor = [issue for issue in issues if current(issue, "assignee") == account(9001)]
    assert len(contractor) >= 10


def account(number: int) -> str:
    return f"712020:0000000a-5eed-4000-8000-{number:012d}"


def test_only_teams_that_log_have_worklogs(
    issues: list[Record], people: dict[int, company.Person]
) -> None:
    logging = {team.department_id for team in company.TEAMS if team.logs_work}
    seen = set()
    for issue in issues:
        for worklog in issue["fields"]["worklog"]["worklogs"]:
            person = people[int(worklog["author"]["accountId"][-6:])]
            post = person.post_on(moment(worklog["started"]).date())
            assert post is not None
            seen.add(post.department_id)
    assert seen == logging


def test_products_are_first_sold_when_they_are_first_won(full: Path) -> None:
    lines = read_csv(full / "crm" / "line_items.csv")
    won = {
        row["hs_object_id"]: row["closedate"][:10]
        for row in read_csv(full / "crm" / "deals.csv")
        if row["dealstage"] == "closedwon"
    }
    products = read_csv(full / "crm" / "products.csv")
    before = [row for row in products if row["first_sale_date"] < str(calendars.START)]
    assert (len(before), len(products)) == (4, 10)
    assert sum(day < str(calendars.START) for day in won.values()) >= 20
    for product in products:
        sold = [
            won[line["associated_deal_id"]]
            for line in lines
            if line["hs_product_id"] == product["hs_object_id"]
            and line["associated_deal_id"] in won
        ]
        if product not in before:
            assert min(sold) == product["first_sale_date"]
        assert all(day >= product["first_sale_date"] for day in sold)


def test_no_launched_product_is_sold_before_its_release(full: Path, issues: list[Record]) -> None:
    sold = {
        row["hs_object_id"]: row["first_sale_date"]
        for row in read_csv(full / "crm" / "products.csv")
    }
    for product in company.products():
        for issue in issues:
            if product.label and product.label in issue["fields"]["labels"]:
                released = [
                    h["created"]
                    for h in histories(issue)
                    for item in h["items"]
                    if item["toString"] == "Released"
                ]
                assert released[0][:10] < sold[product.product_id]


def test_deal_amounts_are_the_sums_of_their_lines(full: Path) -> None:
    sums = Counter[str]()
    for line in read_csv(full / "crm" / "line_items.csv"):
        sums[line["associated_deal_id"]] += round(100 * float(line["amount"]))
    for deal in read_csv(full / "crm" / "deals.csv"):
        assert round(100 * float(deal["amount"])) == sums[deal["hs_object_id"]]


def test_customers_and_employees_answer_within_their_scales(full: Path) -> None:
    surveys = read_csv(full / "crm" / "surveys.csv")
    scores = {(row["hs_survey_type"], int(row["hs_value"])) for row in surveys}
    assert {score for kind, score in scores if kind == "csat"} <= set(range(1, 6))
    assert {score for kind, score in scores if kind == "nps"} <= set(range(11))
    answers = read_csv(full / "hr" / "engagement_responses.csv")
    assert len({row["wave"] for row in answers}) == 4
    assert {row["answer"] for row in answers} <= set("12345")
    assert not any("employee" in column.lower() for column in answers[0])
