"""HTTP with a vendor: one session per source, which waits, tries again and says what is wrong.

Belongs here: what all vendors' APIs have in common. Does not belong here: addresses, fields, pages
(see the clients). A secret shows in no message, repr, log or traceback: errors are raised where no
exception of the HTTP library is being handled, so that none hangs on them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from dagster_project.errors import MissionError, SourceError, SourceUnavailable
from dagster_project.sources.answers import Answered, http_date, parsed, retry_after, words_of
from dagster_project.sources.credentials import Credentials
from dagster_project.sources.pulls import Gap

__all__ = ["PATIENCE", "Credentials", "Session", "Usage"]

#: A request waits so many seconds in total for a vendor that is busy or down.
PATIENCE = 300.0
#: A vendor that lets us wait for no time at all is asked so many times.
_MOST_ATTEMPTS = 100
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
#: The vendor, or something before it, is busy, down or being restarted.
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_REMEDIES: Mapping[int, str] = MappingProxyType(
    {
        400: "the vendor does not understand this request: check the options of this source in "
        "mission.yaml; what it objects to stands above.",
        401: "the credentials are wrong or have expired: set the environment variables of this "
        "source anew and try `mission sources check`.",
        403: "the credentials are known but may not see this: grant the permission named in "
        "docs/sources.md, then try `mission sources check`.",
        404: "check `base_url` of this source in mission.yaml: this site has no such address, or "
        "hides it from these credentials.",
    }
)
_LONGEST_QUOTE = 300
_OTHER_REMEDY = "look up this answer in the vendor's documentation; docs/sources.md helps too."
_logger = logging.getLogger(__name__)
# Its debug lines hold all headers of answers.
logging.getLogger("httpcore").setLevel(logging.INFO)


class Usage(NamedTuple):
    """What a session has done so far: tries included; bytes as they came over the wire."""

    requests: int = 0
    bytes: int = 0
    rows: int = 0
    waited: float = 0.0

    def plus(
        self, *, requests: int = 0, bytes: int = 0, rows: int = 0, waited: float = 0.0
    ) -> Usage:
        """The sum."""
        return Usage(
            self.requests + requests,
            self.bytes + bytes,
            self.rows + rows,
            self.waited + waited,
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """A request. `resource` is what it asks for; `lacking`: status -> why it may be refused."""

    method: str
    path: str
    resource: str
    params: Mapping[str, Any] | None
    body: Any
    lacking: Mapping[int, str]


class _Again(Exception):
    """A failure that may pass. `after` are the seconds that the vendor asks us to wait."""

    def __init__(self, what: str, status: int | None = None, after: float | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
        self.after = after


class Session:
    """A connection to one source. `ask` may be called from several threads.

    `parallel`: requests at the same time for one resource. `patience`: seconds that one request
    may wait in total before SourceUnavailable. `remedies`: status -> what to do, where the vendor
    knows better than the general advice. `sleep` waits for seconds.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        credentials: Credentials,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        remedies: Mapping[int, str] = MappingProxyType({}),
        parallel: int = 4,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = source
        self.base_url = _safe_address(source, base_url)
        self.gaps: list[Gap] = []
        self.began: datetime | None = None
        self._credentials = credentials
        self._remedies = {**_REMEDIES, **remedies}
        self._patience = patience
        self._sleep = sleep
        self._lock = threading.Lock()
        self._usage: defaultdict[str, Usage] = defaultdict(Usage)
        self._places: defaultdict[str, threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(parallel)
        )
        self._client = httpx.Client(
            auth=credentials,
            headers={"Accept": "application/json", "User-Agent": "mission-metrics", **headers},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        resource: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        lacking: Mapping[int, str] = MappingProxyType({}),
    ) -> Any:
        """The parsed JSON of an answer.

        `lacking` declares by status that the credentials may lack this resource, and why: such an
        answer is noted in `gaps` and None is returned. Raises SourceUnavailable when patience is
        at its end, SourceError for every other refusal.
        """
        question = _Question(method, path, resource, params, body, lacking)
        with self._lock:
            place = self._places[resource]
        with place:
            failure = self._tried(question)
        if not isinstance(failure, _Again):
            return failure.value
        raise SourceUnavailable(
            self._located(question, f"{failure.what}, and it did not pass in time"),
            "run again later: what has been fetched is kept, and the refresh goes on from there.",
            status=failure.status,
        )

    def count_rows(self, resource: str, rows: int) -> None:
        """Note records that an answer held."""
        self._count(resource, rows=rows)

    def usage(self, resource: str | None = None) -> Usage:
        """What was done for one resource, or for all of them."""
        with self._lock:
            found = [u for name, u in self._usage.items() if resource in (None, name)]
        total = Usage()
        for one in found:
            total = total.plus(**one._asdict())
        return total

    def _tried(self, question: _Question) -> Answered | _Again:
        """The answer, or why the last try failed."""

        def sleep(seconds: float) -> None:
            self._count(question.resource, waited=seconds)
            self._sleep(seconds)

        retrying = Retrying(
            sleep=sleep,
            retry=retry_if_exception_type(_Again),
            wait=_pause,
            stop=self._is_out_of_patience,
            before_sleep=self._tell(question),
            reraise=True,
        )
        try:
            return retrying(self._once, question)
        except _Again as failure:
            return failure

    def _is_out_of_patience(self, state: RetryCallState) -> bool:
        spent = state.idle_for + state.upcoming_sleep
        return spent > self._patience or state.attempt_number >= _MOST_ATTEMPTS

    def _tell(self, question: _Question) -> Callable[[RetryCallState], None]:
        def tell(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            _logger.info(
                "%s; trying again in %.1f s",
                self._located(question, str(failure)),
                state.upcoming_sleep,
            )

        return tell

    def _once(self, question: _Question) -> Answered:
        """Ask once. Raises _Again where another try makes sense, else SourceError."""
        response, broken = self._response(question)
        if response is None:
            assert broken is not None
            raise broken
        self._count(question.resource, requests=1, bytes=response.num_bytes_downloaded)
        self._note_time(response)
        status = response.status_code
        if status in question.lacking:
            self.gaps.append(Gap(self.source, question.resource, status, question.lacking[status]))
            return Answered(None)
        told = self._credentials.hide(words_of(response))[:_LONGEST_QUOTE]
        if status in _PASSING:
            quote = f": {told}" if told else ""
            raise _Again(f"status {status}{quote}", status, retry_after(response))
        if not response.is_success:
            raise self._refusal(question, response, told)
        answer = parsed(response.content)
        if answer is None:
            raise _Again("the answer is no JSON; is `base_url` the address of the API?", status)
        return answer

    def _response(self, question: _Question) -> tuple[httpx.Response | None, Exception | None]:
        """An answer, or the error to raise (outside of any handler, see the module)."""
        try:
            return self._client.request(
                question.method,
                self.base_url + question.path,
                params=question.params,
                json=question.body,
            ), None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            what = f"the request cannot be sent ({type(error).__name__})"
            broken: Exception = SourceError(self._located(question, what), self._remedies[404])
        except httpx.RequestError as error:
            broken = self._no_answer(question, error)
        self._count(question.resource, requests=1)
        return None, broken

    def _no_answer(self, question: _Question, error: httpx.RequestError) -> Exception:
        what = self._credentials.hide(f"{type(error).__name__}: {error}")
        if "CERTIFICATE_VERIFY_FAILED" not in what:
            return _Again(f"no whole answer ({what})")
        return SourceError(
            self._located(question, f"its certificate is not trusted ({what})"),
            "check `base_url`; behind a proxy that opens TLS, name its certificate in the "
            "environment variable SSL_CERT_FILE.",
        )

    def _refusal(self, question: _Question, response: httpx.Response, told: str) -> SourceError:
        status = response.status_code
        what = f"status {status}" + (f": {told}" if told else "")
        remedy = self._remedies.get(status, _OTHER_REMEDY)
        if response.is_redirect:
            to = self._credentials.hide(response.headers.get("location", ""))
            what, remedy = f"status {status}: moved to {to}", self._remedies[404]
        return SourceError(self._located(question, what), remedy, status=status, told=told)

    def _located(self, question: _Question, what: str) -> str:
        address = f"{question.method} {self.base_url}{question.path}"
        return self._credentials.hide(f"source `{self.source}`, {address}: {what}")

    def _note_time(self, response: httpx.Response) -> None:
        """Keep the time of the first answer: the vendor's, else ours."""
        if self.began is not None:
            return
        began = http_date(response.headers.get("date")) or datetime.now(UTC)
        with self._lock:
            self.began = self.began or began

    def _count(self, resource: str, **more: Any) -> None:
        with self._lock:
            self._usage[resource] = self._usage[resource].plus(**more)


_BACKOFF = wait_random_exponential(multiplier=1, max=60)


def _pause(state: RetryCallState) -> float:
    """As long as the vendor asks for, else a random time that grows with the attempts."""
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, _Again) and failure.after is not None:
        return failure.after
    return _BACKOFF(state)


def _safe_address(source: str, base_url: str) -> str:
    """The address without a final slash. Raises MissionError where a token must not go there."""
    parts = urlsplit(base_url)
    is_local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme == "https" or (parts.scheme == "http" and is_local):
        return base_url.rstrip("/")
    raise MissionError(
        f"source `{source}`: `{base_url}` is no address that a token may be sent to",
        "set `base_url` to one that begins with https:// (http:// is for this machine only).",
    )
