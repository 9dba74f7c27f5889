"""What the systems say of the company.

What belongs here: one module a vendor that turns the hidden state, as of an instant, into SQL of
that vendor's records, for files (`sandbox/files.py`) and for the API servers (`sandbox/servers`)
alike. What does not: invented facts (`sandbox/simulation`) and the truth about them
(`sandbox/truth`), which is never read off records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RecordFile:
    """One file to write, as a query that fits into bounded memory."""

    group: str
    """What is counted together, e.g. "jira/issues"."""
    path: str
    """Relative to the folder that is written, e.g. "jira/issues-2024-07.jsonl.gz"."""
    sql: str
    """An ordered select: one row a record. For "json" every column is a key of the object; for
    "lines" there is one column, and its text is the line."""
    format: Literal["json", "csv", "lines"]
    compression: Literal["none", "gzip"] = "none"
