"""What the company sells: the facts that the market and the work that launches it share.

What belongs here: products with their owners, prices and labels, fixed for a size and the same
for every seed (governed seeds name them). What does not: when a launch ends (`simulation.work`)
and what is sold of it (`simulation.market`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.calendars import START
from sandbox.spec import Spec


@dataclass(frozen=True)
class Product:
    """Something sold.

    One that is launched within the simulated years has a label and the day its initiative appears
    in Jira; an older one has the day of its first sale instead.
    """

    product_id: str
    name: str
    department_id: str
    list_price: float
    """In the company's currency."""
    first_sold_on: date | None
    label: str | None = None
    launch_starts_on: date | None = None
    is_launched_across: bool = True
    """Whether several departments bring it to market together."""


def _launch(
    product_id: str, name: str, department_id: str, price: float, label: str, day: int
) -> Product:
    starts_on = START + timedelta(day)
    across = product_id != "4010"
    return Product(product_id, name, department_id, price, None, label, starts_on, across)


_FIRST = (
    Product("4001", "Tide Gauge TG-2", "31", 9_500, date(2014, 5, 6)),
    Product("4002", "Harbour Level Sensor", "31", 5_200, date(2018, 2, 20)),
    Product("4003", "Wave Buoy WB-5", "31", 27_000, date(2022, 9, 12)),
    Product("4004", "Tidewater Cloud Basic", "12", 7_800, date(2023, 10, 2)),
    _launch("4005", "Drift Forecast", "12", 12_000, "product-drift-forecast", 9),
    _launch("4006", "Wave Buoy WB-6", "31", 31_000, "product-wave-buoy-6", 110),
    _launch("4007", "Remote Calibration", "22", 6_400, "product-remote-calibration", 205),
    _launch("4008", "Harbour Dashboard", "12", 9_900, "product-harbour-dashboard", 310),
    _launch("4009", "Spares Subscription", "32", 3_600, "product-spares-subscription", 415),
    _launch("4010", "Salinity Probe SP-1", "31", 14_500, "product-salinity-probe", 500),
)
_PLACES = [
    "Estuary",
    "Lagoon",
    "Reef",
    "Fjord",
    "Delta",
    "Quay",
    "Offshore",
    "River",
    "Lock",
    "Shoal",
    "Marina",
    "Polder",
    "Inlet",
    "Sound",
    "Breakwater",
    "Strait",
]
_KINDS = [
    "Current Meter",
    "Turbidity Probe",
    "Ice Watch",
    "Surge Forecast",
    "Oxygen Sensor",
    "Data Feed",
    "Depth Logger",
    "Fleet Board",
    "Sediment Trap",
    "Alarm Service",
    "Service Plan",
    "Weather Mast",
]


def products(spec: Spec, team_ids: Sequence[str]) -> list[Product]:
    """All products of a size: the first ten, then invented ones with owners in turn.

    `team_ids` are the departments that own a project on START, sorted by id. Two of five
    invented products are older than the simulated years.
    """
    found = list(_FIRST[: spec.size.products])
    for number in range(spec.size.products - len(found)):
        place = _PLACES[number % len(_PLACES)]
        kind = _KINDS[(number // len(_PLACES) + 5 * (number % len(_PLACES))) % len(_KINDS)]
        name = f"{place} {kind}"
        product_id = str(4011 + number)
        # A stride without a common divisor spreads owners over the divisions.
        owner = team_ids[number * 7 % len(team_ids)]
        price = float(2_400 + 700 * (number * 11 % 43))
        if number % 5 < 2:
            first_sold_on = date(2012, 3, 4) + timedelta(151 * (number % 28))
            found.append(Product(product_id, name, owner, price, first_sold_on))
        else:
            label = "product-" + name.lower().replace(" ", "-")
            found.append(_launch(product_id, name, owner, price, label, 12 + number * 37 % 500))
    return found
