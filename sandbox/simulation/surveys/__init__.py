"""What customers say when they are asked: CSAT after tickets and at random, NPS twice a year.

What belongs here: hidden.survey, and the call for the employees' survey (`engagement`). What does
not: records of the answers.

Planted: the mood of all customers rises over the years, and that of a customer once an
initiative which IT and a customer-facing department share has been made available to it. The
answers exist whether or not they are given; who gives them depends on the profile alone.
"""

from __future__ import annotations

from datetime import date
from statistics import NormalDist

import duckdb
import numpy as np

from sandbox.calendars import END, offset
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market.encounters import (
    DAY,
    MONTHS,
    NEVER,
    Customers,
    Flags,
    Moments,
    Numbers,
    Reals,
    business_hours,
    days_since_start,
)
from sandbox.simulation.market.joint_effort import SHARED_INITIATIVES
from sandbox.simulation.surveys import engagement
from sandbox.simulation.surveys.responses import answering_chance
from sandbox.spec import Spec

CSAT, NPS = "csat", "nps"
CSAT_SHARE = 0.63
"""Of all surveys."""
AFTER_TICKET_SHARE = 0.55
"""Of the CSAT surveys; the others are sent at random."""
NPS_WAVES = (date(2024, 9, 16), date(2025, 3, 17), date(2025, 9, 15), date(2026, 3, 16))
NPS_WAVE_DAYS = 42
SCALES = {CSAT: (3.95, 0.85, 1, 5, 4, 3), NPS: (7.6, 1.7, 0, 10, 9, 6)}
"""Score at mood 0, points for one standard deviation of mood, lowest and highest score, first
good and last bad score."""
EAGERNESS = 0.7
"""Rise of the log-odds of answering by one standard deviation of mood."""
FIRST_SURVEY = 80_001
NO_TICKET = -1


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hidden.survey and hidden.engagement."""
    rng = random_stream(spec, "surveys")
    customers = Customers.of(connection)
    sent, customer, ticket, is_nps = _asked(connection, spec, customers, rng)
    is_touched = sent >= _touched_from(connection, customers)[customer]
    expected = (
        customers.charm[customer]
        + spec.effects.satisfaction_drift * days_since_start(sent) / offset(END)
        + spec.effects.joint_effort_lift * is_touched
    )
    mood = expected + rng.normal(0, 1, len(sent))
    answers, responded = _responses(spec, sent, mood)
    scored = {
        name: np.where(is_nps, nps, csat)
        for name, csat, nps in zip(
            ("score", "scale_max", "p_good", "p_bad"),
            _scores(CSAT, expected, mood),
            _scores(NPS, expected, mood),
            strict=True,
        )
    }
    keep(
        connection,
        "survey",
        {
            "number": FIRST_SURVEY + np.arange(len(sent)),
            "instrument": np.where(is_nps, NPS, CSAT),
            "customer_id": customers.customer_id[customer],
            "ticket": ticket,
            **scored,
            "is_touched": is_touched,
            "sent_at": sent,
            "answers_at": answers,
            "responded_at": responded,
        },
        f"""
        select
            * exclude (number, ticket), cast(number as varchar) as survey_id,
            cast(nullif(ticket, {NO_TICKET}) as varchar) as ticket_id
        from given
        """,
    )
    engagement.simulate(connection, spec)


def _asked(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    customers: Customers,
    rng: np.random.Generator,
) -> tuple[Moments, Numbers, Numbers, Flags]:
    """Moment, customer index, ticket number and whether it is NPS, in the order of sending."""
    total = MONTHS * spec.size.surveys_a_month
    tickets = _closed_tickets(connection, customers)
    after = min(round(CSAT_SHARE * AFTER_TICKET_SHARE * total), len(tickets[0]))
    at_random = round(CSAT_SHARE * total) - after
    nps = total - after - at_random
    chosen = np.sort(rng.choice(len(tickets[0]), after, replace=False))
    day_after = days_since_start(tickets[1][chosen]) + rng.integers(1, 4, after)
    days = rng.integers(0, offset(END) - 2, at_random)
    waves = np.array([offset(wave) for wave in NPS_WAVES])
    nps_days = waves[np.arange(nps) % len(waves)] + rng.integers(0, NPS_WAVE_DAYS, nps)
    sent = business_hours(rng, np.concatenate([day_after, days, nps_days]))
    customer = np.concatenate([tickets[2][chosen], customers.pick(rng, sent[after:])])
    ticket = np.concatenate([tickets[0][chosen], np.full(at_random + nps, NO_TICKET)])
    order = np.lexsort((np.arange(total), sent))
    return sent[order], customer[order], ticket[order], order >= after + at_random


def _closed_tickets(
    connection: duckdb.DuckDBPyConnection, customers: Customers
) -> tuple[Numbers, Moments, Numbers]:
    """Number, moment of closure and customer index of tickets closed early enough to be asked."""
    found = connection.sql(
        f"""
        select cast(ticket_id as bigint) as ticket, closed_at, customer_id from hidden.ticket
        where closed_at < timestamp '{END}' - interval 6 day and archived_at is null
        order by ticket
        """
    ).fetchnumpy()
    by_id = np.argsort(customers.customer_id)
    place = np.searchsorted(
        customers.customer_id[by_id], np.asarray(found["customer_id"]).astype(str)
    )
    closed = np.asarray(found["closed_at"]).astype("datetime64[s]")
    return np.asarray(found["ticket"]), closed, by_id[place]


def _touched_from(connection: duckdb.DuckDBPyConnection, customers: Customers) -> Moments:
    """When a shared initiative was first made available to each customer; never: far future."""
    found = connection.sql(
        f"""
        select customer_id, min(available_at) as touched_at
        from hidden.initiative_customer
        join hidden.initiative using (issue_id)
        where available_at is not null and issue_id in ({SHARED_INITIATIVES})
        group by customer_id order by customer_id
        """
    ).fetchnumpy()
    by_id = np.argsort(customers.customer_id)
    touched = np.full(len(by_id), np.datetime64("9999-01-01", "s"))
    place = np.searchsorted(
        customers.customer_id[by_id], np.asarray(found["customer_id"]).astype(str)
    )
    touched[by_id[place]] = np.asarray(found["touched_at"]).astype("datetime64[s]")
    return touched


def _scores(instrument: str, expected: Reals, mood: Reals) -> tuple[Numbers, Numbers, Reals, Reals]:
    """Score, top of the scale, chances of a good and of a bad score given the expected mood."""
    middle, step, lowest, highest, good, bad = SCALES[instrument]
    score = np.clip(np.round(middle + step * mood), lowest, highest).astype(np.int64)
    # A mood is good when it rounds up to the first good score, bad when down to the last bad one.
    p_good = _normal_probability(expected - (good - 0.5 - middle) / step)
    p_bad = _normal_probability((bad + 0.5 - middle) / step - expected)
    return score, np.full(len(mood), highest), p_good, p_bad


def _normal_probability(value: Reals) -> Reals:
    """The standard normal distribution function, to seven digits."""
    grid = np.linspace(-6, 6, 12_001)
    normal = NormalDist()
    return np.interp(value, grid, [normal.cdf(point) for point in grid.tolist()])


def _responses(spec: Spec, sent: Moments, mood: Reals) -> tuple[Moments, Moments]:
    """When an answer would come, about a day later; the same where it is given (else NaT).

    The happy answer more often.
    """
    rng = random_stream(spec, "survey_responses")
    luck = rng.random(len(sent))
    days = np.minimum(np.exp(rng.normal(-0.3, 1.0, len(sent))), 13.0)
    chance = answering_chance(spec.profile.response_rate, EAGERNESS * mood)
    waited = np.round(days * 86_400).astype("timedelta64[s]")
    answers = sent + np.maximum(waited, DAY // 1_440)
    return answers, np.where(luck < chance, answers, NEVER)
