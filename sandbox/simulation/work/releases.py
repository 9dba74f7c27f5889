"""Versions, comments and key results as hidden tables.

What belongs here: rows beside the issues themselves. What does not: issues and their histories.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.work.cast import Cast
from sandbox.simulation.work.issues import TYPE, Book
from sandbox.simulation.work.noise import Anchors
from sandbox.simulation.work.notebook import Ints, Moments
from sandbox.simulation.work.numbering import FIRST_COMMENT, FIRST_VERSION, Ledger
from sandbox.simulation.work.paths import after
from sandbox.simulation.work.timelines import DELIVERED, Timelines
from sandbox.simulation.work.words import FIELD, NOTHING, PHASE, WORKFLOW
from sandbox.spec import Spec

WITH_VERSION = 0.8
"""Delivered initiatives of software projects that are released as a version."""


@dataclass
class Versions:
    """One entry per version, in the order of their beginning."""

    team: Ints
    started: Moments
    released: Moments


def plan_versions(book: Book, times: Timelines, rows: Ints) -> Versions:
    """Versions of delivered initiatives, and the issues that say they are in them."""
    cast, rng, issues = book.cast, book.cast.rng, book.issues
    software = cast.workflow[times.team] == WORKFLOW["software"]
    has = (times.fate == DELIVERED) & software & (rng.random(len(rows)) < WITH_VERSION)
    chosen = np.flatnonzero(has)
    started = np.maximum(after(times.done[chosen], -20.0), times.started[chosen])
    order = np.argsort(started, kind="stable")
    chosen, started = chosen[order], started[order]
    value = FIRST_VERSION + np.arange(len(chosen))
    book.events.note("fix_version", rows[chosen], times.done[chosen], times.lead[chosen], value)
    version_of = np.full(issues.count, NOTHING)
    version_of[rows[chosen]] = np.arange(len(chosen))
    found = book.events.all()
    finished = np.flatnonzero(
        (found["field"] == FIELD["status"]) & (found["phase"] == PHASE["done"])
    )
    issue = found["issue"][finished]
    initiative = issues["initiative"][issue]
    version = np.where(initiative == NOTHING, NOTHING, version_of[np.maximum(initiative, 0)])
    told = (version != NOTHING) & (issues["type"][issue] != TYPE["Initiative"])
    if len(chosen):
        told &= found["at"][finished] >= started[np.maximum(version, 0)] + np.timedelta64(1, "D")
    told &= rng.random(len(issue)) < 0.7
    event = finished[told]
    book.events.note(
        "fix_version",
        found["issue"][event],
        found["at"][event],
        found["author"][event],
        FIRST_VERSION + version[told],
    )
    return Versions(times.team[chosen], started, times.first_release[chosen])


def write_versions(connection: duckdb.DuckDBPyConnection, versions: Versions) -> None:
    """Fill hidden.version."""
    keep(
        connection,
        "version",
        {
            "version_id": FIRST_VERSION + np.arange(len(versions.team)),
            "project": versions.team,
            "started": versions.started,
            "released_at": versions.released,
        },
        """
        select
            version_id, word_project.text as project_key,
            strftime(started, '%Y.%m') || '-' || row_number() over (
                partition by project order by version_id
            ) as name,
            started::date as started_on, released_at
        from given
        inner join word_project on word_project.code = given.project
        order by version_id
        """,
    )


def write_comments(
    connection: duckdb.DuckDBPyConnection, cast: Cast, ledger: Ledger, said: Anchors
) -> None:
    """Fill hidden.comment."""
    issue_id = ledger.issue_id[said.issue]
    order = np.lexsort((said.author, issue_id, said.at))
    keep(
        connection,
        "comment",
        {
            "comment_id": FIRST_COMMENT + np.arange(len(order)),
            "issue_id": issue_id[order],
            "person_id": cast.work_time.person_ids[said.author[order]],
            "written_at": said.at[order],
        },
    )


_MEASURES = [
    "Hours saved a month",
    "Orders without a question",
    "Stations that report daily",
    "Calls answered at once",
    "Invoices without correction",
    "Days from order to delivery",
]


def write_key_results(
    connection: duckdb.DuckDBPyConnection, spec: Spec, times: Timelines, issue_id: Ints
) -> None:
    """Fill hidden.key_result where the company has them.

    One or two an approved initiative, all of them met if its outcome is; one of twelve is never
    measured.
    """
    rng = random_stream(spec, "key results")
    approved = np.flatnonzero(times.fate <= 2)
    is_met = rng.random(len(approved)) < times.p_outcome_met[approved]
    counts = np.where(rng.random(len(approved)) < 0.3, 2, 1)
    place = np.arange(len(approved)).repeat(counts)
    count = len(place)
    of, met = approved[place], is_met[place]
    # The first key result decides where the outcome is missed; the second one may do well.
    first = np.append(True, place[1:] != place[:-1])
    met = met | (~first & (rng.random(count) < 0.5))
    target = rng.integers(4, 80, count).astype(np.float64) * 5
    measured = after(times.available[of], rng.uniform(15, 80, count))
    unmeasured = (times.fate[of] != DELIVERED) | (rng.random(count) < 1 / 12)
    if not spec.key_results:
        return
    reached = np.where(met, rng.uniform(1.0, 1.3, count), rng.uniform(0.4, 0.95, count))
    keep(
        connection,
        "key_result",
        {
            "number": np.arange(count) + 1,
            "issue_id": issue_id[of],
            "measure_number": rng.integers(0, len(_MEASURES), count),
            "target_value": target,
            "due": after(times.available[of], 85.0),
            "value": np.where(unmeasured, np.nan, np.round(target * reached, 1)),
            "measured_at": np.where(unmeasured, np.datetime64("NaT", "s"), measured),
            "is_met": met,
        },
        f"""
        select
            'KR-' || number as key_result_id, issue_id,
            {_MEASURES}[measure_number + 1] as measure, target_value, due::date as due_date,
            value as measured_value, measured_at, is_met
        from given
        order by number
        """,
    )
