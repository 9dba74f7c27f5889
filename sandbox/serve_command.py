"""`mission sandbox serve`: the company's vendor APIs on this machine.

What belongs here: arguments, progress, what is shown, and the stop. What does not: servers.
`sandbox/cli.py` mounts `serve`; what simulates and serves is imported on use.
"""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from sandbox.servers.faults import Faults
    from sandbox.servers.run import Running
    from sandbox.spec import Spec
    from sandbox.world import World

Port = Annotated[int, typer.Option(min=0, max=65_535, help="0: a free one.")]


def serve(
    size: Annotated[
        str,
        typer.Option(help="tiny (60 people), small (600), medium (10,000) or large (100,000)."),
    ] = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same company.")] = 7,
    profile: Annotated[
        str, typer.Option(help="messy, or clean: everything is observable.")
    ] = "messy",
    key_results: Annotated[
        bool, typer.Option("--key-results", help="Initiatives carry key results.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day that is not seen: the clock stands at its start. "
            "Default: the end of the simulation.",
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, max=1_000, help="Simulated days a second; 0: the clock stands.")
    ] = 0.0,
    jira_port: Port = 0,
    hubspot_port: Port = 0,
    bamboohr_port: Port = 0,
    drop: Annotated[
        Path | None,
        typer.Option(help="Folder for the exports of HR and surveys, anew for every day."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="JSON file with faults, as /_sandbox/faults takes them.")
    ] = None,
    fault_seed: Annotated[
        int | None, typer.Option(min=0, help="Faults of all kinds, drawn from this seed.")
    ] = None,
) -> None:
    """Serve Jira, HubSpot and BambooHR on 127.0.0.1 as of a day, until Ctrl-C.

    Every server has a control endpoint, /_sandbox/state, that moves the clock and orders faults.
    """
    from sandbox.calendars import END, first_instant
    from sandbox.servers.clock import Clock
    from sandbox.servers.run import running, vendors
    from sandbox.spec import SandboxError, Spec

    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ports = {"jira": jira_port, "hubspot": hubspot_port, "bamboohr": bamboohr_port}
    try:
        spec = Spec.of(size, seed, profile, key_results)
        clock = Clock(first_instant(until.date() if until else END))
        ordered = _faults(faults, fault_seed, list(ports))
        with ExitStack() as stack:
            world = stack.enter_context(_simulated(spec, console))
            wait = stack.enter_context(_signals_held())
            served = stack.enter_context(
                running(
                    world,
                    vendors=list(vendors().values()),
                    clock=clock,
                    faults=ordered,
                    ports=ports,
                )
            )
            if drop:
                stack.enter_context(_file_drop(drop, served))
            clock.run(speed)
            _show(served, drop, console)
            signal.sigwait(wait)
    except SandboxError as error:
        Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False)
        raise typer.Exit(2) from error
    except KeyboardInterrupt as stop:
        raise typer.Exit(130) from stop


def _faults(file: Path | None, seed: int | None, servers: list[str]) -> Faults:
    from sandbox.servers.control import ordered
    from sandbox.servers.faults import Faults, schedule
    from sandbox.spec import SandboxError

    faults = Faults(schedule(seed, servers) if seed is not None else ())
    if file:
        try:
            order = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SandboxError(f"--faults {file} cannot be read: {error}.") from error
        for fault in ordered(order, servers):
            faults.add(fault)
    return faults


@contextmanager
def _simulated(spec: Spec, console: Console) -> Iterator[World]:
    """The company, in memory or, from `small` on, in a file that is removed afterwards."""
    from sandbox.world import PARTS, build

    with ExitStack() as stack:
        database = None
        if spec.size.name != "tiny":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-"))
            database = Path(folder) / "hidden.duckdb"
        bar = Progress(
            TextColumn("{task.description:<26}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        with bar:
            task = bar.add_task("Start", total=len(PARTS))
            world = build(
                spec,
                database=database,
                progress=lambda part: bar.update(task, description=part, advance=1),
            )
        stack.callback(world.connection.close)
        yield world


@contextmanager
def _signals_held() -> Iterator[set[signal.Signals]]:
    """Ctrl-C and SIGTERM wait to be asked for, in all threads started meanwhile."""
    held = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield held
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _file_drop(folder: Path, served: Running) -> Iterator[None]:
    from sandbox.servers.drop import FileDrop

    stages = {name: server.stage for name, server in served.servers.items()}
    with FileDrop(folder, stages["bamboohr"], stages["hubspot"]).kept_up():
        yield


def _show(served: Running, drop: Path | None, console: Console) -> None:
    """Addresses, and the tokens as variables to export, each on a line of its own."""
    say = console.out
    say(f"The company as of {served.clock.now():%Y-%m-%d %H:%M} UTC. Ctrl-C stops it.")
    for server in served.servers.values():
        say(f"export {server.name.upper()}_URL={server.address}")
    for server in served.servers.values():
        if server.is_token_new:
            say(f"export {server.variable}={server.token}")
        else:
            say(f"# {server.variable}: as in the environment")
    if drop:
        say(f"# exports of HR and surveys: {drop}")
    console.file.flush()
