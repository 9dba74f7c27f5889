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
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dagster_project.errors import MissionError
from dagster_project.settings import Mission, load_mission

#: Exit codes: something that nobody foresaw, and something that the user can put right.
UNFORESEEN, USER_CAN_MEND = 1, 2
_WIDTH_OF_A_PIPE = 120

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
        bool, typer.Option("--full", help="Take everything again, also what is unchanged.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Take again at least what changed on this day (UTC) or later.",
        ),
    ] = None,
    no_publish: Annotated[
        bool, typer.Option("--no-publish", help="Stop before publication; readers see no change.")
    ] = False,
) -> None:
    """Ingest, transform, check and publish, and show the metrics."""
    call: _Call = context.obj
    with _errors_shown(call):
        mission = call.mission()
        from dagster_project.landing import writer_lock
        from dagster_project.terminal import blocking_failures, progress_shown

        # Taken before Dagster is imported, so that a second refresh hears of the first at once;
        # kept until the metrics are shown, so that nobody writes to the warehouse meanwhile.
        with writer_lock(mission, "mission refresh"):
            unwanted = "publish" if no_publish else None
            with (
                _quiet(call),
                progress_shown(Console(stderr=True), unwanted=unwanted) as on_progress,
            ):
                from dagster_project.defs.refresh import run_refresh

                run_id = run_refresh(
                    mission,
                    call.config,
                    as_of=f"{as_of:%Y-%m-%d}" if as_of else None,
                    full=full,
                    since=f"{since:%Y-%m-%d}" if since else None,
                    publish=not no_publish,
                    on_progress=on_progress,
                )
            _show_metrics(mission, published=not no_publish)
            failed = blocking_failures(mission.warehouse_path, run_id) if no_publish else []
        if failed:
            raise MissionError(
                f"{len(failed)} blocking check(s) failed, so this would not be published:\n  - "
                + "\n  - ".join(failed),
                "mend the data or the rule and refresh again. Table meta.quality_result of the "
                "warehouse lists every check of the run.",
            )


@contextmanager
def _quiet(call: _Call) -> Iterator[None]:
    """Keep the logs of libraries off the terminal; dbt keeps its own in dbt.log."""
    if call.debug:
        yield
        return
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _console() -> Console:
    """Standard output; a file or a pipe is wider than the 80 columns that rich takes it for."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_PIPE
    return console


def _say(console: Console, text: str) -> None:
    """A line with a path in it: never broken, never read as markup."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def _show_metrics(mission: Mission, *, published: bool) -> None:
    from dagster_project.publish.generations import current
    from dagster_project.terminal import headline_names, headline_table

    console = _console()
    generation = current(mission) if published else None
    database = generation.database if generation else mission.warehouse_path
    console.print(headline_table(database, headline_names(mission.warehouse_path)))
    if generation is None:
        _say(console, f"Not published; the tables are in {mission.warehouse_path}.")
        return
    warned = f", {generation.checks_warned} warnings" if generation.checks_warned else ""
    _say(
        console,
        f"Generation {generation.id}: {generation.checks_passed} checks passed{warned}. "
        f"Readers open {mission.published / 'current' / 'bi.duckdb'}.",
    )


@app.command()
def status(context: typer.Context) -> None:
    """Show the generation that readers see."""
    call: _Call = context.obj
    with _errors_shown(call):
        from dagster_project.publish.generations import current

        generation = current(call.mission())
        if generation is None:
            raise MissionError("nothing is published yet", "run `mission refresh`.")
        age = datetime.now(UTC) - generation.created_at
        console = _console()
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
            _say(console, f"{name:<12}{value}")


def _age(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


@sources.command("check")
def check_sources(context: typer.Context) -> None:
    """Try every file and every credential, write nothing; say what is missing and what that costs.

    Live sources are asked what their credentials can see.
    """
    call: _Call = context.obj
    with _errors_shown(call):
        from dagster_project.landing.ingest import client_of
        from dagster_project.settings import LiveSource
        from dagster_project.sources.read import check_source, refuse_emptiness
        from dagster_project.terminal import problem_table, seen_table, source_table

        mission = call.mission()
        console = _console()
        stopped = []
        for source in mission.sources:
            try:
                if source.entities:
                    checks = check_source(mission, source)
                    console.print(source_table(source, checks))
                    refuse_emptiness(source, checks)
                if isinstance(source, LiveSource):
                    with client_of(mission, source) as client:
                        console.print(seen_table(source, client.check()))
            except MissionError as problem:
                stopped.append(source.id)
                console.print(problem_table(source, problem))
        if stopped:
            raise MissionError(
                f"{len(stopped)} of {len(mission.sources)} sources would stop a refresh: "
                + ", ".join(stopped),
                "each remedy stands above.",
            )


@sources.command("add")
def add(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="jira, hubspot, bamboohr or files.")],
    source_id: Annotated[
        str | None,
        typer.Option("--id", help="Part of every key, so choose it once; else the kind."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the live system, or folder of the files.")
    ] = None,
) -> None:
    """Write a source into mission.yaml and name the environment variables that it needs."""
    call: _Call = context.obj
    with _errors_shown(call):
        from dagster_project.sources.add import add_source, unset

        config = call.config or Path(os.environ.get("MISSION_CONFIG") or "mission.yaml")
        source = add_source(config, kind, source_id or kind, url)
        console = _console()
        _say(console, f"Source `{source.id}` ({source.kind}) was added to {config}.")
        for name in unset(source):
            _say(console, f"Set the environment variable {name}; docs/sources.md says where from.")
        _say(console, "`mission sources check` tries it.")


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
