"""`mission sandbox`: the simulated company on the command line.

What belongs here: arguments, progress and messages. What does not: anything that simulates.
The main command line imports this module lazily; the simulation is imported on use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.live_command import live
from sandbox.serve_command import serve
from sandbox.spec import PROFILES, SIZES, SandboxError, Spec
from sandbox.truth_command import truth

app = typer.Typer(
    help="A simulated company that leaves records in Jira, CRM and HR formats.",
    no_args_is_help=True,
    add_completion=False,
)

SizeOption = Annotated[
    str,
    typer.Option(
        help="How large a company: "
        + ", ".join(f"{size.name} ({size.people:,} people)" for size in SIZES.values())
        + "."
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")]
ProfileOption = Annotated[
    str,
    typer.Option(
        help=f"What the systems see: {' or '.join(PROFILES)}. In clean, everything; in messy, "
        "identities, worklogs, answers and moves are partly hidden or late."
    ),
]
KeyResultsOption = Annotated[
    bool,
    typer.Option(
        "--key-results", help="Initiatives promise key results, and success waits for them."
    ),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="First day that is not seen: everything is shown as it was at its start. "
        "Default: the end of the simulation.",
    ),
]


@app.callback()
def main() -> None:
    """A simulated company that leaves records in Jira, CRM and HR formats."""


@app.command()
def write(
    size: SizeOption = "tiny",
    seed: SeedOption = 7,
    profile: ProfileOption = "messy",
    key_results: KeyResultsOption = False,
    out: Annotated[
        Path, typer.Option(help="Folder to write; an earlier sandbox there is replaced.")
    ] = Path("data/sandbox"),
    until: UntilOption = None,
) -> None:
    """Write the company's records as files, the way the vendors export them."""
    from sandbox.calendars import END
    from sandbox.files import write as write_files

    last: date = until.date() if until else END
    with _errors_shown(), _progress() as bar:
        task = bar.add_task("Start", total=1.0)
        written = write_files(
            out,
            Spec.of(size, seed, profile, key_results),
            last,
            lambda what, done: bar.update(task, description=what, completed=done),
        )
    _show(
        f"Sandbox {size}, seed {seed}, {profile}, records before {last}",
        written.records,
        written.folder,
    )


app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    }
)(live)
app.command()(serve)
app.command()(truth)


def _show(title: str, counts: Mapping[str, int], folder: Path) -> None:
    table = Table("File group", title=title)
    table.add_column("Records", justify="right")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    console = Console()
    console.print(table)
    console.print(f"Written to {folder}", highlight=False, soft_wrap=True)


@contextmanager
def _errors_shown() -> Iterator[None]:
    """Show what the user can mend as a sentence."""
    try:
        yield
    except SandboxError as error:
        Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False)
        raise typer.Exit(2) from error
    except OSError as error:
        told = f"{error.filename or 'the folder'}: {error.strerror or error}"
        Console(stderr=True).print(
            f"[red]Error:[/red] {told}. Choose another --out, or make it writable.", highlight=False
        )
        raise typer.Exit(2) from error


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


if __name__ == "__main__":
    app()
