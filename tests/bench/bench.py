"""Times what a newcomer and a daily user wait for, and writes docs/benchmarks.md.

`make bench` runs it. Cold: `make run` on a fresh clone, packages downloaded into an empty cache.
Warm: `mission sandbox live refresh` with nothing new, median of three, and what its processes
spend on imports.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
WARM_RUNS = 3
PACKAGES = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations")

#: Process of a refresh -> what it imports. Great Expectations is imported while dbt works.
IMPORTS = {
    "Dagster, dagster-dbt and our code (first, nothing beside it)": "dagster_project.defs.refresh",
    "dbt in its own process (first, nothing beside it)": "dbt.cli.main, dbt.adapters.duckdb",
    "Great Expectations (while dbt works, on the second core)": "great_expectations.expectations",
    "`mission` before its first command": "dagster_project.cli",
}


def seconds(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Wall-clock seconds of a command; its output is shown when it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - started


def clone(into: Path) -> None:
    """Copy what git knows, as it lies here: what a commit of this state would hand out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)


def machine() -> str:
    """Processor, cores, memory and versions, for the reader who compares."""
    cpu = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = named[0].split(":", 1)[1].strip() if named else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; {packages}"
    )


def main() -> None:
    """Measure, then replace the text between the marks."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("MISSION_", "DAGSTER_"))}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        fresh = Path(folder, "clone")
        fresh.mkdir()
        clone(fresh)
        empty = plain | {
            "UV_CACHE_DIR": str(Path(folder, "uv")),
            "PIP_CACHE_DIR": str(Path(folder, "pip")),
        }
        install = seconds(["make", ".venv/.installed"], fresh, empty)
        first = seconds(["make", "run"], fresh, empty)
        mission = str(fresh / ".venv" / "bin" / "mission")
        warm = [
            seconds([mission, "sandbox", "live", "refresh"], fresh, plain) for _ in range(WARM_RUNS)
        ]
        python = str(fresh / ".venv" / "bin" / "python")
        started = min(seconds([python, "-c", "pass"], fresh, plain) for _ in range(WARM_RUNS))
        imports = {
            what: min(
                seconds([python, "-c", f"import {modules}"], fresh, plain) for _ in range(WARM_RUNS)
            )
            - started
            for what, modules in IMPORTS.items()
        }
    _write(install, first, warm, imports)


def _write(
    install: float, first: float, warm: Sequence[float], imports: Mapping[str, float]
) -> None:
    median = statistics.median(warm)
    waited = sum(spent for what, spent in imports.items() if "nothing beside it" in what)
    rows = "\n".join(
        f"| {what} | {spent:.1f} s | {spent / median:.0%} |" for what, spent in imports.items()
    )
    each = ", ".join(f"{run:.1f}" for run in sorted(warm))
    text = f"""{BEGIN}
Measured {datetime.now(UTC):%Y-%m-%d} on the sandbox company ({machine()}).

| what | seconds |
|---|---|
| cold: `make run` on a fresh clone, empty package caches | {install + first:.1f} |
| of it, downloading and installing packages | {install:.1f} |
| of it, sandbox, first parse and first refresh | {first:.1f} |
| warm: `make run` with nothing new, median of {len(warm)} ({each}) | {median:.1f} |

A warm refresh waits {waited:.1f} s ({waited / median:.0%}) for imports:

| import | seconds | share of a warm refresh |
|---|---|---|
{rows}
{END}"""
    page = (
        REPORT.read_text(encoding="utf-8") if REPORT.exists() else f"# Benchmarks\n\n{BEGIN}{END}\n"
    )
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    REPORT.write_text(before + text + after, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
