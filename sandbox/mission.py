"""mission.yaml and the governed seeds, as somebody who knows this company would write them.

What belongs here: what the platform has to be told about the company because no record says it.
What does not: anything that the platform should find out by itself. The repository's own seeds
describe size `tiny`; definitions, parameters, targets and the maps of Jira's and HubSpot's words
are the same for every company and are copied.
"""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
STORAGE = "data"
"""Where the written mission.yaml lets the platform keep its tables, beside the records."""

_COPIED = (
    "crm_stage_map",
    "jira_field_map",
    "jira_issue_type_map",
    "jira_resolution_map",
    "metric_definitions",
    "metric_parameters",
    "metric_targets",
)

NICKNAMED = 1017
"""The person whose Jira account only HR can tell (see `sandbox/simulation/people/`)."""

_TOLD = {
    # Versions that differ only in what nobody is told (`pull`) are one.
    "objectives": """
        with told as (
            select
                objective_id, parent_objective_id, name, horizon, weight, owner, label,
                valid_from, valid_to,
                hash(parent_objective_id, name, horizon, weight, owner, label) as what
            from hidden.objective
        ),
        numbered as (
            select *, count(*) filter (is_new) over (
                partition by objective_id order by valid_from
            ) as version
            from (
                select *, what is distinct from lag(what) over (
                    partition by objective_id order by valid_from
                ) as is_new
                from told
            )
        )
        select
            objective_id, parent_objective_id, name, horizon, weight, owner,
            label as jira_label, min(valid_from) as valid_from,
            nullif(max(coalesce(valid_to, 'infinity')), 'infinity') as valid_to
        from numbered
        group by
            objective_id, parent_objective_id, name, horizon, weight, owner, label, version
        order by
            case horizon when 'visionary' then 1 when 'strategic' then 2 else 3 end,
            objective_id, min(valid_from)""",
    "product_map": """
        select 'crm' as source_id, product_id, label as jira_label,
            department_id as owner_department_id
        from hidden.product order by product_id""",
    "identity_overrides": """
        select 'jira' as source_id, account_id as source_user_id, 'hr' as person_source_id,
            person.employee_id as person_native_id, null as valid_from, null as valid_to,
            'Account hides its e-mail and shows a nickname; confirmed by HR' as reason
        from hidden.account inner join hidden.person using (person_id)
        where account.system = 'jira' and person_id = {nicknamed}""",
    "shared_mailboxes": """
        select email,
            'Shared by the whole service desk: never evidence of one person' as reason
        from hidden.person where kind = 'mailbox' order by person_id""",
    "locations": """
        select '*' as location_id, null as timezone, calendar_id
        from hidden.location where location_id = 'HAM'
        union all
        select * from (from hidden.location order by location_id)""",
    "holidays": "select calendar_id, holiday_date, name from hidden.holiday order by all",
    "working_calendars": """
        select calendar_id, weekday, weekday <= 5 as is_working
        from (select distinct calendar_id from hidden.location), range(1, 8) as days (weekday)
        order by all""",
    # The company's own currency needs no rate.
    "exchange_rates": """
        select currency, valid_from, rate from hidden.exchange_rate
        where currency <> 'EUR' and valid_from < '{until}' order by all""",
    # What a status means everywhere, and the projects in whose workflow it means another phase.
    "jira_status_map": """
        select source_id, project_key, status, phase
        from (
            select *, 0 as place, row_number() over () as line
            from read_csv('{seeds}/jira_status_map.csv', all_varchar = true)
            where project_key = '*'
            union all
            select 'jira', project.project_key, own.status, own.phase, 1, 0
            from hidden.project
            inner join hidden.workflow_status as own using (workflow)
            inner join read_csv('{seeds}/jira_status_map.csv', all_varchar = true) as general
                on general.status = own.status and general.project_key = '*'
            where general.phase <> own.phase
        )
        order by place, line, project_key, status""",
    "key_results": """
        select 'jira' as source_id, key_result_id, issue.issue_key as initiative_key,
            null as objective_id, measure, target_value, key_result.due_date
        from hidden.key_result inner join hidden.issue using (issue_id)
        where issue.created_at < '{moment}'
        order by key_result_id""",
}
"""Seed: the query of its rows. {moment} is the start of {until} in naive UTC, {seeds} the
repository's folder."""


def write_mission(
    connection: duckdb.DuckDBPyConnection, folder: Path, until: date, moment: datetime
) -> None:
    """Write mission.yaml and seeds/ into `folder`, beside the records as of `moment`.

    `until` is the first day that does not count any more (the mission's `as_of`).
    """
    seeds = folder / "seeds"
    seeds.mkdir()
    for name in _COPIED:
        shutil.copyfile(ROOT / "seeds" / f"{name}.csv", seeds / f"{name}.csv")
    for name, sql in _TOLD.items():
        query = sql.format(
            until=until,
            moment=f"{moment:%Y-%m-%d %H:%M:%S}",
            seeds=ROOT / "seeds",
            nicknamed=NICKNAMED,
        )
        path = seeds / f"{name}.csv"
        connection.execute(f"copy ({query}) to '{path}' (format csv, header)")
    (folder / "mission.yaml").write_text(_mission(until), encoding="utf-8")


def _mission(until: date) -> str:
    """The mission of the file road (files.yaml), told from the folder of the records."""
    text = Path(__file__).with_name("files.yaml").read_text(encoding="utf-8")
    for pattern, replacement in (
        (r"\A(#.*\n)+", "# Written by `mission sandbox write`; it reads the records beside it.\n"),
        (r"as_of: \S+", f"as_of: {until}"),
        (r"(?m)^storage: .*$", f"storage: {STORAGE}"),
        (r"(?m)^(\s+folder: )data/sandbox/", r"\1"),
    ):
        text, found = re.subn(pattern, replacement, text)
        assert found, f"mission.yaml has nothing like {pattern}"
    return text
