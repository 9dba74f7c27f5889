"""Expectations on what HR delivered: raw_hr and its staging.

Belongs here: rules on people's posts and departments before any metric. Does not belong here: the
assignment that the marts make of them. Person ids never leave a rule: it selects counts.
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from dagster_project.quality.checks import Suite, among, no_rows
from dagster_project.quality.suites.streams import stream_checks

EMPLOYEES = "staging.stg_hr__employees"
DEPARTMENTS = "staging.stg_hr__departments"
HISTORY = "staging.stg_hr__department_history"

SUITE = Suite.of(
    "hr",
    ("cross_departmental_success", "innovation_index"),
    (
        *stream_checks("hr"),
        no_rows(
            EMPLOYEES,
            "employment_is_not_negative",
            "select source_id, count(*) as employees from batch "
            "where terminated_on < hired_on or hired_on < date '1920-01-01' group by all",
            "Nobody left before they were hired; nobody was hired before 1920.",
            severity="warn",
        ),
        among(
            DEPARTMENTS,
            "function",
            ("it", "customer_facing", "business"),
            "The function of a department is one that the metrics know.",
        ),
        no_rows(
            HISTORY,
            "posts_have_a_duration",
            "select source_id, department_id, from_date, to_date, count(*) as posts "
            "from batch where to_date <= from_date group by all",
            "A post ends after it begins; one that does not gives nobody a department.",
            severity="warn",
        ),
        no_rows(
            HISTORY,
            "fte_and_share_are_plausible",
            "select source_id, fte, share, count(*) as posts from batch "
            "where fte not between 0 and 1.5 or share not between 0 and 1 group by all",
            "Contracted time lies between 0 and 1.5, the share of a post between 0 and 1.",
            severity="warn",
        ),
        no_rows(
            HISTORY,
            "employee_is_known",
            f"""
            select source_id, department_id, count(*) as posts
            from batch
            where (source_id, employee_id) not in (select (source_id, employee_id) from {EMPLOYEES})
            group by all
            """,
            "Every post belongs to an employee who was delivered.",
            severity="warn",
        ),
        no_rows(
            HISTORY,
            "department_is_known",
            f"""
            select source_id, department_id, count(*) as posts
            from batch
            where (source_id, department_id)
                not in (select (source_id, department_id) from {DEPARTMENTS})
              and source_id in (select source_id from {DEPARTMENTS})
            group by all
            """,
            "Every post is in a department that was delivered, where departments are.",
            severity="warn",
        ),
    ),
)
