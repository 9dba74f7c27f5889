"""Leave and who is out.

What belongs here: requests below /time_off, and the kinds of leave.
"""

from __future__ import annotations

from datetime import date, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.servers.bamboohr import shapes
from sandbox.servers.bamboohr.desk import Desk


class TimeOff:
    """Answers about leave."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stage = desk.stage

    async def types(self, request: Request) -> Response:
        """Kinds of leave and the hours of a day."""
        rows = await self._stage.query(
            f"select type_id, name from ({shapes.LEAVE_TYPES}) order by all"
        )
        days = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
        return JSONResponse(
            {
                "timeOffTypes": [
                    {
                        "id": type_id,
                        "name": name,
                        "units": "hours",
                        "color": None,
                        "icon": None,
                        "source": "internal",
                    }
                    for type_id, name in rows
                ],
                "defaultHours": [
                    {"name": day, "amount": "0" if day.startswith("S") else "8"} for day in days
                ],
            }
        )

    async def requests(self, request: Request) -> Response:
        """Leave that touches the days from `start` to `end`, both included."""
        start, end = _day(request, "start"), _day(request, "end")
        if start is None or end is None:
            raise HTTPException(400, "start and end are required")
        conditions = shapes.overlapping(start, end)
        for parameter, column in (
            ("id", "absence_id"),
            ("employeeId", "employee.id::integer"),
            ("type", "type_id"),
        ):
            if numbers := _numbers(request, parameter):
                conditions += f" and {column} in ({numbers})"
        statuses = request.query_params.get("status", "approved").split(",")
        rows = (
            await self._stage.query(shapes.requests(conditions)) if "approved" in statuses else []
        )
        with_notes = not request.query_params.get("excludeNote")
        return JSONResponse([shapes.time_off(row, with_notes) for row in rows])

    async def whos_out(self, request: Request) -> Response:
        """Leave and holidays from `start` (today) to `end` (14 days later), by date."""
        async with self._stage.view() as view:
            today = (await view.query("select today from bamboohr_now.moment"))[0][0]
            start = _day(request, "start") or today
            end = _day(request, "end") or start + timedelta(14)
            rows = await view.query(shapes.who_is_out(start, end))
        entries = [dict(zip(shapes.OUT_KEYS, row, strict=True)) for row in rows]
        for entry in entries:
            if entry["type"] == "holiday":
                del entry["employeeId"]
        return JSONResponse(entries)


def _day(request: Request, parameter: str) -> date | None:
    given = request.query_params.get(parameter)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise HTTPException(400, f"Invalid {parameter}") from error


def _numbers(request: Request, parameter: str) -> str:
    """The whole numbers of a parameter, with commas; empty where it is absent."""
    given = request.query_params.get(parameter, "")
    if given and not all(number.strip().isdecimal() for number in given.split(",")):
        raise HTTPException(400, f"Invalid {parameter}")
    return given
