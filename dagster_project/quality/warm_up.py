"""Imports Great Expectations ahead of its use, while another process has the work.

Belongs here: nothing but that. The import takes seconds; the audit waits for it only if it has
not been made by then.
"""

from __future__ import annotations

import os
import threading


def warm_up() -> threading.Thread:
    """Start the import in the background and return its thread."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    thread = threading.Thread(target=_import, name="warm-up", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    import great_expectations
    import great_expectations.expectations  # noqa: F401
