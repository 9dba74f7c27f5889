"""The company's market: what it sells, to whom, and whom its initiatives serve.

What belongs here: the order in which the market comes to life, the catalogue with its dates and
the customers of initiatives. What does not: who buys (`customers`), what they buy (`deals`), what
they ask (`tickets`) and how they like it (`surveys`).
"""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np

from sandbox.calendars import END, START
from sandbox.catalogue import products
from sandbox.simulation.draws import keep, random_stream
from sandbox.simulation.market import customers, deals, joint_effort, tickets
from sandbox.simulation.market.encounters import Customers
from sandbox.simulation.market.market_calendar import QUARTERS, RATES
from sandbox.spec import Spec

SALES_DELAY_DAYS = 12
"""From the first release of a product to its first offer."""
SERVES_CUSTOMERS = (0.35, 0.75)
"""Chance that an approved initiative serves named customers: others, and those that IT shares
with a customer-facing department."""


def simulate(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Fill the tables of hidden under "Market" (surveys apart) and hidden.initiative_effort."""
    _exchange_rates(connection)
    customers.simulate(connection, spec)
    _products(connection, spec)
    deals.simulate(connection, spec)
    _note_first_sales(connection)
    tickets.simulate(connection, spec)
    joint_effort.measure(connection)
    _initiative_customers(connection, spec)


def _exchange_rates(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        f"('{currency}', date '{quarter}', {rate})"
        for currency, rates in sorted(RATES.items())
        for quarter, rate in zip(QUARTERS, rates, strict=True)
    ]
    connection.execute(f"insert into hidden.exchange_rate values {', '.join(rows)}")


def _products(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """The catalogue; a launched product is on sale some days after its first release."""
    teams = connection.execute(
        f"""
        select distinct department_id from hidden.department
        where project_key is not null and valid_from <= date '{START}'
            and coalesce(valid_to > date '{START}', true)
        order by department_id
        """
    ).fetchall()
    catalogue = products(spec, [department_id for (department_id,) in teams])
    days = [product.first_sold_on or date.max for product in catalogue]
    keep(
        connection,
        "product",
        {
            "product_id": np.array([product.product_id for product in catalogue]),
            "name": np.array([product.name for product in catalogue]),
            "department_id": np.array([product.department_id for product in catalogue]),
            "list_price": np.array([product.list_price for product in catalogue]),
            "label": np.array([product.label or "" for product in catalogue]),
            "first_sold_on": np.array(days, dtype="datetime64[s]"),
        },
        f"""
        with launch as (
            select product_id, cast(min(first_available_at) as date) + {SALES_DELAY_DAYS} as sale_on
            from hidden.initiative group by product_id
        )
        select
            given.product_id, name, department_id, list_price, nullif(label, '') as label,
            case when label = '' then cast(first_sold_on as date) end as first_sold_on,
            case when label = '' then cast(first_sold_on as date) else sale_on end as on_sale_on
        from given left join launch using (product_id) order by given.product_id
        """,
    )


def _note_first_sales(connection: duckdb.DuckDBPyConnection) -> None:
    """A launched product is first sold when the first deal that contains it is won."""
    connection.execute(
        f"""
        update hidden.product set first_sold_on = sale.won_on
        from (
            select product_id, min(cast(entered_at as date)) as won_on
            from hidden.line_item join hidden.deal_stage using (deal_id)
            where stage = '{deals.WON}' group by product_id
        ) as sale
        where sale.product_id = product.product_id and label is not null
        """
    )


def _initiative_customers(connection: duckdb.DuckDBPyConnection, spec: Spec) -> None:
    """Some approved initiatives serve one to several customers that were known by then."""
    rng = random_stream(spec, "initiative_customers")
    approved = connection.sql(
        f"""
        select
            issue_id, issue_id in ({joint_effort.SHARED_INITIATIVES}) as is_shared,
            least(coalesce(available_at, approved_at), timestamp '{END}') as served_at
        from hidden.initiative where approved_at is not null order by issue_id
        """
    ).fetchnumpy()
    count = len(approved["issue_id"])
    chance = np.where(approved["is_shared"], SERVES_CUSTOMERS[1], SERVES_CUSTOMERS[0])
    customers_n = np.where(rng.random(count) < chance, 1 + rng.poisson(1.6, count), 0)
    initiative = np.repeat(np.arange(count), customers_n)
    served_at = approved["served_at"].astype("datetime64[s]")[initiative]
    known = Customers.of(connection)
    keep(
        connection,
        "initiative_customer",
        {
            "issue_id": approved["issue_id"][initiative],
            "customer_id": known.customer_id[known.pick(rng, served_at)],
        },
        "select distinct issue_id, customer_id from given order by issue_id, customer_id",
    )
