"""How BambooHR's records become rows of the HR streams.

Belongs here: paths within the records that `bamboohr` keeps, and what makes one unreadable. Does
not belong here: how dated rows became posts (see `posts`), what a field means (see `entities`).
"""

from __future__ import annotations

from dagster_project.sources.shapes import (
    Rule,
    Shape,
    day,
    flag,
    flat,
    is_day,
    is_number,
    number,
    required,
    text,
)


def _known_day(value: str) -> str:
    """A date as text; BambooHR writes 0000-00-00 where there is none."""
    return f"nullif(nullif(trim({value}), ''), '0000-00-00')"


_HIRED = f"coalesce({_known_day('first_hired_text')}, {_known_day('hired_text')})"
_TERMINATED = _known_day("terminated_text")
# Ends are included; those of the lake are not.
_LEAVE_END = f"{day('last_text')} + 1"

SHAPES: tuple[Shape, ...] = (
    Shape(
        "employees",
        values={
            "id": "$.id",
            "number": "$.employeeNumber",
            "first_name": "$.firstName",
            "last_name": "$.lastName",
            "email": "$.workEmail",
            "hired_text": "$.hireDate",
            "first_hired_text": "$.originalHireDate",
            "terminated_text": "$.terminationDate",
            "location": "$.location",
            "deleted": "$.deleted",
        },
        keys={"employee_id": text("id")},
        payload=flat(
            {
                "employee_id": text("id"),
                "employee_number": text("number"),
                "full_name": text("concat_ws(' ', first_name, last_name)"),
                "email": text("email"),
                "hired_on": day(_HIRED),
                "terminated_on": day(_TERMINATED),
                "location_id": text("location"),
                "is_deleted": flag("deleted"),
            }
        ),
        rules=(
            is_day("hireDate", _HIRED),
            is_day("terminationDate", _TERMINATED),
        ),
    ),
    Shape(
        "department_history",
        values={
            "employee_id": "$.employeeId",
            "department_id": "$.departmentId",
            "from_text": "$.from",
            "to_text": "$.to",
            "fte_text": "$.fte",
            "location": "$.location",
        },
        keys={
            "employee_id": text("employee_id"),
            "department_id": text("department_id"),
            "from_date": day("from_text"),
        },
        payload=flat(
            {
                "employee_id": text("employee_id"),
                "department_id": text("department_id"),
                "from_date": day("from_text"),
                "to_date": day("to_text"),
                "fte": number(text("fte_text")),
                "location_id": text("location"),
            }
        ),
        rules=(
            is_day("jobInfo.date", "from_text"),
            is_number("fte", text("fte_text")),
            Rule(f"{number(text('fte_text'))} < 0", "'fte: ''' || fte_text || ''' is negative'"),
        ),
    ),
    Shape(
        "leave",
        values={
            "employee_id": "$.employeeId",
            "first_text": "$.start",
            "last_text": "$.end",
            "type": "$.type",
            "unit": "$.unit",
            "amount": "$.amount",
        },
        keys={"employee_id": text("employee_id"), "from_date": day("first_text")},
        payload=flat(
            {
                "employee_id": text("employee_id"),
                "from_date": day("first_text"),
                "to_date": _LEAVE_END,
                "leave_type": f"lower({text('type')})",
                # Leave by the day takes whole days away, which no hours have to tell.
                "hours": f"case unit when 'hours' then {number('amount')} end",
            }
        ),
        rules=(
            is_day("start", "first_text"),
            required("end", "last_text"),
            is_day("end", "last_text"),
            Rule(
                f"{day('last_text')} < {day('first_text')}",
                "'end: ''' || last_text || ''' is before the start'",
            ),
            is_number("amount", "amount"),
        ),
    ),
)
"""Every stream that BambooHR feeds."""
