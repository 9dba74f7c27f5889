"""The platform on one company: its landing, and the compiled models in one bare connection.

What belongs here: the shortest way from written records to marts. What does not: Dagster, dbt's
tests, the audit; they judge data, not estimates, and cost more time than the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from model_runner import seed_sql

from dagster_project.landing import freeze_build, ingest_system
from dagster_project.settings import System, load_mission

NEEDED = (
    "mart_scorecard",
    "dim_worker_assignment",
    "bridge_person_identity",
    "int_people__employees",
    "fct_contribution",
    "fct_status_span",
)
"""What is compared with the truth; everything above it in the graph is built, nothing else."""

SYSTEMS: Sequence[System] = ("jira", "crm", "hr")


class Plan:
    """The models behind `wanted`, in an order in which each finds what it reads."""

    def __init__(self, manifest: Mapping[str, Any], wanted: Iterable[str] = NEEDED) -> None:
        nodes = {
            unique_id: node
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] in ("model", "seed")
        }
        ordered: dict[str, Mapping[str, Any]] = {}

        def visit(unique_id: str) -> None:
            if unique_id in nodes and unique_id not in ordered:
                for parent in manifest["parent_map"][unique_id]:
                    visit(parent)
                ordered[unique_id] = nodes[unique_id]

        by_name = {str(node["name"]): unique_id for unique_id, node in nodes.items()}
        for name in wanted:
            visit(by_name[name])
        self.nodes = tuple(ordered.values())

    def build(self, warehouse: duckdb.DuckDBPyConnection, seeds: Path) -> None:
        """Build every model from the raw views, and the seeds from a mission's folder."""
        for schema in sorted({node["schema"] for node in self.nodes}):
            warehouse.execute(f'create schema if not exists "{schema}"')
        for node in self.nodes:
            is_seed = node["resource_type"] == "seed"
            sql = seed_sql(node, seeds) if is_seed else node["compiled_code"]
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            warehouse.execute(f"create or replace {kind} {node['relation_name']} as {sql}")


def build_marts(folder: Path, plan: Plan) -> Path:
    """Land the records of a written sandbox and build the marts; the path of the warehouse."""
    mission = load_mission(folder / "mission.yaml")
    for system in SYSTEMS:
        ingest_system(mission, system)
    freeze_build(mission)
    with duckdb.connect(str(mission.warehouse_path)) as warehouse:
        plan.build(warehouse, mission.seeds)
    return mission.warehouse_path
