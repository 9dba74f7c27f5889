"""The command `mission`.

Belongs here: commands, their options, and what the terminal shows. Does not belong here: the work
itself. Nothing heavy is imported before a command needs it: `mission --help` answers at once.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dagster_project.errors import MissionError
from dagster_project.settings import Mission, load_mission

if TYPE_CHECKING:
    from rich.progress import Progress

#: Exit codes: something that nobody foresaw, and something that the user can put right.
UNFORESEEN, USER_CAN_MEND = 1, 2

app = typer.Typer(
    help="Measures IT by its mission: Jira, CRM and HR records become metrics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sources = typer.Typer(help="The sources of mission.yaml.", no_args_is_help=True)
app.add_typer(sources, name="sources")

# For commands that hand all their arguments to another program.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@dataclass(frozen=True)
class _Call:
    """What the options in front of the command say."""

    config: Path | None
    debug: bool

    def mission(self) -> Mission:
        return load_mission(self.config)


@contextmanager
def _errors_shown(call: _Call) -> Iterator[None]:
    """Show errors as sentences; with --debug, as they are."""
    try:
        yield
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except Exception as error:
        if call.debug:
            raise
        message, remedy, code = f"{type(error).__name__}: {error}", "", UNFORESEEN
        remedy = (
            "nobody foresaw this; put --debug in front of the command to see where it happened."
        )
        if isinstance(error, MissionError):
            message, remedy, code = error.message, error.remedy, USER_CAN_MEND
        console = Console(stderr=True)
        console.print(f"[bold red]Error:[/] {escape(message)}", highlight=False, soft_wrap=True)
        console.print(f"[bold]Remedy:[/] {escape(remedy)}", highlight=False, soft_wrap=True)
        raise typer.Exit(code) from None


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mission-metrics {version('mission-metrics')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="mission.yaml; else MISSION_CONFIG, else ./mission.yaml."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and logs.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Take the options that all commands share."""
    context.obj = _Call(config, debug)


@app.command()
def refresh(
    context: typer.Context,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Freeze the build at the start of this day."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Land every file again, also unchanged ones.")
    ] = False,
    no_publish: Annotated[
        bool, typer.Option("--no-publish", help="Stop before publication; readers see no change.")
    ] = False,
) -> None:
    """Ingest, transform, check and publish, and show the metrics."""
    call: _Call = context.obj
    with _errors_shown(call):
        mission = call.mission()
        from dagster_project.landing import writer_lock

        # Taken before Dagster is imported, so that a second refresh hears of the first at once.
        with writer_lock(mission, "mission refresh"), _quiet(call), _progress() as progress:
            tasks = {
                stage: progress.add_task(stage, total=None, start=False)
                for stage in ("prepare", "ingest", "transform", "audit", "publish")
            }
            progress.start_task(tasks["prepare"])
            from dagster_project.defs.refresh import run_refresh

            def on_progress(stage: str, done: int, total: int) -> None:
                progress.update(tasks["prepare"], total=1, completed=1)
                progress.start_task(tasks[stage])
                progress.update(tasks[stage], completed=done, total=total)

            run_refresh(
                mission,
                call.config,
                as_of=f"{as_of:%Y-%m-%d}" if as_of else None,
                full=full,
                publish=not no_publish,
                on_progress=on_progress,
            )
            if no_publish:
                progress.update(tasks["publish"], description="publish (not asked for)")
        _show_metrics(mission, published=not no_publish)


@contextmanager
def _quiet(call: _Call) -> Iterator[None]:
    """Keep the logs of libraries off the terminal; dbt keeps its own in dbt.log."""
    if call.debug:
        yield
        return
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _show_metrics(mission: Mission, *, published: bool) -> None:
    from dagster_project.publish.generations import current
    from dagster_project.terminal import headline_table

    console = Console()
    generation = current(mission) if published else None
    database = generation.database if generation else mission.warehouse_path
    console.print(headline_table(database))
    if generation is None:
        console.print(f"Not published; the tables are in {mission.warehouse_path}.")
        return
    warned = f", {generation.checks_warned} warnings" if generation.checks_warned else ""
    console.print(
        f"Generation {generation.id}: {generation.checks_passed} checks passed{warned}. "
        f"Readers open {mission.published / 'current' / 'bi.duckdb'}.",
        soft_wrap=True,
    )


@app.command()
def status(context: typer.Context) -> None:
    """Show the generation that readers see."""
    call: _Call = context.obj
    with _errors_shown(call):
        from rich.table import Table

        from dagster_project.publish.generations import current

        generation = current(call.mission())
        if generation is None:
            raise MissionError("nothing is published yet", "run `mission refresh`.")
        age = datetime.now(UTC) - generation.created_at
        facts = Table.grid(padding=(0, 2))
        for name, value in (
            ("generation", generation.id),
            ("as of", f"{generation.as_of_date}, start of the day"),
            (
                "published",
                f"{generation.created_at:%Y-%m-%d %H:%M} UTC, {_age(age.total_seconds())}",
            ),
            ("checks", f"{generation.checks_passed} passed, {generation.checks_warned} warnings"),
            ("tables", f"{len(generation.rows)} with {sum(generation.rows.values()):,} rows"),
            ("folder", str(generation.path)),
        ):
            facts.add_row(f"[bold]{name}[/]", value)
        Console().print(facts, soft_wrap=True)


def _age(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


@sources.command("check")
def check_sources(context: typer.Context) -> None:
    """Read all files and write nothing; say what is missing and what that costs."""
    call: _Call = context.obj
    with _errors_shown(call):
        from dagster_project.sources.read import check_source
        from dagster_project.terminal import problem_table, source_table

        mission = call.mission()
        console = Console()
        unreadable = []
        for source in mission.sources:
            try:
                table = source_table(source, check_source(mission, source))
            except MissionError as problem:
                unreadable.append(source.id)
                table = problem_table(source, problem)
            console.print(table)
        if unreadable:
            raise MissionError(
                f"{len(unreadable)} of {len(mission.sources)} sources cannot be read: "
                + ", ".join(unreadable),
                "each remedy stands above.",
            )


@app.command()
def dev(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Start Dagster's web interface and its daemon, which runs the schedule."""
    call: _Call = context.obj
    with _errors_shown(call):
        from dagster_project.defs.instance import WORKSPACE, dagster_environment

        config = call.config or Path(os.environ.get("MISSION_CONFIG") or "mission.yaml")
        environment = dagster_environment(call.mission(), config)
        program = [sys.executable, "-m", "dagster", "dev", "--workspace", str(WORKSPACE)]
        program += ["--host", "127.0.0.1", "--port", str(port)]
        # Replaces this process, so that Ctrl-C and signals reach Dagster and nothing else.
        os.execve(sys.executable, program, environment)  # noqa: S606


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def dbt(context: typer.Context) -> None:
    """Run dbt on this mission's warehouse: `mission dbt test --select mart_scorecard`."""
    call: _Call = context.obj
    with _errors_shown(call):
        import subprocess

        from dagster_project.defs.manifest import (
            CHILD_ARGUMENTS,
            dbt_environment,
            dbt_project,
            ensure_manifest,
        )
        from dagster_project.landing import writer_lock

        mission = call.mission()
        with writer_lock(mission, "mission dbt"):
            ensure_manifest(mission)
            done = subprocess.run(
                [sys.executable, *CHILD_ARGUMENTS, *context.args],
                check=False,
                cwd=dbt_project(mission),
                env={**os.environ, **dbt_environment(mission)},
            )
        raise typer.Exit(done.returncode)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def sandbox(context: typer.Context) -> None:
    """Simulate a company: `mission sandbox --help` lists its commands."""
    with _errors_shown(context.obj):
        from sandbox.cli import app as sandbox_app

        sandbox_app(context.args, prog_name="mission sandbox")
