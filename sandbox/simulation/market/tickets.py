"""What customers ask: tickets, some of which led to an incident in Jira.

What belongs here: hidden.ticket and ticket_stage. What does not: the incidents themselves
(`work`), and what customers think of the answer (`surveys`).

Planted: a ticket with an incident is closed after it, so that whatever slows incidents slows it.
"""

from __future__ import annotations

import duckdb
import numpy as np

from sandbox.calendars import END, START, offset
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market.encounters import (
    CARE_DEPARTMENTS,
    DAY,
    MINUTE,
    MONTHS,
    NEVER,
    Customers,
    Flags,
    Moments,
    Numbers,
    Staff,
    business_hours,
    days_since_start,
)
from sandbox.spec import Spec

NEW, WAITING_ON_CONTACT, WAITING_ON_US, CLOSED = "1", "2", "3", "4"
"""Stages of HubSpot's default pipeline for tickets."""
_TOPICS = (
    "Gauge reads low after the storm|No data since this morning|Invoice does not match the order"
    "|Login for a new colleague|Export stops half way|Battery warning comes too early"
    "|Calibration certificate is missing|Forecast differs from the buoy|Dashboard loads slowly"
    "|Delivery arrived incomplete|Alarm was sent twice|Question on the service plan"
    "|Sensor shows a constant value|Units of the report are wrong|Spare part needed"
    "|Access for an auditor"
)
TOPICS = _TOPICS.split("|")
FIRST_TICKET = 30_001
WITH_INCIDENT, OF_INCIDENTS = 0.25, 0.7
"""At most these shares of the tickets, and of the incidents, belong together."""
MEDIAN_DAYS, SPREAD = 1.8, 0.9
ENDED = "('done', 'released', 'cancelled')"
NEVER_CLOSED, REOPENED, ARCHIVED = 0.015, 0.05, 0.015
# Columns of the matrix of stages.
_NEW, _TAKEN, _ASKED, _ANSWERED, _CLOSED_BEFORE, _AGAIN, _CLOSED = range(7)
_STAGES = (NEW, WAITING_ON_US, WAITING_ON_CONTACT, WAITING_ON_US, CLOSED, WAITING_ON_US, CLOSED)


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hidden.ticket and ticket_stage."""
    rng = random_stream(spec, "tickets")
    opened, closed, issue = _lives(connection, spec, rng)
    order = np.lexsort((np.arange(len(opened)), opened))
    opened, closed, issue = opened[order], closed[order], issue[order]
    count = len(opened)
    customers = Customers.of(connection)
    _keep_stages(connection, opened, closed, rng)
    is_linked = issue >= 0
    urgency = rng.random(count)
    keep(
        connection,
        "ticket",
        {
            "number": FIRST_TICKET + np.arange(count),
            "customer_id": customers.customer_id[customers.pick(rng, opened)],
            "subject": np.array(TOPICS)[rng.integers(0, len(TOPICS), count)],
            "handler_id": Staff.of(connection, CARE_DEPARTMENTS).pick(rng, opened),
            "issue": issue,
            "priority": np.where(
                is_linked,
                np.where(urgency < 0.3, "URGENT", "HIGH"),
                np.where(urgency < 0.45, "LOW", np.where(urgency < 0.9, "MEDIUM", "HIGH")),
            ),
            "opened_at": opened,
            "closed_at": closed,
            "archived_at": _archived(closed, is_linked, rng),
        },
        """
        select
            * exclude (number, issue), cast(number as varchar) as ticket_id,
            nullif(issue, -1) as issue_id
        from given
        """,
    )


def _lives(
    connection: duckdb.DuckDBPyConnection, spec: Spec, rng: np.random.Generator
) -> tuple[Moments, Moments, Numbers]:
    """When tickets are opened and closed (never: NaT), and the incident each led to (none: -1)."""
    count = int(rng.poisson(MONTHS * spec.size.tickets_a_month))
    opened = business_hours(rng, rng.integers(0, offset(END) - 2, count))
    lasts = MEDIAN_DAYS * np.exp(rng.normal(0, SPREAD, count))
    worked_on_until = opened.copy()
    issue = np.full(count, -1, dtype=np.int64)
    begins, ends, issue_ids = _incidents(connection)
    linked = min(int(WITH_INCIDENT * count), int(OF_INCIDENTS * len(issue_ids)))
    if linked:
        # With repetition: several customers may notice one incident.
        chosen = rng.integers(0, len(issue_ids), linked)
        issue[:linked] = issue_ids[chosen]
        opened[:linked] = begins[chosen] - rng.integers(600, 10_000, linked).astype("m8[s]")
        worked_on_until[:linked] = ends[chosen]
        lasts[:linked] *= 0.3
    stays_open = (rng.random(count) < NEVER_CLOSED) | np.isnat(worked_on_until)
    reference = np.where(stays_open, opened, worked_on_until)
    closed = business_hours(rng, days_since_start(reference) + lasts)
    closed = np.maximum(closed, reference + 40 * MINUTE)
    return opened, np.where(stays_open, NEVER, closed), issue


def _incidents(connection: duckdb.DuckDBPyConnection) -> tuple[Moments, Moments, Numbers]:
    """Creation, last end (NaT: open at HORIZON) and id of every incident of the time."""
    found = connection.sql(
        f"""
        select
            issue_id, created_at,
            -- The end of the last time that it was open: an ended issue may still change its
            -- status, and one that is open at HORIZON has no end.
            case
                when count(*) filter (where phase not in {ENDED} and to_at is null) = 0
                then coalesce(max(to_at) filter (where phase not in {ENDED}), created_at)
                else timestamp '1970-01-01'
            end as ended_at
        from hidden.issue join hidden.phase_span using (issue_id)
        where
            issue_type = 'Incident' and deleted_at is null
            and created_at >= timestamp '{START}' + interval 1 day
            and created_at < timestamp '{END}'
        group by issue_id, created_at order by issue_id
        """
    ).fetchnumpy()
    created = np.asarray(found["created_at"]).astype("datetime64[s]")
    ended = np.asarray(found["ended_at"]).astype("datetime64[s]")
    never = ended == np.datetime64("1970-01-01", "s")
    return created, np.where(never, NEVER, ended), np.asarray(found["issue_id"]).astype(np.int64)


def _archived(closed: Moments, is_linked: Flags, rng: np.random.Generator) -> Moments:
    """When a ticket was removed, for a few of those without an incident."""
    archived = np.full(len(closed), NEVER)
    early = closed < np.datetime64(END.isoformat(), "s") - 60 * DAY
    candidates = np.flatnonzero(early & ~is_linked)
    count = min(max(2, round(ARCHIVED * len(candidates))), len(candidates))
    chosen = np.sort(rng.choice(candidates, count, replace=False))
    archived[chosen] = closed[chosen] + rng.integers(1, 50, count) * DAY
    return archived


def _keep_stages(
    connection: duckdb.DuckDBPyConnection,
    opened: Moments,
    closed: Moments,
    rng: np.random.Generator,
) -> None:
    """Taken, asked back, answered, closed, now and then opened and closed once more."""
    count = len(opened)
    is_closed = ~np.isnat(closed)
    last = np.where(is_closed, closed, opened + 20 * DAY)
    seconds = (last - opened).astype(np.int64)
    moments = np.full((count, len(_STAGES)), NEVER)
    moments[:, _NEW] = opened
    asked = rng.random(count) < 0.6
    again = is_closed & (rng.random(count) < REOPENED)
    for column, earliest, latest, happens in (
        (_TAKEN, 0.02, 0.15, np.ones(count, dtype=np.bool_)),
        (_ASKED, 0.20, 0.35, asked),
        (_ANSWERED, 0.40, 0.55, asked),
        (_CLOSED_BEFORE, 0.60, 0.70, again),
        (_AGAIN, 0.75, 0.90, again),
    ):
        passed = np.floor(rng.uniform(earliest, latest, count) * seconds).astype("timedelta64[s]")
        moments[:, column] = np.where(happens, opened + passed, NEVER)
    moments[:, _CLOSED] = np.where(is_closed, closed, NEVER)
    ticket, column_of = np.nonzero(~np.isnat(moments))
    keep(
        connection,
        "ticket_stage",
        {
            "number": FIRST_TICKET + ticket,
            "stage": np.array(_STAGES)[column_of],
            "entered_at": moments[ticket, column_of],
        },
        "select cast(number as varchar) as ticket_id, stage, entered_at from given",
    )
