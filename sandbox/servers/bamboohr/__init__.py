"""BambooHR's API v1, as far as a reader of people and posts needs it.

What belongs here: the vendor's routes, parameters, formats and refusals. What does not: what its
tables hold (`sandbox/records/bamboohr`).

What BambooHR cannot say is lost here, as it is with the vendor: a row of jobInfo has no end and
one department, so of concurrent posts only the largest is told; a department has its newest name
for all times and no parent but the division. XML, the vendor's default, is not served: requests
that do not ask for JSON get 406.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from sandbox.servers.bamboohr.company import Company
from sandbox.servers.bamboohr.desk import Answer, Desk, refused
from sandbox.servers.bamboohr.people import People
from sandbox.servers.bamboohr.time_off import TimeOff
from sandbox.servers.stage import Stage

ROOTS = ("/api/v1", "/api/gateway.php/{company}/v1")
"""The API's addresses, the newer one first; both answer alike."""


def app(stage: Stage, token: str) -> Starlette:
    """The server; `token` is the API key, which is the user name of basic authentication."""
    desk = Desk(stage, token)
    people, company, time_off = People(desk), Company(desk), TimeOff(desk)
    answers: Mapping[str, Answer] = {
        "/employees/directory": people.directory,
        "/employees/changed": people.changed,
        "/employees/changed/tables/{table}": people.changed_table,
        "/employees/{id}": people.employee,
        "/employees/{id}/tables/{table}": people.table,
        "/meta/fields": company.fields,
        "/meta/lists": company.lists,
        "/meta/tables": company.tables,
        "/meta/time_off/types": time_off.types,
        "/time_off/requests": time_off.requests,
        "/time_off/whos_out": time_off.whos_out,
    }
    return Starlette(
        routes=[
            Route(root + path, desk.guarded(answer), methods=["GET"])
            for root in ROOTS
            for path, answer in answers.items()
        ],
        exception_handlers={HTTPException: refused},
    )
