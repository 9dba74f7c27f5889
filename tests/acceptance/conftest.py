"""Acceptance: real data of ../shared/data, published by peers with the values they expect."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from model_runner import compiled, models

__all__ = ["compiled", "models"]

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("real data is absent: ../shared/data does not lie beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def read_rows(shared: Path) -> Callable[[str], list[dict[str, str]]]:
    """Rows of a CSV below ../shared/data, as text."""

    def read(path: str) -> list[dict[str, str]]:
        csv.field_size_limit(10**9)
        with (shared / path).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return read
