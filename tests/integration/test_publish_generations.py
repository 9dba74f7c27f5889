"""Publication: what a generation holds, who may not publish, and what readers see meanwhile.

Belongs here: publish() against small warehouses made by DuckDB, killed processes and full disks
included. Does not belong here: which checks there are (test_quality_suites.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import dagster_project.publish.generations
from dagster_project.errors import MissionError
from dagster_project.publish.generations import (
    Generation,
    PublicationBlocked,
    current,
    generations,
    publish,
)
from dagster_project.quality.results import CheckResult, record
from dagster_project.settings import Mission

RUN = "run-1"
ROWS = 1_000

WAREHOUSE = f"""
create schema raw_mission;
create table raw_mission.build as
    select timestamp '2024-12-31 23:00:00' as as_of, date '2025-01-01' as as_of_date;
create table raw_mission.windows as
    select 'jira' as system, 'jira' as source_id, 'issues' as stream, 'w' as window_id,
        1::bigint as window_seq, 2::bigint as loaded, timestamp '2024-12-30' as newest_record_at;
create schema staging;
create table staging.stg_jira__issues as select 1 as secret;
create table dim_person as select 'p1' as person_key;
create table fct_contribution as select 'p1' as person_key, 1.0 as effort_days;
-- Both tables carry the number of the build: a reader who sees two numbers saw a torn publication.
create table fct_work_item as
    select 0 as build, i as issue_id, 'Grüße, "Jörg"' as status from range({ROWS}) as n(i);
create view mart_scorecard as
    select build, count(*) as n from bi.main.fct_work_item group by build;
"""


def _mission(storage: Path, keep: int = 7) -> Mission:
    organisation = {"name": "X", "vision": "Y", "timezone": "UTC", "currency": "EUR"}
    source = {"id": "jira", "system": "jira", "folder": ".", "entities": {"issues": "*.jsonl"}}
    return Mission.model_validate(
        {
            "organisation": organisation,
            "storage": storage,
            "publication": {"keep": keep},
            "sources": [source],
        }
    )


def _model(name: str, access: str = "public", schema: str = "main") -> dict[str, object]:
    return {
        "resource_type": "model",
        "name": name,
        "schema": schema,
        "access": access,
        "description": f"One row per {name}'s key.",
        "columns": {"build": {"description": "The number of the build."}, "gone": {}},
        "config": {"materialized": "table"},
    }


def _write_manifest(mission: Mission, *models: dict[str, object]) -> None:
    mission.dbt_target.mkdir(exist_ok=True)
    nodes = {f"model.m.{model['name']}": model for model in models}
    (mission.dbt_target / "manifest.json").write_text(json.dumps({"nodes": nodes}))


def _check(check_id: str = "a__holds", **changes: object) -> CheckResult:
    values: dict[str, object] = {
        "check_id": check_id,
        "check_kind": "expectation",
        "suite": "a",
        "asset": "main.fct_work_item",
        "severity": "block",
        "passed": True,
        "observed": "0 rows",
        "expected": "no row",
        "description": "It holds.",
    }
    return CheckResult(**{**values, **changes})  # type: ignore[arg-type]


def _prepare(storage: Path, keep: int = 7) -> Mission:
    mission = _mission(storage, keep)
    mission.warehouse_path.parent.mkdir(parents=True)
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(WAREHOUSE)
    _write_manifest(
        mission,
        _model("fct_work_item"),
        _model("mart_scorecard"),
        _model("dim_person", access="protected"),
        _model("fct_contribution", access="protected"),
        _model("stg_jira__issues", access="public", schema="staging"),
    )
    record(mission, RUN, [_check(), _check("b__warns", severity="warn", passed=False)])
    return mission


@pytest.fixture
def mission(tmp_path: Path) -> Mission:
    """A warehouse whose run may be published."""
    return _prepare(tmp_path / "data")


def _rebuild(mission: Mission, build: int) -> None:
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute("update fct_work_item set build = ?", [build])


def _tables(database: Path) -> dict[tuple[str, str], str]:
    with duckdb.connect(str(database), read_only=True) as reader:
        rows = reader.execute(
            "select table_schema, table_name, table_type from information_schema.tables"
        ).fetchall()
    return {(schema, name): kind for schema, name, kind in rows}


def _assert_whole(generation: Generation) -> None:
    """Every file is what the manifest says, and there is no other."""
    manifest = json.loads((generation.path / "manifest.json").read_text())
    found = {
        file.relative_to(generation.path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in generation.path.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    assert found == {name: told["sha256"] for name, told in manifest["files"].items()}
    assert set(found) == {
        "bi.duckdb",
        "parquet/fct_work_item.parquet",
        "parquet/mart_scorecard.parquet",
    }


def _assert_tidy(mission: Mission) -> None:
    odd = [p.name for p in mission.published.iterdir() if not p.name.startswith("generation-")]
    assert odd in (["current"], [])
    for generation in generations(mission):
        _assert_whole(generation)


def test_a_generation_holds_the_public_tables_and_no_other(mission: Mission) -> None:
    generation = publish(mission, RUN)
    assert _tables(generation.database) == {
        ("main", "fct_work_item"): "BASE TABLE",
        ("main", "mart_scorecard"): "BASE TABLE",  # a view in the warehouse
        ("meta", "publication"): "BASE TABLE",
        ("meta", "quality_result"): "BASE TABLE",
    }
    assert generation.rows == {"fct_work_item": ROWS, "mart_scorecard": 1}
    assert generation.id == "20250101-0001"
    assert generation.as_of_date == date(2025, 1, 1)
    assert (generation.checks_passed, generation.checks_warned) == (1, 1)
    assert current(mission) == generation
    _assert_whole(generation)
    _assert_tidy(mission)


def test_the_parquet_files_hold_the_same_rows(mission: Mission) -> None:
    generation = publish(mission, RUN)
    with duckdb.connect(str(generation.database), read_only=True) as reader:
        for table in generation.rows:
            file = generation.path / "parquet" / f"{table}.parquet"
            assert (
                reader.execute(f"select * from '{file}'").fetchall()
                == reader.execute(f"select * from {table}").fetchall()
            )


def test_the_published_file_tells_where_it_comes_from(mission: Mission) -> None:
    generation = publish(mission, RUN)
    with duckdb.connect(str(generation.database), read_only=True) as reader:
        row = reader.execute("from meta.publication").fetchone()
        columns = [column[0] for column in reader.description]
        checks = reader.execute("select check_id, passed from meta.quality_result").fetchall()
        comment = reader.execute(
            "select comment from duckdb_tables() where table_name = 'fct_work_item'"
        ).fetchone()
        column_comment = reader.execute(
            "select comment from duckdb_columns() "
            "where table_name = 'fct_work_item' and column_name = 'build'"
        ).fetchone()
    publication = dict(zip(columns, row, strict=True))
    assert publication["generation_id"] == generation.id
    assert publication["run_id"] == RUN
    assert publication["as_of"] == generation.as_of
    assert publication["duckdb_version"] == duckdb.__version__
    assert json.loads(publication["tables"]) == generation.rows
    assert json.loads(publication["inputs"])[0]["loaded"] == 2
    assert checks == [("a__holds", True), ("b__warns", False)]
    assert comment == ("One row per fct_work_item's key.",)
    assert column_comment == ("The number of the build.",)


def test_files_are_read_only_and_there_is_no_write_ahead_log(mission: Mission) -> None:
    generation = publish(mission, RUN)
    files = [path for path in generation.path.rglob("*") if path.is_file()]
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o444}
    assert not [file for file in files if file.suffix == ".wal"]
    with (
        duckdb.connect(str(generation.database), read_only=True) as reader,
        pytest.raises(duckdb.Error),
    ):
        reader.execute("delete from fct_work_item")


def test_the_link_is_relative_so_that_the_folder_can_be_moved(
    mission: Mission, tmp_path: Path
) -> None:
    publish(mission, RUN)
    moved = tmp_path / "elsewhere"
    mission.published.rename(moved)
    with duckdb.connect(str(moved / "current" / "bi.duckdb"), read_only=True) as reader:
        assert reader.execute("select n from mart_scorecard").fetchone() == (ROWS,)


def test_the_same_warehouse_gives_the_same_tables(mission: Mission) -> None:
    first, second = publish(mission, RUN), publish(mission, RUN)
    files = [
        json.loads((generation.path / "manifest.json").read_text())["files"]
        for generation in (first, second)
    ]
    for name in ("parquet/fct_work_item.parquet", "parquet/mart_scorecard.parquet"):
        assert files[0][name] == files[1][name]


def test_a_failed_blocking_check_stops_publication(mission: Mission) -> None:
    before = publish(mission, RUN)
    failed = _check("c__fails", passed=False, observed="7 rows")
    record(mission, "run-2", [_check(), failed])
    with pytest.raises(PublicationBlocked, match=r"c__fails on main\.fct_work_item: 7 rows") as e:
        publish(mission, "run-2")
    assert e.value.checks == ("c__fails",)
    assert current(mission) == before
    assert generations(mission) == [before]


@pytest.mark.parametrize("forget", ["delete from meta.quality_result", "drop schema meta cascade"])
def test_a_run_without_results_is_blocked(mission: Mission, forget: str) -> None:
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(forget)
    with pytest.raises(PublicationBlocked, match="no recorded check"):
        publish(mission, RUN)
    assert current(mission) is None


def test_the_results_of_another_run_open_no_gate(mission: Mission) -> None:
    with pytest.raises(PublicationBlocked, match="run-9 has no recorded check"):
        publish(mission, "run-9")


def test_a_person_grain_table_marked_public_is_refused(mission: Mission) -> None:
    _write_manifest(mission, _model("fct_work_item"), _model("dim_person"))
    with pytest.raises(MissionError, match="dim_person holds one row per person"):
        publish(mission, RUN)
    assert current(mission) is None


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "no public model"),
        ([_model("dim_person", access="protected")], "no public model"),
        ([_model("fct_gone")], "fct_gone public, but the warehouse has none"),
    ],
)
def test_nothing_to_publish_is_an_error(
    mission: Mission, models: list[dict[str, object]], message: str
) -> None:
    _write_manifest(mission, *models)
    with pytest.raises(MissionError, match=message):
        publish(mission, RUN)
    assert not mission.published.exists() or not list(mission.published.iterdir())


def test_a_missing_manifest_or_warehouse_is_an_error_with_a_remedy(mission: Mission) -> None:
    (mission.dbt_target / "manifest.json").unlink()
    with pytest.raises(MissionError, match=r"(?s)manifest\.json is missing.*mission refresh"):
        publish(mission, RUN)
    mission.warehouse_path.unlink()
    with pytest.raises(MissionError, match=r"(?s)bi\.duckdb does not exist.*mission refresh"):
        publish(mission, RUN)


def test_generations_are_numbered_on_and_pruned_by_age(tmp_path: Path) -> None:
    mission = _prepare(tmp_path / "data", keep=3)
    for _ in range(5):
        newest = publish(mission, RUN)
    assert [g.id[-4:] for g in generations(mission)] == ["0003", "0004", "0005"]
    # Rolling the readers back to an old generation does not restart the count.
    link = mission.published / "current"
    link.unlink()
    link.symlink_to("generation-20250101-0003")
    assert current(mission) == generations(mission)[0]
    assert publish(mission, RUN).number == newest.number + 1
    assert [g.number for g in generations(mission)] == [4, 5, 6]


def test_the_generation_before_the_current_one_stays(tmp_path: Path) -> None:
    mission = _prepare(tmp_path / "data", keep=1)
    for _ in range(3):
        publish(mission, RUN)
    assert [g.number for g in generations(mission)] == [2, 3]


def test_an_earlier_as_of_is_still_the_newer_generation(tmp_path: Path) -> None:
    mission = _prepare(tmp_path / "data", keep=2)
    publish(mission, RUN)
    publish(mission, RUN)
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute("update raw_mission.build set as_of_date = date '2020-02-02'")
    backdated = publish(mission, RUN)
    assert backdated.id == "20200202-0003"
    assert current(mission) == backdated
    assert [g.number for g in generations(mission)] == [2, 3]


def test_a_taken_name_is_not_reused(mission: Mission) -> None:
    (mission.published / "generation-20250101-0041").mkdir(parents=True)  # not even complete
    assert publish(mission, RUN).id == "20250101-0042"
    assert [g.number for g in generations(mission)] == [42]


def test_a_directory_called_current_is_refused(mission: Mission) -> None:
    (mission.published / "current").mkdir(parents=True)
    with pytest.raises(MissionError, match="is not a link"):
        publish(mission, RUN)


def test_a_link_that_leads_nowhere_is_an_error_and_the_next_publication_mends_it(
    mission: Mission,
) -> None:
    mission.published.mkdir()
    (mission.published / "current").symlink_to("generation-20250101-0001")
    with pytest.raises(MissionError, match="which is not there"):
        current(mission)
    assert current(mission) if publish(mission, RUN) else None


def test_what_a_killed_publication_left_is_removed(mission: Mission) -> None:
    publish(mission, RUN)
    for name in (".building-20250101-0002", ".removing-generation-20240101-0001"):
        (mission.published / name / "parquet").mkdir(parents=True)
        (mission.published / name / "parquet" / "x.parquet").touch(mode=0o444)
    (mission.published / ".linking-generation-20250101-0002").symlink_to("nowhere")
    publish(mission, RUN)
    _assert_tidy(mission)


def test_a_writer_in_the_warehouse_is_a_clear_error(mission: Mission) -> None:
    code = f"""
import duckdb, sys
held = duckdb.connect({str(mission.warehouse_path)!r})
print("held", flush=True)
sys.stdin.read()
"""
    with _python(code, stdin=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MissionError, match="nothing else writes to the warehouse"):
            publish(mission, RUN)
        holder.kill()
    assert not list(mission.published.iterdir())


# --- processes ---


PUBLISH = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_publish_generations import _mission, RUN
from dagster_project.publish.generations import publish
mission = _mission(Path({storage!r}), keep={keep})
print("ready", flush=True)
{then}
"""


@contextlib.contextmanager
def _python(code: str, **options: int):  # type: ignore[no-untyped-def]
    """A child process running `code`; killed at the end whatever happens."""
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def _child(mission: Mission, then: str) -> str:
    return PUBLISH.format(
        tests=str(Path(__file__).parent),
        storage=str(mission.storage),
        keep=mission.publication.keep,
        then=then,
    )


def test_a_kill_at_any_point_leaves_a_valid_generation_current(mission: Mission) -> None:
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:  # a publication worth killing
        warehouse.execute(
            "insert into fct_work_item select 0, i, md5(i::text) from range(300000) as n(i)"
        )
    started = time.monotonic()
    publish(mission, RUN)
    duration = time.monotonic() - started
    rng = random.Random(20250101)
    interrupted = 0
    for build in range(1, 9):
        _rebuild(mission, build)
        before = current(mission)
        assert before is not None
        with _python(_child(mission, "publish(mission, RUN)")) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(duration * rng.uniform(0, 1))
            child.send_signal(signal.SIGKILL)
            child.wait()
            interrupted += child.returncode == -signal.SIGKILL
        after = current(mission)
        assert after is not None
        assert after.number in (before.number, before.number + 1)
        _assert_whole(after)
        with duckdb.connect(str(after.database), read_only=True) as reader:
            (builds,) = reader.execute("select count(distinct build) from fct_work_item").fetchone()
        assert builds == 1
    assert interrupted >= 4  # else the test kills nothing
    _assert_whole(publish(mission, RUN))
    _assert_tidy(mission)


def test_current_is_whole_before_and_after_every_step(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = publish(mission, RUN)
    seen = [before.number]

    def watch(owner: object, name: str) -> None:
        original = getattr(owner, name)

        def step(*args: object, **options: object) -> object:
            for moment in ("before", "after"):
                result = original(*args, **options) if moment == "after" else None
                now = current(mission)
                assert now is not None
                _assert_whole(now)
                seen.append(now.number)
            return result

        monkeypatch.setattr(owner, name, step)

    for name in ("rename", "replace", "symlink_to", "chmod"):
        watch(Path, name)
    watch(dagster_project.publish.generations, "_sync")
    watch(shutil, "rmtree")
    publish(mission, RUN)
    assert seen == sorted(seen)
    assert set(seen) == {1, 2}
    assert len(seen) > 20


FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead of the process
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    publish(mission, RUN)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


def test_a_full_disk_is_a_clear_error_and_leaves_nothing_behind(mission: Mission) -> None:
    before = publish(mission, RUN)
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        warehouse.execute(
            "insert into fct_work_item select 0, i, md5(i::text) from range(300000) as n(i)"
        )
    with _python(_child(mission, FULL_DISK)) as child:
        out, err = child.communicate(timeout=60)
    assert out.startswith(b"ready\nMissionError the generation could not be published"), err
    assert f"current stays {before.path.name}".encode() in out
    assert current(mission) == before
    assert generations(mission) == [before]
    _assert_tidy(mission)


READ = """
import sys, time, duckdb
path = sys.argv[1]
reads, seen = 0, set()
print("ready", flush=True)
while not sys.stdin.closed:
    import select
    if select.select([sys.stdin], [], [], 0)[0]:
        break
    with duckdb.connect(path, read_only=True) as reader:
        builds = reader.execute("select list(distinct build), count(*) from fct_work_item")
        (in_items, n) = builds.fetchone()
        time.sleep(0.002)  # room for a publication between the two halves of one reading
        (in_scorecard,) = reader.execute("select list(build) from mart_scorecard").fetchone()
        assert in_items == in_scorecard and len(in_items) == 1, (in_items, in_scorecard)
        assert n == 1000, n
    reads += 1
    seen.add(in_items[0])
print(reads, len(seen), flush=True)
"""


def test_readers_never_see_a_torn_or_missing_file(tmp_path: Path) -> None:
    mission = _prepare(tmp_path / "data", keep=2)
    publish(mission, RUN)
    path = mission.published / "current" / "bi.duckdb"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    errors: list[BaseException] = []
    stop = threading.Event()
    thread = threading.Thread(target=_read_by_sqlalchemy, args=(path, stop, errors))
    thread.start()
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == b"ready\n"
        for build in range(1, 21):
            _rebuild(mission, build)
            publish(mission, RUN)
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
        outputs = [reader.communicate(input=b"stop", timeout=60) for reader in readers]
    assert not errors
    for reader, (out, err) in zip(readers, outputs, strict=True):
        assert reader.returncode == 0, err.decode()
        reads, seen = map(int, out.split())
        assert reads >= 20
        assert seen >= 10  # the readers really did read while generations changed
    assert [g.number for g in generations(mission)] == [20, 21]


def _read_by_sqlalchemy(path: Path, stop: threading.Event, errors: list[BaseException]) -> None:
    engine = sa.create_engine(f"duckdb:///{path}?access_mode=read_only", poolclass=NullPool)
    try:
        while not stop.is_set():
            with engine.connect() as connection:
                row = connection.execute(
                    sa.text(
                        "select (select list(distinct build) from fct_work_item), "
                        "(select list(build) from mart_scorecard)"
                    )
                ).one()
            assert row[0] == row[1]
            assert len(row[0]) == 1
    except BaseException as error:
        errors.append(error)


def test_an_open_file_outlives_its_generation(tmp_path: Path) -> None:
    mission = _prepare(tmp_path / "data", keep=1)
    first = publish(mission, RUN)
    reader = duckdb.connect(str(mission.published / "current" / "bi.duckdb"), read_only=True)
    for build in (1, 2, 3):
        _rebuild(mission, build)
        publish(mission, RUN)
    assert not first.path.exists()
    assert reader.execute("select distinct build from fct_work_item").fetchall() == [(0,)]
    assert reader.execute("select count(distinct status) from fct_work_item").fetchone() == (1,)
    reader.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_publication_leaves_no_file_open(mission: Mission) -> None:
    publish(mission, RUN)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        publish(mission, RUN)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
