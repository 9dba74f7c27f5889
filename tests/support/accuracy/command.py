"""`make accuracy`: how near the platform comes to the truth, and how honest its intervals are.

One seed is shown in full; SEEDS=200 runs that many and shows coverage and bias.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from model_runner import compile_models
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accuracy.marts import Plan
from accuracy.report import coverage_tables, seed_tables
from accuracy.run import Outcome, run, run_many
from sandbox.spec import PROFILES


def main() -> None:
    """Run the seeds asked for and print the tables."""
    parser = argparse.ArgumentParser(prog="accuracy", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from --seed on")
    parser.add_argument("--seed", type=int, default=7, help="the first seed")
    parser.add_argument("--profile", choices=list(PROFILES), default="messy")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.seeds)
    console = Console()
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="accuracy-dbt-") as place,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as bar,
    ):
        task = bar.add_task("Compile the models once", total=len(seeds))
        compile_models(Path(place))
        manifest = Path(place) / "target" / "manifest.json"
        compiled = time.perf_counter() - started
        bar.update(task, description=f"Companies ({asked.profile})")
        outcomes: list[Outcome] = []
        if len(seeds) == 1:
            plan = Plan(json.loads(manifest.read_text()))
            outcomes.append(run(seeds[0], asked.profile, plan))
        else:
            for outcome in run_many(seeds, asked.profile, manifest):
                outcomes.append(outcome)
                bar.advance(task)
    outcomes.sort(key=lambda outcome: outcome.seed)
    found = [outcome.comparison for outcome in outcomes]
    if not console.is_terminal:
        console.width = 160
    for table in seed_tables(found[0]) if len(found) == 1 else coverage_tables(found):
        console.print(table)
    mean = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
    console.print(
        f"{len(outcomes)} of size tiny, profile {asked.profile}, first seed {asked.seed}: "
        f"{time.perf_counter() - started:.0f} s in all, {compiled:.0f} s of it for compiling, "
        f"{mean:.1f} s a company.",
        highlight=False,
    )
