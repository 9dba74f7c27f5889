"""The rules of the layers, as functions from dbt's manifest to sentences about what breaks them.

Belongs here: rules on the graph and on what models declare. Does not belong here: SQL style
(sqlfmt) and data (dbt tests).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
Manifest = Mapping[str, Any]

GRAIN_TESTS = {"unique", "unique_grain", "unique_combination_of_columns"}


def models(manifest: Manifest) -> list[Node]:
    """All models, by name."""
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    return sorted(nodes, key=lambda node: str(node["name"]))


def layer(node: Node) -> str:
    """staging, intermediate, marts, seeds or source."""
    if node["resource_type"] in ("seed", "source"):
        return str(node["resource_type"])
    return str(node["fqn"][1])


def parents(manifest: Manifest, node: Node) -> list[Node]:
    """What a model reads."""
    known = {**manifest["nodes"], **manifest["sources"]}
    return [known[unique_id] for unique_id in node["depends_on"]["nodes"]]


def forbidden_reads(manifest: Manifest) -> Iterator[str]:
    """Staging reads one source or seed, intermediate never a source, marts never staging."""
    allowed = {
        "staging": {"source", "seed"},
        "intermediate": {"staging", "intermediate", "seed", "marts"},
        "marts": {"intermediate", "marts", "seed"},
    }
    for node in models(manifest):
        for parent in parents(manifest, node):
            if layer(parent) not in allowed[layer(node)]:
                yield f"{node['name']} ({layer(node)}) reads {parent['name']} ({layer(parent)})"


def joins_in_staging(manifest: Manifest) -> Iterator[str]:
    """A staging model cleans one table."""
    for node in models(manifest):
        if layer(node) == "staging" and len(parents(manifest, node)) > 1:
            names = ", ".join(parent["name"] for parent in parents(manifest, node))
            yield f"{node['name']} reads more than one table: {names}"


def misnamed(manifest: Manifest) -> Iterator[str]:
    """stg_<source>__, int_<domain>__, and dim_, fct_, bridge_ or mart_."""
    for node in models(manifest):
        folder = node["fqn"][2]
        prefixes = {
            "staging": (f"stg_{folder}__",),
            "intermediate": (f"int_{folder}__",),
            "marts": ("dim_", "fct_", "bridge_", "mart_", "metric_"),
        }[layer(node)]
        if not node["name"].startswith(prefixes):
            yield f"{node['name']} in {layer(node)}/{folder} opens with none of {prefixes}"


def undocumented(manifest: Manifest) -> Iterator[str]:
    """Every model says its grain first, names an owner, and marts describe every column."""
    for node in models(manifest):
        name = node["name"]
        if not node["description"].startswith("One row per "):
            yield f"{name}: the description does not open with `One row per`"
        if not node["config"].get("meta", {}).get("owner"):
            yield f"{name}: meta.owner is missing"
        if layer(node) == "marts":
            for column in node["columns"].values():
                if not column["description"]:
                    yield f"{name}.{column['name']}: no description"


def uncontracted(manifest: Manifest) -> Iterator[str]:
    """Every mart enforces its contract and proves its grain."""
    tested = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test"
        and (test.get("test_metadata") or {}).get("name") in GRAIN_TESTS
    }
    for node in models(manifest):
        if layer(node) == "marts":
            if not node["config"]["contract"]["enforced"]:
                yield f"{node['name']}: the contract is not enforced"
            if node["unique_id"] not in tested:
                yield f"{node['name']}: no test proves that its grain is unique"
