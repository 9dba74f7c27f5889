"""Who may import what; the same rules that ruff enforces, seen from the outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.defs.manifest import ROOT

PACKAGE = ROOT / "dagster_project"
ORCHESTRATION = (PACKAGE / "defs", PACKAGE / "definitions.py", PACKAGE / "cli.py")


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """(module, stands at the top level) of every import, also the lazy ones."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        yield from ((name, node in tree.body) for name in names)


def importers(module: str) -> set[str]:
    """Files of our package that import `module` or a part of it."""
    return {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for name, _ in imports(file)
        if name == module or name.startswith(f"{module}.")
    }


@pytest.mark.parametrize("module", ["dagster", "dagster_dbt"])
def test_only_the_wiring_imports_dagster(module: str) -> None:
    assert importers(module)
    for file in importers(module):
        assert any((PACKAGE / file).is_relative_to(allowed) for allowed in ORCHESTRATION), file


def test_only_quality_imports_great_expectations_and_only_inside_functions() -> None:
    found = importers("great_expectations")
    assert found
    assert {file.split("/")[0] for file in found} == {"quality"}
    for file in found:
        at_top = [name for name, top in imports(PACKAGE / file) if top]
        assert not [name for name in at_top if name.startswith("great_expectations")], file


def test_only_the_command_line_imports_the_sandbox() -> None:
    assert importers("sandbox") == {"cli.py"}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        (
            "import dagster_project.cli",
            {"dagster", "duckdb", "great_expectations", "dbt", "sandbox"},
        ),
        ("import dagster_project.definitions", {"great_expectations", "sandbox"}),
        ("import dagster_project.landing", {"dagster", "great_expectations", "dbt"}),
        ("import dagster_project.quality.runner", {"dagster", "great_expectations"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement: str, unwanted: set[str]) -> None:
    program = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert not unwanted & set(loaded)


def test_importing_the_code_location_does_no_io(tmp_path: Path) -> None:
    """Neither mission.yaml nor the manifest is looked at before Dagster asks for definitions."""
    program = "import dagster_project.definitions"
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=True,
        env={"MISSION_CONFIG": str(tmp_path / "absent.yaml"), "PYTHONPATH": str(ROOT)},
    )
    assert list(tmp_path.iterdir()) == []


def test_the_code_location_is_assembled_in_less_than_60_lines() -> None:
    assert len((PACKAGE / "definitions.py").read_text().splitlines()) < 60
