"""One writer at a time, kept apart by the kernel.

Belongs here: the lock of the warehouse and its message. Does not belong here: what is written under
it. The kernel releases the lock with the process, however that ends; the file's contents only tell
who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.errors import MissionError
from dagster_project.landing.storage import private_directory
from dagster_project.settings import Mission

#: Lock file -> (descriptor, depth): a run takes the lock once, its stages take it again.
_held: dict[Path, tuple[int, int]] = {}
_guard = threading.Lock()


@contextmanager
def writer_lock(mission: Mission, purpose: str) -> Iterator[None]:
    """Hold <storage>/warehouse/.writer.lock.

    Raises MissionError naming the holder when another process holds it. Within one process the
    lock may be taken again, by any thread.
    """
    path = private_directory(mission.warehouse_path.parent) / ".writer.lock"
    with _guard:
        descriptor, depth = _held.get(path) or (_acquire(path, purpose), 0)
        _held[path] = (descriptor, depth + 1)
    try:
        yield
    finally:
        with _guard:
            descriptor, depth = _held.pop(path)
            if depth > 1:
                _held[path] = (descriptor, depth - 1)
            else:
                # Closing, not unlocking: a forked child keeps the lock until it ends too.
                os.close(descriptor)


def _acquire(path: Path, purpose: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(os.pread(descriptor, 4096, 0))
        os.close(descriptor)
        raise MissionError(
            f"another process is writing: {holder}",
            "wait until it is done, or end that process; its lock goes with it.",
        ) from None
    since = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"pid": os.getpid(), "purpose": purpose, "since": since})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
    return descriptor


def _holder(content: bytes) -> str:
    try:
        told = json.loads(content)
        return f"{told['purpose']} (process {told['pid']}, since {told['since']})"
    except (ValueError, KeyError, TypeError):
        return "it has only just started"
