"""The market of the sandbox: customers, deals and tickets obey their own rules and the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.calendars import END
from sandbox.simulation import market
from sandbox.simulation.market import customers, deals
from sandbox.spec import Effects, Spec
from tests.support.hidden_company import before_market, with_market

if TYPE_CHECKING:
    import duckdb

    from sandbox.world import World

MARKET = (
    "product",
    "exchange_rate",
    "customer",
    "contact",
    "deal",
    "deal_stage",
    "line_item",
    "ticket",
    "ticket_stage",
    "initiative_effort",
    "initiative_customer",
)
OUT_OF_ORDER = """
    select count(*) from (
        select entered_at <= lag(entered_at) over (partition by {key} order by rowid) as is_early
        from hidden.{table}
    ) where is_early
"""


@pytest.fixture(scope="module")
def small() -> duckdb.DuckDBPyConnection:
    """A small company by hand, with its market."""
    return with_market(Spec.of("small"))


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The only value of a query."""
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]


def counted(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    """How many rows `rows` (from ... where ...) has."""
    return int(one(connection, f"select count(*) {rows}"))


def hashes(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """A number for the rows of each table of the market, in order."""
    return {
        table: one(
            connection,
            f"select md5(string_agg(cast(t as varchar), '|' order by rowid)) from hidden.{table} t",
        )
        for table in MARKET
    }


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("product", "product_id"),
        ("exchange_rate", "currency, valid_from"),
        ("customer", "customer_id"),
        ("customer", "name"),
        ("contact", "contact_id"),
        ("contact", "email"),
        ("deal", "deal_id"),
        ("deal_stage", "deal_id, entered_at"),
        ("line_item", "line_item_id"),
        ("line_item", "deal_id, product_id"),
        ("ticket", "ticket_id"),
        ("ticket_stage", "ticket_id, entered_at"),
        ("initiative_customer", "issue_id, customer_id"),
        ("initiative_effort", "issue_id, department_id"),
    ],
)
def test_every_table_has_its_grain(world: World, table: str, key: str) -> None:
    rows = f"from hidden.{table}"
    assert counted(world.connection, rows) > 0
    assert (
        counted(world.connection, f"from (select {key} {rows} group by all having count(*) > 1)")
        == 0
    )


def test_the_market_of_the_tiny_company_is_as_large_as_its_size_says(world: World) -> None:
    size = world.spec.size
    assert counted(world.connection, "from hidden.customer") == size.accounts
    assert counted(world.connection, "from hidden.product") == size.products
    assert counted(world.connection, "from hidden.deal") == pytest.approx(
        42 * size.deals_a_month, rel=0.2
    )
    assert counted(world.connection, "from hidden.ticket") == pytest.approx(
        24 * size.tickets_a_month, rel=0.2
    )


def test_names_and_addresses_do_not_run_out() -> None:
    connection = before_market(Spec.of("large"))
    customers.simulate(connection, Spec.of("large"))
    for table, key in (("customer", "name"), ("contact", "email")):
        rows = f"select count(*) - count(distinct {key}) from hidden.{table}"
        assert one(connection, rows) == 0
    assert counted(connection, "from hidden.customer") == 20_000


def test_nothing_points_to_what_does_not_exist(world: World) -> None:
    for table, column, other in (
        ("contact", "customer_id", "customer"),
        ("deal", "customer_id", "customer"),
        ("deal_stage", "deal_id", "deal"),
        ("line_item", "deal_id", "deal"),
        ("line_item", "product_id", "product"),
        ("ticket", "customer_id", "customer"),
        ("ticket_stage", "ticket_id", "ticket"),
        ("initiative_customer", "customer_id", "customer"),
        ("initiative_customer", "issue_id", "initiative"),
    ):
        rows = f"from hidden.{table} anti join hidden.{other} using ({column})"
        assert counted(world.connection, rows) == 0, (table, column)


def test_whoever_looks_after_customers_has_an_account_in_the_crm(world: World) -> None:
    for table, column in (("customer", "owner_id"), ("deal", "owner_id"), ("ticket", "handler_id")):
        rows = f"""
            from hidden.{table}
            anti join hidden.account on system = 'crm' and person_id = {column}
        """
        assert counted(world.connection, rows) == 0, table


def test_stages_follow_each_other_in_time(world: World, small: duckdb.DuckDBPyConnection) -> None:
    for connection in (world.connection, small):
        for table, key in (("deal_stage", "deal_id"), ("ticket_stage", "ticket_id")):
            assert one(connection, OUT_OF_ORDER.format(table=table, key=key)) == 0


def test_a_stage_out_of_order_would_be_noticed() -> None:
    connection = with_market(Spec.of("tiny"))
    connection.execute(
        """
        update hidden.deal_stage set entered_at = entered_at - interval 1 year
        where rowid = (select max(rowid) from hidden.deal_stage)
        """
    )
    assert one(connection, OUT_OF_ORDER.format(table="deal_stage", key="deal_id")) == 1


def test_a_deal_ends_where_its_outcome_says(world: World) -> None:
    rows = world.connection.execute(
        """
        select outcome, last_stage in ('closedwon', 'closedlost') as is_closed, last_stage, count(*)
        from hidden.deal join (
            select deal_id, max_by(stage, entered_at) as last_stage
            from hidden.deal_stage group by deal_id
        ) using (deal_id)
        group by all
        """
    ).fetchall()
    found = {(outcome, stage if closed else "") for outcome, closed, stage, _ in rows}
    assert found == {("won", "closedwon"), ("lost", "closedlost"), ("open", "")}


def test_deals_skip_stages_return_from_a_loss_and_stay_open(world: World) -> None:
    connection = world.connection
    per_deal = """
        from (
            select
                deal_id, count(distinct stage) as stages_n,
                count(*) filter (where stage = 'closedlost') as losses_n,
                max_by(stage, entered_at) as last_stage, max(entered_at) as ended_at
            from hidden.deal_stage group by deal_id
        )
    """
    won = f"{per_deal} where last_stage = 'closedwon'"
    assert counted(connection, f"{won} and stages_n = 6") > 100
    assert counted(connection, f"{won} and stages_n - losses_n = 5") > 5
    assert counted(connection, f"{won} and losses_n = 1") >= 1
    assert counted(connection, f"{per_deal} where losses_n = 2") >= 1
    assert counted(connection, f"{per_deal} where ended_at >= timestamp '{END}'") >= 5


def test_deals_are_numbered_as_they_are_created(world: World) -> None:
    rows = """
        from (
            select created_at < lag(created_at) over (order by cast(deal_id as bigint)) as is_early
            from (
                select deal_id, min(entered_at) as created_at
                from hidden.deal_stage group by deal_id
            )
        ) where is_early
    """
    assert counted(world.connection, rows) == 0


@pytest.mark.parametrize(("size", "at_least"), [("tiny", 12), ("small", 50), ("medium", 400)])
def test_an_import_gives_many_deals_one_second(size: str, at_least: int) -> None:
    connection = before_market(Spec.of(size))
    market.simulate(connection, Spec.of(size))
    most = one(
        connection,
        """
        select max(deals_n) from (
            select count(*) as deals_n from (
                select min(entered_at) as created_at from hidden.deal_stage group by deal_id
            ) group by created_at
        )
        """,
    )
    assert most >= at_least


def test_amounts_are_prices_in_the_currency_of_the_customer(world: World) -> None:
    rows = world.connection.execute(
        """
        select deal.currency, country, amount * rate / list_price as factor, amount
        from hidden.line_item
        join hidden.deal using (deal_id)
        join hidden.customer using (customer_id)
        join hidden.product using (product_id)
        join (
            select deal_id, cast(min(entered_at) as date) as created_on
            from hidden.deal_stage group by deal_id
        ) using (deal_id)
        asof join hidden.exchange_rate
            on exchange_rate.currency = deal.currency and created_on >= valid_from
        """
    ).fetchall()
    assert len(rows) == counted(world.connection, "from hidden.line_item")
    home = {"US": "USD", "GB": "GBP", "SG": "SGD"}
    assert {currency for currency, *_ in rows} == {"EUR", "USD", "GBP", "SGD"}
    assert all(currency == home.get(country, "EUR") for currency, country, *_ in rows)
    assert all(0.799 < factor < 3.501 and amount > 0 for _, _, factor, amount in rows)


def test_no_product_is_offered_before_it_is_on_sale(world: World) -> None:
    sold = """
        from hidden.line_item
        join hidden.product using (product_id)
        join (
            select
                deal_id, min(entered_at) as created_at,
                max(cast(entered_at as date)) filter (where stage = 'closedwon') as won_on
            from hidden.deal_stage group by deal_id
        ) using (deal_id)
    """
    assert counted(world.connection, f"{sold} where label is not null") > 20
    assert counted(world.connection, f"{sold} where on_sale_on is null") == 0
    assert counted(world.connection, f"{sold} where cast(created_at as date) < on_sale_on") == 0
    wrong = world.connection.execute(
        f"""
        select product_id, first_sold_on, min(won_on) as won_on {sold}
        where label is not null
        group by product_id, first_sold_on having first_sold_on is distinct from min(won_on)
        """
    ).fetchall()
    assert wrong == []


def test_a_launched_product_is_sold_after_its_first_release(world: World) -> None:
    rows = world.connection.execute(
        """
        select count(*), count(first_sold_on), bool_and(first_sold_on > released_on)
        from hidden.product join (
            select product_id, cast(min(first_available_at) as date) as released_on
            from hidden.initiative group by product_id
        ) using (product_id)
        where released_on is not null and label is not null
        """
    ).fetchone()
    assert rows is not None
    assert rows[0] == rows[1] >= 5
    assert rows[2] is True


def test_only_lost_deals_and_doubles_of_customers_are_removed(world: World) -> None:
    connection = world.connection
    archived = connection.execute(
        """
        select outcome, archived_at > ended_at from hidden.deal join (
            select deal_id, max(entered_at) as ended_at from hidden.deal_stage group by deal_id
        ) using (deal_id) where archived_at < timestamp '2026-07-01'
        """
    ).fetchall()
    assert len(archived) >= 2
    assert set(archived) == {("lost", True)}
    assert counted(connection, "from hidden.customer where archived_at > created_at") >= 1
    for table in ("deal", "ticket", "initiative_customer"):
        rows = f"""
            from hidden.{table} semi join hidden.customer
            on customer.customer_id = {table}.customer_id and customer.archived_at is not null
        """
        assert counted(connection, rows) == 0, table
    assert counted(connection, "from hidden.contact where archived_at > created_at") >= 1
    assert counted(connection, "from hidden.ticket where archived_at > closed_at") >= 2


def test_no_deal_and_no_ticket_is_older_than_its_customer(world: World) -> None:
    deals_of = """
        from hidden.deal join hidden.customer using (customer_id) join (
            select deal_id, min(entered_at) as begins_at from hidden.deal_stage group by deal_id
        ) using (deal_id) where begins_at < created_at
    """
    assert counted(world.connection, deals_of) == 0
    rows = (
        "from hidden.ticket join hidden.customer using (customer_id) where opened_at < created_at"
    )
    assert counted(world.connection, rows) == 0


def test_slow_incidents_make_slow_tickets(small: duckdb.DuckDBPyConnection) -> None:
    medians = small.execute(
        """
        select median(datediff('hour', opened_at, closed_at)) from hidden.ticket
        where issue_id is not null and closed_at is not null
        group by issue_id % 3 = 0 order by issue_id % 3 = 0
        """
    ).fetchall()
    # Incidents of the company by hand take 6 or 72 hours.
    assert medians[1][0] - medians[0][0] == pytest.approx(66, abs=24)


def test_tickets_take_the_stages_of_the_default_pipeline(world: World) -> None:
    paths = world.connection.execute(
        """
        select path, count(*) from (
            select string_agg(stage, '' order by entered_at) as path
            from hidden.ticket_stage group by ticket_id
        ) group by path
        """
    ).fetchall()
    seen = {path for path, _ in paths}
    assert {"134", "13234", "13434", "1323434"} <= seen
    assert all(path.startswith("13") for path in seen)
    assert any(not path.endswith("4") for path in seen)
    closed = "from hidden.ticket where closed_at is not null"
    assert counted(world.connection, closed) == sum(n for path, n in paths if path.endswith("4"))


def test_half_of_the_initiatives_serve_customers_and_shared_ones_more(
    small: duckdb.DuckDBPyConnection,
) -> None:
    shares = dict(
        small.execute(
            """
            select issue_id % 6 >= 4 as is_shared, avg(cast(issue_id in (
                select issue_id from hidden.initiative_customer
            ) as int))
            from hidden.initiative group by is_shared
            """
        ).fetchall()
    )
    assert shares[True] == pytest.approx(0.75, abs=0.1)
    assert shares[False] == pytest.approx(0.35, abs=0.08)


def test_effort_of_an_initiative_belongs_to_the_posts_of_the_day() -> None:
    connection = before_market(Spec.of("tiny"))
    connection.execute(
        """
        delete from hidden.post where person_id = 1001;
        insert into hidden.post values
            (1001, '11', 'HAM', 1.0, 0.75, date '2020-01-01', date '2024-07-10'),
            (1001, '22', 'HAM', 1.0, 0.25, date '2020-01-01', date '2024-07-10'),
            (1001, '11', 'HAM', 1.0, 1.0, date '2024-07-10', null);
        """
    )
    market.simulate(connection, Spec.of("tiny"))
    given = connection.execute(
        """
        select department_id, function, seconds / 28800 from hidden.initiative_effort
        where issue_id = 0 order by department_id
        """
    ).fetchall()
    # Ten days from 2024-07-05 on, five of them with a second post.
    assert given == [("11", "it", 8.75), ("22", "customer_facing", 1.25)]


def test_the_same_seed_gives_the_same_market() -> None:
    first, second, other = (with_market(Spec.of("tiny", seed=seed)) for seed in (7, 7, 8))
    assert hashes(first) == hashes(second)
    changed = {table for table, value in hashes(other).items() if value != hashes(first)[table]}
    assert changed == set(MARKET) - {"exchange_rate", "initiative_effort"}


def test_the_market_does_not_know_what_systems_see() -> None:
    clean = with_market(Spec.of("tiny", profile="clean"))
    assert hashes(clean) == hashes(with_market(Spec.of("tiny")))


def test_deals_are_won_as_planted(small: duckdb.DuckDBPyConnection) -> None:
    rows = small.execute(
        "select p_won, count(*), avg(cast(outcome = 'won' as int)) from hidden.deal group by p_won"
    ).fetchall()
    found = {p_won: (n, share) for p_won, n, share in rows}
    assert set(found) == {0.47, 1.0}
    assert found[1.0][1] == 1.0
    n, share = found[0.47]
    assert abs(share - 0.47) < 3 * (0.47 * 0.53 / n) ** 0.5


@pytest.mark.parametrize("pull", [1.0, 4.0])
def test_new_products_sell_as_planted(pull: float) -> None:
    spec = replace(Spec.of("small"), effects=replace(Effects(), new_product_pull=pull))
    connection = with_market(spec)
    # Observed and expected share of new products among the first lines of everyday deals.
    row = connection.execute(
        f"""
        with
            first_line as (
                select
                    min_by(product_id, line_item_id) as product_id,
                    cast(min(entered_at) as date) as created_on
                from hidden.line_item
                join hidden.deal using (deal_id)
                join hidden.deal_stage using (deal_id)
                where p_won < 1 group by deal_id
            ),
            choice as (
                select
                    sold.on_sale_on > created_on - {deals.NEW_DAYS} as is_new,
                    (
                        select count(*) filter (where on_sale_on > created_on - {deals.NEW_DAYS})
                        from hidden.product where on_sale_on <= created_on
                    ) as new_n,
                    (select count(*) from hidden.product where on_sale_on <= created_on) as all_n
                from first_line join hidden.product as sold using (product_id)
            )
        select
            count(*), avg(cast(is_new as int)),
            avg({pull} * new_n / ({pull} * new_n + all_n - new_n))
        from choice
        """
    ).fetchone()
    assert row is not None
    count, observed, expected = row
    assert count > 2_000
    assert abs(observed - expected) < 3 * (0.25 / count) ** 0.5


def test_tickets_close_after_the_true_end_of_their_incident(world: World) -> None:
    """Not after a later change of status: the workflow lost one in September 2025."""
    (tickets, early, long_after) = world.connection.sql("""
        with ended as (
            select issue_id, max(to_at) as ended_at
            from hidden.phase_span
            where phase not in ('done', 'released', 'cancelled')
            group by issue_id
            having count(*) filter (to_at is null) = 0
        )
        select
            count(*),
            count(*) filter (closed_at < ended_at),
            count(*) filter (closed_at > ended_at + interval 45 day)
        from hidden.ticket inner join ended using (issue_id)
        where closed_at is not null
    """).fetchone() or (0, 0, 0)
    assert tickets > 50
    assert (early, long_after) == (0, 0)
    linked = "from hidden.ticket join hidden.issue using (issue_id)"
    assert counted(world.connection, f"{linked} where issue_type <> 'Incident'") == 0
    assert counted(world.connection, f"{linked} where opened_at >= issue.created_at") == 0
