"""The company's people as BambooHR tells them, and as its exports do, as of any instant.

What belongs here: vendor columns and the view of a past instant (`bamboohr.sql`). What does not:
invented facts, and fields that the platform must not see (salary, birth date, gender): they do
not even exist.

End dates are inclusive and an unknown date is 0000-00-00 in the employee table, as in the
vendor's exports. BambooHR's own tables have no ends at all and one department a person; the
export of posts, which a company makes for itself, has both ends and shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from sandbox.records import RecordFile

UNKNOWN_DATE = "0000-00-00"

_EXPORTS = {
    "employees": """
        select
            employee_id as "employeeNumber", first_name as "firstName", last_name as "lastName",
            email as "workEmail", first_hired_on as "hireDate",
            coalesce(terminated_on::text, '0000-00-00') as "terminationDate",
            location_id as "location"
        from bamboohr_now.employee
        order by person_id""",
    "departments": """
        select
            department_id as "id", name, parent_department_id as "parentId", function,
            valid_from as "effectiveFrom", valid_to as "effectiveTo"
        from bamboohr_now.department
        order by department_id, valid_from""",
    "department_history": """
        select
            employee_id as "employeeNumber", post.department_id as "departmentId",
            from_date as "startDate", to_date - 1 as "endDate", post.fte, share,
            post.location_id as "location"
        from bamboohr_now.post
        inner join bamboohr_now.employee using (person_id)
        order by person_id, from_date, share desc, post.department_id""",
    "leave": """
        select
            employee_id as "employeeNumber", from_date as "start", to_date - 1 as "end",
            leave_type as "type", hours as "amount"
        from bamboohr_now.leave
        inner join bamboohr_now.employee using (person_id)
        order by person_id, from_date""",
    # With a department, without a person.
    "engagement_responses": """
        select
            response_id as "responseId", wave, responded_on as "submittedOn", score as "answer",
            5 as "scaleMax", department_id as "departmentId"
        from hidden.engagement
        cross join bamboohr_now.moment
        where responded_on::timestamp <= moment.now
        order by response_id""",
}
"""File name without ending: its rows."""

_MEASUREMENTS = """
    select
        key_result_id as "keyResultId", measured_at::date as "measuredOn",
        measured_value as "value"
    from hidden.key_result
    cross join bamboohr_now.moment
    where measured_at <= moment.now
    order by key_result_id"""


def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Make the schema `bamboohr_now` as of `now` (aware), in place of an earlier one."""
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection.execute(sql.replace("{now}", f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}"))


def files(connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[RecordFile]:
    """The exports as of `now`, for which `prepare` has been called.

    Measurements of key results are a file only where there are any.
    """
    for name, sql in _EXPORTS.items():
        yield RecordFile(f"hr/{name}", f"hr/{name}.csv", sql, "csv")
    if connection.sql(_MEASUREMENTS).fetchone():
        name = "key_result_measurements"
        yield RecordFile(f"hr/{name}", f"hr/{name}.csv", _MEASUREMENTS, "csv")
