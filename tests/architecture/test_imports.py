"""Who may import what; the same rules that ruff enforces, seen from the outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.defs.manifest import ROOT

PACKAGE = ROOT / "dagster_project"
SANDBOX = ROOT / "sandbox"
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


def importers(module: str, package: Path = PACKAGE) -> set[str]:
    """Files of a package of ours that import `module` or a part of it."""
    return {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
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


def parts_that_import(module: str) -> set[str]:
    """Folders and modules of the sandbox that import a part of it from elsewhere in it."""
    return {name.split("/")[0].removesuffix(".py") for name in importers(module, SANDBOX)}


def test_the_sandbox_knows_nothing_of_the_platform() -> None:
    assert importers("dagster_project", SANDBOX) == set()


def test_records_and_truth_follow_from_the_hidden_state_and_not_from_each_other() -> None:
    """Who emits must not know the answers, and the answers must not be read off what is emitted."""
    assert "records" in parts_that_import("sandbox.records")
    assert parts_that_import("sandbox.records") <= {"records", "servers", "files"}
    assert "truth" in parts_that_import("sandbox.truth")
    assert parts_that_import("sandbox.truth") <= {"truth", "truth_command"}
    for file in (SANDBOX / "truth").rglob("*"):
        if file.suffix in {".py", ".sql"}:
            assert "_now." not in file.read_text(encoding="utf-8"), f"{file} reads records"


def test_the_simulation_knows_nothing_of_those_who_tell_of_it() -> None:
    told = ("sandbox.records", "sandbox.truth", "sandbox.servers", "sandbox.files", "sandbox.cli")
    for module in told:
        assert "simulation" not in parts_that_import(module), module


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
        ("import sandbox.cli", {"duckdb", "numpy", "starlette", "uvicorn"}),
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
