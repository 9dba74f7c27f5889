"""Files as typed records: formats, damage, mapping, the shapes of Jira."""

# Typed columns hold naive UTC, and so do the expectations.

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import MissionError
from dagster_project.settings import Mission
from dagster_project.sources.files import find_files, open_file
from dagster_project.sources.read import check_source, read_records
from dagster_project.sources.rows import Accepted, Refused
from tests.conftest import CRM, HR, JIRA, MakeMission, jira_issue, write_csv, write_jsonl


def read(mission: Mission, entity: str) -> tuple[list[Accepted], list[Refused]]:
    """All records of one entity of the only source."""
    source = mission.sources[0]
    accepted, refused = [], []
    for file in find_files(mission, source, entity):
        with open_file(file) as opened:
            for outcome in read_records(source, entity, file, opened, Counter()):
                if isinstance(outcome, Accepted):
                    accepted.append(outcome)
                else:
                    refused.append(outcome)
    return accepted, refused


def crm(entity: str, **options: Any) -> dict[str, Any]:
    """A CRM source whose required `deals` come from one file and `entity` from another."""
    declared = {"deals": {"path": "deals.csv"}, entity: {"path": f"{entity}.csv", **options}}
    return {**CRM, "entities": declared}


def hr(**options: Any) -> dict[str, Any]:
    history = {"path": "history.csv", **options}
    return {**HR, "entities": {"employees": "employees.csv", "department_history": history}}


# --- folders and formats ---------------------------------------------------------------------


def test_an_empty_folder_is_named(make_mission: MakeMission, files: Path) -> None:
    with pytest.raises(MissionError, match=r"entities\.issues: no file matches `issues\*` in"):
        read(make_mission(JIRA), "issues")


def test_a_missing_folder_is_named(make_mission: MakeMission) -> None:
    with pytest.raises(MissionError, match="the folder of source `jira` does not exist"):
        read(make_mission({**JIRA, "folder": "nowhere"}), "issues")


def test_of_several_declared_files_each_must_exist(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "a.csv", ["account_id"], ["1"])
    mission = make_mission({**CRM, "entities": {"accounts": ["a.csv", "b.csv"]}})
    with pytest.raises(MissionError, match=r"no file matches `b\.csv`"):
        read(mission, "accounts")


def test_an_unknown_suffix_asks_for_the_format(make_mission: MakeMission, files: Path) -> None:
    (files / "accounts.dat").write_text("account_id\n1\n")
    entities = {"accounts": "accounts.dat"}
    with pytest.raises(MissionError, match="set `format`"):
        read(make_mission({**CRM, "entities": entities}), "accounts")
    told = {"accounts": {"path": "accounts.dat", "format": "csv"}}
    assert len(read(make_mission({**CRM, "entities": told}), "accounts")[0]) == 1


def test_csv_jsonl_and_parquet_say_the_same(make_mission: MakeMission, files: Path) -> None:
    values = {"deal_id": 7, "amount": 12.5, "created_at": "2024-01-01T12:00:00", "is_deleted": True}
    write_csv(files / "deals.csv", list(values), list(values.values()))
    write_jsonl(files / "deals.jsonl.gz", [values])
    duckdb.sql(
        "select 7.0::double as deal_id, 12.5::decimal(9, 2) as amount, true as is_deleted, "
        "timestamptz '2024-01-01 13:00:00+01' as created_at"
    ).write_parquet(str(files / "deals.parquet"))
    expected = {
        "deal_id": "7",
        "amount": 12.5,
        "created_at": "2024-01-01T12:00:00.000000",
        "is_deleted": True,
    }
    for name in ("deals.csv", "deals.jsonl.gz", "deals.parquet"):
        accepted, refused = read(make_mission({**CRM, "entities": {"deals": name}}), "deals")
        assert refused == []
        assert accepted[0].payload == expected, name
        assert accepted[0].newest == datetime(2024, 1, 1, 12)


# --- damage ----------------------------------------------------------------------------------


def test_half_a_json_line_is_refused_with_line_and_reason(
    make_mission: MakeMission, files: Path
) -> None:
    whole = json.dumps(jira_issue(1))
    (files / "issues.jsonl").write_text(f"{whole}\n\n{whole[:50]}\n[1]\n{whole}\n")
    accepted, refused = read(make_mission(JIRA), "issues")
    assert [record.line for record in accepted] == [1, 5]
    assert [record.line for record in refused] == [3, 4]
    assert refused[0].reason.startswith("not JSON: ")
    assert "at character" in refused[0].reason
    assert refused[1].reason == "not a JSON object but list"


def test_a_missing_required_column_names_file_column_and_remedy(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "accounts.csv", ["acount_id", "name"], ["1", "x"])
    with pytest.raises(MissionError) as caught:
        read(make_mission(CRM), "accounts")
    assert "accounts.csv: the column `account_id` of the required field" in caught.value.message
    assert "sources.crm.entities.accounts.columns.account_id" in caught.value.remedy
    assert "did you mean `acount_id`?" in caught.value.remedy


def test_a_mapped_optional_column_must_exist(make_mission: MakeMission, files: Path) -> None:
    write_csv(files / "accounts.csv", ["account_id"], ["1"])
    told = {"accounts": {"path": "accounts.csv", "columns": {"name": "Name"}}}
    with pytest.raises(MissionError, match="the column `Name` of the mapped field `name`"):
        read(make_mission({**CRM, "entities": told}), "accounts")


def test_a_mapped_column_that_stands_twice_is_an_error(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "accounts.csv", ["account_id", "account_id"], ["1", "2"])
    with pytest.raises(MissionError, match="stands twice"):
        read(make_mission(CRM), "accounts")


def test_wrong_types_are_refused_with_field_and_reason(
    make_mission: MakeMission, files: Path
) -> None:
    header = ["deal_id", "created_at", "amount"]
    write_csv(
        files / "deals.csv",
        header,
        ["1", "2024-01-01", "10"],
        ["2", "01/02/2024", "10"],
        ["3", "2024-01-01", "ten"],
        ["", "2024-01-01", "10"],
        ["5", "2024-01-01", "nan"],
    )
    accepted, refused = read(make_mission({**CRM, "entities": {"deals": "deals.csv"}}), "deals")
    assert [record.keys["deal_id"] for record in accepted] == ["1"]
    assert [record.line for record in refused] == [3, 4, 5, 6]
    assert "created_at: '01/02/2024' is no time" in refused[0].reason
    assert "`timestamp_format`" in refused[0].reason
    assert "amount: 'ten'" in refused[1].reason
    assert refused[2].reason == "deal_id is missing"
    assert "amount: 'nan'" in refused[3].reason


def test_unquoted_commas_and_broken_quotes_are_refused(
    make_mission: MakeMission, files: Path
) -> None:
    (files / "accounts.csv").write_text(
        'account_id,name\n1,Smith, Jones\n2,"a "b" c"\n3,"two\nlines"\n4\n5,fine\n'
    )
    accepted, refused = read(make_mission(CRM), "accounts")
    assert [(r.line, r.payload["name"]) for r in accepted] == [(4, "two\nlines"), (7, "fine")]
    assert [record.line for record in refused] == [2, 3, 6]
    assert "3 values for 2 columns" in refused[0].reason
    assert "not CSV" in refused[1].reason


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_cp1252_bytes_name_file_line_and_remedy(
    make_mission: MakeMission, files: Path, suffix: str
) -> None:
    content = "account_id,name\n1,plain\n2,Müller\n".encode("cp1252")
    path = files / f"accounts.csv{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    entity: dict[str, Any] = {"path": path.name}
    with pytest.raises(MissionError) as caught:
        read(make_mission({**CRM, "entities": {"accounts": entity}}), "accounts")
    assert caught.value.message == f"{path.name}, line 3: not utf-8"
    assert "set `encoding: cp1252` at sources.crm.entities.accounts" in caught.value.remedy
    entity["encoding"] = "cp1252"
    accepted, _ = read(make_mission({**CRM, "entities": {"accounts": entity}}), "accounts")
    assert accepted[1].payload["name"] == "Müller"


def test_json_lines_in_another_encoding_name_the_line(
    make_mission: MakeMission, files: Path
) -> None:
    lines = [json.dumps(jira_issue(n, summary="ü"), ensure_ascii=False) for n in (1, 2)]
    (files / "issues.jsonl").write_bytes(f"{lines[0]}\n".encode() + lines[1].encode("cp1252"))
    with pytest.raises(MissionError, match=r"issues\.jsonl, line 2: not utf-8"):
        read(make_mission(JIRA), "issues")


def test_excel_byte_order_mark_is_no_part_of_the_first_column(
    make_mission: MakeMission, files: Path
) -> None:
    (files / "accounts.csv").write_bytes(b"\xef\xbb\xbfaccount_id\n1\n")
    assert read(make_mission(CRM), "accounts")[0][0].keys == {"account_id": "1"}


def test_a_truncated_gzip_is_an_error_that_names_the_file(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl.gz", [jira_issue(n, changes=3) for n in range(200)])
    whole = (files / "issues.jsonl.gz").read_bytes()
    (files / "issues.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MissionError, match=r"issues\.jsonl\.gz is a damaged gzip file"):
        read(make_mission(JIRA), "issues")
    (files / "issues.jsonl.gz").write_text("{}")
    with pytest.raises(MissionError, match=r"issues\.jsonl\.gz is a damaged gzip file"):
        read(make_mission(JIRA), "issues")


def test_a_damaged_parquet_file_is_an_error_that_names_the_file(
    make_mission: MakeMission, files: Path
) -> None:
    (files / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(MissionError, match=r"a\.parquet is no readable Parquet file"):
        read(make_mission({**CRM, "entities": {"accounts": "a.parquet"}}), "accounts")


def test_a_csv_without_a_header_is_an_error(make_mission: MakeMission, files: Path) -> None:
    (files / "accounts.csv").touch()
    with pytest.raises(MissionError, match=r"accounts\.csv is empty"):
        read(make_mission(CRM), "accounts")


# --- mapping ---------------------------------------------------------------------------------


def test_columns_constants_nulls_and_formats_are_applied(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(
        files / "history.csv",
        ["Nr", "Dept A", "Dept B", "Von", "Bis", "Salary"],
        ["1", "North", "Sales", "01.02.2024", "31.12.9999", "5000"],
        ["2", "North", "", "01.02.2024", "29.02.2024", "6000"],
    )
    mission = make_mission(
        hr(
            columns={
                "employee_id": "Nr",
                "department_id": ["Dept A", "Dept B"],
                "from_date": "Von",
                "to_date": "Bis",
            },
            constants={"fte": 0.5},
            nulls=["", "31.12.9999"],
            timestamp_format="%d.%m.%Y",
            to_date_inclusive=True,
        )
    )
    accepted, refused = read(mission, "department_history")
    assert refused == []
    assert accepted[0].payload == {
        "employee_id": "1",
        "department_id": "North Sales",
        "from_date": "2024-02-01",
        "fte": 0.5,
    }
    assert accepted[0].keys["from_date"] == date(2024, 2, 1)
    # The last day that counts becomes the first that does not.
    assert accepted[1].payload["to_date"] == "2024-03-01"
    assert accepted[1].payload["department_id"] == "North"


def test_unmapped_columns_of_hr_never_leave_the_reader(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(
        files / "history.csv",
        ["employee_id", "department_id", "from_date", "salary"],
        ["1", "d", "2024-01-01", "777777"],
        ["2", "d", "nonsense", "777777"],
        ["3", "d", "2024-01-01", "777777", "surplus"],
    )
    accepted, refused = read(make_mission(hr()), "department_history")
    assert (len(accepted), len(refused)) == (1, 2)
    assert "777777" not in repr(accepted + refused)


def test_an_interval_that_runs_backwards_is_refused(make_mission: MakeMission, files: Path) -> None:
    header = ["employee_id", "department_id", "from_date", "to_date"]
    write_csv(
        files / "history.csv",
        header,
        ["1", "d", "2024-02-01", "2024-01-01"],
        ["1", "d", "2024-02-01", "9999-12-31"],
    )
    _, refused = read(make_mission(hr(to_date_inclusive=True)), "department_history")
    assert "to_date: '2024-01-01' is before the interval's start 2024-02-01" in refused[0].reason
    assert "list 9999-12-31 under `nulls`" in refused[1].reason


def test_a_survey_score_lies_on_its_scale(make_mission: MakeMission, files: Path) -> None:
    header = ["response_id", "instrument", "score", "scale_max", "responded_at"]
    write_csv(
        files / "surveys.csv",
        header,
        ["1", "NPS", "10", "10", "2024-01-01"],
        ["2", "nps", "11", "10", "2024-01-01"],
        ["3", "stars", "1", "5", "2024-01-01"],
    )
    accepted, refused = read(make_mission(crm("surveys")), "surveys")
    assert accepted[0].payload["instrument"] == "nps"
    assert "score: '11' is above scale_max 10" in refused[0].reason
    assert "instrument" in refused[1].reason


def test_naive_times_are_read_in_the_zone_of_the_source(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "deals.csv", ["deal_id", "created_at"], ["1", "2024-07-01 12:00:00"])
    source = {**CRM, "timezone": "America/New_York", "entities": {"deals": "deals.csv"}}
    accepted, _ = read(make_mission(source), "deals")
    assert accepted[0].payload["created_at"] == "2024-07-01T16:00:00.000000"


# --- Jira ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2024-03-01T10:00:00.000-0500", datetime(2024, 3, 1, 15)),
        ("2024-03-01T10:00:00.000+0000", datetime(2024, 3, 1, 10)),
        ("2024-03-01T10:00:00.000+0800", datetime(2024, 3, 1, 2)),
        ("2024-03-01T10:00:00Z", datetime(2024, 3, 1, 10)),
        ("2024-03-01T10:00:00.123+08:00", datetime(2024, 3, 1, 2, 0, 0, 123_000)),
    ],
)
def test_offsets_become_utc(
    make_mission: MakeMission, files: Path, written: str, utc: datetime
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1, created=written)])
    accepted, _ = read(make_mission(JIRA), "issues")
    assert accepted[0].keys["created_at"] == utc


def test_an_issue_is_taken_apart_and_loses_its_texts(
    make_mission: MakeMission, files: Path
) -> None:
    issue = jira_issue(
        1,
        changes=2,
        worklog={
            "total": 1,
            "worklogs": [{"id": "5", "started": "2024-01-03T09:00:00.000+0100", "comment": "text"}],
        },
        comment={
            "comments": [
                {"id": "6", "created": "2024-01-04T09:00:00Z", "body": "text", "author": {"key": 1}}
            ]
        },
    )
    issue["renderedFields"] = {"description": "<p>a secret text</p>"}
    write_jsonl(files / "issues.jsonl", [issue])
    accepted, refused = read(make_mission(JIRA), "issues")
    assert refused == []
    assert [r.stream for r in accepted] == [
        "changelogs",
        "changelogs",
        "worklogs",
        "comments",
        "issues",
    ]
    assert accepted[0].keys == {
        "issue_id": "10001",
        "history_id": "100",
        "created_at": datetime(2024, 1, 5),
    }
    assert accepted[0].payload["author"] == {"accountId": "u1"}
    assert accepted[2].keys["started_at"] == datetime(2024, 1, 3, 8)
    assert accepted[3].payload == {
        "id": "6",
        "created": "2024-01-04T09:00:00Z",
        "author": {"key": 1},
    }
    told = json.dumps([dict(record.payload) for record in accepted])
    assert "text" not in told
    assert accepted[-1].payload["fields"]["worklog"] == {"total": 1}


def test_an_issue_without_changelog_is_fine(make_mission: MakeMission, files: Path) -> None:
    issues = [jira_issue(1), jira_issue(2, worklog=None, comment=None)]
    issues[1]["changelog"] = None
    write_jsonl(files / "issues.jsonl", issues)
    accepted, refused = read(make_mission(JIRA), "issues")
    assert (len(accepted), refused) == (2, [])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (("id",), "id is missing"),
        (("fields", "created"), "fields.created is missing"),
        (("fields", "status"), "fields.status is missing"),
        (("fields", "issuetype", "name"), "fields.issuetype.name is missing"),
        (("fields", "project", "key"), "fields.project.key is missing"),
    ],
)
def test_an_issue_without_a_required_field_is_refused(
    make_mission: MakeMission, files: Path, path: tuple[str, ...], reason: str
) -> None:
    issue = jira_issue(1)
    holder = issue
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    write_jsonl(files / "issues.jsonl", [issue])
    accepted, refused = read(make_mission(JIRA), "issues")
    assert (accepted, [r.reason for r in refused]) == ([], [reason])


def test_a_bad_history_is_refused_and_its_issue_stays(
    make_mission: MakeMission, files: Path
) -> None:
    issue = jira_issue(1, changes=2)
    issue["changelog"]["histories"][0]["created"] = "yesterday"
    issue["changelog"]["histories"].append("nonsense")
    write_jsonl(files / "issues.jsonl", [issue])
    accepted, refused = read(make_mission(JIRA), "issues")
    assert [r.stream for r in accepted] == ["changelogs", "issues"]
    assert refused[0].reason.startswith("issue 10001: created: 'yesterday' is no time")
    assert refused[1].reason == "not a JSON object but str"


def test_cut_short_changelogs_are_counted(make_mission: MakeMission, files: Path) -> None:
    issue = jira_issue(1, changes=2)
    issue["changelog"]["total"] = 60
    write_jsonl(files / "issues.jsonl", [issue])
    mission = make_mission(JIRA)
    cut_short: Counter[str] = Counter()
    file = find_files(mission, mission.sources[0], "issues")[0]
    with open_file(file) as opened:
        list(read_records(mission.sources[0], "issues", file, opened, cut_short))
    assert cut_short == {"changelogs": 1}


def test_changelogs_come_alone_or_as_bulk_answers(make_mission: MakeMission, files: Path) -> None:
    history = {"id": "1", "created": "2024-01-01T00:00:00.000+0000", "items": []}
    epoch = {"id": "2", "created": 1_704_067_200_000, "items": []}
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    write_jsonl(
        files / "changelogs.jsonl",
        [
            {"issueId": 7, **history},
            {"issue_id": "8", **history},
            {"issueId": "9", "changeHistories": [history, epoch]},
            {"issueChangeLogs": [{"issueId": "10", "changeHistories": [epoch]}]},
            {"changeHistories": [history]},
        ],
    )
    entities = {"issues": "issues.jsonl", "changelogs": "changelogs.jsonl"}
    accepted, refused = read(make_mission({**JIRA, "entities": entities}), "changelogs")
    found = [(r.keys["issue_id"], r.keys["history_id"]) for r in accepted]
    assert found == [("7", "1"), ("8", "1"), ("9", "1"), ("9", "2"), ("10", "2")]
    assert {r.keys["created_at"] for r in accepted} == {datetime(2024, 1, 1)}
    assert [r.reason for r in refused] == ["issueId is missing"]


def test_a_json_column_of_a_table_holds_the_record(make_mission: MakeMission, files: Path) -> None:
    csv.field_size_limit(131_072)  # the default, which the third record exceeds
    write_csv(
        files / "issues.csv",
        ["n", "data"],
        ["1", json.dumps(jira_issue(1))],
        ["2", "{broken"],
        ["3", json.dumps(jira_issue(3, customfield_1="x" * 200_000))],
    )
    told = {"issues": {"path": "issues.csv", "json_column": "data"}}
    accepted, refused = read(make_mission({**JIRA, "entities": told}), "issues")
    assert [r.keys["issue_key"] for r in accepted] == ["AB-1", "AB-3"]
    assert [r.line for r in refused] == [3]
    told["issues"]["json_column"] = "dta"
    with pytest.raises(MissionError, match=r"no column `dta`(.|\n)*did you mean `data`"):
        read(make_mission({**JIRA, "entities": told}), "issues")


def test_a_jira_table_without_json_column_asks_for_it(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "issues.csv", ["id"], ["1"])
    with pytest.raises(MissionError, match="set `json_column`"):
        read(make_mission(JIRA), "issues")


def test_nonsense_inside_a_record_never_stops_the_reader(
    make_mission: MakeMission, files: Path
) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    write_jsonl(
        files / "changelogs.jsonl",
        [
            {"issueChangeLogs": [None]},
            {"issueId": "1", "changeHistories": None},
            {"issueId": "1", "changeHistories": [{"id": "1", "created": 1e308}]},
            {"issueId": "1", "id": "1", "created": "0001-01-01T00:00:00+1400"},
        ],
    )
    entities = {"issues": "issues.jsonl", "changelogs": "changelogs.jsonl"}
    accepted, refused = read(make_mission({**JIRA, "entities": entities}), "changelogs")
    assert (accepted, [r.line for r in refused]) == ([], [1, 2, 3, 4])
    write_jsonl(
        files / "issues.jsonl",
        [
            jira_issue(1, comment=[], worklog={"worklogs": "none", "total": "many"}),
            {**jira_issue(2), "changelog": {"histories": 5}},
        ],
    )
    accepted, refused = read(make_mission(JIRA), "issues")
    assert [r.stream for r in accepted] == ["issues", "issues"]
    assert [r.stream for r in refused] == ["worklogs", "changelogs"]


def test_a_pattern_that_is_none_is_an_error(make_mission: MakeMission, files: Path) -> None:
    told = {"accounts": "**.csv"}
    with pytest.raises(MissionError, match=r"`\*\*\.csv` is no pattern"):
        read(make_mission({**CRM, "entities": told}), "accounts")


def test_accounts_of_cloud_and_server_have_an_id(make_mission: MakeMission, files: Path) -> None:
    write_jsonl(files / "issues.jsonl", [jira_issue(1)])
    write_jsonl(
        files / "users.jsonl",
        [{"accountId": "a", "avatarUrls": {}}, {"key": "k", "name": "n"}, {"displayName": "x"}],
    )
    entities = {"issues": "issues.jsonl", "users": "users.jsonl"}
    accepted, refused = read(make_mission({**JIRA, "entities": entities}), "users")
    assert [r.keys["user_id"] for r in accepted] == ["a", "k"]
    assert "avatarUrls" not in accepted[0].payload
    assert "has neither accountId nor key nor name" in refused[0].reason


# --- trial read ------------------------------------------------------------------------------


def test_a_check_counts_and_explains_without_writing(
    make_mission: MakeMission, files: Path
) -> None:
    write_csv(files / "accounts.csv", ["account_id", "created_at"], ["1", ""], ["2", "soon"])
    mission = make_mission(CRM)
    (found,) = check_source(mission, mission.sources[0])
    assert (found.files, found.accepted, found.refused) == (1, 1, 1)
    assert found.refusals[0].startswith("accounts.csv, line 3: created_at: 'soon'")
    assert "name" in found.absent
    assert "account_id" not in found.absent
    assert not mission.storage.exists()
