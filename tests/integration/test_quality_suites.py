"""Every expectation passes on good data and fails on data that breaks exactly its rule.

Belongs here: a small good warehouse and one way to break each rule. Does not belong here: the
results' record (test_quality_results.py) and models built by dbt.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality.results import CheckResult
from dagster_project.quality.runner import run_suites, suite_checks
from dagster_project.settings import Mission
from dagster_project.sources.streams import STREAMS

PUBLISHED = (
    "dim_initiative",
    "fct_work_item",
    "fct_status_span",
    "fct_cross_departmental_success",
    "fct_innovation_index",
    "fct_time_to_market",
    "mart_scorecard",
)

# Numbers are written as doubles (1e0), which is what the models make.
GOOD = """
create schema raw_mission; create schema staging; create schema intermediate; create schema seeds;
create table raw_mission.build as
    select timestamp '2025-01-01' as as_of, date '2025-01-01' as as_of_date;
create table raw_mission.entities
    (source_id text, system text, stream text, field text, is_required bool, is_mapped bool);
create table raw_mission.windows
    (system text, source_id text, stream text, window_id text, window_seq bigint, fetched bigint,
     loaded bigint, quarantined bigint, files text);
create table raw_mission.quarantine (source_id text, stream text, window_id text, reason text);

create table seeds.jira_issue_type_map as select '*' as source_id, 'Story' as issue_type;
create table seeds.jira_status_map as
    select '*' as source_id, '*' as project_key, unnest(['Doing', 'Done']) as status;
create table seeds.jira_resolution_map as select '*' as source_id, 'Fixed' as resolution;
create table seeds.crm_stage_map as
    select '*' as source_id, unnest(['won', 'open']) as stage, unnest(['won', 'open']) as outcome;

create table staging.stg_jira__issues as
select 'jira' as source_id, unnest(['1', '2']) as issue_id, 'P' as project_key,
    'Story' as issue_type, 'Done' as status, 'Fixed' as resolution,
    unnest([null, '1']) as parent_issue_id, timestamp '2024-01-01' as created_at,
    timestamp '2024-02-01' as updated_at, timestamp '2024-02-01' as resolved_at,
    date '2024-03-01' as due_date;
create table intermediate.int_jira__field_changes as
select 'jira' as source_id, '1' as issue_id, '10' as history_id, unnest([0, 1]) as item_index,
    timestamp '2024-01-05' as created_at;
create table staging.stg_jira__worklogs as
select 'jira' as source_id, '1' as issue_id, unnest(['7', '8']) as worklog_id,
    4.0e0 as worklog_hours;
create table staging.stg_crm__accounts as
select 'crm' as source_id, unnest(['a1', 'a2']) as account_id;
create table staging.stg_crm__deals as
select 'crm' as source_id, unnest(['d1', 'd2']) as deal_id, 'a1' as account_id, 'won' as stage,
    100.0e0 as amount, 'EUR' as currency, timestamp '2024-01-01' as created_at,
    timestamp '2024-02-01' as closed_at;
create table staging.stg_crm__surveys as
select 'crm' as source_id, 'r' || i as response_id, if(i % 2 = 0, 'nps', 'csat') as instrument,
    4.0e0 as score, if(i % 2 = 0, 10.0e0, 5.0e0) as scale_max
from range(40) as numbers(i);
create table staging.stg_hr__employees as
select 'hr' as source_id, unnest(['e1', 'e2']) as employee_id,
    unnest(['Ada Lovelace', 'Jean-Luc de la Tour']) as full_name, date '2020-01-01' as hired_on,
    null::date as terminated_on;
create table staging.stg_hr__departments as
select 'hr' as source_id, unnest(['it', 'sales']) as department_id,
    unnest(['it', 'customer_facing']) as function;
create table staging.stg_hr__department_history as
select 'hr' as source_id, unnest(['e1', 'e2']) as employee_id,
    unnest(['it', 'sales']) as department_id, date '2020-01-01' as from_date,
    null::date as to_date, 1.0e0 as fte, 1.0e0 as share;

create table dim_worker_assignment as
select unnest(['p1', 'p1', 'p1', 'p2']) as person_key,
    unnest(['it', 'it', 'sales', 'sales']) as department_id, 1.0e0 as fte,
    unnest([1.0e0, 0.4e0, 0.6e0, 1.0e0]) as fte_weight,
    unnest([date '2020-01-01', '2021-01-01', '2021-01-01', '2020-01-01']) as valid_from,
    unnest([date '2021-01-01', null, null, '2022-01-01']) as valid_to,
    timestamp '2020-01-01' as recorded_from, null::timestamp as recorded_to;
create table fct_work_item as
select 'jira' as source_id, unnest(['1', '2']) as issue_id, 'done' as phase,
    'delivered' as outcome, 3.0e0 as story_points, timestamp '2024-01-01' as created_at,
    timestamp '2024-01-05' as first_started_at, timestamp '2024-02-01' as done_at,
    null::timestamp as released_at, 0 as reopen_count, 31.0e0 as elapsed_days,
    23.0e0 as working_days;
create table fct_status_span as
select 'jira' as source_id, unnest(['1', '1', '2']) as issue_id,
    unnest([1, 2, 1]) as span_number, 'done' as phase,
    unnest([timestamp '2024-01-01', '2024-01-05', '2024-01-01']) as entered_at,
    unnest([timestamp '2024-01-05', null, null]) as exited_at,
    unnest([false, true, true]) as is_current;
create table fct_contribution as
select unnest(['p1', 'p1', 'p2', 'p2']) as person_key, date '2024-01-08' as work_date,
    unnest([4.0e0, null, 8.0e0, null]) as worklog_hours,
    unnest([0.5e0, 0.5e0, 1.0e0, 0.0e0]) as effort_days,
    unnest(['worklog', 'in_progress_assignee', 'worklog', 'event']) as evidence;
create table dim_initiative as
select 'jira:1' as initiative_id, 'The road of Lovelace, paved by Ada' as initiative_name;
create table fct_cross_departmental_success as
select 'jira:1' as initiative_id, 1.6e0 as effective_departments, 0.3e0 as second_share,
    4 as people_n, true as is_cross_departmental, date '2024-06-01' as decided_on,
    'delivered' as decision_reason, true as is_delivered, true as is_on_time_latest,
    1.0e0 as scope_ratio, true as is_scope_met, null::boolean as is_outcome_met,
    true as is_success, 0 as baseline_changes_n, 'S' as size_class;
create table fct_innovation_index as
select 'ALL' as department_id, 0.4e0 as v, 0.25e0 as c, 1.0e0 as e, 0.5e0 as x,
    47.29e0 as index_value,
    40.0e0 as sensitivity_low, 55.0e0 as sensitivity_high, 12 as ideas_n,
    20.0e0 as ideas_per_100_people;
create table fct_time_to_market as
select 'jira:1' as initiative_id, timestamp '2023-12-01' as idea_at,
    timestamp '2024-01-01' as approved_at, timestamp '2024-01-05' as started_at,
    timestamp '2024-01-30' as done_at, timestamp '2024-02-01' as available_at,
    timestamp '2024-02-01' as first_available_at, 'delivered' as event, 31.0e0 as elapsed_days,
    23.0e0 as working_days, 62.0e0 as idea_elapsed_days, 0.5e0 as flow_efficiency;
create table mart_scorecard as
select * from (values
    ('cross_departmental_success', 'ALL', 0.75e0, 15.0e0, 20.0e0, 20, 0.53e0, 0.89e0, 'wilson',
        0.5e0, 0.25e0, 0.05e0, 0.45e0, true, 'published', null),
    ('cross_departmental_success', 'it', 0.75e0, 3.0e0, 4.0e0, 4, 0.30e0, 0.95e0, 'wilson', null,
        null, null, null, null, 'published', 'low_confidence'),
    ('innovation_index', 'ALL', 47.29e0, null, null, 50, 40.0e0, 55.0e0, 'poisson_bootstrap', null,
        null, null, null, null, 'published', null),
    ('time_to_market', 'ALL', null, null, null, 12, null, null, 'greenwood', null, null, null,
        null, null, 'published', '> 200'),
    ('time_to_market', 'it', null, null, null, null, null, null, null, null, null, null,
        null, null, 'withheld', 'suppressed')
) as cells(metric_id, department_id, value, numerator, denominator, n, ci_low, ci_high, ci_method,
    baseline_value, change_value, change_ci_low, change_ci_high, is_change_significant, status,
    status_reason)
cross join (
    select 1 as definition_version, 'ALL' as objective_id, 'quarter' as period_grain,
        date '2024-10-01' as period_start, date '2025-01-01' as period_end, 1.0e0 as coverage,
        0 as censored_n, 0 as undetermined_n, date '2025-01-01' as as_of
);
"""


def _raw_tables() -> str:
    """Each raw stream with one window of one record (issues and their changes: of two)."""
    statements = []
    for system, streams in STREAMS.items():
        statements.append(f"create schema raw_{system};")
        for stream in streams:
            window = f"{system}-000001-{stream.name}"
            keys = ", ".join(
                f"{'timestamp' if kind == 'TIMESTAMP' else 'date'} '2024-01-01' as {key}"
                if kind in ("TIMESTAMP", "DATE")
                else f"case i when 0 then '1' else '2' end as {key}"
                for key, kind in stream.keys.items()
            )
            statements.append(
                f"create table raw_{system}.{stream.name} as select '{system}' as source_id, "
                f"'{window}' as window_id, 1 as window_seq, {keys}, '{{}}' as payload, "
                "true as is_latest_window from range(2) as numbers(i);"
                f"insert into raw_mission.windows values ('{system}', '{system}', "
                f"'{stream.name}', '{window}', 1, 2, 2, 0, 'a.jsonl');"
                f"insert into raw_mission.entities values ('{system}', '{system}', "
                f"'{stream.name}', 'id', true, true);"
            )
    return "".join(statements)


def _mission(storage: Path) -> Mission:
    organisation = {"name": "X", "vision": "Y", "timezone": "UTC", "currency": "EUR"}
    source = {"id": "jira", "system": "jira", "folder": ".", "entities": {"issues": "*.jsonl"}}
    return Mission.model_validate(
        {"organisation": organisation, "storage": storage, "sources": [source]}
    )


def _public(table: str) -> dict[str, object]:
    return {
        "resource_type": "model",
        "name": table,
        "schema": "main",
        "access": "public",
        "config": {"materialized": "table"},
    }


@pytest.fixture(scope="session")
def good_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage folder with a warehouse on which every expectation holds."""
    storage = tmp_path_factory.mktemp("good")
    mission = _mission(storage)
    mission.warehouse_path.parent.mkdir()
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(GOOD)
        warehouse.execute(_raw_tables())
    mission.dbt_target.mkdir()
    nodes = {f"model.m.{table}": _public(table) for table in PUBLISHED}
    (mission.dbt_target / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    return storage


@pytest.fixture
def mission(good_storage: Path, tmp_path: Path) -> Mission:
    """A copy of the good storage that a test may break."""
    shutil.copytree(good_storage, tmp_path / "data")
    return _mission(tmp_path / "data")


def _break(mission: Mission, statements: str) -> None:
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(statements)


def _run_one(mission: Mission, check_id: str) -> CheckResult:
    (result,) = run_suites(mission, only={check_id})
    return result


SEVERITIES = {check_id: severity for check_id, _, severity, _ in suite_checks()}

# How to break the rules of one stream; {raw} is its table, {first_key} a part of its identity.
BREAK_STREAM = {
    "keys_are_present": "update {raw} set {first_key} = null where rowid = 0",
    "declared_stream_is_not_empty": "update {raw} set is_latest_window = false",
    "quarantine_is_empty": "update raw_mission.windows set fetched = 100, quarantined = 1 "
    "where stream = '{stream}'",
    "quarantine_is_small": "update raw_mission.windows set fetched = 100, quarantined = 6 "
    "where stream = '{stream}'",
    "windows_reconcile": "delete from {raw} where rowid = 0",
}

SCORECARD = "update mart_scorecard set {} where metric_id = '{}' and department_id = 'ALL';"
CDS, INDEX, TTM = "cross_departmental_success", "innovation_index", "time_to_market"

# check id -> what breaks it.
BREAK = {
    "staging_stg_jira__issues__every_issue_arrived": "insert into raw_jira.issues by name "
    "select * replace ('3' as issue_id) from raw_jira.issues limit 1",
    "staging_stg_jira__issues__status_is_present": "update staging.stg_jira__issues "
    "set status = null where issue_id = '1'",
    "staging_stg_jira__issues__issue_type_is_present": "update staging.stg_jira__issues "
    "set issue_type = null where issue_id = '1'",
    "staging_stg_jira__issues__project_key_is_present": "update staging.stg_jira__issues "
    "set project_key = null where issue_id = '1'",
    "staging_stg_jira__issues__created_at_is_plausible": "update staging.stg_jira__issues "
    "set created_at = timestamp '1970-01-01' where issue_id = '1'",
    "staging_stg_jira__issues__resolved_after_created": "update staging.stg_jira__issues "
    "set resolved_at = timestamp '2023-12-31' where issue_id = '1'",
    "staging_stg_jira__issues__due_date_is_plausible": "update staging.stg_jira__issues "
    "set due_date = date '0024-03-01' where issue_id = '1'",
    "staging_stg_jira__issues__parent_is_known": "update staging.stg_jira__issues "
    "set parent_issue_id = '99' where issue_id = '1'",
    "staging_stg_jira__issues__issue_type_is_mapped": "update staging.stg_jira__issues "
    "set issue_type = 'Saga' where issue_id = '1'",
    "staging_stg_jira__issues__status_is_mapped": "update seeds.jira_status_map "
    "set project_key = 'Q' where status = 'Done'",
    "staging_stg_jira__issues__resolution_is_mapped": "update seeds.jira_resolution_map "
    "set source_id = 'other'",
    "raw_jira_changelogs__belongs_to_a_known_issue": "update raw_jira.changelogs "
    "set issue_id = '99' where issue_id = '1'",
    "raw_jira_worklogs__belongs_to_a_known_issue": "update raw_jira.worklogs "
    "set issue_id = '99' where issue_id = '1'",
    "intermediate_int_jira__field_changes__happened_after_creation": "update "
    "intermediate.int_jira__field_changes set created_at = timestamp '2023-12-31'",
    "staging_stg_jira__worklogs__worklog_hours_is_in_range": "update staging.stg_jira__worklogs "
    "set worklog_hours = 25",
    "staging_stg_crm__deals__dates_are_plausible": "update staging.stg_crm__deals "
    "set closed_at = timestamp '2023-01-01' where deal_id = 'd1'",
    "staging_stg_crm__deals__amount_is_not_negative": "update staging.stg_crm__deals "
    "set amount = -1",
    "staging_stg_crm__deals__currency_is_a_code": "update staging.stg_crm__deals "
    "set currency = 'Euro'",
    "staging_stg_crm__deals__stage_is_mapped": "update staging.stg_crm__deals "
    "set stage = 'dreamt of'",
    "staging_stg_crm__deals__won_deals_are_closed": "update staging.stg_crm__deals "
    "set closed_at = null",
    "staging_stg_crm__deals__account_is_known": "update staging.stg_crm__deals "
    "set account_id = 'a9'",
    "staging_stg_crm__surveys__instrument_is_known": "update staging.stg_crm__surveys "
    "set instrument = 'ces' where response_id = 'r1'",
    "staging_stg_crm__surveys__score_is_on_its_scale": "update staging.stg_crm__surveys "
    "set score = 11 where response_id = 'r2'",
    "staging_stg_crm__surveys__scores_off_their_scale_are_rare": "update "
    "staging.stg_crm__surveys set score = -1 where response_id in ('r1', 'r2', 'r3')",
    "staging_stg_crm__surveys__nps_scale_is_ten": "update staging.stg_crm__surveys "
    "set scale_max = 5 where response_id = 'r2'",
    "staging_stg_hr__employees__employment_is_not_negative": "update staging.stg_hr__employees "
    "set terminated_on = date '2019-01-01'",
    "staging_stg_hr__departments__function_is_known": "update staging.stg_hr__departments "
    "set function = 'magic'",
    "staging_stg_hr__department_history__posts_have_a_duration": "update "
    "staging.stg_hr__department_history set to_date = from_date",
    "staging_stg_hr__department_history__fte_and_share_are_plausible": "update "
    "staging.stg_hr__department_history set share = 40",
    "staging_stg_hr__department_history__employee_is_known": "update "
    "staging.stg_hr__department_history set employee_id = 'e9' where employee_id = 'e1'",
    "staging_stg_hr__department_history__department_is_known": "update "
    "staging.stg_hr__department_history set department_id = 'x9' where employee_id = 'e1'",
    "dim_worker_assignment__fte_weight_is_in_range": "update dim_worker_assignment "
    "set fte_weight = 1.5 where person_key = 'p2'",
    # The first day on which the sum is wrong is the day after p2's assignment would have ended.
    "dim_worker_assignment__weights_of_a_day_sum_to_one": "update dim_worker_assignment "
    "set valid_to = date '2022-01-01' where person_key = 'p1' and fte_weight = 0.4",
    "dim_worker_assignment__intervals_have_a_duration": "update dim_worker_assignment "
    "set valid_to = valid_from where person_key = 'p2'",
    "dim_worker_assignment__fte_is_in_range": "update dim_worker_assignment set fte = 40",
    "fct_work_item__is_not_empty": "delete from fct_work_item",
    "fct_work_item__every_staged_issue_is_a_work_item": "insert into fct_work_item "
    "select * from fct_work_item limit 1",
    "fct_work_item__phase_is_known": "update fct_work_item set phase = 'limbo'",
    "fct_work_item__nothing_happens_after_as_of": "update fct_work_item "
    "set done_at = timestamp '2025-01-01' where issue_id = '1'",
    "fct_work_item__created_at_is_plausible": "update fct_work_item "
    "set created_at = timestamp '1970-01-01'",
    "fct_work_item__steps_follow_creation": "update fct_work_item "
    "set done_at = timestamp '2023-12-31'",
    "fct_work_item__elapsed_days_is_in_range": "update fct_work_item set elapsed_days = -1",
    "fct_work_item__working_days_is_in_range": "update fct_work_item set working_days = -1",
    "fct_work_item__working_days_fit_elapsed_days": "update fct_work_item set working_days = 33",
    "fct_work_item__reopen_count_is_in_range": "update fct_work_item set reopen_count = -1",
    "fct_work_item__story_points_is_in_range": "update fct_work_item set story_points = -1",
    "fct_status_span__is_not_empty": "delete from fct_status_span",
    "fct_status_span__phase_is_known": "update fct_status_span set phase = 'limbo'",
    "fct_status_span__spans_tile_an_issues_life": "update fct_status_span "
    "set exited_at = timestamp '2024-01-04' where exited_at is not null",
    "fct_status_span__spans_are_not_negative": "update fct_status_span "
    "set entered_at = timestamp '2024-01-06' where exited_at is not null",
    "fct_status_span__exactly_one_span_is_current": "update fct_status_span set is_current = true",
    "fct_status_span__every_work_item_has_spans": "delete from fct_status_span "
    "where issue_id = '2'",
    "fct_status_span__nothing_happens_after_as_of": "update fct_status_span "
    "set entered_at = timestamp '2025-01-01' where is_current",
    "fct_contribution__is_not_empty": "delete from fct_contribution",
    "fct_contribution__effort_days_is_in_range": "update fct_contribution set effort_days = -0.1",
    "fct_contribution__a_day_holds_one_day_of_effort": "update fct_contribution "
    "set effort_days = 0.6 where effort_days = 0.5",
    "fct_contribution__events_have_no_effort": "update fct_contribution "
    "set effort_days = 0.1 where evidence = 'event'",
    "fct_contribution__logged_hours_fit_a_day": "update fct_contribution set worklog_hours = 25",
    "fct_contribution__nothing_happens_after_as_of": "update fct_contribution "
    "set work_date = date '2025-01-02'",
    f"fct_{CDS}__effective_departments_is_in_range": f"update fct_{CDS} "
    "set effective_departments = 0.9",
    f"fct_{CDS}__second_share_is_in_range": f"update fct_{CDS} set second_share = 0.51",
    f"fct_{CDS}__people_n_is_in_range": f"update fct_{CDS} set people_n = -1",
    f"fct_{CDS}__baseline_changes_n_is_in_range": f"update fct_{CDS} set baseline_changes_n = -1",
    f"fct_{CDS}__scope_ratio_is_in_range": f"update fct_{CDS} set scope_ratio = 1.1",
    f"fct_{CDS}__size_class_is_known": f"update fct_{CDS} set size_class = 'XL'",
    f"fct_{CDS}__decision_reason_is_known": f"update fct_{CDS} set decision_reason = 'vibes'",
    f"fct_{CDS}__decisions_have_a_day_and_a_reason": f"update fct_{CDS} set decided_on = null",
    f"fct_{CDS}__crossing_needs_two_people_and_departments": f"update fct_{CDS} set people_n = 1",
    f"fct_{CDS}__success_has_no_failed_part": f"update fct_{CDS} set is_on_time_latest = false",
    f"fct_{CDS}__cancelled_is_not_delivered": f"update fct_{CDS} set decision_reason = 'cancelled'",
    **{
        f"fct_innovation_index__{column}_is_in_range": "update fct_innovation_index "
        f"set {column} = {value}"
        for column, value in {
            "v": 1.1,
            "c": -0.1,
            "e": 1.1,
            "x": -0.1,
            "index_value": 101,
            "ideas_n": -1,
            "ideas_per_100_people": -1,
        }.items()
    },
    "fct_innovation_index__no_index_without_its_components": "update fct_innovation_index "
    "set v = null",
    "fct_innovation_index__index_is_a_mean_of_its_components": "update fct_innovation_index "
    "set index_value = 24",
    "fct_innovation_index__sensitivity_holds_the_index": "update fct_innovation_index "
    "set sensitivity_low = 50",
    **{
        f"fct_time_to_market__{column}_is_in_range": f"update fct_time_to_market "
        f"set {column} = -0.1"
        for column in ("elapsed_days", "working_days", "idea_elapsed_days", "flow_efficiency")
    },
    "fct_time_to_market__availability_follows_approval": "update fct_time_to_market "
    "set approved_at = timestamp '2024-02-02'",
    "fct_time_to_market__delivered_means_available": "update fct_time_to_market set event = 'open'",
    "fct_time_to_market__working_days_fit_elapsed_days": "update fct_time_to_market "
    "set working_days = 33",
    "fct_time_to_market__nothing_happens_after_as_of": "update fct_time_to_market "
    "set available_at = timestamp '2025-01-01'",
    "fct_time_to_market__start_follows_approval": "update fct_time_to_market "
    "set started_at = timestamp '2023-12-31'",
    "mart_scorecard__is_not_empty": "delete from mart_scorecard",
    "mart_scorecard__as_of_is_present": SCORECARD.format("as_of = null", CDS),
    "mart_scorecard__coverage_is_in_range": SCORECARD.format("coverage = 1.1", CDS),
    "mart_scorecard__n_is_in_range": SCORECARD.format("n = -1", CDS),
    "mart_scorecard__censored_n_is_in_range": SCORECARD.format("censored_n = -1", CDS),
    "mart_scorecard__undetermined_n_is_in_range": SCORECARD.format("undetermined_n = -1", CDS),
    "mart_scorecard__values_lie_within_their_bounds": SCORECARD.format("ci_high = 1.01", CDS),
    "mart_scorecard__ratios_follow_from_their_parts": SCORECARD.format("numerator = 14", CDS),
    "mart_scorecard__intervals_are_ordered": SCORECARD.format(
        "ci_low = ci_high, ci_high = ci_low", CDS
    ),
    "mart_scorecard__intervals_hold_their_value": SCORECARD.format("ci_low = 0.76", CDS),
    "mart_scorecard__bootstrap_intervals_hold_their_value": SCORECARD.format("ci_low = 48", INDEX),
    "mart_scorecard__missing_values_are_explained": SCORECARD.format("status_reason = null", TTM),
    "mart_scorecard__no_value_without_evidence": SCORECARD.format("n = 0", CDS),
    "mart_scorecard__suppressed_cells_show_nothing": SCORECARD.format(
        "status_reason = 'suppressed: fewer than 5 people', value = null", CDS
    ),
    "mart_scorecard__exceptions_give_a_reason": SCORECARD.format("status = 'degraded'", CDS),
    "mart_scorecard__small_cells_are_flagged": SCORECARD.format("n = 9", CDS),
    "mart_scorecard__changes_have_a_baseline": SCORECARD.format("baseline_value = null", CDS),
    "mart_scorecard__significance_matches_its_interval": SCORECARD.format(
        "change_ci_low = -0.05", CDS
    ),
    "mart_scorecard__periods_are_whole": SCORECARD.format("period_start = date '2024-10-02'", CDS),
    "mart_scorecard__one_as_of": SCORECARD.format("as_of = date '2024-12-31'", CDS),
    "mart_scorecard__departments_have_a_company_row": "delete from mart_scorecard "
    f"where metric_id = '{TTM}' and department_id = 'ALL'",
    "meta_quality_result__published_text_holds_no_email": "update dim_initiative "
    "set initiative_name = 'Ask ada.lovelace+it@mail.example.com, she knows'",
    "meta_quality_result__published_text_holds_no_name": "update dim_initiative "
    "set initiative_name = 'Asked by JEAN LUC   de-la Tour!'",
    "meta_quality_result__published_tables_have_no_person_column": "alter table fct_work_item "
    "add column person_key text",
}


def _stream_checks(claim: str) -> dict[str, str]:
    """Check id -> what breaks it, for one rule on every stream."""
    return {
        f"raw_{system}_{stream.name}__{claim}": BREAK_STREAM[claim].format(
            raw=f"raw_{system}.{stream.name}", stream=stream.name, first_key=stream.identity[0]
        )
        for system, streams in STREAMS.items()
        for stream in streams
    }


def test_good_data_passes_every_expectation(mission: Mission) -> None:
    heard: list[CheckResult] = []
    results = run_suites(mission, heard.append)
    assert [r for r in results if not r.passed] == []
    assert [r.check_id for r in results] == [check_id for check_id, *_ in suite_checks()]
    assert heard == results


def test_every_expectation_has_a_way_to_break_it() -> None:
    on_streams = [check_id for claim in BREAK_STREAM for check_id in _stream_checks(claim)]
    assert sorted([*BREAK, *on_streams]) == sorted(SEVERITIES)


@pytest.mark.parametrize("check_id", BREAK)
def test_every_expectation_can_fail(mission: Mission, check_id: str) -> None:
    _break(mission, BREAK[check_id])
    _assert_found_broken(run_suites(mission, only={check_id}), {check_id})


@pytest.mark.parametrize("claim", BREAK_STREAM)
def test_every_expectation_on_a_stream_can_fail(mission: Mission, claim: str) -> None:
    checks = _stream_checks(claim)
    _break(mission, ";".join(checks.values()))
    _assert_found_broken(run_suites(mission, only=checks), set(checks))


def _assert_found_broken(results: list[CheckResult], check_ids: set[str]) -> None:
    assert {r.check_id for r in results} == check_ids
    for result in results:
        assert not result.passed, result
        assert result.severity == SEVERITIES[result.check_id]
        assert "could not be evaluated" not in result.observed, result
        assert result.metrics


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("drop table mart_scorecard", "table main.mart_scorecard does not exist"),
        ("alter table mart_scorecard drop column coverage", "coverage"),
        ("drop table raw_mission.windows", "windows"),
    ],
)
def test_what_cannot_be_evaluated_blocks_and_names_the_cause(
    mission: Mission, statement: str, named: str
) -> None:
    _break(mission, statement)
    broken = [r for r in run_suites(mission) if "could not be evaluated" in r.observed]
    assert broken
    assert all(not r.passed and r.severity == "block" for r in broken)
    assert all(named in r.observed for r in broken), [r.observed for r in broken]


def test_a_mended_snapshot_stops_warning_of_its_old_quarantine(mission: Mission) -> None:
    check_id = "raw_hr_employees__quarantine_is_empty"
    _break(
        mission,
        "update raw_mission.windows set fetched = 3, quarantined = 1 where stream = 'employees'",
    )
    assert not _run_one(mission, check_id).passed
    _break(
        mission,
        """
        update raw_hr.employees set is_latest_window = false;
        insert into raw_hr.employees by name
            select * replace ('hr-000002-employees' as window_id, 2 as window_seq,
                true as is_latest_window) from raw_hr.employees;
        insert into raw_mission.windows
            values ('hr', 'hr', 'employees', 'hr-000002-employees', 2, 2, 2, 0, 'a.jsonl');
        """,
    )
    assert _run_one(mission, check_id).passed


def test_a_snapshot_that_is_refused_whole_still_counts(mission: Mission) -> None:
    _break(
        mission,
        "insert into raw_mission.windows "
        "values ('hr', 'hr', 'employees', 'hr-000002-employees', 2, 2, 0, 2, 'a.jsonl')",
    )
    assert not _run_one(mission, "raw_hr_employees__quarantine_is_small").passed


def test_a_corrected_file_of_the_same_name_mends_an_incremental_stream(mission: Mission) -> None:
    check_id = "raw_jira_issues__quarantine_is_small"
    insert = "insert into raw_mission.windows values ('jira', 'jira', 'issues', "
    _break(mission, insert + "'jira-000002', 2, 5, 4, 1, 'b.jsonl')")
    assert not _run_one(mission, check_id).passed
    _break(mission, insert + "'jira-000003', 3, 5, 5, 0, 'c.jsonl')")
    assert not _run_one(mission, check_id).passed
    _break(mission, insert + "'jira-000004', 4, 5, 5, 0, 'b.jsonl')")
    assert _run_one(mission, check_id).passed


def test_a_stream_that_no_source_declares_may_be_empty(mission: Mission) -> None:
    _break(
        mission,
        "delete from raw_hr.leave; delete from raw_mission.windows where stream = 'leave';"
        "update raw_mission.entities set is_mapped = false where stream = 'leave'",
    )
    results = run_suites(mission, only={c for c, *_ in suite_checks() if "raw_hr_leave" in c})
    assert len(results) == len(BREAK_STREAM)
    assert all(r.passed for r in results)


def test_privacy_fails_where_nobody_can_tell_what_is_public(mission: Mission) -> None:
    (mission.dbt_target / "manifest.json").unlink()
    results = run_suites(mission, only={c for c, *_ in suite_checks() if c.startswith("meta_")})
    assert len(results) == 3
    assert not any(r.passed for r in results)


def test_results_show_examples_but_no_person(mission: Mission) -> None:
    _break(mission, "update fct_contribution set effort_days = 0.9")
    _break(mission, BREAK["meta_quality_result__published_text_holds_no_email"])
    _break(mission, BREAK["staging_stg_jira__issues__issue_type_is_mapped"])
    results = {r.check_id: r for r in run_suites(mission)}
    effort = results["fct_contribution__a_day_holds_one_day_of_effort"]
    assert effort.observed == "1 rows, such as work_date 2024-01-08, people 2"
    email = results["meta_quality_result__published_text_holds_no_email"]
    assert email.observed == (
        "1 rows, such as table_name dim_initiative, column_name initiative_name, row_count 1"
    )
    unmapped = results["staging_stg_jira__issues__issue_type_is_mapped"]
    assert unmapped.observed == "1 rows, such as source_id jira, issue_type Saga, issues 1"


def test_the_warehouse_is_free_again_after_the_suites(mission: Mission) -> None:
    run_suites(mission, only={"mart_scorecard__is_not_empty"})
    _break(mission, "create table proof as select 1")  # same process, other configuration


def test_a_rule_broken_by_many_rows_is_counted_whole(mission: Mission) -> None:
    _break(
        mission,
        "insert into fct_work_item select fct_work_item.* replace "
        "('limbo' as phase) from fct_work_item cross join (from range(20000))",
    )
    result = _run_one(mission, "fct_work_item__phase_is_known")
    assert result.observed.startswith("40000 of 40002 rows, such as limbo; limbo; limbo")


def test_floating_point_and_eastern_zones_are_no_failure(mission: Mission) -> None:
    _break(
        mission,
        "update mart_scorecard set coverage = 1.0000000000000002e0;"
        # 01:00 in Auckland, while as_of is midnight in Greenwich.
        "update fct_contribution set work_date = date '2025-01-01'",
    )
    assert [r for r in run_suites(mission) if not r.passed] == []
