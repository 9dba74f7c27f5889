"""Files that survive a power cut, in directories that only their owner may read.

Belongs here: making directories private, syncing, replacing whole. Does not belong here: what the
files mean.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def private_directory(path: Path) -> Path:
    """Create a directory, and itself set to mode 0700; parents get the usual mode."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def sync(path: Path) -> None:
    """Wait until a file or the entries of a directory are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def commit(temporary: Path, final: Path) -> None:
    """Give a finished file or directory its name: afterwards it is there whole, or not at all."""
    if temporary.is_dir():
        for path in temporary.iterdir():
            sync(path)
    sync(temporary)
    temporary.rename(final)
    sync(final.parent)


def remove(path: Path) -> None:
    """Remove a file or a directory with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_if_empty(directory: Path) -> None:
    """Remove a directory that holds nothing, if it is there."""
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()
