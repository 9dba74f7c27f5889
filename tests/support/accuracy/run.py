"""Simulate, write, land, build, compare: one company, or many in worker processes.

What belongs here: the order of the steps and who does them. What does not: how a step works.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from accuracy.compare import Comparison, compare
from accuracy.marts import Plan, build_marts
from sandbox.calendars import END
from sandbox.files import write_world
from sandbox.spec import Spec
from sandbox.truth import metrics
from sandbox.world import World, build

WORKERS = 2


@dataclass(frozen=True)
class Outcome:
    """What came of one seed."""

    seed: int
    comparison: Comparison
    seconds: float


def judge(world: World, plan: Plan) -> Comparison:
    """Let the platform measure a simulated company, and compare it with that company's truth."""
    with tempfile.TemporaryDirectory(prefix="accuracy-") as place:
        folder = write_world(Path(place) / "sandbox", world).folder
        warehouse = build_marts(folder, plan)
        metrics(world, END)
        return compare(world.connection, warehouse, END)


def run(seed: int, profile: str, plan: Plan) -> Outcome:
    """One seed of a tiny company from nothing; it leaves nothing behind."""
    started = time.perf_counter()
    world = build(Spec.of("tiny", seed, profile))
    try:
        comparison = judge(world, plan)
    finally:
        world.connection.close()
    return Outcome(seed, comparison, time.perf_counter() - started)


def run_many(seeds: Iterable[int], profile: str, manifest: Path) -> Iterator[Outcome]:
    """Every seed in turn, in two processes, as they are done."""
    # A forked process would share the threads' locks of DuckDB with this one.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        WORKERS, mp_context=context, initializer=_begin, initargs=(manifest,)
    ) as pool:
        tasks = [pool.submit(_run_planned, seed, profile) for seed in seeds]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)


_plans: list[Plan] = []


def _begin(manifest: Path) -> None:
    """Read the compiled models once a process."""
    _plans.append(Plan(json.loads(manifest.read_text())))


def _run_planned(seed: int, profile: str) -> Outcome:
    return run(seed, profile, _plans[0])
