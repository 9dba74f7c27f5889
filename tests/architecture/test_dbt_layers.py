"""The dbt project keeps to its layers; each rule is shown to catch what breaks it."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import layers
import pytest

Rule = Callable[[layers.Manifest], Iterator[str]]


@pytest.mark.parametrize(
    "rule",
    [
        layers.forbidden_reads,
        layers.joins_in_staging,
        layers.misnamed,
        layers.undocumented,
        layers.uncontracted,
    ],
)
def test_models_keep_the_rule(manifest: dict[str, Any], rule: Rule) -> None:
    assert layers.models(manifest), "no models were parsed"
    assert list(rule(manifest)) == []


def _model(manifest: dict[str, Any], layer: str) -> dict[str, Any]:
    return next(n for n in layers.models(manifest) if layers.layer(n) == layer)  # type: ignore[return-value]


def _broken(manifest: dict[str, Any], layer: str, change: Callable[[Any], None]) -> dict[str, Any]:
    """A copy of the manifest with one model changed."""
    altered = copy.deepcopy(manifest)
    change(_model(altered, layer))
    return altered


def _reads(*unique_ids: str) -> Callable[[Any], None]:
    def change(node: Any) -> None:
        node["depends_on"]["nodes"] += unique_ids

    return change


@pytest.mark.parametrize(
    ("rule", "layer", "change"),
    [
        (layers.misnamed, "staging", lambda n: n.update(name="jira_issues")),
        (layers.misnamed, "intermediate", lambda n: n.update(name="int_other__x")),
        (layers.misnamed, "marts", lambda n: n.update(name="people")),
        (layers.undocumented, "marts", lambda n: n.update(description="All people")),
        (layers.undocumented, "staging", lambda n: n["config"]["meta"].clear()),
        (
            layers.undocumented,
            "marts",
            lambda n: next(iter(n["columns"].values())).update(description=""),
        ),
        (layers.uncontracted, "marts", lambda n: n["config"]["contract"].update(enforced=False)),
        (layers.uncontracted, "marts", lambda n: n.update(unique_id="model.untested")),
    ],
)
def test_a_broken_declaration_is_found(
    manifest: dict[str, Any], rule: Rule, layer: str, change: Callable[[Any], None]
) -> None:
    assert len(list(rule(_broken(manifest, layer, change)))) == 1


@pytest.mark.parametrize(
    ("layer", "parent"),
    [("marts", "staging"), ("marts", "source"), ("intermediate", "source"), ("staging", "marts")],
)
def test_a_forbidden_read_is_found(manifest: dict[str, Any], layer: str, parent: str) -> None:
    known = {**manifest["nodes"], **manifest["sources"]}
    read = next(i for i, n in known.items() if n["resource_type"] != "test" and _is(n, parent))
    assert len(list(layers.forbidden_reads(_broken(manifest, layer, _reads(read))))) == 1


def _is(node: layers.Node, wanted: str) -> bool:
    return node["resource_type"] in ("model", "source") and layers.layer(node) == wanted


def test_a_join_in_staging_is_found(manifest: dict[str, Any]) -> None:
    broken = _broken(manifest, "staging", _reads(*list(manifest["sources"])[:2]))
    assert len(list(layers.joins_in_staging(broken))) == 1
