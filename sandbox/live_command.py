"""`mission sandbox live`: run a command of `mission` while the company's servers answer.

What belongs here: which servers mission.yaml means, the secrets they ask for, their start and stop.
What does not: the servers, and what the command does. `sandbox/cli.py` mounts `live`.

A live source on this machine is the sandbox: its port is served, and its token is made anew for
each run and handed to the command in the environment, where a real one would stand.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
import yaml
from rich.console import Console

if TYPE_CHECKING:
    from sandbox.spec import Spec

_VENDORS = {"jira_cloud": "jira", "hubspot": "hubspot", "bamboohr": "bamboohr"}
_HOST = "127.0.0.1"
_ACCOUNT = "mission@tidewater.example.com"
_DROP = Path("data/sandbox")


def live(
    context: typer.Context,
    size: Annotated[
        str, typer.Option(help="tiny (60 people), small (600), medium or large.")
    ] = "tiny",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same company.")] = 7,
    profile: Annotated[str, typer.Option(help="messy or clean.")] = "messy",
    config: Annotated[Path, typer.Option(help="mission.yaml.")] = Path("mission.yaml"),
) -> None:
    """Run `mission COMMAND` while Jira, HubSpot and BambooHR of the sandbox answer.

    Where mission.yaml names no source on this machine, the command runs as it is.
    """
    from sandbox.spec import SandboxError, Spec

    program = [str(Path(sys.executable).with_name("mission")), *context.args]
    try:
        sources = _local_sources(config)
        if not sources:
            raise typer.Exit(_run(program, {}))
        code = _served(program, sources, Spec.of(size, seed, profile), config)
    except SandboxError as error:
        Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False)
        raise typer.Exit(2) from error
    raise typer.Exit(code)


def _served(
    program: list[str], sources: Mapping[str, Mapping[str, Any]], spec: Spec, config: Path
) -> int:
    from sandbox.servers.drop import FileDrop
    from sandbox.servers.run import running, vendors
    from sandbox.world import build

    ports = {name: urlsplit(source["base_url"]).port or 0 for name, source in sources.items()}
    tokens = {name: secrets.token_urlsafe(24) for name in sources}
    environment = {}
    for name, source in sources.items():
        own = f"MISSION_{source['id'].upper()}"
        environment[source.get("token_env") or f"{own}_TOKEN"] = tokens[name]
        if name == "jira":
            environment[source.get("email_env") or f"{own}_EMAIL"] = _ACCOUNT
    world = build(spec)
    with running(world, vendors=list(vendors().values()), ports=ports, tokens=tokens) as served:
        stages = {name: server.stage for name, server in served.servers.items()}
        with FileDrop(config.parent / _DROP, stages["bamboohr"], stages["hubspot"]).kept_up():
            return _run(program, environment)


def _run(program: list[str], environment: Mapping[str, str]) -> int:
    """Run to the end; Ctrl-C and SIGTERM are the command's business first."""
    child = subprocess.Popen(program, env={**os.environ, **environment})
    handlers = {
        number: signal.signal(number, lambda number, frame: child.send_signal(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        return child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _local_sources(config: Path) -> dict[str, dict[str, Any]]:
    """Vendor -> the first live source of mission.yaml that is on this machine."""
    from sandbox.spec import SandboxError

    try:
        told = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SandboxError(f"{config} cannot be read: {error}.") from error
    found: dict[str, dict[str, Any]] = {}
    for source in (told or {}).get("sources") or []:
        vendor = _VENDORS.get(str(source.get("kind")))
        if vendor and urlsplit(str(source.get("base_url"))).hostname == _HOST:
            found.setdefault(vendor, source)
    return found
