"""Files in vendor format, written whole or not at all.

What belongs here: file names, formats and the exchange of folders. What does not: their content
(`jira`, `crm`, `hr`).
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sandbox import crm, hr, jira, market, work
from sandbox.calendars import END, START, first_instant
from sandbox.company import SIZES, found

MARKER = "sandbox.json"
"""Names a folder as ours; only such a folder is ever replaced."""

Progress = Callable[[str], None]


class SandboxError(Exception):
    """A request that cannot be fulfilled; the message names the remedy."""


@dataclass(frozen=True)
class Written:
    """What was written: records by file group, in a folder."""

    folder: Path
    records: Mapping[str, int]


def write(
    out: Path,
    *,
    size: str = "tiny",
    seed: int = 7,
    until: date = END,
    progress: Progress = lambda stage: None,
) -> Written:
    """Simulate the company and write its records from before `until` to `out`.

    `until` is the first day that is not seen. The same size, seed and day give the same bytes.
    The new folder is made beside the old one, which it replaces by renaming. Raises
    SandboxError for an unknown size, a day outside the simulation, or a folder that is not ours.
    """
    if size not in SIZES:
        raise SandboxError(f"Unknown size '{size}'. Sizes are: {', '.join(SIZES)}.")
    if not START < until <= END:
        raise SandboxError(
            f"--until {until} is outside the simulation. Give a day from {START} (exclusive) "
            f"to {END}."
        )
    _check_ours(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        records = _write_all(staging, size, seed, until, progress)
        progress("Put the folder in place")
        staging.chmod(0o700)  # it holds names and addresses, invented ones included
        _exchange(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Written(out, records)


STAGES = 5
"""How often `write` reports progress."""


def _write_all(
    folder: Path, size: str, seed: int, until: date, progress: Progress
) -> dict[str, int]:
    progress("Simulate people and work")
    company = found(SIZES[size], seed)
    history = work.simulate(company)
    trade = market.simulate(company, work.launches(history))
    moment = first_instant(until)

    progress("Write Jira records")
    months: dict[str, list[jira.Record]] = defaultdict(list)
    for month, issue in jira.issues(history, moment):
        months[month].append(issue)
    for month, issues in sorted(months.items()):
        _write_json_lines(folder / "jira" / f"issues-{month}.jsonl.gz", issues)
    counts = {"jira/issues": sum(map(len, months.values()))}
    for name, records in (
        ("users", jira.users(company, moment)),
        ("statuses", jira.statuses()),
        ("versions", jira.versions(history, moment)),
    ):
        counts[f"jira/{name}"] = _write_json_lines(folder / "jira" / f"{name}.jsonl", records)

    progress("Write CRM records")
    for name, rows in crm.tables(company, trade, moment).items():
        counts[f"crm/{name}"] = _write_csv(folder / "crm" / f"{name}.csv", crm.COLUMNS[name], rows)
    progress("Write HR records")
    for name, rows in hr.tables(company, trade, until).items():
        counts[f"hr/{name}"] = _write_csv(folder / "hr" / f"{name}.csv", hr.COLUMNS[name], rows)

    marker = {"sandbox": size, "seed": seed, "until": until.isoformat()}
    (folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
    return counts


def _write_json_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """One record a line, gzipped where the name says so; no clock in the bytes."""
    lines = [json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in records]
    data = "".join(lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=6, mtime=0)
    path.write_bytes(data)
    return len(lines)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """A header even where there are no rows yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return len(table)


def _check_ours(out: Path) -> None:
    """Only a missing folder, an empty one or an earlier sandbox may be replaced."""
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
    """Put `staging` in the place of `out`.

    Readers see the old folder, the new one, or, between two renames, none: never a mixture.
    """
    if out.exists():
        retired = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
        out.rename(retired / out.name)
        staging.rename(out)
        shutil.rmtree(retired)
    else:
        staging.rename(out)
