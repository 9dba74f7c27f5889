"""Queries of BambooHR's view and the JSON that rows of them become.

What belongs here: shapes, free of HTTP. What does not: routes, parameters and refusals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sandbox.records.bamboohr_catalogue import Field, Table

Row: TypeAlias = tuple[Any, ...]

LEAVE_TYPES = """
    select leave_type, 77 + dense_rank() over (order by leave_type) as type_id,
        upper(leave_type[1]) || leave_type[2:] as name
    from (select distinct leave_type from hidden.absence)"""
"""Vendor ids of kinds of leave."""


def employees(fields: Iterable[Field], where: str) -> str:
    """Rows of employees: the id, then the fields."""
    columns = ", ".join(["employee.id", *(field.sql for field in fields)])
    return f"""
        select {columns}
        from bamboohr_now.employee
        left join bamboohr_now.department_option as option using (department_id)
        where {where}
        order by person_id"""


def record(fields: Sequence[Field], row: Row) -> dict[str, Any]:
    """An employee as an object."""
    names = ["id", *(field.alias for field in fields)]
    return dict(zip(names, row, strict=True))


def table_rows(table: Table, fields: Iterable[Field], where: str = "true") -> str:
    """Rows of a table: row id, employee id, the fields. An employee has one row a day at most."""
    columns = "".join(f", {field.sql}" for field in fields)
    return f"""
        select
            (person_id::bigint * 100000 + date_diff('day', date '1970-01-01', day))::text,
            person_id::text
            {columns}
        from {table.rows}
        where {where}
        order by person_id, day"""


def table_record(fields: Sequence[Field], row: Row) -> dict[str, Any]:
    """A row of a table as an object."""
    names = ["id", "employeeId", *(field.alias for field in fields)]
    return dict(zip(names, row, strict=True))


def edits(since: datetime, unseen_seconds: int) -> str:
    """Employee id, what was done last, and when (UTC), from `since` (UTC) on."""
    return f"""
        select
            person_id::text,
            case
                when is_deleted then 'Deleted'
                when changed_at = inserted_at then 'Inserted'
                else 'Updated'
            end,
            changed_at
        from bamboohr_now.edit
        cross join bamboohr_now.moment
        where
            changed_at >= timestamp '{since:%Y-%m-%d %H:%M:%S}'
            and changed_at <= moment.now - interval {unseen_seconds} second
        order by person_id"""


def instant(moment: datetime, zone: ZoneInfo) -> str:
    """A UTC timestamp of the view, as the server writes it."""
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).isoformat(timespec="seconds")


def described(field: Field) -> dict[str, Any]:
    """A field of `meta/fields` and `meta/tables`."""
    return {"id": field.field_id, "name": field.name, "type": field.type, "alias": field.alias}


def options(field: Field, rows: Iterable[Row]) -> dict[str, Any]:
    """A list of `meta/lists`; rows: id, name, archived or not, created, archived on."""
    return {
        "fieldId": str(field.field_id),
        "name": field.name,
        "alias": field.alias,
        "manageable": "yes",
        "multiple": "no",
        "options": [
            {
                "id": option_id,
                "name": name,
                "archived": "yes" if is_archived else "no",
                "createdDate": created,
                "archivedDate": archived,
            }
            for option_id, name, is_archived, created, archived in rows
        ],
    }


def numbered(names: Iterable[str], first_id: int) -> list[Row]:
    """Rows for `options` of values that are never archived."""
    return [(first_id + number, name, False, None, None) for number, name in enumerate(names)]


def requests(where: str) -> str:
    """Leave as requests for time off, with the hours of every day; all of it was approved."""
    return f"""
        with asked as (
            select
                absence_id, employee.id::integer as employee_id,
                concat_ws(' ', first_name, last_name) as full_name, from_date, to_date, type_id,
                kind.name as type_name, hours, calendar_id, leave.fte
            from bamboohr_now.leave
            inner join bamboohr_now.employee using (person_id)
            inner join ({LEAVE_TYPES}) as kind using (leave_type)
            where {where}
        ),
        daily as (
            select
                absence_id,
                list({{'day': day.day::text, 'hours': if(day.is_worked, 8 * asked.fte, 0)}}
                    order by day.day) as days
            from asked
            inner join bamboohr_now.day
                on asked.calendar_id = day.calendar_id
                and day.day >= asked.from_date and day.day < asked.to_date
            group by absence_id
        )
        select
            absence_id, employee_id, full_name, from_date::text, (to_date - 1)::text, type_id,
            type_name, hours, days
        from asked
        inner join daily using (absence_id)
        order by from_date, absence_id"""


def overlapping(start: date, end: date) -> str:
    """The condition for leave that touches the days from `start` to `end`, both included."""
    return f"from_date <= date '{end}' and to_date > date '{start}'"


def time_off(row: Row, with_notes: bool) -> dict[str, Any]:
    """A request for time off as an object."""
    absence_id, employee_id, name, start, end, type_id, type_name, hours, days = row
    request: dict[str, Any] = {
        "id": absence_id,
        "employeeId": employee_id,
        "name": name,
        "start": start,
        "end": end,
        "created": start,
        "status": {"lastChanged": start, "lastChangedByUserId": 1, "status": "approved"},
        "type": {"id": type_id, "name": type_name, "icon": "time-off-calendar"},
        "amount": {"unit": "hours", "amount": hours},
        "actions": {
            "view": True,
            "edit": False,
            "cancel": False,
            "approve": False,
            "deny": False,
            "bypass": False,
        },
        "dates": {day["day"]: day["hours"] for day in days},
    }
    if with_notes:
        request["notes"] = {}
    return request


OUT_KEYS = ("id", "type", "employeeId", "name", "start", "end")


def who_is_out(start: date, end: date) -> str:
    """Rows with OUT_KEYS of leave and holidays, by date."""
    return f"""
        select absence_id, 'timeOff', employee.id::integer, concat_ws(' ', first_name, last_name),
            from_date::text as begins, (to_date - 1)::text
        from bamboohr_now.leave
        inner join bamboohr_now.employee using (person_id)
        where {overlapping(start, end)}
        union all
        select
            row_number() over (order by holiday_date, name), 'holiday', null, name,
            holiday_date::text, holiday_date::text
        from (select distinct holiday_date, name from hidden.holiday)
        qualify holiday_date between date '{start}' and date '{end}'
        order by begins, 2, 1"""
