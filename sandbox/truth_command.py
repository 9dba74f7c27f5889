"""`mission sandbox truth`: the truth on the command line.

What belongs here: arguments, progress, the table of headlines. What does not: any truth
(`sandbox/truth`). `sandbox/cli.py` mounts `truth`; what simulates and sums is imported on use.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.spec import PROFILES, SIZES, SandboxError, Spec

if TYPE_CHECKING:
    from sandbox.world import World

HEADLINES = (
    "cross_departmental_success",
    "innovation_index",
    "time_to_market",
    "customer_satisfaction",
    "resource_optimization",
)


def truth(
    size: Annotated[str, typer.Option(help=f"How large a company: {', '.join(SIZES)}.")] = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same truth.")] = 7,
    profile: Annotated[
        str,
        typer.Option(
            help=f"What the systems see: {' or '.join(PROFILES)}. What is true is the same in both."
        ),
    ] = "messy",
    key_results: Annotated[
        bool,
        typer.Option(
            "--key-results", help="Initiatives promise key results, and success waits for them."
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option(help="Folder for one Parquet file a table; earlier ones are replaced.")
    ] = Path("data/truth"),
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day that does not count: the truth is that of its start. "
            "Default: the end of the simulation.",
        ),
    ] = None,
) -> None:
    """Write what is true of the company: every metric, and who, where and what behind it."""
    from sandbox.calendars import END
    from sandbox.truth import write
    from sandbox.world import build

    last = until.date() if until else END
    columns = (TextColumn("{task.description:<26}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Start", total=None)

            def advance(part: str) -> None:
                bar.update(task, description=part)

            world = build(Spec.of(size, seed, profile, key_results), progress=advance)
            written = write(world, out, last, advance)
    except SandboxError as error:
        Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False)
        raise typer.Exit(2) from error
    console = Console()
    console.print(_headlines(world, f"Truth of {size}, seed {seed}, before {last}"))
    rows = sum(written.rows.values())
    console.print(
        f"{rows:,} rows in {len(written.rows)} tables written to {written.folder}",
        highlight=False,
        soft_wrap=True,
    )


def _headlines(world: World, title: str) -> Table:
    """The headlines of the last twelve finished months."""
    table = Table("Metric", "Months from", title=title)
    for name in ("Realised", "Planted", "n"):
        table.add_column(name, justify="right")
    for metric_id in HEADLINES:
        found = world.connection.execute(f"""
            select cast(period_start as varchar), realised_value, parameter_value, n
            from truth.metric
            where metric_id = '{metric_id}' and department_id = 'ALL' and objective_id = 'ALL'
                and period_grain = 'trailing_12m'
            order by period_start desc limit 1
        """).fetchone()
        if found is None:
            table.add_row(metric_id, "no finished year", "", "", "")
        else:
            start, realised, planted, n = found
            table.add_row(metric_id, start, _number(realised), _number(planted), f"{n:,}")
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:,.1f}"
