"""What HR delivers: the fields of each entity, required ones without a default.

Belongs here: field names, types and keys. Does not belong here: reading files, mapping columns.
These fields are the allow-list: no salary, birth date or gender can enter the lake.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from dagster_project.sources.fields import Day, Number, Record, Scored, Text


class Employee(Record):
    """A person who was ever employed."""

    description: ClassVar = "One row per employee and delivery."
    keys: ClassVar = ("employee_id",)
    identity: ClassVar = ("employee_id",)

    employee_id: Text
    employee_number: Text | None = None
    full_name: Text | None = None
    email: Text | None = None
    hired_on: Day | None = None
    terminated_on: Day | None = None
    location_id: Text | None = None
    is_deleted: bool | None = None


class Department(Record):
    """A department and its parent."""

    description: ClassVar = "One row per department and delivery."
    keys: ClassVar = ("department_id",)
    identity: ClassVar = ("department_id",)

    department_id: Text
    name: Text
    parent_department_id: Text | None = None
    function: Literal["it", "customer_facing", "business"] | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class DepartmentHistory(Record):
    """A person belonged to a department in [from_date, to_date)."""

    description: ClassVar = "One row per stay of an employee in a department and delivery."
    keys: ClassVar = ("employee_id", "department_id", "from_date")
    identity: ClassVar = ("employee_id", "department_id", "from_date")

    employee_id: Text
    department_id: Text
    from_date: Day
    to_date: Day | None = None
    fte: Annotated[Number, Field(ge=0)] | None = None
    share: Annotated[Number, Field(ge=0, le=1)] | None = None
    location_id: Text | None = None


class Leave(Record):
    """A person was away in [from_date, to_date)."""

    description: ClassVar = "One row per absence of an employee and delivery."
    keys: ClassVar = ("employee_id", "from_date")
    identity: ClassVar = ("employee_id", "from_date")

    employee_id: Text
    from_date: Day
    to_date: Day
    leave_type: Text | None = None
    hours: Annotated[Number, Field(ge=0)] | None = None


class EngagementResponse(Scored):
    """One anonymous answer to an engagement survey."""

    description: ClassVar = "One row per anonymous answer and delivery."
    keys: ClassVar = ("response_id",)
    identity: ClassVar = ("response_id",)

    response_id: Text
    wave: Text
    responded_on: Day
    department_id: Text | None = None


ENTITIES: dict[str, type[Record]] = {
    "employees": Employee,
    "departments": Department,
    "department_history": DepartmentHistory,
    "leave": Leave,
    "engagement_responses": EngagementResponse,
}
