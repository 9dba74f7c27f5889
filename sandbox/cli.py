"""`mission sandbox`: the simulated company on the command line.

What belongs here: arguments, progress and messages. What does not: anything that simulates.
The main command line imports this module lazily; the simulation is imported on use.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

app = typer.Typer(
    help="A simulated company that leaves records in Jira, CRM and HR formats.",
    no_args_is_help=True,
)


@app.callback()
def main() -> None:
    """A simulated company that leaves records in Jira, CRM and HR formats."""


@app.command()
def write(
    size: Annotated[str, typer.Option(help="How large a company: tiny (60 people).")] = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 7,
    out: Annotated[
        Path, typer.Option(help="Folder to write; an earlier sandbox there is replaced.")
    ] = Path("data/sandbox"),
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day that is not seen: records are shown as they were at its start. "
            "Default: the end of the simulation.",
        ),
    ] = None,
) -> None:
    """Write the company's records as files, the way the vendors export them."""
    from sandbox.calendars import END
    from sandbox.write import STAGES, SandboxError
    from sandbox.write import write as write_files

    console = Console()
    last: date = until.date() if until else END
    with Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("Start", total=STAGES)

        def advance(stage: str) -> None:
            bar.update(task, description=stage, advance=1)

        try:
            written = write_files(out, size=size, seed=seed, until=last, progress=advance)
        except SandboxError as error:
            bar.stop()
            Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False)
            raise typer.Exit(2) from error
    table = Table(title=f"Sandbox {size}, seed {seed}, records before {last}")
    table.add_column("File group")
    table.add_column("Records", justify="right")
    for name, count in written.records.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print(f"Written to {written.folder}", highlight=False)


if __name__ == "__main__":
    app()
