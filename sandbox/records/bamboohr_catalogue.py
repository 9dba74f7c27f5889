"""The fields and tables that this company's BambooHR has.

What belongs here: names, ids, types and which column of the view holds the value. What does not:
fields that nobody may fetch (salary, birth date, gender): they do not even exist.

A job title and a manager have no counterpart in the simulated company and are always empty. The
contracted FTE is a table of the company's own; the share of concurrent posts is nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Field:
    """A field as `meta/fields` lists it; `sql` is its value in the view, as text."""

    field_id: int
    name: str
    type: str
    alias: str
    sql: str


@dataclass(frozen=True)
class Table:
    """A table of dated rows; `rows` gives person_id, day and the columns by alias."""

    name: str
    rows: str
    fields: tuple[Field, ...]


EMPLOYEE_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        field.alias: field
        for field in (
            Field(1, "First Name", "text", "firstName", "first_name"),
            Field(2, "Last Name", "text", "lastName", "last_name"),
            Field(3, "Hire Date", "date", "hireDate", "hired_on::text"),
            Field(4, "Department", "list", "department", "option.name"),
            Field(13, "Employee #", "employee_number", "employeeNumber", "employee_id"),
            Field(14, "Work Email", "email", "workEmail", "email"),
            Field(
                16,
                "Employment Status",
                "employmentStatus",
                "employmentHistoryStatus",
                "if(terminated_on is not null and status = 'Inactive', 'Terminated', "
                "if(fte < 1, 'Part-Time', 'Full-Time'))",
            ),
            Field(17, "Job Title", "list", "jobTitle", "null::text"),
            Field(18, "Location", "list", "location", "location_id"),
            Field(91, "Reporting to", "employee", "supervisor", "null::text"),
            Field(1355, "Division", "list", "division", "option.division"),
            Field(1360, "Preferred Name", "text", "preferredName", "null::text"),
            Field(
                2102,
                "Display Name",
                "text",
                "displayName",
                "concat_ws(' ', first_name, last_name)",
            ),
            Field(2103, "Status", "status", "status", "status"),
            Field(
                2104,
                "Last Changed",
                "timestamp",
                "lastChanged",
                "strftime(changed_at, '%Y-%m-%dT%H:%M:%S+00:00')",
            ),
            Field(
                4314,
                "Termination Date",
                "date",
                "terminationDate",
                "coalesce(terminated_on::text, '0000-00-00')",
            ),
            Field(4315, "Original Hire Date", "date", "originalHireDate", "first_hired_on::text"),
        )
    }
)
"""By alias."""

DIRECTORY = (
    "displayName",
    "firstName",
    "lastName",
    "preferredName",
    "jobTitle",
    "workEmail",
    "department",
    "location",
    "division",
    "supervisor",
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            Table(
                "jobInfo",
                "bamboohr_now.job_info",
                (
                    Field(5001, "Job Information: Date", "date", "date", "day::text"),
                    Field(18, "Location", "list", "location", "location_id"),
                    Field(4, "Department", "list", "department", "department"),
                    Field(1355, "Division", "list", "division", "division"),
                    Field(17, "Job Title", "list", "jobTitle", "null::text"),
                    Field(91, "Reporting to", "employee", "reportsTo", "null::text"),
                ),
            ),
            Table(
                "employmentStatus",
                "bamboohr_now.employment_status",
                (
                    Field(5011, "Employment status: Date", "date", "date", "day::text"),
                    Field(16, "Employment Status", "list", "employmentStatus", "status"),
                ),
            ),
            Table(
                "customContractedFte",
                "bamboohr_now.contracted_fte",
                (
                    Field(5021, "Contracted FTE: Date", "date", "customDate", "day::text"),
                    Field(5022, "Contracted FTE", "decimal", "customFte", "fte::text"),
                ),
            ),
        )
    }
)
"""By name."""
