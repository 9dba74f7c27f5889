"""Faults on demand: which request goes wrong, and how.

What belongs here: the choice, reproducible from a seed. What does not: the going wrong itself:
`middleware` does the generic kinds for every server, the vendor's module those that need to know
what the request means.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from random import Random
from types import MappingProxyType
from typing import Any, Self

from sandbox.spec import SandboxError

GENERIC: Mapping[str, str] = MappingProxyType(
    {
        "429": "too many requests; retry_after: seconds (absent: no such header), form: "
        "seconds | date",
        "500": "internal error",
        "502": "a proxy's HTML page",
        "503": "out of service; retry_after as with 429",
        "slow": "answers after `delay` seconds (1)",
        "cut": "closes the connection after `cut_at` bytes of the body (half of it)",
    }
)
SEMANTIC: Mapping[str, str] = MappingProxyType(
    {
        "repeated_token": "the token for the next page is the one just used",
        "expired_token": "the page token is answered with 400",
        "permission_403": "the request is refused",
        "permission_silent": "what may not be seen is missing, without a word",
        "change_while_paging": "a record changes between two pages",
        "delete_between_pages": "a record disappears between two pages",
        "clock_zone": "the server reckons in the zone `zone` (Pacific/Auckland)",
        "eventual_consistency": "edits of the last `seconds` (60) are missing from search",
        "epoch_integers": "epoch milliseconds where the document declares a date-time",
    }
)
KINDS: Mapping[str, str] = MappingProxyType({**GENERIC, **SEMANTIC})
"""Every kind and what it does; parameters in backquotes with their default in brackets."""


@dataclass(frozen=True)
class Fault:
    """A fault as ordered.

    It strikes requests to `server` (* for all) whose path matches `path` (a pattern with * and
    ?), not the first `after` of them, then each with `probability`, until it has struck `count`
    times (None: for ever).
    """

    kind: str
    server: str = "*"
    path: str = "*"
    count: int | None = None
    probability: float = 1.0
    after: int = 0
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Self:
        """The fault that a JSON object orders; SandboxError says what is wrong with it."""
        unknown = sorted(set(order) - set(cls.__dataclass_fields__))
        if unknown:
            raise SandboxError(
                f"A fault has no {', '.join(unknown)}. It has: "
                f"{', '.join(cls.__dataclass_fields__)}."
            )
        if order.get("kind") not in KINDS:
            raise SandboxError(
                f"Unknown fault '{order.get('kind')}'. Faults are: {', '.join(KINDS)}."
            )
        for name, (kind, said) in _ORDERED_AS.items():
            value = order.get(name)
            if name in order and (not isinstance(value, kind) or isinstance(value, bool)):
                raise SandboxError(f"{name} is {said}, not {value!r}.")
        if not 0 <= order.get("probability", 1) <= 1:
            raise SandboxError("probability lies between 0 and 1.")
        return cls(**order)


_ORDERED_AS: Mapping[str, tuple[Any, str]] = MappingProxyType(
    {
        "server": (str, "a server's name or *"),
        "path": (str, "a pattern of paths"),
        "count": (int | None, "a whole number"),
        "probability": (int | float, "a number"),
        "after": (int, "a whole number"),
        "seed": (int, "a whole number"),
        "parameters": (Mapping, "an object"),
    }
)


@dataclass
class _Ordered:
    fault: Fault
    stream: Random
    matched: int = 0
    fired: int = 0


class Faults:
    """The faults ordered for all servers of a company. Safe to use from several threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._ordered: list[_Ordered] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Order one more."""
        with self._lock:
            stream = Random(f"{fault.seed} {len(self._ordered)} {fault.kind} {fault.path}")
            self._ordered.append(_Ordered(fault, stream))

    def clear(self) -> None:
        """Forget all orders and counts."""
        with self._lock:
            self._ordered.clear()

    def takes(self, server: str, kind: str, path: str) -> Fault | None:
        """The fault of this kind that strikes this request, if any; it counts as fired."""
        with self._lock:
            for ordered in self._ordered:
                if _matches(ordered.fault, server, kind, path) and _strikes(ordered):
                    ordered.fired += 1
                    return ordered.fault
        return None

    def state(self) -> list[dict[str, Any]]:
        """Every order with `matched` and `fired` requests, as plain values."""
        with self._lock:
            return [
                {
                    **asdict(ordered.fault),
                    "matched": ordered.matched,
                    "fired": ordered.fired,
                }
                for ordered in self._ordered
            ]


def _matches(fault: Fault, server: str, kind: str, path: str) -> bool:
    return fault.kind == kind and fault.server in ("*", server) and fnmatchcase(path, fault.path)


def _strikes(ordered: _Ordered) -> bool:
    """Whether the next matching request is struck. One draw a request keeps it reproducible."""
    ordered.matched += 1
    struck = ordered.stream.random() < ordered.fault.probability
    exhausted = ordered.fault.count is not None and ordered.fired >= ordered.fault.count
    return struck and not exhausted and ordered.matched > ordered.fault.after


def schedule(seed: int, servers: Iterable[str]) -> list[Fault]:
    """A random schedule of every kind for every server; the same seed gives the same one.

    Each kind strikes one to three times, spread over the requests to come, so that a client that
    tries again gets through.
    """
    stream = Random(f"fault schedule {seed}")
    return [
        Fault(
            kind,
            server,
            count=stream.randint(1, 3),
            probability=round(stream.uniform(0.05, 0.4), 3),
            after=stream.randint(0, 20),
            seed=stream.randrange(2**31),
            parameters=_drawn_parameters(kind, stream),
        )
        for server in servers
        for kind in KINDS
    ]


def _drawn_parameters(kind: str, stream: Random) -> dict[str, Any]:
    if kind in ("429", "503") and stream.random() < 0.67:
        return {"retry_after": 1, "form": stream.choice(["seconds", "date"])}
    if kind == "slow":
        return {"delay": round(stream.uniform(0.1, 1.0), 2)}
    if kind == "cut":
        return {"cut_at": stream.randint(0, 2_000)}
    return {}
