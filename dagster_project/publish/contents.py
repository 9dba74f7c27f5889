"""Which tables are published: dbt's manifest decides, one safeguard may only take away.

Belongs here: reading the public contract from the manifest. Does not belong here: copying tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import MissionError

# Person-grain tables stay in the warehouse, whatever a model file says.
PERSON_GRAIN = frozenset(
    {"dim_person", "bridge_person_identity", "dim_worker_assignment", "fct_contribution"}
)
PUBLIC_SCHEMA = "main"


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table of the published file and what its dbt model says about it."""

    name: str
    description: str
    columns: Mapping[str, str]  # column -> description


def published_tables(dbt_target: Path) -> tuple[PublishedTable, ...]:
    """The public models in schema main, sorted by name.

    Raises MissionError when the manifest is missing or unreadable, when it has no public model, or
    when a person-grain table is marked public.
    """
    manifest = dbt_target / "manifest.json"
    try:
        nodes = json.loads(manifest.read_bytes())["nodes"].values()
    except (OSError, ValueError, KeyError) as error:
        raise MissionError(
            f"{manifest} is missing or unreadable ({type(error).__name__}): nobody can tell which "
            "tables are public",
            "build the models first (`mission refresh`).",
        ) from error
    tables = tuple(
        sorted(
            (
                PublishedTable(
                    node.get("alias") or node["name"],
                    node.get("description", ""),
                    {
                        name: column.get("description", "")
                        for name, column in node.get("columns", {}).items()
                    },
                )
                for node in nodes
                if node["resource_type"] == "model"
                and node["schema"] == PUBLIC_SCHEMA
                and node.get("access", node["config"].get("access")) == "public"
                and node["config"]["materialized"] != "ephemeral"
            ),
            key=lambda table: table.name,
        )
    )
    if not tables:
        raise MissionError(
            f"{manifest} has no public model in schema {PUBLIC_SCHEMA}: nothing to publish",
            "give the marts `access: public` (dbt_project.yml) and build again.",
        )
    marked = sorted(PERSON_GRAIN.intersection(table.name for table in tables))
    if marked:
        raise MissionError(
            f"{', '.join(marked)} holds one row per person and is marked `access: public`",
            "set `access: protected` in its model file: person-grain tables are never published.",
        )
    return tables
