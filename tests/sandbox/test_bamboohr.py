"""BambooHR: what HR says, in the vendor's shapes, and how it follows from the hidden state.

The expectations are worked out here from the hidden rows, day by day, and not as the records do.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from vendor_documents import check_request, check_response

from sandbox.calendars import COMPANY_ZONE, END, START, first_instant
from sandbox.records import bamboohr as records
from sandbox.servers import bamboohr
from sandbox.servers.clock import LAST
from sandbox.servers.faults import Fault, Faults
from sandbox.servers.stage import Stage
from sandbox.world import World

MIDDLE = datetime(2025, 5, 14, 13, 0, tzinfo=UTC)
ROOT = "/api/v1"


class Hr:
    """A BambooHR of its own, asked without a socket; every exchange is held to the document."""

    def __init__(self, world: World, *faults: Fault) -> None:
        self.stage = Stage(world, "bamboohr", records.prepare, faults=Faults(faults))
        self._app = bamboohr.app(self.stage, "key")

    def get(self, url: str, **options: Any) -> httpx.Response:
        """One answer; `options` are those of httpx."""
        return self.all([url], **options)[0]

    def all(self, urls: list[str], **options: Any) -> list[httpx.Response]:
        """The answers to requests one after the other."""
        return self.talk(lambda client: _each(client, urls, options))

    def talk(self, with_client: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
        """Whatever a conversation comes to."""

        async def session() -> Any:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self._app),
                base_url="http://127.0.0.1",
                auth=("key", "x"),
                headers={"Accept": "application/json"},
            ) as client:
                return await with_client(client)

        return asyncio.run(session())


async def _each(
    client: httpx.AsyncClient, urls: list[str], options: dict[str, Any]
) -> list[httpx.Response]:
    answers = []
    for url in urls:
        answer = await client.get(url, **options)
        body = answer.json() if answer.content else None
        assert check_response("bamboohr", "GET", url, answer.status_code, body) == []
        answers.append(answer)
    return answers


@pytest.fixture(scope="module")
def hr(world: World) -> Hr:
    return Hr(world)


def hidden(world: World, sql: str) -> list[tuple[Any, ...]]:
    return world.connection.cursor().sql(sql).fetchall()


def said_posts(world: World, now: datetime) -> dict[str, list[tuple[Any, ...]]]:
    """By employee id of the API: department, location, fte, share, from, to as HR says by now."""
    posts = defaultdict(list)
    moment = f"timestamp '{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
    for person_id, *post in hidden(
        world,
        "select person_id, department_id, location_id, fte, share, from_date, to_date "
        "from hidden.hr_post inner join hidden.person using (person_id) "
        f"where kind = 'employee' and known_from <= {moment} "
        f"and (known_to is null or known_to > {moment})",
    ):
        posts[str(person_id)].append(tuple(post))
    return posts


def main_post(posts: list[tuple[Any, ...]], day: date) -> tuple[Any, ...] | None:
    """The post with the largest share on a day."""
    running = [p for p in posts if p[4] <= day and (p[5] is None or day < p[5])]
    return max(running, key=lambda post: (post[3], post[0]), default=None)


def names(world: World, today: date) -> dict[str, str]:
    """The newest name of every department."""
    rows = hidden(
        world,
        "select department_id, name from hidden.department "
        f"where valid_from <= date '{today}' order by valid_from",
    )
    return dict(rows)


def latest(rows: list[dict[str, Any]], day: date) -> dict[str, Any]:
    """The row of a table that holds on a day; empty where there is none yet."""
    begun = [row for row in rows if row["date"] <= day.isoformat()]
    return max(begun, key=lambda row: row["date"], default={})


def by_employee(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in rows:
        found[row["employeeId"]].append(row)
    return found


URLS = [
    f"{ROOT}/employees/directory",
    "/api/gateway.php/tidewater/v1/employees/directory",
    f"{ROOT}/employees/1007?fields=firstName,lastName,workEmail,hireDate,terminationDate,4,bogus",
    f"{ROOT}/employees/changed?since=2025-01-01T00:00:00Z",
    f"{ROOT}/employees/changed?since=2025-01-01T00:00:00Z&type=updated",
    f"{ROOT}/employees/changed/tables/jobInfo?since=2025-01-01T00:00:00Z",
    f"{ROOT}/employees/1007/tables/jobInfo",
    f"{ROOT}/employees/all/tables/jobInfo",
    f"{ROOT}/employees/all/tables/employmentStatus",
    f"{ROOT}/employees/all/tables/customContractedFte",
    f"{ROOT}/meta/fields",
    f"{ROOT}/meta/lists",
    f"{ROOT}/meta/tables",
    f"{ROOT}/meta/time_off/types",
    f"{ROOT}/time_off/requests?start=2025-01-01&end=2025-06-30&status=approved",
    f"{ROOT}/time_off/whos_out?start=2025-01-01&end=2025-03-31",
]


def test_every_request_and_answer_is_in_the_vendors_document(hr: Hr) -> None:
    for now in (MIDDLE, LAST):
        hr.stage.move(now)
        for url, answer in zip(URLS, hr.all(URLS), strict=True):
            assert check_request("bamboohr", "GET", url) == []
            assert answer.status_code == 200
            assert answer.json(), f"{url} is empty"


def test_both_addresses_of_the_api_answer_alike(hr: Hr) -> None:
    newer, older = hr.all(URLS[:2])
    assert newer.content == older.content


@pytest.mark.parametrize("now", [MIDDLE, LAST])
def test_job_info_and_status_say_where_everybody_was_on_every_day(
    hr: Hr, world: World, now: datetime
) -> None:
    hr.stage.move(now)
    today = now.astimezone(COMPANY_ZONE).date()
    answers = hr.all(
        [f"{ROOT}/employees/all/tables/{name}" for name in ("jobInfo", "employmentStatus")]
    )
    jobs, statuses = (by_employee(answer.json()) for answer in answers)
    expected = said_posts(world, now)
    name_of = names(world, today)
    assert jobs.keys() == statuses.keys() == expected.keys()
    compared = 0
    for employee_id, posts in expected.items():
        day = min(post[4] for post in posts)
        while day <= today:
            post = main_post(posts, day)
            job, status = latest(jobs[employee_id], day), latest(statuses[employee_id], day)
            # A termination is dated on the last day at work.
            ended = status["employmentStatus"] == "Terminated" and status["date"] != str(day)
            assert ended == (post is None), (employee_id, day)
            if post:
                assert (job["department"], job["location"]) == (name_of[post[0]], post[1])
                compared += 1
            day += timedelta(1)
    assert compared > 10_000


@pytest.mark.parametrize("now", [MIDDLE, LAST])
def test_the_directory_holds_active_people_only(hr: Hr, world: World, now: datetime) -> None:
    hr.stage.move(now)
    today = now.astimezone(COMPANY_ZONE).date()
    listed = {row["id"]: row for row in hr.get(f"{ROOT}/employees/directory").json()["employees"]}
    posts = said_posts(world, now)
    active = {employee_id for employee_id in posts if main_post(posts[employee_id], today)}
    assert listed.keys() == active != posts.keys()
    emails = {
        str(person_id): email
        for person_id, email in hidden(world, "select person_id, email from hidden.person")
    }
    assert {key: row["workEmail"] for key, row in listed.items()} == {
        key: emails[key] for key in listed
    }


def test_yesterdays_and_todays_answers_can_be_fetched_in_turn(hr: Hr, world: World) -> None:
    person_id, known_from = hidden(
        world,
        "select person_id, known_from from hidden.hr_post inner join hidden.person "
        "using (person_id) where kind = 'employee' and to_date is null and known_from > "
        "timestamp '2025-01-01' order by known_from, row_id limit 1",
    )[0]
    url = f"{ROOT}/employees/{person_id}/tables/jobInfo"
    moment = known_from.replace(tzinfo=UTC)
    answers = []
    for now in (moment - timedelta(seconds=1), moment, moment - timedelta(seconds=1)):
        hr.stage.move(now)
        answer = hr.get(url)
        answers.append(len(answer.json()) if answer.status_code == 200 else 0)
    assert answers == [answers[1] - 1, answers[1], answers[1] - 1]


def test_a_late_correction_changes_what_was_said_of_the_past(hr: Hr, world: World) -> None:
    late = hidden(
        world,
        "select person_id, department_id, from_date, known_from from hidden.hr_post "
        "where known_from > from_date + interval 10 day and to_date is null "
        "and person_id in (select person_id from hidden.person where kind = 'employee') "
        "order by row_id limit 1",
    )
    assert late, "profile messy corrects the past late"
    person_id, department_id, from_date, known_from = late[0]
    url = f"{ROOT}/employees/{person_id}/tables/jobInfo"
    corrected = known_from.replace(tzinfo=UTC)
    hr.stage.move(corrected - timedelta(days=1))
    before = latest(hr.get(url).json(), from_date)
    hr.stage.move(corrected)
    after = latest(hr.get(url).json(), from_date)
    assert before["date"] < after["date"] == from_date.isoformat()
    assert before["department"] != after["department"]
    today = corrected.astimezone(COMPANY_ZONE).date()
    assert after["department"] == names(world, today)[department_id]
    since = (corrected - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changed = hr.get(f"{ROOT}/employees/changed?since={since}").json()["employees"]
    assert changed[str(person_id)]["action"] == "Updated"


def test_fetching_day_by_day_equals_one_fetch_at_the_end(hr: Hr) -> None:
    changed = f"{ROOT}/employees/changed"
    kept: dict[str, list[dict[str, Any]]] = {}

    async def days(client: httpx.AsyncClient) -> str:
        since = "2000-01-01T00:00:00+00:00"
        day = START
        while day < END + timedelta(14):
            hr.stage.move(first_instant(min(day, END)))
            ids = (await client.get(changed, params={"since": since})).json()
            if ids["employees"]:
                rows = await client.get(f"{changed}/tables/jobInfo", params={"since": since})
                for employee_id, found in rows.json()["employees"].items():
                    kept[employee_id] = found["rows"]
                for employee_id, edit in ids["employees"].items():
                    if edit["action"] == "Deleted":
                        del kept[employee_id]
            since = ids["latest"]
            # Daily around the new name of a department, which edits everybody in it.
            day += timedelta(1 if date(2025, 9, 20) <= day < date(2025, 10, 10) else 14)
        return since

    hr.talk(days)
    hr.stage.move(LAST)
    at_once = by_employee(hr.get(f"{ROOT}/employees/all/tables/jobInfo").json())
    assert kept == at_once
    assert any(len(rows) > 1 for rows in kept.values())


def test_whoever_is_new_is_inserted_and_edits_are_updates(hr: Hr) -> None:
    hr.stage.move(LAST)
    url = f"{ROOT}/employees/changed?since=2024-07-01T00:00:00Z&type="
    of_type = {
        kind: hr.get(url + kind).json()["employees"]
        for kind in ("all", "inserted", "updated", "deleted")
    }
    assert of_type["inserted"] and of_type["updated"] and not of_type["deleted"]
    assert of_type["inserted"] | of_type["updated"] == of_type["all"]
    assert {edit["action"] for edit in of_type["inserted"].values()} == {"Inserted"}


def test_a_rehired_person_has_two_hire_dates(hr: Hr, world: World) -> None:
    hr.stage.move(LAST)
    posts = said_posts(world, LAST)
    rehired = 0
    for employee_id, found in posts.items():
        starts = {p[4] for p in found if not main_post(found, p[4] - timedelta(1))}
        answer = hr.get(f"{ROOT}/employees/{employee_id}?fields=hireDate,originalHireDate").json()
        assert answer["hireDate"] == max(starts).isoformat()
        assert answer["originalHireDate"] == min(starts).isoformat()
        rehired += len(starts) > 1
    assert rehired, "somebody came back"


def test_an_unknown_date_is_all_zeros(hr: Hr, world: World) -> None:
    hr.stage.move(LAST)
    said = said_posts(world, LAST)
    left = {
        employee_id: max(post[5] for post in posts) - timedelta(1)
        for employee_id, posts in said.items()
        if all(post[5] for post in posts)
    }
    stayed = min(said.keys() - left.keys())
    urls = [f"{ROOT}/employees/{n}?fields=terminationDate,status" for n in (*left, stayed)]
    *gone, here = (answer.json() for answer in hr.all(urls))
    assert {row["id"]: row["terminationDate"] for row in gone} == {
        employee_id: day.isoformat() for employee_id, day in left.items()
    }
    assert {row["status"] for row in gone} == {"Inactive"}
    assert (here["terminationDate"], here["status"]) == ("0000-00-00", "Active")


def test_time_off_is_what_people_were_away_and_hours_are_of_working_days(
    hr: Hr, world: World
) -> None:
    hr.stage.move(LAST)
    url = f"{ROOT}/time_off/requests?start=2025-03-01&end=2025-03-31"
    requests = hr.get(url).json()
    expected = hidden(
        world,
        "select absence_id, person_id, from_date::text, (to_date - 1)::text "
        "from hidden.absence where from_date <= '2025-03-31' and to_date > '2025-03-01'",
    )
    told = {(row["id"], row["employeeId"], row["start"], row["end"]) for row in requests}
    assert told == set(expected)
    for row in requests:
        assert row["amount"]["amount"] == pytest.approx(sum(row["dates"].values()), abs=0.005)
        days = (date.fromisoformat(row["end"]) - date.fromisoformat(row["start"])).days + 1
        assert len(row["dates"]) == days
        assert all(
            hours == 0
            for day, hours in row["dates"].items()
            if date.fromisoformat(day).weekday() >= 5
        )
    assert hr.get(f"{url}&employeeId={requests[0]['employeeId']}").json()[0] == requests[0]
    assert hr.get(f"{url}&status=denied").json() == []
    assert "notes" not in hr.get(f"{url}&excludeNote=1").json()[0]


def test_whos_out_is_leave_and_holidays_of_the_next_two_weeks(hr: Hr) -> None:
    hr.stage.move(datetime(2025, 12, 20, 9, tzinfo=UTC))
    entries = hr.get(f"{ROOT}/time_off/whos_out").json()
    assert {entry["type"] for entry in entries} == {"timeOff", "holiday"}
    assert [entry["start"] for entry in entries] == sorted(entry["start"] for entry in entries)
    assert all(entry["end"] >= "2025-12-20" and entry["start"] <= "2026-01-03" for entry in entries)
    assert ("2025-12-25", False) in {
        (entry["start"], "employeeId" in entry) for entry in entries if entry["type"] == "holiday"
    }


def test_lists_show_a_renamed_department_by_its_newest_name(hr: Hr, world: World) -> None:
    hr.stage.move(LAST)
    lists = {found["alias"]: found["options"] for found in hr.get(f"{ROOT}/meta/lists").json()}
    assert {option["name"] for option in lists["department"]} == set(names(world, END).values())
    old = {
        name
        for department_id, name in hidden(
            world, "select department_id, name from hidden.department"
        )
        if name != names(world, END)[department_id]
    }
    assert old and not old & {option["name"] for option in lists["department"]}


@pytest.mark.parametrize("auth", [("wrong", "x"), ("x", "key"), ("", "")])
def test_a_wrong_key_is_refused_with_the_reason_in_a_header(hr: Hr, auth: tuple[str, str]) -> None:
    answer = hr.get(f"{ROOT}/meta/fields", auth=auth)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["X-BambooHR-Error-Message"] == "Invalid API key"


def test_the_password_may_be_anything_and_a_bearer_token_is_nothing(hr: Hr) -> None:
    assert hr.get(f"{ROOT}/meta/fields", auth=("key", "anything")).status_code == 200
    bearer = httpx.Headers({"Authorization": "Bearer key", "Accept": "application/json"})
    assert hr.get(f"{ROOT}/meta/fields", auth=None, headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("employees/9999", 404),
        ("employees/ada", 404),
        ("employees/9999/tables/jobInfo", 404),
        ("employees/1007/tables/salary", 404),
        ("employees/changed", 400),
        ("employees/changed?since=yesterday", 400),
        ("employees/changed?since=2025-01-01T00:00:00Z&type=moved", 400),
        ("employees/1007?fields=" + ",".join(["firstName"] * 401), 400),
        ("time_off/requests?start=2025-01-01", 400),
        ("time_off/requests?start=2025-01-01&end=soon", 400),
        ("time_off/requests?start=2025-01-01&end=2025-02-01&id=1;drop", 400),
    ],
)
def test_what_cannot_be_answered_is_refused(hr: Hr, url: str, status: int) -> None:
    answer = hr.get(f"{ROOT}/{url}")
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["X-BambooHR-Error-Message"]


def test_xml_is_not_served(hr: Hr) -> None:
    url = f"{ROOT}/meta/fields"
    assert hr.get(url, headers={"Accept": "application/xml"}).status_code == 406
    assert hr.get(url, headers={"Accept": "*/*"}).status_code == 406
    assert hr.get(f"{url}?format=JSON", headers={"Accept": "*/*"}).status_code == 200


def test_salary_birth_date_and_gender_do_not_exist(hr: Hr) -> None:
    answer = hr.get(f"{ROOT}/employees/1007?fields=firstName,payRate,dateOfBirth,gender,ssn")
    assert answer.json().keys() == {"id", "firstName"}


def test_fields_without_permission_are_left_out_without_a_word(world: World) -> None:
    fault = Fault("permission_silent", parameters={"fields": ["workEmail", "department"]})
    limited = Hr(world, fault)
    record = limited.get(f"{ROOT}/employees/1007?fields=firstName,workEmail,department").json()
    assert record.keys() == {"id", "firstName"}
    jobs = limited.get(f"{ROOT}/employees/1007/tables/jobInfo").json()
    assert "location" in jobs[0] and "department" not in jobs[0]
    listed = {field["alias"] for field in limited.get(f"{ROOT}/meta/fields").json()}
    assert "firstName" in listed and not listed & {"workEmail", "department"}


def test_a_permission_that_disappears_is_403(world: World) -> None:
    refusing = Hr(world, Fault("permission_403", path="*/tables/*", count=1))
    url = f"{ROOT}/employees/1007/tables/jobInfo"
    assert [refusing.get(url).status_code for _ in range(2)] == [403, 200]


def test_a_server_in_another_zone_shifts_what_has_no_zone(hr: Hr, world: World) -> None:
    hr.stage.move(LAST)
    elsewhere = Hr(world, Fault("clock_zone", parameters={"zone": "Pacific/Auckland"}))
    url = f"{ROOT}/employees/changed?since=2024-07-01T00:00:00Z"
    here, there = (found.get(url).json() for found in (hr, elsewhere))
    assert here["latest"].endswith("+00:00") and not there["latest"].endswith("+00:00")
    assert datetime.fromisoformat(here["latest"]) == datetime.fromisoformat(there["latest"])
    edited = datetime.fromisoformat(here["latest"])
    bare = (edited + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    bare_url = f"{ROOT}/employees/changed?since={bare}"
    assert not hr.get(bare_url).json()["employees"]
    assert elsewhere.get(bare_url).json()["employees"], "an hour later there is hours earlier here"


def test_a_fresh_edit_is_missing_for_a_while(hr: Hr, world: World) -> None:
    hr.stage.move(LAST)
    newest = hr.get(f"{ROOT}/employees/changed?since=2024-07-01T00:00:00Z").json()["latest"]
    edited = datetime.fromisoformat(newest)
    lagging = Hr(world, Fault("eventual_consistency", parameters={"seconds": 300}))
    url = f"{ROOT}/employees/changed?since={edited:%Y-%m-%dT%H:%M:%SZ}"
    seen = []
    for seconds in (0, 299, 300):
        lagging.stage.move(edited + timedelta(seconds=seconds))
        seen.append(bool(lagging.get(url).json()["employees"]))
    assert seen == [False, False, True]


def test_exports_of_a_clean_company_are_its_posts(clean_world: World) -> None:
    cursor = clean_world.connection.cursor()
    records.prepare(cursor, LAST)
    exported = {file.path: cursor.sql(file.sql) for file in records.files(cursor, LAST)}
    posts = exported["hr/department_history.csv"]
    expected = cursor.sql(
        "select employee_id, department_id, from_date, to_date - 1, fte, share, location_id "
        "from hidden.post inner join hidden.person using (person_id) "
        f"where kind = 'employee' and from_date < date '{END}'"
    )
    ends = {
        (row[0], row[1], row[2], row[3] if row[3] and row[3] < END else None, *row[4:])
        for row in expected.fetchall()
    }
    assert posts.columns == [
        "employeeNumber",
        "departmentId",
        "startDate",
        "endDate",
        "fte",
        "share",
        "location",
    ]
    assert set(posts.fetchall()) == ends
    answers = exported["hr/engagement_responses.csv"].fetchall()
    assert len(answers) == len(
        cursor.sql("from hidden.engagement where responded_on < date '2026-07-01'").fetchall()
    )
    assert "hr/key_result_measurements.csv" not in exported


def test_exports_know_nothing_of_the_day_itself_and_later(world: World, tmp_path: Path) -> None:
    cursor = world.connection.cursor()
    day = date(2025, 3, 1)
    records.prepare(cursor, first_instant(day))
    for file, column in (
        ("leave", "start"),
        ("engagement_responses", "submittedOn"),
    ):
        sql = next(f.sql for f in records.files(cursor, LAST) if f.path == f"hr/{file}.csv")
        (newest,) = cursor.sql(f'select max("{column}") from ({sql})').fetchall()[0]
        assert newest < day
