"""Dagster's web interface, started as `make dev` starts it, in headless Chromium.

MISSION_CHROMIUM names the browser (default /usr/bin/chromium). Without one these tests are
skipped, except in CI, where they fail.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from dagster_project.defs.manifest import ROOT
from dagster_project.publish.generations import current
from dagster_project.settings import load_mission
from sandbox.files import write
from sandbox.spec import Spec

CHROMIUM = os.environ.get("MISSION_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(
    shutil.which(CHROMIUM) is None and os.environ.get("CI") != "true",
    reason=f"no Chromium at {CHROMIUM}: install it, or name it in MISSION_CHROMIUM",
)

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
RUN = """
query ($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { status assets { key { path } } }
  }
}
"""
ASSETS = """
query { assetNodes { assetKey { path } groupName isMaterializable } }
"""


@dataclass
class Interface:
    """A running web interface and the mission that it serves."""

    url: str
    home: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        assert "errors" not in found, found["errors"]
        return dict(found["data"])


@pytest.fixture(scope="module")
def interface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interface]:
    assert shutil.which(CHROMIUM), f"CI needs a browser: there is none at {CHROMIUM}"
    home = tmp_path_factory.mktemp("company")
    shutil.copytree(ROOT / "seeds", home / "seeds")
    shutil.copy(ROOT / "sandbox" / "files.yaml", home / "mission.yaml")
    write(home / "data" / "sandbox", Spec())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MISSION_", "DAGSTER_"))}
    log = home / "dev.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("mission")), "dev", "--port", str(port)],
            cwd=home,
            env=kept,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = Interface(f"http://127.0.0.1:{port}", home)
    try:
        _wait_until_loaded(found, server, log)
        yield found
    finally:
        _stop(server)


def _wait_until_loaded(interface: Interface, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            if interface.ask(ASSETS)["assetNodes"]:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    pytest.fail(f"the interface did not come up:\n{log.read_text()}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the process group that the fixture started, politely first."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, wish)
            server.wait(timeout=30)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1800, "height": 1000})
        browser.close()


def test_the_graph_of_all_groups_is_drawn(interface: Interface, page: Page, tmp_path: Path) -> None:
    page.goto(f"{interface.url}/asset-groups")
    for group in ("ingest_jira", "staging_crm", "intermediate_people", "marts_metrics", "publish"):
        page.get_by_text(group, exact=True).first.wait_for(timeout=60_000)
    picture = tmp_path / "asset-graph.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000


def test_an_asset_tells_its_grain_and_its_columns(interface: Interface, page: Page) -> None:
    page.goto(f"{interface.url}/assets/main/mart_scorecard")
    for text in ("mart_scorecard", "marts_metrics", "mission-office"):
        page.get_by_text(text, exact=True).first.wait_for(timeout=60_000)
    page.get_by_text("One row per metric, definition version").first.wait_for(timeout=60_000)


def test_a_run_from_the_interface_materialises_every_asset(
    interface: Interface, page: Page
) -> None:
    launched = interface.ask(
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": "mission",
                "repositoryName": "__repository__",
                "jobName": "daily_refresh",
            },
            "runConfigData": {},
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    run = _wait_for(interface, run_id)
    assert run["status"] == "SUCCESS"

    nodes = interface.ask(ASSETS)["assetNodes"]
    every = {".".join(n["assetKey"]["path"]) for n in nodes if n["isMaterializable"]}
    assert {".".join(asset["key"]["path"]) for asset in run["assets"]} == every
    generation = current(load_mission(interface.home / "mission.yaml"))
    assert generation is not None
    assert generation.run_id == run_id

    page.goto(f"{interface.url}/runs/{run_id}")
    page.get_by_text("Success", exact=True).first.wait_for(timeout=60_000)


def _wait_for(interface: Interface, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        run: dict[str, Any] = interface.ask(RUN, id=run_id)["runOrError"]
        if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            return run
        time.sleep(1)
    pytest.fail("the run did not end")
