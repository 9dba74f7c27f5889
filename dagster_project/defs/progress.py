"""How far a refresh is, told to whoever asked.

Belongs here: the shape of progress. Does not belong here: showing it (`dagster_project.cli`).
Dagster's event log would carry it as well, at the price of some milliseconds an event.
"""

from __future__ import annotations

from collections.abc import Callable

#: Called with the stage for each of its parts that is done: a table landed, a model built, a dbt
#: test or an expectation evaluated, a generation published.
OnPart = Callable[[str], None]


def nobody_asked(stage: str) -> None:
    """Take no notice, as runs of the schedule and of the web interface do."""
