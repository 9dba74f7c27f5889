"""HubSpot as a live source: what lands is what the account holds, whatever goes wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from live_company import TOKEN, Rows, Vendor, everything_in, fields, lake, vendor
from vendor_documents import check_request

import sandbox
from dagster_project.errors import MissionError, SourceError
from dagster_project.landing.lake import windows
from dagster_project.landing.pull import pull_source
from dagster_project.settings import Mission
from dagster_project.sources.credentials import Credentials
from dagster_project.sources.crm.hubspot import HubSpot
from dagster_project.sources.crm.portal import OBJECT_TYPES
from dagster_project.sources.crm.shape_parts import joined
from dagster_project.sources.crm.shapes import SHAPES
from dagster_project.sources.pulls import Json
from sandbox.records import hubspot as records
from sandbox.servers.clock import LAST
from sandbox.servers.faults import Fault
from sandbox.spec import Spec
from sandbox.world import World
from tests.conftest import MakeMission

PROPERTIES = {
    "accounts": {"segment": "customer_segment", "initiative_keys": "jira_initiative_keys"},
    "products": {"owner_department_id": "owner_department", "first_sold_on": "first_sale_date"},
    "surveys": {"scale_max": "rating_scale_max"},
    "tickets": {"issue_key": "jira_issue_key"},
}
STREAMS = [shape.stream for shape in SHAPES]
NOTHING_CHANGED = 7 * 2 + 2 + 2 + 1
"""A search and a sweep of each object type, owners who are there and who left, two pipelines, and
one request for the time."""


@dataclass
class Account:
    """An account, and a mission that fetches from it."""

    vendor: Vendor
    mission: Mission
    waited: list[float]

    def client(self, **options: Any) -> HubSpot:
        """A client whose time is the sandbox's, and which does not really wait."""
        given = {"properties": PROPERTIES, "sleep": self.waited.append, **options}
        address = self.vendor.server.address
        client = HubSpot("crm", address, Credentials.bearer(TOKEN), **given)
        client._session.began = self.vendor.clock.now()
        return client

    def refresh(self, full: bool = False, **options: Any) -> HubSpot:
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
        with vendor("hubspot", *faults, **options) as served:
            source = {
                "id": "crm",
                "system": "crm",
                "kind": "hubspot",
                "base_url": served.server.address,
            }
            yield Account(served, make_mission(source), [])

    return open_account


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """What a full pull of the account leaves in the lake when nothing goes wrong."""
    from tests.conftest import make_mission as fixture

    make = fixture.__wrapped__(tmp_path_factory.mktemp("untroubled"))
    with vendor("hubspot") as served:
        source = {
            "id": "crm",
            "system": "crm",
            "kind": "hubspot",
            "base_url": served.server.address,
        }
        account = Account(served, make(source), [])
        account.refresh()
        return account.everything()


def _time(column: str) -> str:
    return f"strftime(cast({column} as timestamp), '%Y-%m-%dT%H:%M:%S.%f')"


_OWNED = "hubspot_owner_id, email"
_OWNER = "left join hubspot_now.owners on owners.id = cast(hubspot_owner_id as bigint)"
#: Stream -> payload fields, and the same as the account's tables tell them. Archived records belong
#: to nothing.
TRUTH = {
    "accounts": (
        "account_id name segment owner_id owner_email created_at initiative_keys is_deleted",
        f"select hs_object_id, name, customer_segment, {_OWNED}, {_time('createdate')}, "
        "jira_initiative_keys, cast(companies.archived_at is not null as varchar) "
        f"from hubspot_now.companies {_OWNER}",
    ),
    "contacts": (
        "contact_id account_id created_at is_deleted",
        f"select hs_object_id, associatedcompanyid, {_time('createdate')}, "
        "cast(archived_at is not null as varchar) from hubspot_now.contacts",
    ),
    "deals": (
        "deal_id account_id name stage currency owner_id owner_email created_at closed_at "
        "updated_at is_deleted",
        "select hs_object_id, belongs.to_id, dealname, dealstage, deal_currency_code, "
        f"{_OWNED}, {_time('createdate')}, {_time('closedate')}, {_time('hs_lastmodifieddate')}, "
        f"cast(deals.archived_at is not null as varchar) from hubspot_now.deals {_OWNER} "
        "left join (select from_id, cast(to_id as varchar) as to_id from hubspot_now.associations "
        "where from_type = 'deals' and to_type = 'companies') as belongs on from_id = deals.id",
    ),
    "deal_stage_history": (
        "deal_id stage entered_at",
        f"select cast(id as varchar), dealstage, {_time('entered_at')} "
        "from hubspot_now.deal_states",
    ),
    "line_items": (
        "line_item_id product_id deal_id is_deleted",
        "select hs_object_id, hs_product_id, "
        "case when archived_at is null then cast(deal_id as varchar) end, "
        "cast(archived_at is not null as varchar) from hubspot_now.line_items",
    ),
    "products": (
        "product_id name owner_department_id first_sold_on",
        "select hs_object_id, name, owner_department, first_sale_date from hubspot_now.products",
    ),
    "surveys": (
        "response_id instrument score scale_max responded_at ticket_id",
        "select hs_object_id, lower(hs_survey_type), cast(cast(hs_value as double) as varchar), "
        "cast(cast(rating_scale_max as double) as varchar), "
        f"{_time('hs_submission_timestamp')}, cast(to_id as varchar) "
        "from hubspot_now.feedback_submissions left join hubspot_now.associations "
        "on from_type = 'feedback_submissions' and to_type = 'tickets' "
        "and from_id = feedback_submissions.id",
    ),
    "tickets": (
        "ticket_id account_id stage priority owner_id owner_email issue_key created_at closed_at "
        "updated_at is_deleted",
        "select hs_object_id, to_id, hs_pipeline_stage, hs_ticket_priority, "
        f"{_OWNED}, jira_issue_key, {_time('createdate')}, {_time('closed_date')}, "
        f"{_time('hs_lastmodifieddate')}, cast(tickets.archived_at is not null as varchar) "
        f"from hubspot_now.tickets {_OWNER} "
        "left join (select from_id, cast(to_id as varchar) as to_id from hubspot_now.associations "
        "where from_type = 'tickets' and to_type = 'companies') as belongs "
        "on from_id = tickets.id",
    ),
    "ticket_stage_history": (
        "ticket_id stage entered_at",
        f"select cast(id as varchar), hs_pipeline_stage, {_time('entered_at')} "
        "from hubspot_now.ticket_states",
    ),
    "owners": (
        "owner_id email is_deleted",
        "select cast(id as varchar), email, cast(archived_at is not null as varchar) "
        "from hubspot_now.owners",
    ),
    "pipeline_stages": (
        "object_type stage_id label is_closed",
        "select object_type, stage_id, label, cast(is_closed as varchar) from hubspot_now.stages",
    ),
}


def test_what_lands_is_what_the_account_holds(account: Any) -> None:
    with account() as crm:
        client = crm.refresh()
        for stream, (names, truth) in TRUTH.items():
            held = crm.vendor.query(f"select * from ({truth}) order by all")
            assert crm.rows(stream, *fields(*names.split())) == held, stream
            assert len(held) > 5
        amounts = crm.vendor.query(
            "select id, cast(amount as double) from hubspot_now.deals order by all"
        )
        landed = crm.rows(
            "deals", "cast(deal_id as bigint)", "cast(payload->>'$.amount' as double)"
        )
        assert landed == amounts
        assert client.gaps == []


def test_what_lands_is_what_a_file_with_the_same_values_leaves(account: Any) -> None:
    """The export has the same deals; of archived ones it still knows whose they were."""
    with account() as crm:
        crm.refresh()
        exported = crm.vendor.query(
            f"select hs_object_id, associated_company_id, dealname, dealstage, "
            f"cast(amount as double), hubspot_owner_id, owner_email, {_time('closedate')} "
            f"from ({records.EXPORTS['deals']}) where not archived order by all"
        )
        landed = crm.rows(
            "deals",
            "deal_id",
            *fields("account_id", "name", "stage"),
            "cast(payload->>'$.amount' as double)",
            *fields("owner_id", "owner_email", "closed_at", "is_deleted"),
        )
        assert [row[:-1] for row in landed if row[-1] == "false"] == exported


def test_every_request_conforms_and_nothing_else_is_ever_asked_for(account: Any) -> None:
    with account(now=LAST - timedelta(days=30)) as crm:
        crm.refresh()
        crm.vendor.clock.move(LAST)
        crm.refresh()
        with crm.client() as client:
            client.check()
        problems = [
            problem
            for asked in crm.vendor.asked
            for problem in check_request("hubspot", asked.method, asked.url, asked.body)
        ]
        assert problems == []
        types = [kind.name for kind in OBJECT_TYPES.values()]
        allowed = {f"GET /crm/v3/objects/{name}" for name in types}
        allowed |= {f"POST /crm/v3/objects/{name}/search" for name in types}
        allowed |= {f"POST /crm/v3/objects/{name}/batch/read" for name in ("deals", "tickets")}
        allowed |= {f"GET /crm/v3/properties/{name}" for name in types}
        allowed |= {f"GET /crm/v3/pipelines/{name}" for name in ("deals", "tickets")}
        allowed |= {"GET /crm/v3/owners/"}
        allowed |= {
            f"POST /crm/v4/associations/{pair}/batch/read"
            for pair in (
                "deals/companies",
                "line_items/deals",
                "tickets/companies",
                "feedback_submissions/companies",
                "feedback_submissions/tickets",
            )
        }
        assert set(crm.vendor.paths()) == allowed
        told = str([(asked.url, asked.body) for asked in crm.vendor.asked])
        for private in ("firstname", "lastname", "email", "phone", "subject", "content"):
            assert private not in told
        assert b"firstname" not in everything_in(crm.mission.lake)


@pytest.fixture(scope="module")
def crowded() -> World:
    """A company with nothing but 12,000 deals that came in the same second."""
    connection = duckdb.connect()
    connection.execute("set global timezone = 'UTC'")
    connection.execute(Path(sandbox.__file__).with_name("hidden.sql").read_text(encoding="utf-8"))
    connection.execute(
        """
        insert into hidden.customer by name
        select '7001' as customer_id, 'Wind Farms' as name, timestamp '2024-01-01' as created_at;
        insert into hidden.deal by name
        select cast(50001 + n as varchar) as deal_id, '7001' as customer_id, 'd' as name,
            'EUR' as currency
        from range(12000) as t (n);
        insert into hidden.deal_stage
        select deal_id, 'qualifiedtobuy', timestamp '2025-02-17 08:00:00' from hidden.deal;
        """
    )
    return World(Spec.of("tiny"), connection)


def test_twelve_thousand_deals_of_one_instant_come_whole_by_search(
    account: Any, crowded: World
) -> None:
    at = datetime(2025, 2, 17, 8, tzinfo=UTC)
    with account(world=crowded, now=at - timedelta(days=1)) as crm:
        crm.refresh()
        assert crm.rows("deals", "deal_id") == []
        crm.vendor.clock.move(at + timedelta(days=1))
        crm.vendor.asked.clear()
        crm.refresh()
        ids = [f"{50_001 + n}" for n in range(12_000)]
        assert crm.rows("deals", "deal_id", *fields("account_id")) == [(i, "7001") for i in ids]
        assert crm.rows("deal_stage_history", "deal_id") == [(i,) for i in ids]
        asked = crm.vendor.paths()
        assert asked["POST /crm/v3/objects/deals/search"] == 60, "200 a page"
        assert asked["POST /crm/v3/objects/deals/batch/read"] == 240, "50 with their past"
        assert asked["POST /crm/v4/associations/deals/companies/batch/read"] == 12
        assert not [page for page in crm.vendor.asked if "after" in (page.body or {})]


def test_a_refresh_in_which_nothing_changed_asks_as_little_as_possible(account: Any) -> None:
    with account() as crm:
        crm.refresh()
        before = crm.everything()
        first = len(crm.vendor.asked)
        client = crm.refresh()
        assert client.usage().requests == len(crm.vendor.asked) - first <= NOTHING_CHANGED
        assert crm.everything() == before
        source = crm.mission.sources[0]
        assert {s: len(windows(crm.mission, source, s)) for s in STREAMS} == {
            stream: 2 if stream == "deals" else 1 for stream in STREAMS
        }, "only the stream that keeps the cursor gets a window"


def test_day_by_day_equals_everything_at_once(account: Any, make_mission: MakeMission) -> None:
    first, days = datetime(2026, 3, 1, tzinfo=UTC), 6
    with account(now=first) as crm:
        crm.refresh()
        for day in range(1, days + 1):
            crm.vendor.clock.move(first + timedelta(days=3 * day, hours=7 * day))
            crm.refresh()
        by_day = crm.everything()
        crm.refresh(full=True)
        at_once = crm.everything()
        assert len(by_day["deals"]) > len(by_day["accounts"]) > 5
        # A customer that is archived lets go of deals and tickets, which do not change by that:
        # what was known of them stays until the next full pull.
        assert _without_accounts(by_day) == _without_accounts(at_once)
        assert len(windows(crm.mission, crm.mission.sources[0], "deals")) == days + 2


def _without_accounts(landed: dict[str, Rows]) -> dict[str, list[Json]]:
    return {
        stream: sorted(
            (
                {k: v for k, v in json.loads(payload).items() if k not in ("account_id", "deal_id")}
                if stream in ("deals", "tickets", "line_items", "surveys")
                else json.loads(payload)
                for (payload,) in rows
            ),
            key=str,
        )
        for stream, rows in landed.items()
    }


def test_what_is_archived_is_told_as_deleted_and_nothing_is_lost(account: Any) -> None:
    with account(now=LAST) as crm:
        (archived_at,) = crm.vendor.query("select max(archived_at) from hubspot_now.deals")[0]
        gone = crm.vendor.query(
            f"select hs_object_id from hubspot_now.deals where archived_at = '{archived_at}'"
        )[0][0]
        crm.vendor.clock.move(archived_at.replace(tzinfo=UTC) - timedelta(seconds=1))
        crm.refresh()
        known = dict(crm.rows("deals", "deal_id", "payload->>'$.is_deleted'"))
        assert known[gone] == "false"
        crm.vendor.clock.move(archived_at.replace(tzinfo=UTC) + timedelta(days=2))
        crm.refresh()
        now = dict(crm.rows("deals", "deal_id", "payload->>'$.is_deleted'"))
        assert now[gone] == "true" and now.keys() >= known.keys()
        stages = crm.rows("deal_stage_history", "deal_id")
        held = crm.vendor.query("select cast(id as varchar) from hubspot_now.deal_states")
        assert sorted(stages) == sorted(held)


def test_a_record_that_is_archived_between_two_pages_is_told_as_deleted(account: Any) -> None:
    with account(Fault("delete_between_pages", path="*/deals", count=1)) as crm:
        crm.refresh()
        held = crm.vendor.query("select count(*) from hubspot_now.deals")[0][0]
        rows = crm.rows("deals", "deal_id", "payload->>'$.is_deleted'")
        assert len(rows) == held
        archived = crm.vendor.query(
            "select count(*) from hubspot_now.deals where archived_at is not null"
        )[0][0]
        assert [is_deleted for _, is_deleted in rows].count("true") == archived + 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("429", path="*/deals*", count=3, parameters={"retry_after": 7}),
        Fault("429", count=3, parameters={"retry_after": 1, "form": "date"}),
        Fault("500", count=3, probability=0.3),
        Fault("502", count=3, probability=0.3),
        Fault("cut", count=3, probability=0.3),
        Fault("cut", path="*/batch/read", count=2, parameters={"cut_at": 0}),
    ],
    ids=lambda fault: f"{fault.kind} {fault.path} {dict(fault.parameters)}",
)
def test_failures_that_pass_cost_nothing_but_time(
    account: Any, untroubled: dict[str, Rows], fault: Fault
) -> None:
    with account(fault) as crm:
        crm.refresh()
        assert crm.everything() == untroubled
        assert [order["fired"] for order in crm.vendor.faults.state()] == [fault.count]
        assert len(crm.waited) == fault.count
        if fault.parameters.get("retry_after") == 7:
            assert crm.waited == [7.0] * 3


@pytest.mark.parametrize("kind", ["clock_zone", "epoch_integers"])
def test_odd_ways_to_write_times_change_nothing(
    account: Any, untroubled: dict[str, Rows], kind: str
) -> None:
    with account(Fault(kind)) as crm:
        crm.refresh()
        assert crm.everything() == untroubled


def test_a_version_with_a_date_tells_the_same(account: Any, untroubled: dict[str, Rows]) -> None:
    with account() as crm:
        crm.refresh(version="2026-03")
        assert crm.everything() == untroubled
        paths = {asked.path for asked in crm.vendor.asked}
        assert {
            "/crm/objects/2026-03/deals",
            "/crm/associations/2026-03/deals/companies/batch/read",
        } <= paths
        assert not any("/v3/" in path or "/v4/" in path for path in paths)
        for asked in crm.vendor.asked:
            assert check_request("hubspot", asked.method, asked.url, asked.body) == []


def test_a_forgotten_token_begins_the_window_anew(
    account: Any, untroubled: dict[str, Rows]
) -> None:
    with account(Fault("expired_token", path="*/tickets", count=1, after=2)) as crm:
        crm.refresh()
        assert crm.everything() == untroubled
        assert crm.vendor.faults.state()[0]["fired"] == 1


def test_a_repeated_token_fails(account: Any) -> None:
    with account(Fault("repeated_token", path="*/tickets")) as crm:
        with pytest.raises(MissionError, match="tickets"):
            crm.refresh()
        assert crm.rows("deals", "deal_id") == [], "nothing was committed"


def test_edits_that_a_search_shows_late_come_with_the_next_window(account: Any) -> None:
    lag = {"seconds": 600}
    with account(Fault("eventual_consistency", parameters=lag), now=LAST) as crm:
        (edited,) = crm.vendor.query(
            "select max(updated_at) from hubspot_now.tickets where archived_at is null"
        )[0]
        (ticket,) = crm.vendor.query(
            f"select hs_object_id from hubspot_now.tickets where updated_at = '{edited}'"
        )[0]
        edited = edited.replace(tzinfo=UTC)
        crm.vendor.clock.move(edited - timedelta(hours=3))
        crm.refresh()
        crm.vendor.clock.move(edited + timedelta(minutes=1))
        crm.refresh()
        updated_at = f"{edited:%Y-%m-%dT%H:%M:%S.000000}"
        seen = dict(crm.rows("tickets", "ticket_id", "payload->>'$.updated_at'"))
        assert seen.get(ticket) != updated_at, "the search does not show it yet"
        crm.vendor.clock.move(edited + timedelta(minutes=20))
        crm.refresh()
        seen = dict(crm.rows("tickets", "ticket_id", "payload->>'$.updated_at'"))
        assert seen[ticket] == updated_at


def test_a_deal_of_more_customers_than_one_answer_holds_has_all_of_them(account: Any) -> None:
    def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        records.prepare(connection, now)
        connection.execute(
            "insert into hubspot_now.associations "
            "select 'deals', 50001, 'companies', 900000 + n from range(1100) as t (n)"
        )

    with account(prepare=prepare) as crm, crm.client() as client:
        pull = next(pull for pull in client.plan(None) if pull.stream == "deal_accounts")
        ids, found, positions = ["50001", "50002"], [], [None]
        while not found or positions[-1] is not None:
            answer = client.fetch(pull, positions[-1], ids)
            found += [(record["from"], record["to"]) for record in answer.records]
            positions.append(answer.next)
        held = crm.vendor.query(
            "select cast(from_id as varchar), cast(to_id as varchar) from hubspot_now.associations "
            "where from_type = 'deals' and to_type = 'companies' and from_id in (50001, 50002)"
        )
        assert sorted(found) == sorted(held) and len(found) == len(set(found)) > 1_100
        assert [p and p["inputs"][0]["id"] for p in positions] == [None, "50001", "50001", None]


def test_of_several_customers_the_main_one_counts_else_the_oldest() -> None:
    connection = duckdb.connect()
    connection.execute(
        """
        create table pulled as select unnest(['1', '2', '3']) as id;
        create table deal_accounts as select unnest([
            '{"from": "1", "to": "9", "primary": false}',
            '{"from": "1", "to": "10", "primary": true}',
            '{"from": "1", "to": "11", "primary": false}',
            '{"from": "2", "to": "10", "primary": false}',
            '{"from": "2", "to": "9", "primary": false}'
        ]) as record;
        """
    )
    join = joined("deal_accounts", "account_id")
    found = connection.sql(f"select id, account_id from pulled {join} order by all").fetchall()
    assert found == [("1", "10"), ("2", "9"), ("3", None)]


def test_objects_that_an_account_may_do_without_are_noted(
    account: Any, untroubled: dict[str, Rows]
) -> None:
    with account(Fault("permission_403", path="*/objects/tickets*")) as crm:
        client = crm.refresh()
        landed = crm.everything()
        assert landed["tickets"] == landed["ticket_stage_history"] == []
        assert landed["deals"] == untroubled["deals"]
        assert {gap.resource for gap in client.gaps} >= {"tickets"}
        assert all(gap.status == 403 and "tickets" in gap.reason for gap in client.gaps)


def test_a_missing_scope_is_named(account: Any) -> None:
    with account(Fault("permission_403", path="*/deals*")) as crm:
        with pytest.raises(SourceError) as caught:
            crm.refresh()
        assert caught.value.status == 403
        assert "`crm`" in str(caught.value) and "/crm/v3/objects/deals" in str(caught.value)
        assert "crm.objects.deals.read" in caught.value.remedy


def test_a_property_that_hubspot_does_not_tell_is_noted_and_then_missed(account: Any) -> None:
    with account() as crm:
        wrong = {**PROPERTIES, "tickets": {"issue_key": "jira_key"}}
        client = crm.refresh(properties=wrong)
        assert [(gap.resource, gap.status) for gap in client.gaps] == [("tickets.jira_key", 200)]
        with crm.client(properties=wrong) as client:
            lacks = {seen.what: seen.lacks for seen in client.check()}
        assert "jira_key" in str(lacks.pop("tickets")) and not any(lacks.values())


def test_a_field_of_no_stream_cannot_be_mapped() -> None:
    with pytest.raises(MissionError, match=r"`tickets.subject`.*\n.*tickets.issue_key"):
        HubSpot(
            "crm",
            "https://api.hubapi.com",
            Credentials.bearer("x"),
            properties={"tickets": {"subject": "subject"}},
        )


def test_check_counts_what_there_is_and_names_what_is_missing(account: Any) -> None:
    with account(Fault("permission_403", path="*/companies*")) as crm, crm.client() as client:
        seen = {found.what: found for found in client.check()}
        held = crm.vendor.query("select count(*) from hubspot_now.deals where archived_at is null")
        assert seen["deals"].count == held[0][0] and seen["deals"].lacks is None
        assert seen["companies"].count is None
        assert "crm.objects.companies.read" in str(seen["companies"].lacks)
        assert seen.keys() == {kind.name for kind in OBJECT_TYPES.values()} | {"owners"}


def test_an_answer_of_another_form_names_the_stream(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as crm, crm.client() as client:
        monkeypatch.setattr(client._session, "ask", lambda *args, **more: ["other"])
        for pull in client.plan(None):
            with pytest.raises(SourceError, match=f"`crm`, {pull.stream}: the answer has not"):
                client.fetch(pull, None, ["1"])


def test_the_token_shows_nowhere(account: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with account(Fault("500", count=2)) as crm:
        crm.refresh()
        crm.vendor.faults.add(Fault("permission_403"))
        with pytest.raises(SourceError) as caught, crm.client() as client:
            told = repr((client, vars(client), client._session))
            client.fetch(client.plan(None)[0], None, ())
        assert TOKEN not in told
        chain = repr((caught.value, caught.value.__cause__, caught.value.__context__))
        assert TOKEN not in chain and TOKEN not in str(caught.value)
        assert TOKEN not in caplog.text
        assert TOKEN.encode() not in everything_in(crm.mission.storage)
