"""Records as files in vendor format, written whole or not at all.

What belongs here: the folder, its exchange, and the order of the work. What does not: what the
files say (`sandbox/records`), and what the platform has to be told beside (`sandbox/mission.py`).
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from sandbox.calendars import END, START, first_instant
from sandbox.mission import STORAGE, write_mission
from sandbox.records import RecordFile, bamboohr, hubspot, jira
from sandbox.spec import SandboxError, Spec
from sandbox.world import PARTS, World, build

MARKER = "sandbox.json"
"""Names a folder as ours; only such a folder is ever replaced."""

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of all that is behind it, 0 to 1."""

_SIMULATED = 0.33
"""Share of the time that the simulation takes, measured at size `large`."""
_SYSTEMS = (("Jira", jira, 0.94), ("HubSpot", hubspot, 0.97), ("BambooHR", bamboohr, 0.99))
"""Title, module, and the share of all that is done once its files are written."""
_LEVEL = 1
"""Of compression: 3.4 MB instead of 2.4 MB at level 6, for half of the time."""
_OPTIONS = {
    "csv": "format csv, header",
    "json": "format json",
    # Text as it is: nothing is quoted, and no JSON holds the character that would separate columns.
    "lines": "format csv, header false, quote '', escape '', delimiter '\x01'",
}


@dataclass(frozen=True)
class Written:
    """What was written: records by file group, in a folder."""

    folder: Path
    records: Mapping[str, int]


def write(
    out: Path, spec: Spec, until: date = END, progress: Progress = lambda what, done: None
) -> Written:
    """Simulate the company of `spec` and write its records from before `until` to `out`.

    `until` is the first day that is not seen. The same spec and day give the same bytes. The new
    folder is made beside the old one, which it replaces by renaming. Raises SandboxError for a
    day outside the simulation, or a folder that is not ours.
    """
    _check(out, until)
    out.parent.mkdir(parents=True, exist_ok=True)
    titles = [title for title, _ in PARTS]

    def simulating(title: str) -> None:
        progress(title, _SIMULATED * titles.index(title) / len(titles))

    with _database(out, spec) as database:
        world = build(spec, database=database, progress=simulating)
        try:
            return write_world(out, world, until, progress)
        finally:
            world.connection.close()


def write_world(
    out: Path, world: World, until: date = END, progress: Progress = lambda what, done: None
) -> Written:
    """`write` for a company that is simulated already; its hidden state stays as it is."""
    _check(out, until)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        records = _write_records(world.connection, staging, first_instant(until), progress)
        progress("Put the folder in place", 0.99)
        told_until = first_instant(until).astimezone(UTC)
        write_mission(world.connection, staging, until, told_until)
        spec = world.spec
        marker = {
            "sandbox": spec.size.name,
            "seed": spec.seed,
            "profile": spec.profile.name,
            "key_results": spec.key_results,
            "until": until.isoformat(),
        }
        (staging / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
        staging.chmod(0o700)  # it holds names and addresses, invented ones included
        _exchange(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Written(out, records)


def _write_records(
    connection: duckdb.DuckDBPyConnection, folder: Path, now: datetime, progress: Progress
) -> dict[str, int]:
    """Rows written, by group."""
    counts: Counter[str] = Counter()
    begins = _SIMULATED
    for title, system, ends in _SYSTEMS:
        progress(f"Look at {title}", begins)
        system.prepare(connection, now)
        files = list(system.files(connection, now))
        # One at a time: the queries use every core, and two at once do not fit into memory.
        for number, file in enumerate(files, 1):
            counts[file.group] += _copy(connection, file, folder)
            done = begins + (ends - begins) * number / len(files)
            progress(f"Write {title}'s records", done)
        begins = ends
    return dict(counts)


def _copy(connection: duckdb.DuckDBPyConnection, file: RecordFile, folder: Path) -> int:
    """Write one file and count its rows."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if (file.format, file.compression) == ("lines", "gzip"):
        return _copy_lines(connection.execute(file.sql), path)
    options = f"{_OPTIONS[file.format]}, compression {file.compression}"
    row = connection.execute(f"copy ({file.sql}) to '{path}' ({options})").fetchone()
    assert row is not None
    return int(row[0])


def _copy_lines(lines: duckdb.DuckDBPyConnection, path: Path) -> int:
    """A gzip file of a query's lines: in a third of the time that DuckDB takes to compress."""
    count = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:
        while rows := lines.fetchmany(1_000):
            packed.write("".join(f"{line}\n" for (line,) in rows).encode())
            count += len(rows)
    return count


@contextmanager
def _database(out: Path, spec: Spec) -> Iterator[Path | None]:
    """A file for the hidden state of a company too large for memory, removed afterwards."""
    if spec.size.name == "tiny":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-world-", dir=out.parent) as folder:
        yield Path(folder) / "world.duckdb"


def _check(out: Path, until: date) -> None:
    """Refuse days outside the simulation, and folders that hold the work of somebody else."""
    if not START < until <= END:
        raise SandboxError(
            f"--until {until} is outside the simulation. Give a day from {START} (exclusive) "
            f"to {END}."
        )
    if not out.exists():
        return
    if not out.is_dir() or out.is_symlink():
        raise SandboxError(f"{out} is not a folder. Choose another --out.")
    if any(out.iterdir()) and not (out / MARKER).is_file():
        raise SandboxError(
            f"{out} holds files that `mission sandbox write` did not make (no {MARKER} in it). "
            "Choose another --out, or empty that folder yourself."
        )


def _exchange(staging: Path, out: Path) -> None:
    """Put `staging` in the place of `out`, and keep what the platform stored in it.

    Readers see the old folder, the new one, or, between two renames, none: never a mixture.
    """
    if not out.exists():
        staging.rename(out)
        return
    retired = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    old = out.rename(retired / out.name)
    staging.rename(out)
    if (old / STORAGE).is_dir():
        (old / STORAGE).rename(out / STORAGE)
    shutil.rmtree(retired)
