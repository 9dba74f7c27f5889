"""What the company's customers and its own people say and buy.

What belongs here: accounts, deals with their stages and lines, customer surveys and the
engagement survey, as hidden state. What does not: vendor columns (`crm`, `hr`).

Planted: a launched product sells from some weeks after its release, and satisfaction is better
in the second year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from sandbox.calendars import END, START, offset
from sandbox.company import Company, Person, Product, pick

SALES_BEGIN = date(2023, 1, 1)
"""The CRM remembers more than the simulated years."""
STAGES = (
    "appointmentscheduled",
    "qualifiedtobuy",
    "presentationscheduled",
    "decisionmakerboughtin",
    "contractsent",
)
WON, LOST = "closedwon", "closedlost"
SEGMENTS = ("Harbours", "Research", "Offshore Energy", "Coastal Protection")
WAVES = (date(2024, 10, 7), date(2025, 4, 7), date(2025, 10, 6), date(2026, 4, 13))


@dataclass(frozen=True)
class Account:
    """A customer and who looks after it."""

    account_id: str
    name: str
    segment: str
    owner: Person
    created_at: datetime
    charm: float
    """How easily this customer is pleased."""


@dataclass(frozen=True)
class Line:
    """One product in a deal."""

    line_item_id: str
    product: Product
    amount: float


@dataclass
class Deal:
    """A sale, won, lost or open; `stages` in the order they were entered."""

    deal_id: str
    account: Account
    name: str
    owner: Person
    stages: list[tuple[str, datetime]]
    lines: list[Line] = field(default_factory=list)

    @property
    def amount(self) -> float:
        """EUR."""
        return round(sum(line.amount for line in self.lines), 2)


@dataclass(frozen=True)
class Survey:
    """One answer of a customer; `instrument` is csat or nps."""

    response_id: str
    instrument: str
    score: int
    scale_max: int
    responded_at: datetime
    account: Account


@dataclass(frozen=True)
class Engagement:
    """One anonymous answer of an employee, on a scale of 1 to 5."""

    response_id: str
    wave: str
    responded_on: date
    score: int
    department_id: str


@dataclass
class Market:
    """Everything that customers and employees said and bought."""

    accounts: list[Account]
    deals: list[Deal]
    surveys: list[Survey]
    engagement: list[Engagement]


_PLACES = "Elbe|Skagerrak|Biscay|Solent|Baltic|Lofoten|Azores|Malacca|Chesapeake|Cape Cod|Tasman"
_KINDS = {
    "Harbours": "Port Authority|Harbour Pilots|Terminal Group",
    "Research": "Oceanographic Institute|Marine Laboratory|Climate Centre",
    "Offshore Energy": "Wind Farms|Tidal Power|Subsea Works",
    "Coastal Protection": "Dyke Board|Flood Agency|Coast Guard Services",
}


def simulate(company: Company, launched: dict[str, datetime]) -> Market:
    """Accounts, deals and surveys; sets `first_sold_on` of the products that came to market.

    `launched`: product label to the moment of its first release.
    """
    accounts = _accounts(company)
    deals = _deals(company, accounts, launched)
    _number(deals)
    for product in company.products:
        won = [
            deal.stages[-1][1].date()
            for deal in deals
            if deal.stages[-1][0] == WON and any(line.product is product for line in deal.lines)
        ]
        if product.first_sold_on is None and won:
            product.first_sold_on = min(won)
    return Market(accounts, deals, _surveys(company, accounts), _engagement(company))


def _business_hour(rng: np.random.Generator, day: date) -> datetime:
    """Some time in the day of both hemispheres; weekends wait for Monday."""
    day += timedelta({5: 2, 6: 1}.get(day.weekday(), 0))
    return datetime.combine(day, time(7), UTC) + timedelta(seconds=int(rng.integers(0, 36_000)))


def _accounts(company: Company) -> list[Account]:
    rng = company.random("accounts")
    sellers = company.steady("21", START)
    carers = company.steady("22", START)
    names: dict[str, str] = {}
    while len(names) < company.size.accounts:
        segment = pick(rng, SEGMENTS)
        name = f"{pick(rng, _PLACES.split('|'))} {pick(rng, _KINDS[segment].split('|'))}"
        names.setdefault(name, segment)
    return [
        Account(
            str(7001 + number),
            name,
            segment,
            pick(rng, sellers if rng.random() < 0.7 else carers),
            _business_hour(rng, SALES_BEGIN - timedelta(int(rng.integers(5, 1500))))
            if number < 30
            else _business_hour(rng, START + timedelta(int(rng.integers(0, 300)))),
            float(rng.normal(0, 0.5)),
        )
        for number, (name, segment) in enumerate(names.items())
    ]


def _deals(
    company: Company, accounts: Sequence[Account], launched: dict[str, datetime]
) -> list[Deal]:
    rng = company.random("deals")
    on_sale = {
        product.product_id: product.first_sold_on
        or (launched[product.label].date() + timedelta(12) if product.label in launched else None)
        for product in company.products
    }
    deals: list[Deal] = []
    for product in company.products:  # the launch customer of each new product
        begins = on_sale[product.product_id]
        if product.first_sold_on is None and begins and begins < END:
            deals.append(_deal(rng, accounts, [product], begins, True, 14.0))
    months = (END.year - SALES_BEGIN.year) * 12 + END.month - SALES_BEGIN.month
    for month in range(months):
        for _ in range(int(rng.poisson(company.size.deals_a_month))):
            day = SALES_BEGIN + timedelta(int(month * 30.44 + rng.integers(0, 30)))
            offered = [p for p in company.products if (s := on_sale[p.product_id]) and s <= day]
            # What is new sells well for a while.
            pulls = [2.0 if (day - (p.first_sold_on or day)).days < 700 else 1.0 for p in offered]
            count = pick(rng, (1, 2), (0.7, 0.3))
            chosen = rng.choice(len(offered), size=count, replace=False, p=_normal(pulls))
            basket = [offered[int(i)] for i in chosen]
            won = bool(rng.random() < 0.47)
            deals.append(_deal(rng, accounts, basket, day, won, 52.0))
    return deals


def _normal(weights: Sequence[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def _deal(
    rng: np.random.Generator,
    accounts: Sequence[Account],
    basket: Sequence[Product],
    day: date,
    won: bool,
    median_days: float,
) -> Deal:
    """A deal that starts on `day` and takes about `median_days` to be closed."""
    known = [account for account in accounts if account.created_at.date() < day]
    account = pick(rng, known)
    reached = len(STAGES) if won else int(rng.integers(1, len(STAGES) + 1))
    length = float(median_days * np.exp(rng.normal(0, 0.45)))
    moments: list[datetime] = []
    for step in range(reached + 1):
        when = _business_hour(rng, day + timedelta(length * step / reached))
        moments.append(max(when, moments[-1] + timedelta(minutes=17)) if moments else when)
    stages = [*STAGES[:reached], WON if won else LOST]
    lines = [
        Line("", product, round(product.list_price * float(rng.uniform(0.8, 3.5)), 2))
        for product in basket
    ]
    name = f"{account.name}: {' + '.join(product.name for product in basket)}"
    return Deal("", account, name, account.owner, list(zip(stages, moments, strict=True)), lines)


def _number(deals: list[Deal]) -> None:
    """Ids in the order of creation: cutting the end off never renumbers."""
    deals.sort(key=lambda deal: deal.stages[0][1])
    lines = 0
    for number, deal in enumerate(deals):
        deal.deal_id = str(50_001 + number)
        deal.lines = [
            Line(str(60_001 + lines + n), line.product, line.amount)
            for n, line in enumerate(deal.lines)
        ]
        lines += len(deal.lines)


def _surveys(company: Company, accounts: Sequence[Account]) -> list[Survey]:
    rng = company.random("surveys")
    drafts: list[tuple[datetime, str, int, int, Account]] = []
    for instrument, count in (
        ("csat", company.size.csat_responses),
        ("nps", company.size.nps_responses),
    ):
        for _ in range(count):
            day = START + timedelta(int(rng.integers(0, offset(END) - 2)))
            known = [account for account in accounts if account.created_at.date() < day]
            account = pick(rng, known)
            mood = account.charm + rng.normal(0, 1) + 0.35 * (offset(day) / offset(END))
            if instrument == "csat":
                score, scale_max = int(np.clip(np.round(3.95 + 0.85 * mood), 1, 5)), 5
            else:
                score, scale_max = int(np.clip(np.round(7.6 + 1.7 * mood), 0, 10)), 10
            drafts.append((_business_hour(rng, day), instrument, score, scale_max, account))
    drafts.sort(key=lambda draft: draft[0])
    return [
        Survey(str(80_001 + number), instrument, score, scale_max, when, account)
        for number, (when, instrument, score, scale_max, account) in enumerate(drafts)
    ]


def _engagement(company: Company) -> list[Engagement]:
    """Four out of five answer; an answer carries a department and never a person."""
    rng = company.random("engagement")
    answers: list[Engagement] = []
    for wave in WAVES:
        drafts = []
        for person in company.people:
            post = person.post_on(wave)
            if post and rng.random() < 0.82:
                score = int(np.clip(np.round(rng.normal(3.7, 0.9)), 1, 5))
                drafts.append((wave + timedelta(int(rng.integers(0, 10))), score, post))
        # Numbered by date, with the order within a day shuffled: numbers follow no staff list.
        shuffled = [drafts[int(i)] for i in rng.permutation(len(drafts))]
        for responded_on, score, post in sorted(shuffled, key=lambda draft: draft[0]):
            number = str(90_001 + len(answers))
            label = f"{wave:%Y-%m}"
            answers.append(Engagement(number, label, responded_on, score, post.department_id))
    return answers
