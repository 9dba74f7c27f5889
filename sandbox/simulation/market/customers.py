"""Who buys: customers and their contacts, as invented names.

What belongs here: hidden.customer and hidden.contact. What does not: what they buy (`deals`),
ask (`tickets`) and say (`surveys`).
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt

from sandbox.calendars import START, offset
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market.encounters import (
    CARE_DEPARTMENTS,
    DAY,
    EPOCH,
    NEVER,
    SALES_DEPARTMENTS,
    Numbers,
    Staff,
    business_hours,
)
from sandbox.simulation.market.market_calendar import SALES_BEGIN
from sandbox.spec import Spec

PLACES = {
    "DE": "Elbe|Baltic|Weser|Ems|Kiel|Rugen|Jade|Fehmarn|Warnow|Schlei|Halligen|Usedom|Darss|Eider"
    "|Oder|Trave|Heligoland|Borkum|Amrum|Sylt|Norderney|Wismar",
    "NL": "Scheldt|Wadden|Texel|Zeeland|Dollard|Rijnmond|Marsdiep|Terschelling",
    "FR": "Biscay|Gironde|Brittany|Camargue|Calais|Vendee|Corsica|Loire",
    "ES": "Cantabria|Cadiz|Menorca|Galicia|Ebro|Azahar",
    "GB": "Solent|Thames|Humber|Tyne|Severn|Orkney|Skye|Wash|Mersey|Cornwall|Hebrides|Moray",
    "US": "Chesapeake|Cape Cod|Hudson|Puget|Monterey|Savannah|Galveston|Casco|Pamlico|Tampa"
    "|Mobile|Delaware|Columbia|Narragansett|Catalina|Biloxi",
    "SG": "Malacca|Johor|Sentosa|Riau|Tuas|Changi|Batam|Sunda",
}
KINDS = {
    "Harbours": "Port Authority|Harbour Pilots|Terminal Group|Marina Trust",
    "Research": "Oceanographic Institute|Marine Laboratory|Climate Centre|Tide Observatory",
    "Offshore Energy": "Wind Farms|Tidal Power|Subsea Works|Cable Company",
    "Coastal Protection": "Dyke Board|Flood Agency|Coast Guard Services|Dune Trust",
}
_QUALIFIERS = (
    "|North |South |East |West |Upper |Lower |Outer |Inner |Greater |New |Old |Central |United "
    "|Royal |Free |First |Second |Joint |Regional |Civic |Open |Northern |Southern "
)
QUALIFIERS = _QUALIFIERS.split("|")
_FIRST_NAMES = (
    "Alma Bastian Carmen Dario Edda Finn Gloria Hamid Irene Jasper Kira Lennart Mona Nils Odile"
    " Pablo Quentin Rania Sven Thea Umar Vera Wanda Xaver Yusuf Zoe Agnes Boris Celia Derek"
)
FIRST_NAMES = _FIRST_NAMES.split()
_LAST_NAMES = (
    "Abel Brook Castell Dorn Engel Falk Garnier Holm Ibsen Jansen Keller Lind Moore Norden Osei"
    " Prior Quist Rossi Stone Thorn Ulrich Vance Winter Yates Zander Amato Bell Chua Dekker Evers"
)
LAST_NAMES = _LAST_NAMES.split()
NAMES_N, NAME_STRIDE = len(FIRST_NAMES) * len(LAST_NAMES), 409
FIRST_CUSTOMER, FIRST_CONTACT = 7_001, 20_001
OLD_SHARE = 0.7
"""Of the customers: older than the memory of the CRM."""
DUPLICATE_SHARE = 0.02


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill hidden.customer and hidden.contact."""
    rng = random_stream(spec, "customers")
    _customers(connection, spec.size.accounts, rng)
    _contacts(connection, rng)


def _names(
    count: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """Names, segments and countries; the plain names are used up before the qualified ones."""
    plain = [
        (f"{place} {kind}", segment, country)
        for country, places in PLACES.items()
        for place in places.split("|")
        for segment, kinds in KINDS.items()
        for kind in kinds.split("|")
    ]
    rounds = -(-count // len(plain))
    drawn = np.concatenate([rng.permutation(len(plain)) for _ in range(rounds)])[:count]
    names, segments, countries = (np.array(column)[drawn] for column in zip(*plain, strict=True))
    qualifiers = np.repeat(np.array(QUALIFIERS), len(plain))[:count]
    return np.char.add(qualifiers, names), segments, countries


def _customers(connection: duckdb.DuckDBPyConnection, count: int, rng: np.random.Generator) -> None:
    """Customers; the last few are doubles of others that somebody noticed and removed."""
    doubles = max(1, round(DUPLICATE_SHARE * count))
    names, segments, countries = _names(count, rng)
    origin = rng.permutation(count - doubles)[:doubles]
    names[count - doubles :] = np.char.add(names[origin], " Ltd")
    segments[count - doubles :], countries[count - doubles :] = segments[origin], countries[origin]
    is_old = np.arange(count) < OLD_SHARE * count
    begins = np.where(
        is_old,
        offset(SALES_BEGIN) - rng.integers(5, 1_500, count),
        rng.integers(0, 300, count),
    )
    created = business_hours(rng, begins)
    archived = np.full(count, NEVER)
    archived[count - doubles :] = business_hours(rng, begins + rng.integers(10, 90, count))[
        count - doubles :
    ]
    order = np.lexsort((np.arange(count), created))
    keep(
        connection,
        "customer",
        {
            "number": FIRST_CUSTOMER + np.arange(count),
            "name": names[order],
            "segment": segments[order],
            "owner_id": _owners(connection, count, rng)[order],
            "country": countries[order],
            "charm": rng.normal(0, 0.5, count)[order],
            "created_at": created[order],
            "archived_at": archived[order],
        },
        "select * exclude (number), cast(number as varchar) as customer_id from given",
    )


def _owners(connection: duckdb.DuckDBPyConnection, count: int, rng: np.random.Generator) -> Numbers:
    """Seven in ten customers are looked after by Sales, the others by Customer Care."""
    sellers = Staff.of(connection, SALES_DEPARTMENTS).steady()
    carers = Staff.of(connection, CARE_DEPARTMENTS).steady()
    return np.where(
        rng.random(count) < 0.7,
        sellers[rng.integers(0, len(sellers), count)],
        carers[rng.integers(0, len(carers), count)],
    )


def _contacts(connection: duckdb.DuckDBPyConnection, rng: np.random.Generator) -> None:
    """One or more people at each customer; a few were entered by mistake and removed."""
    customers = connection.sql(
        "select cast(customer_id as bigint) as number, created_at from hidden.customer"
        " order by number"
    ).fetchnumpy()
    customers_n = len(customers["number"])
    people_n = 1 + rng.poisson(1.0, customers_n)
    owner = np.repeat(np.arange(customers_n), people_n)
    count = len(owner)
    nth = np.arange(count) - np.repeat(np.cumsum(people_n) - people_n, people_n)
    # Steps through all pairs of names, so that no two people of a customer share an address.
    name = (rng.integers(0, NAMES_N, customers_n)[owner] + NAME_STRIDE * nth) % NAMES_N
    first_name = np.array(FIRST_NAMES)[name % len(FIRST_NAMES)]
    last_name = np.array(LAST_NAMES)[name // len(FIRST_NAMES)]
    joined = customers["created_at"].astype("datetime64[s]")[owner]
    latest = np.datetime64(START.isoformat(), "s") + 600 * DAY
    span = np.maximum((latest - joined).astype(np.int64) / 86_400.0, 1.0)
    later = np.where(nth == 0, 0.0, rng.random(count) * span)
    created = np.maximum(
        business_hours(rng, (joined - EPOCH).astype(np.int64) / 86_400.0 + later), joined
    )
    removed = np.where(rng.random(count) < 0.03, created + 40 * DAY, NEVER)
    if np.isnat(removed).all():
        removed[-1] = created[-1] + 40 * DAY
    order = np.lexsort((np.arange(count), created))
    keep(
        connection,
        "contact",
        {
            "number": FIRST_CONTACT + np.arange(count),
            "customer_number": customers["number"][owner][order],
            "first_name": first_name[order],
            "last_name": last_name[order],
            "created_at": created[order],
            "archived_at": removed[order],
        },
        """
        select
            cast(number as varchar) as contact_id, customer_id, first_name, last_name,
            lower(first_name || '.' || last_name) || '@'
                || regexp_replace(lower(name), '[^a-z]+', '-', 'g') || '.example' as email,
            given.created_at, given.archived_at
        from given join hidden.customer on customer_id = cast(customer_number as varchar)
        order by number
        """,
    )
