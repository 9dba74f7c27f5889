"""What customers buy: deals with their stages and line items.

What belongs here: hidden.deal, deal_stage and line_item. What does not: the catalogue (`market`).

Planted: the chance to win, and the pull of products that are new.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import END, offset
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market.encounters import (
    DAY,
    EPOCH,
    MINUTE,
    NEVER,
    Customers,
    Flags,
    Moments,
    Numbers,
    Reals,
    business_hours,
)
from sandbox.simulation.market.market_calendar import SALES_BEGIN, rates_at
from sandbox.spec import Spec

STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
)
WON, LOST = "closedwon", "closedlost"
NEW_DAYS = 700
"""How long a product pulls as a new one."""
MEDIAN_DAYS, LAUNCH_MEDIAN_DAYS, SPREAD, LONGEST_DAYS = 52.0, 14.0, 0.45, 340.0
NEVER_CLOSED, SKIPPED_STAGE, REOPENED, ARCHIVED = 0.06, 0.12, 0.05, 0.03
"""Shares: of deals that are not won; of deals with three stages or more; of closed deals; of
lost deals."""
IMPORTED_ON = date(2025, 2, 17)
"""A seller's spreadsheet entered the CRM at once: many deals share one second."""
IMPORTED_SHARE, LEAST_IMPORTED, MOST_IMPORTED = 0.02, 12, 600
TWO_PRODUCTS = 0.3
"""Share of deals with a second product."""
FIRST_DEAL, FIRST_LINE = 50_001, 60_001
# Columns of the matrix of stages: the five, a loss that did not last, the stage in which the
# deal was taken up again, the end.
_LOST_BEFORE, _TAKEN_UP, _END = 5, 6, 7
_TAKEN_UP_STAGE = 3


@dataclass(frozen=True)
class Catalogue:
    """Products as arrays; `on_sale` in days since START."""

    product_id: npt.NDArray[np.str_]
    list_price: Reals
    on_sale: Numbers
    is_launched: Flags

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> Catalogue:
        """Those of hidden.product that come on sale at all."""
        found = connection.sql(
            """
            select product_id, list_price, on_sale_on, label is not null as is_launched
            from hidden.product where on_sale_on is not null order by product_id
            """
        ).fetchnumpy()
        on_sale = (found["on_sale_on"].astype("datetime64[s]") - EPOCH) // DAY
        return cls(
            found["product_id"].astype(str), found["list_price"], on_sale, found["is_launched"]
        )


@dataclass(frozen=True)
class Drafts:
    """Deals to be: the day they begin, their first and second product, whether they launch one.

    Days count from START; products by index, -1: no second one.
    """

    begins: Numbers
    first: Numbers
    second: Numbers
    is_launch: Flags

    def taken(self, order: Numbers) -> Drafts:
        """The same deals in another order."""
        return Drafts(
            self.begins[order], self.first[order], self.second[order], self.is_launch[order]
        )


@dataclass(frozen=True)
class Fates:
    """What becomes of each deal."""

    p_won: Reals
    is_won: Flags
    is_closed: Flags

    @classmethod
    def draw(cls, drafts: Drafts, spec: Spec, rng: np.random.Generator) -> Fates:
        """Launches are won, other deals by the planted chance; some are never closed."""
        p_won = np.where(drafts.is_launch, 1.0, spec.effects.won)
        is_won = rng.random(len(p_won)) < p_won
        return cls(p_won, is_won, is_won | (rng.random(len(p_won)) >= NEVER_CLOSED))

    def taken(self, order: Numbers) -> Fates:
        """The same fates in another order."""
        return Fates(self.p_won[order], self.is_won[order], self.is_closed[order])

    def outcomes(self) -> npt.NDArray[np.str_]:
        """Won | lost | open."""
        return np.where(self.is_won, "won", np.where(self.is_closed, "lost", "open"))


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hidden.deal, deal_stage and line_item."""
    rng = random_stream(spec, "deals")
    catalogue = Catalogue.of(connection)
    drafts = _drafts(catalogue, spec, rng)
    fates = Fates.draw(drafts, spec, rng)
    moments, stages = _stages(drafts, fates, rng)
    order = np.lexsort((np.arange(len(moments)), moments[:, 0]))
    drafts, fates, moments = drafts.taken(order), fates.taken(order), moments[order]
    customers = Customers.of(connection)
    customer = customers.pick(rng, EPOCH + drafts.begins * DAY)
    currency = customers.currency[customer]
    _keep_stages(connection, moments, stages[order])
    _keep_lines(connection, catalogue, drafts, currency, moments[:, 0], rng)
    keep(
        connection,
        "deal",
        {
            "number": FIRST_DEAL + np.arange(len(moments)),
            "customer_id": customers.customer_id[customer],
            "product_1": catalogue.product_id[drafts.first],
            "product_2": np.where(drafts.second < 0, "", catalogue.product_id[drafts.second]),
            "currency": currency,
            "p_won": fates.p_won,
            "outcome": fates.outcomes(),
            "archived_at": _archived(moments[:, _END], fates, rng),
        },
        """
        select
            cast(number as varchar) as deal_id, customer_id, owner_id, currency, p_won, outcome,
            given.archived_at,
            customer.name || ': ' || one.name || coalesce(' + ' || two.name, '') as name
        from given
        join hidden.customer using (customer_id)
        join hidden.product as one on one.product_id = product_1
        left join hidden.product as two on two.product_id = product_2
        order by number
        """,
    )


def _drafts(catalogue: Catalogue, spec: Spec, rng: np.random.Generator) -> Drafts:
    """The launch deal of every new product, then a number of deals a month."""
    launched = np.flatnonzero(catalogue.is_launched & (catalogue.on_sale < offset(END)))
    none, yes = np.full(len(launched), -1), np.ones(len(launched), dtype=np.bool_)
    parts = [Drafts(catalogue.on_sale[launched], launched, none, yes)]
    months = (END.year - SALES_BEGIN.year) * 12 + END.month - SALES_BEGIN.month
    for month in range(months):
        count = int(rng.poisson(spec.size.deals_a_month))
        days = offset(SALES_BEGIN) + int(month * 30.44) + rng.integers(0, 30, count)
        parts.append(_everyday(catalogue, days[days < offset(END)], spec, rng))
    return Drafts(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Drafts))
    )


def _everyday(catalogue: Catalogue, days: Numbers, spec: Spec, rng: np.random.Generator) -> Drafts:
    """A deal for each day, with one or two of the products on sale; new ones pull."""
    age = days[:, None] - catalogue.on_sale[None, :]
    pull = np.where(age < NEW_DAYS, np.log(spec.effects.new_product_pull), 0.0)
    # The greatest of "logarithm of the weight + Gumbel noise" is a draw by weight.
    keys = np.where(age >= 0, pull + rng.gumbel(size=age.shape), -np.inf)
    best = np.argsort(-keys, axis=1)[:, :2]
    takes_two = (rng.random(len(days)) < TWO_PRODUCTS) & ((age >= 0).sum(axis=1) > 1)
    second = np.where(takes_two, best[:, 1], -1)
    return Drafts(days, best[:, 0], second, np.zeros(len(days), dtype=np.bool_))


def _stages(
    drafts: Drafts, fates: Fates, rng: np.random.Generator
) -> tuple[Moments, npt.NDArray[np.str_]]:
    """Two matrices deal x column: when a stage was entered (never: NaT), and its name."""
    count = len(drafts.begins)
    median = np.where(drafts.is_launch, LAUNCH_MEDIAN_DAYS, MEDIAN_DAYS)
    length = np.minimum(median * np.exp(rng.normal(0, SPREAD, count)), LONGEST_DAYS)
    reached = np.where(fates.is_won, len(STAGES), rng.integers(1, len(STAGES) + 1, count))
    days = np.full((count, _END + 1), np.nan)
    for step in range(len(STAGES)):
        days[:, step] = np.where(step < reached, length * step / reached, np.nan)
    skipped = np.flatnonzero((rng.random(count) < SKIPPED_STAGE) & (reached >= 3))
    days[skipped, 1 + np.floor(rng.random(len(skipped)) * (reached[skipped] - 1)).astype(int)] = (
        np.nan
    )
    reopened = fates.is_closed & ~drafts.is_launch & (rng.random(count) < REOPENED)
    taken_up = length + rng.uniform(20, 100, count)
    days[:, _LOST_BEFORE] = np.where(reopened, length, np.nan)
    days[:, _TAKEN_UP] = np.where(reopened, taken_up, np.nan)
    ends = np.where(reopened, taken_up + rng.uniform(7, 50, count), length)
    days[:, _END] = np.where(fates.is_closed, ends, np.nan)
    names = np.tile(np.array([*STAGES, LOST, STAGES[_TAKEN_UP_STAGE], WON]), (count, 1))
    names[~fates.is_won, _END] = LOST
    return _in_order(drafts, days, rng), names


def _in_order(drafts: Drafts, days: Reals, rng: np.random.Generator) -> Moments:
    """Moments for days since the beginning, each stage after the one before."""
    moments = np.full(days.shape, NEVER)
    last = np.full(len(days), EPOCH - 10_000 * DAY)
    imported = _imported(drafts)
    for step in range(days.shape[1]):
        happens = np.flatnonzero(~np.isnan(days[:, step]))
        when = business_hours(rng, drafts.begins[happens] + days[happens, step])
        when = np.maximum(when, last[happens] + 17 * MINUTE)
        if step == 0:
            at_once = np.datetime64(IMPORTED_ON.isoformat(), "s") + 8 * 60 * MINUTE
            when = np.where(imported[happens], at_once, when)
        moments[happens, step] = when
        last[happens] = when
    return moments


def _imported(drafts: Drafts) -> Flags:
    """The last deals begun before the import were not entered until then."""
    candidates = np.flatnonzero(~drafts.is_launch & (drafts.begins < offset(IMPORTED_ON)))
    wanted = round(IMPORTED_SHARE * len(drafts.begins))
    wanted = min(max(wanted, LEAST_IMPORTED), MOST_IMPORTED)
    latest = candidates[np.argsort(drafts.begins[candidates], kind="stable")[-wanted:]]
    return np.isin(np.arange(len(drafts.begins)), latest)


def _archived(ended_at: Moments, fates: Fates, rng: np.random.Generator) -> Moments:
    """When a deal was removed: some time after its loss, for a few of the lost ones."""
    archived = np.full(len(ended_at), NEVER)
    early = ended_at < np.datetime64(END.isoformat(), "s") - 90 * DAY
    candidates = np.flatnonzero(early & ~fates.is_won)
    count = min(max(2, round(ARCHIVED * len(candidates))), len(candidates))
    chosen = np.sort(rng.choice(candidates, count, replace=False))
    archived[chosen] = ended_at[chosen] + rng.integers(1, 80, count) * DAY
    return archived


def _keep_stages(
    connection: duckdb.DuckDBPyConnection, moments: Moments, stages: npt.NDArray[np.str_]
) -> None:
    deal, column = np.nonzero(~np.isnat(moments))
    keep(
        connection,
        "deal_stage",
        {
            "number": FIRST_DEAL + deal,
            "stage": stages[deal, column],
            "entered_at": moments[deal, column],
        },
        "select cast(number as varchar) as deal_id, stage, entered_at from given",
    )


def _keep_lines(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    drafts: Drafts,
    currency: npt.NDArray[np.str_],
    created_at: Moments,
    rng: np.random.Generator,
) -> None:
    """One line a product; amounts are prices of the day in the currency of the deal."""
    baskets = np.stack([drafts.first, drafts.second], axis=1)
    deal, place = np.nonzero(baskets >= 0)
    product = baskets[deal, place]
    euros = catalogue.list_price[product] * rng.uniform(0.8, 3.5, len(deal))
    keep(
        connection,
        "line_item",
        {
            "number": FIRST_LINE + np.arange(len(deal)),
            "deal": FIRST_DEAL + deal,
            "product_id": catalogue.product_id[product],
            "amount": np.round(euros / rates_at(currency[deal], created_at[deal]), 2),
        },
        """
        select
            cast(number as varchar) as line_item_id, cast(deal as varchar) as deal_id,
            product_id, amount
        from given
        """,
    )
