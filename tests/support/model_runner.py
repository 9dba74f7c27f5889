"""Runs single dbt models on rows that a test gives, in an in-memory DuckDB.

Belongs here: the harness. The SQL is what dbt compiles, so a test judges the shipped model; rules
about keys and relations belong to dbt's own tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.landing.window import table_columns
from dagster_project.sources.streams import STREAMS

REPOSITORY = Path(__file__).parents[2]


class Models:
    """The compiled models, and a database to run them in."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._nodes = {
            node["name"]: node
            for node in manifest["nodes"].values()
            if node["resource_type"] in ("model", "seed")
        }
        self._depends = manifest["parent_map"]
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as bi")
        self.connection.execute("use bi")
        self.connection.execute(
            "create schema raw_mission; create schema pii;"
            "create table pii.person_secret as select repeat('36', 64) inner_pad, "
            "repeat('5c', 64) outer_pad;"
            "create table raw_mission.sources (source_id text, system text, kind text, "
            "base_url text, timezone text);"
            "create table raw_mission.windows (system text, source_id text, stream text, "
            "window_id text,"
            " window_seq bigint, fetched bigint, loaded bigint, quarantined bigint,"
            " newest_record_at timestamp, as_of date, files text);"
            "create table raw_mission.entities (source_id text, system text, stream text, "
            "field text,"
            " is_required boolean, is_mapped boolean);"
        )
        for system, streams in STREAMS.items():
            self.connection.execute(f"create schema raw_{system}")
            for stream in streams:
                columns = ", ".join(f"{n} {t}" for n, t in table_columns(stream).items())
                self.connection.execute(
                    f"create table raw_{system}.{stream.name} ({columns}, is_latest_window "
                    f"boolean default true)"
                )

    def build(self, as_of: str = "2026-07-01", timezone: str = "UTC") -> None:
        """Freeze the build at the start of a day."""
        self.connection.execute(
            "create or replace table raw_mission.build as select"
            " timezone('UTC', timezone(?, cast(? as timestamp))) as as_of, cast(? as date) "
            "as as_of_date,"
            " 'Acme' as organisation_name, 'A vision' as vision, ? as timezone, 'EUR' as currency",
            [timezone, as_of, as_of, timezone],
        )

    def given(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace a model, seed or `schema.table` by rows; columns left out are NULL."""
        relation = name if "." in name else self._relation(name)
        known = {c[0] for c in self.connection.execute(f"describe {relation}").fetchall()}
        self.connection.execute(f"delete from {relation}")
        for row in rows:
            assert set(row) <= known, (relation, set(row) - known)
            quoted = ", ".join(f'"{column}"' for column in row)
            marks = ", ".join("?" for _ in row)
            self.connection.execute(
                f"insert into {relation} ({quoted}) values ({marks})", list(row.values())
            )

    def run(self, *names: str) -> None:
        """Build models as tables, in the order given, with everything that they need and nobody
        gave yet.
        """
        for name in names:
            self._build(name, force=True)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries; bare model names may be written as {name}."""
        cursor = self.connection.execute(sql.format_map(_Relations(self)))
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def _relation(self, name: str) -> str:
        relation: str = self._nodes[name]["relation_name"]
        self._build(name, force=False)
        return relation

    def _build(self, name: str, *, force: bool) -> None:
        node = self._nodes[name]
        relation = node["relation_name"]
        exists = self.connection.execute(
            "select count(*) "
            "from information_schema.tables where table_schema = ? and table_name = ?",
            [node["schema"], node["alias"]],
        ).fetchone()
        if exists and exists[0] and not force:
            return
        self.connection.execute(f'create schema if not exists "{node["schema"]}"')
        if node["resource_type"] == "seed":
            rows = seed_sql(node, REPOSITORY / "seeds")
            self.connection.execute(f"create or replace table {relation} as {rows}")
            return
        for parent in self._depends[node["unique_id"]]:
            parent_name = parent.rsplit(".", 1)[-1]
            if not parent.startswith("source."):
                self._build(parent_name, force=False)
        self.connection.execute(f"create or replace table {relation} as {node['compiled_code']}")


class _Relations(dict[str, str]):
    def __init__(self, models: Models) -> None:
        self._models = models

    def __missing__(self, name: str) -> str:
        return self._models._relation(name)


def compile_models(folder: Path) -> Mapping[str, Any]:
    """dbt's manifest with compiled SQL for a warehouse called `bi`; dbt works in `folder`."""
    environment = os.environ | {
        "MISSION_WAREHOUSE": str(folder / "bi.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_PROFILES_DIR": str(REPOSITORY / "dbt_project"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    run = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "compile", "--project-dir", "dbt_project"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    manifest: Mapping[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    return manifest


def seed_sql(node: Mapping[str, Any], folder: Path) -> str:
    """The rows of a seed of the manifest, read from its file in `folder`."""
    types = node["config"]["column_types"]
    columns = "{" + ", ".join(f"'{c}': '{t}'" for c, t in types.items()) + "}"
    path = folder / Path(node["path"]).name
    return f"select * from read_csv('{path}', header = true, columns = {columns})"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """dbt's manifest with compiled SQL; compiled once a session."""
    return compile_models(tmp_path_factory.mktemp("dbt"))


@pytest.fixture
def models(compiled: Mapping[str, Any]) -> Models:
    """An empty company at 2026-07-01 UTC: every model can be built, and holds nothing."""
    models = Models(compiled)
    models.build()
    return models
