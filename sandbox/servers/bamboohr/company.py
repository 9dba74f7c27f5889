"""What this company's BambooHR knows: fields, tables and the options of lists.

What belongs here: requests below /meta, but for time off.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.records.bamboohr_catalogue import EMPLOYEE_FIELDS, TABLES
from sandbox.servers.bamboohr import shapes
from sandbox.servers.bamboohr.desk import Desk


class Company:
    """Answers about fields and lists."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stage = desk.stage

    async def fields(self, request: Request) -> Response:
        """Fields that may be seen."""
        fields = self._desk.visible(request, tuple(EMPLOYEE_FIELDS.values()))
        return JSONResponse([shapes.described(field) for field in fields])

    async def tables(self, request: Request) -> Response:
        """Tables and their fields that may be seen."""
        every = [field for table in TABLES.values() for field in table.fields]
        seen = self._desk.visible(request, every)
        return JSONResponse(
            [
                {
                    "alias": table.name,
                    "fields": [shapes.described(field) for field in table.fields if field in seen],
                }
                for table in TABLES.values()
            ]
        )

    async def lists(self, request: Request) -> Response:
        """Departments, divisions, locations and statuses that can be chosen."""
        async with self._stage.view() as view:
            departments = await view.query(
                "select option_id, name, archived_on is not null, created_on::text, "
                "archived_on::text from bamboohr_now.department_option order by option_id"
            )
            rows = await view.query(
                "select distinct division from bamboohr_now.department_option order by all"
            )
            divisions = [name for (name,) in rows]
            rows = await view.query("select location_id from hidden.location order by all")
            locations = [name for (name,) in rows]
        statuses = ["Full-Time", "Part-Time", "Terminated"]
        return JSONResponse(
            [
                shapes.options(EMPLOYEE_FIELDS["department"], departments),
                shapes.options(EMPLOYEE_FIELDS["division"], shapes.numbered(divisions, 1_000)),
                shapes.options(EMPLOYEE_FIELDS["location"], shapes.numbered(locations, 2_000)),
                shapes.options(
                    EMPLOYEE_FIELDS["employmentHistoryStatus"], shapes.numbered(statuses, 3_000)
                ),
            ]
        )
