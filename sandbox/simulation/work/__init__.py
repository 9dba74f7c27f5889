"""The work of the company: initiatives, ideas, everyday issues, and who did what of it.

What belongs here: issues with their whole history, true effort and what was booked of it. What
does not: the people (`simulation.people`), customers, and any vendor's way of telling it.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.catalogue import products as catalogue
from sandbox.simulation.work import (
    balance,
    effort,
    everyday,
    histories,
    ideas,
    initiatives,
    issues,
    milestones,
    noise,
    numbering,
    outcomes,
    releases,
    sprints,
    timelines,
    worklogs,
    writing,
)
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.notebook import Events, Issues
from sandbox.simulation.worktime import WorkTime
from sandbox.spec import Spec


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill the hidden tables of work; departments, projects and people are there already."""
    work_time = WorkTime.of(connection)
    cast = Cast.of(connection, spec, work_time)
    _histories(connection, spec, cast)
    effort.simulate(connection, spec, work_time)
    balance.repair(connection, spec, cast)
    worklogs.book(connection, spec, work_time)


def _histories(connection: duckdb.DuckDBPyConnection, spec: Spec, cast: Cast) -> None:
    """Everything but effort; what it needs of memory is free again afterwards."""
    book = issues.Book(cast, Issues(), Events())
    products = catalogue(spec, cast.first_teams)
    objectives = milestones.Objectives.of(connection)
    codes = milestones.LabelCodes(objectives, products)
    times = timelines.draw(cast, spec, products)
    rows = initiatives.create(book, times)
    served = milestones.serve(book, spec, times, objectives, timelines.day_of(times.created))
    dues = milestones.due_dates(book, times)
    milestones.note_due_dates(book, times, rows, dues)
    milestones.statuses(book, times, rows)
    initiatives.children(book, times, rows, milestones.due_limit(times, dues))
    initiatives.mend(book, times, rows)
    thought = ideas.create(book, spec, objectives, codes)
    everyday.standalone(book, spec)
    kept = _give_up(book)
    rows, thought.rows = kept[rows], kept[thought.rows]
    initiatives.close_below(book, times, rows)
    histories.adopt(book, times.started, rows)
    histories.trouble(book)
    histories.close_for_good(book)
    versions = releases.plan_versions(book, times, rows)
    sprints.plan(book)
    noise.add(book)
    said = noise.comments(book)
    # Last of all: labels are what profiles differ in, and nothing else may depend on them.
    milestones.labels(book, spec, times, rows, served, codes)
    ledger = numbering.settle(cast, book.issues, book.events)
    writing.dictionaries(connection, cast, [product.name for product in products], codes.texts)
    writing.write_issues(connection, cast, book.issues, ledger)
    writing.write_changes(connection, ledger)
    writing.write_spans(connection, book.issues, ledger)
    _remove_closed(connection)
    outcomes.write(connection, cast, times, served, objectives, ledger.issue_id[rows], products)
    outcomes.write_ideas(connection, cast, spec, thought, ledger.issue_id[thought.rows])
    releases.write_versions(connection, versions)
    sprints.write(connection, cast)
    releases.write_comments(connection, cast, ledger, said)
    releases.write_key_results(connection, spec, times, ledger.issue_id[rows])


def _give_up(book: issues.Book) -> npt.NDArray[np.int64]:
    """What was planned below an initiative after its end never comes into being.

    The answer maps rows of issues to those that are left.
    """
    planned = book.issues
    exists = np.isnat(planned["cut"]) | (planned["created"] < planned["cut"])
    exists |= planned["initiative"] == np.arange(planned.count)
    kept = planned.retain(exists)
    book.events.renumber(kept)
    book.events.forget(planned)
    return kept


def _remove_closed(connection: duckdb.DuckDBPyConnection) -> None:
    """The status that the administrators removed from the service workflow."""
    connection.execute(f"""
        insert into hidden.workflow_status
        select
            'service', 'Closed', max(status_id) + 1, 'done', 'done',
            timestamp '{histories.CLOSED_UNTIL}'
        from hidden.workflow_status
    """)
