"""Employees and the tables of dated rows that belong to them.

What belongs here: requests below /employees.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.records.bamboohr_catalogue import DIRECTORY, EMPLOYEE_FIELDS, TABLES, Table
from sandbox.servers.bamboohr import shapes
from sandbox.servers.bamboohr.desk import Desk

MAX_FIELDS = 400


class People:
    """Answers about employees."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stage = desk.stage

    async def directory(self, request: Request) -> Response:
        """Active people only."""
        fields = self._desk.visible(request, [EMPLOYEE_FIELDS[alias] for alias in DIRECTORY])
        rows = await self._stage.query(shapes.employees(fields, "employee.status = 'Active'"))
        if not rows:
            raise HTTPException(404, "The directory is empty")
        return JSONResponse(
            {
                "fields": [
                    {"id": field.alias, "type": field.type, "name": field.name} for field in fields
                ],
                "employees": [{**shapes.record(fields, row), "canUploadPhoto": 0} for row in rows],
            }
        )

    async def employee(self, request: Request) -> Response:
        """The fields that are asked for; unknown ones and those that may not be seen are absent."""
        asked = request.query_params.get("fields", "firstName,lastName").split(",")
        if len(asked) > MAX_FIELDS:
            raise HTTPException(400, f"More than {MAX_FIELDS} fields requested")
        known = {str(field.field_id): field for field in EMPLOYEE_FIELDS.values()} | {
            field.alias: field for field in EMPLOYEE_FIELDS.values()
        }
        fields = self._desk.visible(request, [known[name] for name in asked if name in known])
        row = await self._stage.query(shapes.employees(fields, _one_employee(request)))
        if not row:
            raise HTTPException(404, "Employee not found")
        return JSONResponse(shapes.record(fields, row[0]))

    async def changed(self, request: Request) -> Response:
        """Ids of employees edited since; the newest edit of each."""
        wanted = request.query_params.get("type", "all")
        if wanted not in ("inserted", "updated", "deleted", "all"):
            raise HTTPException(400, "Invalid type")
        since, zone = self._desk.since(request)
        rows = await self._edits(request, since)
        employees = {
            employee_id: {
                "id": employee_id,
                "action": action,
                "lastChanged": shapes.instant(changed_at, zone),
            }
            for employee_id, action, changed_at in rows
            if wanted in ("all", action.lower())
        }
        newest = max((row[2] for row in rows), default=since.replace(tzinfo=None))
        return JSONResponse({"latest": shapes.instant(newest, zone), "employees": employees})

    async def changed_table(self, request: Request) -> Response:
        """All rows of employees edited since, whatever was edited."""
        table = _table(request)
        since, zone = self._desk.since(request)
        edits = {row[0]: row[2] for row in await self._edits(request, since) if row[1] != "Deleted"}
        fields = self._desk.visible(request, table.fields)
        rows: dict[str, list[dict[str, Any]]] = {employee_id: [] for employee_id in edits}
        for row in await self._stage.query(shapes.table_rows(table, fields)):
            if row[1] in rows:
                rows[row[1]].append(shapes.table_record(fields, row))
        return JSONResponse(
            {
                "table": table.name,
                "employees": {
                    employee_id: {
                        "lastChanged": shapes.instant(edits[employee_id], zone),
                        "rows": found,
                    }
                    for employee_id, found in rows.items()
                },
            }
        )

    async def table(self, request: Request) -> Response:
        """Rows of one employee, or of `all`, in no particular order."""
        table = _table(request)
        fields = self._desk.visible(request, table.fields)
        if request.path_params["id"] == "all":
            rows = await self._stage.query(shapes.table_rows(table, fields))
        else:
            async with self._stage.view() as view:
                who = _one_employee(request)
                if not await view.query(f"from bamboohr_now.employee where {who}"):
                    raise HTTPException(404, "Employee not found")
                rows = await view.query(shapes.table_rows(table, fields, who))
        return JSONResponse([shapes.table_record(fields, row) for row in rows])

    async def _edits(self, request: Request, since: datetime) -> list[shapes.Row]:
        """Employee id, what was done last, and when (UTC)."""
        late = self._stage.takes("eventual_consistency", request.url.path)
        unseen = int(late.parameters.get("seconds", 60)) if late else 0
        return await self._stage.query(shapes.edits(since, unseen))


def _table(request: Request) -> Table:
    table = TABLES.get(request.path_params["table"])
    if table is None:
        raise HTTPException(404, "Table not found")
    return table


def _one_employee(request: Request) -> str:
    """The condition for the employee of the path."""
    given = request.path_params["id"]
    if not given.isdecimal():
        raise HTTPException(404, "Employee not found")
    return f"person_id = {int(given)}"
