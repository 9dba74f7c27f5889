"""Expectations on what Jira delivered: raw_jira, its staging and the seeds that classify it.

Belongs here: rules on issues, changes and worklogs before any metric. Does not belong here: what
the marts make of them.
"""

from __future__ import annotations

from dagster_project.quality.checks import Suite, between, no_rows, present
from dagster_project.quality.suites.streams import stream_checks

ISSUES = "staging.stg_jira__issues"
WORKLOGS = "staging.stg_jira__worklogs"
# The table of changes rather than the staging view: the view parses every history anew per rule.
CHANGES = "intermediate.int_jira__field_changes"

SUITE = Suite.of(
    "jira",
    ("cross_departmental_success", "innovation_index", "time_to_market"),
    (
        *stream_checks("jira"),
        no_rows(
            ISSUES,
            "every_issue_arrived",
            """
            with landed as (
                select source_id, count(distinct issue_id) as raw_issues
                from raw_jira.issues
                group by source_id
            ),
            staged as (select source_id, count(*) as staged_issues from batch group by source_id)
            select source_id, raw_issues, staged_issues
            from landed full join staged using (source_id)
            where raw_issues is distinct from staged_issues
            """,
            "Staging holds each issue of the lake once, and no other.",
            kind="reconciliation",
            expected="staged issues = distinct issues in raw_jira.issues",
        ),
        present(ISSUES, "status", "Every issue has a status."),
        present(ISSUES, "issue_type", "Every issue has a type."),
        present(ISSUES, "project_key", "Every issue belongs to a project."),
        no_rows(
            ISSUES,
            "created_at_is_plausible",
            """
            select source_id, issue_id, created_at from batch
            where created_at < timestamp '1990-01-01' or created_at > updated_at
            """,
            "An issue was created after 1990 and not after its last change.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "resolved_after_created",
            "select source_id, issue_id, created_at, resolved_at from batch "
            "where resolved_at < created_at",
            "No issue was resolved before it was created.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "due_date_is_plausible",
            "select source_id, issue_id, due_date from batch "
            "where due_date not between date '1990-01-01' and date '2099-12-31'",
            "Due dates lie between 1990 and 2099.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "parent_is_known",
            """
            select child.source_id, child.issue_id, child.parent_issue_id
            from batch as child
            left join batch as parent
              on parent.source_id = child.source_id and parent.issue_id = child.parent_issue_id
            where child.parent_issue_id is not null and parent.issue_id is null
            """,
            "The parent of an issue was delivered too; without it the work hangs under nothing.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "issue_type_is_mapped",
            """
            select source_id, issue_type, count(*) as issues
            from batch
            where not exists (
                select 1 from seeds.jira_issue_type_map as map
                where map.issue_type = batch.issue_type and map.source_id in (batch.source_id, '*')
            )
            group by all
            """,
            "Every issue type has a role in jira_issue_type_map; an unmapped one counts as work.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "status_is_mapped",
            """
            select source_id, project_key, status, count(*) as issues
            from batch
            where not exists (
                select 1 from seeds.jira_status_map as map
                where map.status = batch.status
                  and map.source_id in (batch.source_id, '*')
                  and map.project_key in (batch.project_key, '*')
            )
            group by all
            """,
            "Every status in use has a phase in jira_status_map; an unmapped one falls back on "
            "its category.",
            severity="warn",
        ),
        no_rows(
            ISSUES,
            "resolution_is_mapped",
            """
            select source_id, resolution, count(*) as issues
            from batch
            where resolution is not null and not exists (
                select 1 from seeds.jira_resolution_map as map
                where map.resolution = batch.resolution and map.source_id in (batch.source_id, '*')
            )
            group by all
            """,
            "Every resolution has an outcome in jira_resolution_map; an unmapped one is unknown.",
            severity="warn",
        ),
        no_rows(
            "raw_jira.changelogs",
            "belongs_to_a_known_issue",
            """
            select source_id, issue_id, count(*) as histories
            from batch
            where (source_id, issue_id) not in (select (source_id, issue_id) from raw_jira.issues)
            group by all
            """,
            "Every history belongs to an issue that was delivered.",
            severity="warn",
        ),
        no_rows(
            "raw_jira.worklogs",
            "belongs_to_a_known_issue",
            """
            select source_id, issue_id, count(*) as worklogs
            from batch
            where (source_id, issue_id) not in (select (source_id, issue_id) from raw_jira.issues)
            group by all
            """,
            "Every worklog belongs to an issue that was delivered.",
            severity="warn",
        ),
        no_rows(
            CHANGES,
            "happened_after_creation",
            """
            select changes.source_id, changes.issue_id, changes.history_id
            from batch as changes
            join raw_jira.issues as issues using (source_id, issue_id)
            where issues.is_latest_window and changes.created_at < issues.created_at
            """,
            "No issue changed before it was created.",
            # An imported history may; durations begin with it.
            severity="warn",
        ),
        between(
            WORKLOGS,
            "worklog_hours",
            0,
            24,
            "A worklog holds 0 to 24 hours; longer ones were logged in a lump.",
            severity="warn",
        ),
    ),
)
