"""BambooHR as a live source: what lands is what it holds; fields off the list are never asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from live_company import TOKEN, Rows, Vendor, company, everything_in, fields, lake, vendor
from vendor_documents import check_request

from dagster_project.errors import SourceError, SourceUnavailable
from dagster_project.landing.lake import windows
from dagster_project.landing.pull import pull_source
from dagster_project.settings import Mission
from dagster_project.sources.credentials import Credentials
from dagster_project.sources.hr.bamboohr import EMPLOYEE_FIELDS, BambooHR, FteTable
from dagster_project.sources.hr.posts import Dated, Job, Post, posts
from dagster_project.sources.hr.shapes import SHAPES
from sandbox.records import bamboohr as records
from sandbox.servers.clock import LAST
from sandbox.servers.faults import Fault
from tests.conftest import MakeMission

STREAMS = [shape.stream for shape in SHAPES]
FTE = FteTable("customContractedFte", "customDate", "customFte")
NOTHING_CHANGED = 1 + 3 + 1 + 1
"""What changed, three tables, leave, and one request for the time."""


@dataclass
class Account:
    """An account, and a mission that fetches from it."""

    vendor: Vendor
    mission: Mission
    waited: list[float]

    def client(self, **options: Any) -> BambooHR:
        """A client whose time is the sandbox's, and which does not really wait."""
        names = self.vendor.query("select name, department_id from bamboohr_now.department_option")
        given = {
            "departments": dict(names),
            "fte_table": FTE,
            "sleep": self.waited.append,
            **options,
        }
        address = self.vendor.server.address
        client = BambooHR("hr", address, Credentials.basic_key(TOKEN), **given)
        client._session.began = self.vendor.clock.now()
        return client

    def refresh(self, full: bool = False, **options: Any) -> BambooHR:
        """Fetch and load; the client that did it."""
        with self.client(**options) as client:
            pull_source(self.mission, self.mission.sources[0], client, SHAPES, full=full)
        return client

    def rows(self, stream: str, *columns: str) -> Rows:
        """What counts in the lake."""
        return lake(self.mission, self.mission.sources[0], stream, *columns)

    def everything(self) -> dict[str, Rows]:
        """All that counts, by stream."""
        return {stream: self.rows(stream, "payload") for stream in STREAMS}


@pytest.fixture
def account(make_mission: MakeMission) -> Any:
    """Makes accounts."""

    @contextmanager
    def open_account(*faults: Fault, **options: Any) -> Iterator[Account]:
        with vendor("bamboohr", *faults, **options) as served:
            source = {
                "id": "hr",
                "system": "hr",
                "kind": "bamboohr",
                "base_url": served.server.address,
            }
            yield Account(served, make_mission(source), [])

    return open_account


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """What a full pull leaves in the lake when nothing goes wrong."""
    from tests.conftest import make_mission as fixture

    make = fixture.__wrapped__(tmp_path_factory.mktemp("untroubled"))
    with vendor("bamboohr") as served:
        source = {
            "id": "hr",
            "system": "hr",
            "kind": "bamboohr",
            "base_url": served.server.address,
        }
        account = Account(served, make(source), [])
        account.refresh()
        return account.everything()


#: Stream -> payload fields, and the same as the account's tables tell them.
TRUTH = {
    "employees": (
        "employee_id employee_number full_name email hired_on terminated_on location_id",
        "select id, employee_id, concat_ws(' ', first_name, last_name), email, "
        "cast(first_hired_on as varchar), cast(terminated_on as varchar), location_id "
        "from bamboohr_now.employee",
    ),
    # Of every day on which something about the main post changes; neighbours that say the same of
    # department, place and FTE are one.
    "department_history": (
        "employee_id department_id from_date to_date location_id fte",
        "select cast(person_id as varchar), department_id, cast(day as varchar), "
        "cast(until as varchar), location_id, cast(fte as varchar) from ("
        "select *, lead(day) over (partition by person_id order by day) as until from ("
        "from bamboohr_now.place qualify (department_id, location_id, fte) is distinct from "
        "lag((department_id, location_id, fte)) over (partition by person_id order by day))) "
        "where department_id is not null",
    ),
    "leave": (
        "employee_id from_date to_date leave_type hours",
        "select cast(person_id as varchar), cast(from_date as varchar), "
        "cast(to_date as varchar), leave_type, cast(cast(hours as double) as varchar) "
        "from bamboohr_now.leave",
    ),
}


@pytest.mark.parametrize("now", [LAST, datetime(2025, 2, 10, tzinfo=UTC)], ids=str)
def test_what_lands_is_what_the_account_holds(account: Any, now: datetime) -> None:
    with account(now=now) as hr:
        client = hr.refresh()
        for stream, (names, truth) in TRUTH.items():
            held = hr.vendor.query(f"select * from ({truth}) order by all")
            assert hr.rows(stream, *fields(*names.split())) == held, stream
            assert len(held) > 50
        assert client.gaps == []


def test_every_request_conforms_and_nothing_off_the_list_is_ever_asked_for(account: Any) -> None:
    with account(now=LAST - timedelta(days=60)) as hr:
        hr.refresh()
        hr.vendor.clock.move(LAST)
        hr.refresh()
        with hr.client() as client:
            client.check()
        problems = [
            problem
            for asked in hr.vendor.asked
            for problem in check_request("bamboohr", asked.method, asked.url, asked.body)
        ]
        assert problems == []
        people, others = set(), set()
        for asked in hr.vendor.asked:
            query = {
                name: values[0] for name, values in parse_qs(urlsplit(asked.url).query).items()
            }
            number = asked.path.removeprefix("/api/v1/employees/")
            if number.isdecimal():
                people.add((asked.method, tuple(query.pop("fields").split(",")), tuple(query)))
            else:
                query.pop("since", None)
                others.add((asked.method, asked.path, tuple(query.items())))
        assert people == {("GET", EMPLOYEE_FIELDS, ())}
        leave = (("start", "1970-01-01"), ("end", "2199-12-31"))
        assert others == {
            ("GET", "/api/v1/employees/changed", ()),
            ("GET", "/api/v1/employees/all/tables/jobInfo", ()),
            ("GET", "/api/v1/employees/all/tables/employmentStatus", ()),
            ("GET", "/api/v1/employees/all/tables/customContractedFte", ()),
            (
                "GET",
                "/api/v1/time_off/requests",
                (*leave, ("status", "approved"), ("excludeNote", "1")),
            ),
            ("GET", "/api/v1/meta/fields", ()),
            ("GET", "/api/v1/meta/tables", ()),
        }
        assert not {"dateOfBirth", "gender", "payRate", "ssn"} & set(EMPLOYEE_FIELDS)


def test_a_refresh_in_which_nothing_changed_asks_as_little_as_possible(account: Any) -> None:
    with account() as hr:
        hr.refresh()
        before, first = hr.everything(), len(hr.vendor.asked)
        client = hr.refresh()
        assert client.usage().requests == len(hr.vendor.asked) - first <= NOTHING_CHANGED
        assert hr.everything() == before
        source = hr.mission.sources[0]
        assert {s: len(windows(hr.mission, source, s)) for s in STREAMS} == {
            "employees": 2,
            "department_history": 1,
            "leave": 1,
        }, "only the stream that keeps the cursor gets a window"


def test_day_by_day_equals_everything_at_once(account: Any) -> None:
    first, steps = datetime(2025, 9, 20, tzinfo=UTC), 6
    with account(now=first) as hr:
        hr.refresh()
        everybody = len(hr.rows("employees", "employee_id"))
        for step in range(1, steps + 1):
            hr.vendor.clock.move(first + timedelta(days=5 * step, hours=7 * step))
            hr.refresh()
            assert hr.rows("employees", "employee_id")
        by_day = hr.everything()
        asked = hr.vendor.paths()
        hr.refresh(full=True)
        assert hr.everything() == by_day
        singles = sum(n for path, n in asked.items() if path.rpartition("/")[2].isdecimal())
        assert singles < 2 * everybody, "only those that changed are asked again"


def test_what_hr_corrects_late_replaces_what_it_said(account: Any) -> None:
    """Moves that are entered weeks after the day from which they hold."""
    late = company().connection.execute(
        """
        select person_id, min(known_from) as told_at
        from hidden.hr_post inner join hidden.person using (person_id)
        where kind = 'employee'
        group by person_id, department_id, from_date
        having told_at > from_date + interval 13 day
        order by told_at
        """
    )
    told = [(str(person), at.replace(tzinfo=UTC)) for person, at in late.fetchall()]
    assert len(told) >= 3
    names, truth = TRUTH["department_history"]
    with account(now=told[0][1] - timedelta(hours=1)) as hr:
        hr.refresh()
        for employee_id, at in told:
            hr.vendor.clock.move(at - timedelta(hours=1))
            hr.refresh()
            before = _posts_of(employee_id, hr)
            hr.vendor.clock.move(at + timedelta(hours=1))
            hr.refresh()
            assert _posts_of(employee_id, hr) != before
            held = hr.vendor.query(f"select * from ({truth}) order by all")
            assert hr.rows("department_history", *fields(*names.split())) == held


def _posts_of(employee_id: str, hr: Account) -> Rows:
    return [
        row for row in hr.rows("department_history", "employee_id", "payload") if employee_id in row
    ]


def test_a_field_that_may_not_be_seen_is_noted_and_left_empty(account: Any) -> None:
    hidden = {"fields": ["workEmail", "location"]}
    with account(Fault("permission_silent", parameters=hidden)) as hr:
        client = hr.refresh()
        assert sorted((gap.resource, gap.status) for gap in client.gaps) == [
            ("employees.location", 200),
            ("employees.workEmail", 200),
            ("jobInfo.location", 200),
        ]
        assert all("Access Levels" in gap.reason for gap in client.gaps)
        assert set(hr.rows("employees", *fields("email", "location_id"))) == {(None, None)}
        with hr.client() as client:
            lacks = {seen.what: seen.lacks for seen in client.check()}
        assert "workEmail, location" in str(lacks["fields"])
        assert "location" in str(lacks["table jobInfo"])
        assert lacks["table employmentStatus"] is None


@pytest.mark.parametrize("field", ["department", "date", "employmentStatus", "customFte"])
def test_posts_are_not_told_without_a_field_that_they_need(account: Any, field: str) -> None:
    with account(Fault("permission_silent", parameters={"fields": [field]})) as hr:
        with pytest.raises(SourceError, match=f"`{field}`") as caught:
            hr.refresh()
        assert "`hr`" in str(caught.value) and "access level" in caught.value.remedy
        assert hr.rows("department_history", "payload") == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("429", count=3, parameters={"retry_after": 7}),
        Fault("503", count=3, probability=0.5),
        Fault("500", count=3, probability=0.5),
        Fault("cut", count=3, probability=0.5),
        Fault("cut", path="*/tables/*", count=3, parameters={"cut_at": 0}),
    ],
    ids=lambda fault: f"{fault.kind} {fault.path}",
)
def test_failures_that_pass_cost_nothing_but_time(
    account: Any, untroubled: dict[str, Rows], fault: Fault
) -> None:
    with account(fault) as hr:
        hr.refresh()
        assert hr.everything() == untroubled
        assert [order["fired"] for order in hr.vendor.faults.state()] == [fault.count]
        assert len(hr.waited) == fault.count


def test_a_failure_that_lasts_commits_nothing_and_may_be_tried_again(
    account: Any, untroubled: dict[str, Rows]
) -> None:
    with account(Fault("503", path="*/time_off/*")) as hr:
        with pytest.raises(SourceUnavailable, match="time_off"):
            hr.refresh(patience=20)
        assert hr.rows("employees", "employee_id") == []
        hr.vendor.faults.clear()
        hr.refresh()
        assert hr.everything() == untroubled


def test_a_server_in_another_zone_tells_the_same_changes(account: Any) -> None:
    first = datetime(2025, 9, 20, tzinfo=UTC)
    with account(Fault("clock_zone"), now=first) as hr:
        hr.refresh()
        hr.vendor.clock.move(first + timedelta(days=20))
        hr.refresh()
        names, truth = TRUTH["employees"]
        held = hr.vendor.query(f"select * from ({truth}) order by all")
        assert hr.rows("employees", *fields(*names.split())) == held


def test_an_employee_who_was_deleted_is_told_as_such(account: Any) -> None:
    """Entered by mistake: first there, then gone without a trace but in the list of changes."""

    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        records.prepare(connection, now)
        if now == LAST:
            connection.execute(
                "delete from bamboohr_now.employee where id = '1005'; "
                "delete from bamboohr_now.job_info where person_id = 1005; "
                "update bamboohr_now.edit set is_deleted = true, changed_at = "
                f"timestamp '{now - timedelta(hours=1):%Y-%m-%d %H:%M:%S}' where person_id = 1005"
            )

    with account(now=LAST - timedelta(days=1), prepare=prepare) as hr:
        hr.refresh()
        assert (
            dict(hr.rows("employees", "employee_id", "payload->>'$.is_deleted'"))["1005"] == "false"
        )
        hr.vendor.clock.move(LAST)
        client = hr.refresh()
        assert client.gaps == []
        gone = [row for row in hr.rows("employees", "employee_id", "payload") if row[0] == "1005"]
        assert gone == [("1005", '{"employee_id":"1005","is_deleted":true}')]
        assert ("1005",) not in hr.rows("department_history", "employee_id")
        hr.refresh(full=True)
        assert ("1005",) not in hr.rows("employees", "employee_id")


def test_departments_keep_their_name_where_no_id_is_known(account: Any) -> None:
    with account() as hr:
        hr.refresh(departments={})
        names = {name for (name,) in hr.rows("department_history", "department_id")}
        options = hr.vendor.query("select distinct department from bamboohr_now.job_info")
        assert names == {name for (name,) in options}


def test_without_a_table_of_contracted_fte_nothing_is_known_of_part_time(account: Any) -> None:
    with account() as hr:
        hr.refresh(fte_table=None)
        assert set(hr.rows("department_history", *fields("fte"))) == {(None,)}
        assert not any("customContractedFte" in asked.path for asked in hr.vendor.asked)


def test_an_answer_of_another_form_names_the_stream(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as hr, hr.client() as client:
        monkeypatch.setattr(client._session, "ask", lambda *args, **more: [7])
        for pull in client.plan(None):
            with pytest.raises(SourceError, match=f"`hr`, {pull.stream}: the answer has not"):
                client.fetch(pull, None, ["1"])


def test_the_key_shows_nowhere(account: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with account(Fault("500", count=2)) as hr:
        hr.refresh()
        hr.vendor.faults.add(Fault("permission_403"))
        with pytest.raises(SourceError) as caught, hr.client() as client:
            told = repr((client, vars(client), client._session))
            client.fetch(client.plan(None)[3], None, ())
        assert caught.value.status == 403 and "You do not have access" in str(caught.value)
        assert TOKEN not in told
        chain = repr((caught.value, caught.value.__cause__, caught.value.__context__))
        assert TOKEN not in chain and TOKEN not in str(caught.value)
        assert TOKEN not in caplog.text
        assert TOKEN.encode() not in everything_in(hr.mission.storage)


def test_a_wrong_key_says_where_to_get_a_right_one(account: Any) -> None:
    with account() as hr, pytest.raises(SourceError) as caught:
        client = BambooHR("hr", hr.vendor.server.address, Credentials.basic_key("wrong"))
        client.check()
    assert caught.value.status == 401 and "API Keys" in caught.value.remedy


HIRED = Dated("1", "2024-01-01", "Full-Time")


@pytest.mark.parametrize(
    ("jobs", "statuses", "ftes", "expected"),
    [
        pytest.param(
            [Job("1", "2024-06-01", "B", "X"), Job("1", "2024-01-01", "A", "X")],
            [HIRED],
            [],
            [("A", None, "2024-01-01", "2024-06-01"), ("B", None, "2024-06-01", None)],
            id="a job ends where the next one begins, in whatever order they come",
        ),
        pytest.param(
            [Job("1", "2024-01-01", "A", "X"), Job("1", "2024-03-01", "A", "X")],
            [HIRED],
            [],
            [("A", None, "2024-01-01", None)],
            id="a new title is no new post",
        ),
        pytest.param(
            [Job("1", "2024-01-01", "A", "X")],
            [HIRED, Dated("1", "2024-05-31", "Terminated")],
            [],
            [("A", None, "2024-01-01", "2024-06-01")],
            id="a termination names the last day at work",
        ),
        pytest.param(
            [Job("1", "2024-01-01", "A", "X")],
            [HIRED, Dated("1", "2024-05-31", "Terminated"), Dated("1", "2025-01-01", "Full-Time")],
            [],
            [("A", None, "2024-01-01", "2024-06-01"), ("A", None, "2025-01-01", None)],
            id="who comes back has two posts, even without a new row of jobInfo",
        ),
        pytest.param(
            [Job("1", "2024-01-01", "A", "X")],
            [HIRED, Dated("1", "2024-04-01", "Part-Time")],
            [Dated("1", "2024-01-01", "1.0"), Dated("1", "2024-04-01", "0.5")],
            [("A", "1.0", "2024-01-01", "2024-04-01"), ("A", "0.5", "2024-04-01", None)],
            id="another FTE is another post",
        ),
        pytest.param(
            [Job("1", "2024-01-01", "A", "X")],
            [],
            [Dated("1", "2023-01-01", "0.8")],
            [("A", "0.8", "2024-01-01", None)],
            id="without a status a person is employed, with an FTE of before",
        ),
        pytest.param(
            [Job("1", "0000-00-00", "A", "X"), Job("1", "2024-01-01", "B", "X")],
            [HIRED, Dated("1", "0000-00-00", "Terminated")],
            [],
            [("A", None, "0000-00-00", None), ("B", None, "2024-01-01", None)],
            id="a job without a date is passed on to be refused, other rows without one are not",
        ),
    ],
)
def test_posts(
    jobs: list[Job], statuses: list[Dated], ftes: list[Dated], expected: list[tuple[Any, ...]]
) -> None:
    found = [
        (post.department, post.fte, post.from_day, post.to_day)
        for post in posts(jobs, statuses, ftes)
    ]
    assert found == expected


def test_posts_of_two_people_do_not_mix() -> None:
    found = posts(
        [Job("1", "2024-01-01", "A", "X"), Job("2", "2024-02-01", "A", "X")],
        [Dated("2", "2024-03-31", "Terminated")],
        [],
    )
    assert list(found) == [
        Post("1", "A", "X", None, "2024-01-01"),
        Post("2", "A", "X", None, "2024-02-01", "2024-04-01"),
    ]


def test_rows_that_cannot_be_read_are_set_aside_with_the_reason(account: Any) -> None:
    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        records.prepare(connection, now)
        connection.execute(
            "insert into bamboohr_now.contracted_fte values (1005, date '2024-08-01', -1)"
        )

    with account(prepare=prepare) as hr:
        hr.refresh()
        found = windows(hr.mission, hr.mission.sources[0], "department_history")[-1].manifest
        assert (found.fetched - found.loaded, found.quarantined) == (1, 1)
        assert "fte: '-1" in str(found.first_refusal)
        posts_of = hr.rows("department_history", "employee_id", "from_date")
        assert ("1005", date(2024, 8, 1)) not in posts_of and (
            "1005",
            date(2022, 12, 12),
        ) in posts_of
