"""The HTTP session: what it tries again, what it gives up, what it never tells.

Real sockets, no real waiting: the session's `sleep` only notes the seconds.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from dagster_project.errors import MissionError, SourceError, SourceUnavailable
from dagster_project.sources.http import Credentials, Session, Usage
from dagster_project.sources.pulls import Gap

CANARY = "canary-7f3a9c-never-shown"
GOOD = json.dumps({"values": [1, 2]}).encode()


class Reply(NamedTuple):
    """A scripted answer; `cut`: bytes of the body that are promised and not sent."""

    status: int = 200
    body: bytes = GOOD
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    cut: int = 0


class Vendor:
    """A server that answers from a list, and with GOOD once that is used up."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, str, str | None, bytes]] = []
        self.busy = 0
        self.most_busy = 0
        self.hold: threading.Event | None = None
        self._lock = threading.Lock()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vendor._answer(self)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        with self._lock:
            self.asked.append(
                (handler.command, handler.path, handler.headers.get("authorization"), body)
            )
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            reply = self.replies.pop(0) if self.replies else Reply()
        if self.hold is not None:
            self.hold.wait(5)
        with self._lock:
            self.busy -= 1
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body) + reply.cut))
        handler.end_headers()
        handler.wfile.write(reply.body)
        handler.close_connection = bool(reply.cut)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    thread = threading.Thread(target=vendor.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield vendor
    vendor.server.shutdown()
    vendor.server.server_close()
    thread.join()


@contextmanager
def opened(
    vendor: Vendor, credentials: Credentials | None = None, **options: Any
) -> Iterator[tuple[Session, list[float]]]:
    """A session and the seconds that it would have waited."""
    waits: list[float] = []
    who = credentials or Credentials.bearer(CANARY)
    options.setdefault("sleep", waits.append)
    with Session("crm", vendor.address, who, **options) as session:
        yield session, waits


def test_an_answer_comes_parsed_and_is_counted(vendor: Vendor) -> None:
    with opened(vendor) as (session, waits):
        assert session.ask("GET", "/things", resource="things", params={"limit": 2}) == {
            "values": [1, 2]
        }
        assert session.ask("POST", "/more", resource="more", body={"ids": [3]})
        session.count_rows("things", 2)
        assert session.usage("things") == Usage(requests=1, bytes=len(GOOD), rows=2)
        assert session.usage() == Usage(requests=2, bytes=2 * len(GOOD), rows=2)
    assert waits == []
    (first, second) = vendor.asked
    assert first == ("GET", "/things?limit=2", f"Bearer {CANARY}", b"")
    assert (second[1], json.loads(second[3])) == ("/more", {"ids": [3]})


def test_half_an_emoji_does_not_make_an_answer_unreadable(vendor: Vendor) -> None:
    vendor.replies = [Reply(body=b'{"label": "cut \\ud83d"}')]
    with opened(vendor) as (session, waits):
        assert session.ask("GET", "/", resource="things") == {"label": "cut \ud83d"}
    assert waits == []


def test_credentials_are_sent_as_the_vendors_want_them(vendor: Vendor) -> None:
    for who in (Credentials.basic("ann@example.com", CANARY), Credentials.basic_key(CANARY)):
        with opened(vendor, who) as (session, _):
            session.ask("GET", "/", resource="things")
    sent = [
        base64.b64decode(str(asked[2]).removeprefix("Basic ")).decode() for asked in vendor.asked
    ]
    assert sent == [f"ann@example.com:{CANARY}", f"{CANARY}:x"]


@pytest.mark.parametrize("status", [429, 503])
def test_the_vendor_says_how_long_to_wait(vendor: Vendor, status: int) -> None:
    vendor.replies = [
        Reply(status, b"", {"Retry-After": "7"}),
        Reply(status, b"", {"Retry-After": "0"}),
    ]
    with opened(vendor) as (session, waits):
        assert session.ask("GET", "/", resource="things") == {"values": [1, 2]}
        assert session.usage("things")[3] == 7
    assert waits == [7, 0]


def test_the_vendor_may_name_a_time_to_wait_for(vendor: Vendor) -> None:
    at = datetime.now(UTC) + timedelta(seconds=40)
    past = datetime.now(UTC) - timedelta(days=1)
    vendor.replies = [
        Reply(429, b"", {"Retry-After": format_datetime(at, usegmt=True)}),
        Reply(429, b"", {"Retry-After": format_datetime(past, usegmt=True)}),
    ]
    with opened(vendor) as (session, waits):
        session.ask("GET", "/", resource="things")
    assert 35 < waits[0] <= 40
    assert waits[1] == 0


@pytest.mark.parametrize(
    "broken",
    [
        Reply(429, b'{"message": "slow down"}'),
        Reply(500, b"{}"),
        Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        Reply(503, b""),
        Reply(504, b""),
        Reply(200, GOOD[:5]),
        Reply(200, b""),
        Reply(200, GOOD[:9], cut=8),
    ],
    ids=["429", "500", "502", "503", "504", "half JSON", "no body", "cut"],
)
def test_what_may_pass_is_tried_again_ever_more_slowly(vendor: Vendor, broken: Reply) -> None:
    vendor.replies = [broken] * 5
    with opened(vendor) as (session, waits):
        assert session.ask("GET", "/", resource="things") == {"values": [1, 2]}
        assert session.usage("things").requests == 6
        assert session.usage("things").waited == pytest.approx(sum(waits))
    assert len(waits) == 5
    assert all(0 <= seconds <= 2**number for number, seconds in enumerate(waits))
    assert len(set(waits)) == 5, "waits without chance make all clients come back at once"


def test_a_server_that_is_not_there_is_waited_for() -> None:
    class Gone:
        address = "http://127.0.0.1:9"

    with opened(Gone(), patience=30) as (session, waits):  # type: ignore[arg-type]
        with pytest.raises(SourceUnavailable, match="Connect") as raised:
            session.ask("GET", "/things", resource="things")
        assert raised.value.status is None
        assert session.usage().requests == len(waits) + 1 > 2


def test_patience_ends(vendor: Vendor) -> None:
    vendor.replies = [Reply(503, b'{"message": "at lunch"}', {"Retry-After": "4"})] * 9
    with (
        opened(vendor, patience=10) as (session, waits),
        pytest.raises(SourceUnavailable) as raised,
    ):
        session.ask("GET", "/things", resource="things")
    assert waits == [4, 4]
    assert len(vendor.asked) == 3
    told = str(raised.value)
    assert f"source `crm`, GET {vendor.address}/things: status 503: at lunch" in told
    assert "run again later" in told
    assert raised.value.status == 503


def test_patience_is_not_begun_where_it_would_not_last(vendor: Vendor) -> None:
    vendor.replies = [Reply(429, b"", {"Retry-After": "3600"})]
    with opened(vendor, patience=300) as (session, waits), pytest.raises(SourceUnavailable):
        session.ask("GET", "/things", resource="things")
    assert waits == []
    assert len(vendor.asked) == 1


def test_a_vendor_that_never_makes_us_wait_is_left_in_the_end(vendor: Vendor) -> None:
    vendor.replies = [Reply(429, b"", {"Retry-After": "0"})] * 500
    with opened(vendor) as (session, waits), pytest.raises(SourceUnavailable):
        session.ask("GET", "/things", resource="things")
    assert sum(waits) == 0
    assert len(vendor.asked) == 100


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Reply(400, b'{"errorMessages": ["No such field."], "errors": {"jql": "is odd"}}'),
            "status 400: No such field. jql: is odd",
        ),
        (Reply(401, b"Client must sign in.", {"Content-Type": "text/plain"}), "401: Client must"),
        (Reply(403, b'{"status": "error", "message": "No scope."}'), "status 403: No scope."),
        (
            Reply(404, b"", {"X-BambooHR-Error-Message": "No such table."}),
            "status 404: No such table.",
        ),
        (Reply(410, b"<html>", {"Content-Type": "text/html"}), "status 410\n"),
    ],
    ids=["400", "401", "403", "404", "410"],
)
def test_a_refusal_is_told_at_once(vendor: Vendor, reply: Reply, words: str) -> None:
    vendor.replies = [reply]
    with opened(vendor) as (session, waits), pytest.raises(SourceError) as raised:
        session.ask("POST", "/things", resource="things")
    assert not isinstance(raised.value, SourceUnavailable)
    assert f"source `crm`, POST {vendor.address}/things: " in str(raised.value)
    assert words in str(raised.value)
    assert raised.value.status == reply.status
    assert len(raised.value.remedy) > 40
    assert (waits, len(vendor.asked)) == ([], 1)


def test_the_vendors_own_remedy_goes_before_the_general_one(vendor: Vendor) -> None:
    vendor.replies = [Reply(401), Reply(403)]
    with opened(vendor, remedies={401: "make a new token."}) as (session, _):
        with pytest.raises(SourceError) as raised:
            session.ask("GET", "/", resource="things")
        assert raised.value.remedy == "make a new token."
        with pytest.raises(SourceError, match="grant the permission"):
            session.ask("GET", "/", resource="things")


def test_a_moved_site_is_not_followed_with_a_token(vendor: Vendor) -> None:
    vendor.replies = [Reply(302, b"", {"Location": "https://elsewhere.example.com/login"})]
    with opened(vendor) as (session, _), pytest.raises(SourceError) as raised:
        session.ask("GET", "/", resource="things")
    assert "moved to https://elsewhere.example.com/login" in str(raised.value)
    assert "base_url" in raised.value.remedy
    assert len(vendor.asked) == 1


def test_only_a_declared_lack_is_a_gap(vendor: Vendor) -> None:
    vendor.replies = [Reply(403), Reply(404)]
    with opened(vendor) as (session, _):
        found = session.ask("GET", "/", resource="sprints", lacking={403: "no boards here"})
        assert found is None
        assert session.gaps == [Gap("crm", "sprints", 403, "no boards here")]
        with pytest.raises(SourceError):
            session.ask("GET", "/", resource="sprints", lacking={403: "no boards here"})
    assert len(session.gaps) == 1


def test_the_time_of_the_first_answer_is_kept(vendor: Vendor) -> None:
    vendor.replies = [Reply()]
    with opened(vendor) as (session, _):
        assert session.began is None
        session.ask("GET", "/", resource="things")
        began = session.began
        assert began is not None
        assert abs(datetime.now(UTC) - began) < timedelta(minutes=1)
        session.ask("GET", "/", resource="things")
        assert session.began == began


def test_one_resource_is_asked_for_by_so_many_at_a_time(vendor: Vendor) -> None:
    vendor.hold = threading.Event()
    with opened(vendor, parallel=2) as (session, _):
        threads = [
            threading.Thread(target=session.ask, args=("GET", "/"), kwargs={"resource": name})
            for name in ("things", "things", "things", "things", "others")
        ]
        for thread in threads:
            thread.start()
        for _ in range(200):
            if vendor.busy == 3:
                break
            threading.Event().wait(0.01)
        threading.Event().wait(0.05)
        assert vendor.busy == 3, "two for things, one for others"
        vendor.hold.set()
        for thread in threads:
            thread.join()
        assert session.usage("things").requests == 4
    assert vendor.most_busy == 3


@pytest.mark.parametrize("address", ["http://crm.example.com", "ftp://crm.example.com", "crm"])
def test_a_token_goes_nowhere_in_the_clear(address: str) -> None:
    with pytest.raises(MissionError, match="https"):
        Session("crm", address, Credentials.bearer(CANARY))


@pytest.mark.parametrize("token", ["", f"{CANARY}\n", f" {CANARY}", f"{CANARY}é", "two words"])
def test_a_token_that_cannot_be_sent_is_told_without_it(token: str) -> None:
    makers: list[Callable[[str], Credentials]] = [
        Credentials.bearer,
        Credentials.basic_key,
        lambda t: Credentials.basic("ann@example.com", t),
    ]
    for make in makers:
        with pytest.raises(MissionError) as raised:
            make(token)
        assert "copy it again" in raised.value.remedy
        assert not token or token not in str(raised.value)


ECHO = json.dumps(
    {"message": "x" * 285 + f" Bearer {CANARY} is bad", "errors": {"token": CANARY}}
).encode()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, ECHO),
        Reply(400, f"no {CANARY}".encode(), {"Content-Type": "text/plain"}),
        Reply(302, b"", {"Location": f"https://x.example.com/?t={CANARY}"}),
        Reply(404, b"", {"X-BambooHR-Error-Message": f"no {CANARY}"}),
        Reply(500, ECHO),
        Reply(200, GOOD[:3], cut=9),
        Reply(200, b"<html>"),
    ],
    ids=["401", "400", "302", "404", "500", "cut", "no JSON"],
)
@pytest.mark.parametrize("kind", ["bearer", "basic", "key"])
def test_secrets_show_nowhere(
    vendor: Vendor, reply: Reply, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the vendor repeats them, and where a cut message would hide the half only."""
    who = {
        "bearer": lambda: Credentials.bearer(CANARY),
        "basic": lambda: Credentials.basic("ann@example.com", CANARY),
        "key": lambda: Credentials.basic_key(CANARY),
    }[kind]()
    vendor.replies = [reply] * 3
    caplog.set_level(logging.DEBUG)
    with opened(vendor, who, patience=0.0) as (session, _):
        with pytest.raises(SourceError) as raised:
            session.ask("GET", "/", resource="things")
        shown = repr((session, session.__dict__, who))
    error = raised.value
    assert error.__traceback__
    error.__traceback__ = error.__traceback__.tb_next  # this function knows the secret
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    chain: list[BaseException | None] = [error]
    while (last := chain[-1]) is not None:
        chain.append(last.__cause__ or last.__context__)
    texts = [told, repr(error), str(error), shown, caplog.text, repr(error.__dict__), repr(chain)]
    secrets = (CANARY, CANARY[:12], str(vendor.asked[0][2]).split()[1])
    for secret in secrets:
        assert not [text for text in texts if secret in text]
    assert caplog.text, "the HTTP library was heard"
