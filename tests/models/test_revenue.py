"""Won revenue: which deals count, when, in what currency, and of which product."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from model_runner import Models


def deal(number: int = 1, **values: Any) -> dict[str, Any]:
    """A deal won on 2026-03-10 over 100 EUR, unless told otherwise."""
    return {
        "source_id": "c",
        "deal_id": str(number),
        "stage": "closedwon",
        "amount": 100.0,
        "currency": "EUR",
        "created_at": "2026-01-05",
        "closed_at": "2026-03-10 12:00",
        "is_deleted": False,
        **values,
    }


def item(number: int, deal_number: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "source_id": "c",
        "line_item_id": str(number),
        "deal_id": str(deal_number),
        "product_id": "p",
        "amount": 100.0,
        **values,
    }


def revenue(
    models: Models,
    deals: list[dict[str, Any]],
    items: list[dict[str, Any]] | None = None,
    history: list[dict[str, Any]] | None = None,
    rates: list[dict[str, Any]] | None = None,
) -> list[tuple[Any, ...]]:
    """(product, day, revenue) of every won line, in order of the deal and the line."""
    models.given("stg_crm__deals", deals)
    models.given("stg_crm__line_items", items or [])
    models.given("stg_crm__deal_stage_history", history or [])
    models.given("exchange_rates", rates or [])
    models.run("int_crm__deals", "int_crm__won_revenue")
    return [
        (row["product_id"], row["won_on"], row["revenue"])
        for row in models.rows(
            "select * from {int_crm__won_revenue} order by deal_id, line_item_id"
        )
    ]


WON_ON = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("values", "is_won"),
    [
        ({}, True),
        ({"stage": "closedlost"}, False),
        ({"stage": "contractsent"}, False),
        ({"stage": "a stage that no seed maps"}, False),
        ({"is_deleted": True}, False),
        ({"created_at": "2026-07-02"}, False),  # after as_of
        ({"closed_at": "2026-07-02"}, False),
    ],
)
def test_only_deals_that_are_won_by_now_count(
    models: Models, values: dict[str, Any], is_won: bool
) -> None:
    assert bool(revenue(models, [deal(**values)])) is is_won


def test_a_source_may_call_its_own_stage_a_win(models: Models) -> None:
    models.given(
        "crm_stage_map",
        [
            {"source_id": "*", "stage": "signed", "outcome": "lost"},
            {"source_id": "c", "stage": "signed", "outcome": "won"},
        ],
    )
    deals = [deal(stage="signed"), deal(stage="signed", source_id="other")]
    assert revenue(models, deals) == [("Unknown", WON_ON, 100.0)]


def test_a_deal_without_a_closing_day_was_won_when_it_first_entered_a_won_stage(
    models: Models,
) -> None:
    history = [
        {"source_id": "c", "deal_id": "1", "stage": stage, "entered_at": entered}
        for stage, entered in (
            ("contractsent", "2026-01-20"),
            ("closedwon", "2026-02-03 09:00"),
            ("contractsent", "2026-02-04 09:00"),
            ("closedwon", "2026-04-01 09:00"),
        )
    ]
    assert revenue(models, [deal(closed_at=None)], history=history) == [
        ("Unknown", date(2026, 2, 3), 100.0)
    ]


def test_a_win_without_any_date_stays_and_belongs_to_no_period(models: Models) -> None:
    assert revenue(models, [deal(closed_at=None)]) == [("Unknown", None, 100.0)]


def test_a_deal_is_won_on_the_day_of_the_organisation(models: Models) -> None:
    models.build(timezone="Asia/Singapore")
    assert revenue(models, [deal(closed_at="2026-03-10 20:00")])[0][1] == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("items", "lines"),
    [
        ([], [("Unknown", 100.0)]),
        ([item(1, amount=None)], [("c:p", 100.0)]),  # its only item
        ([item(1, amount=70.0)], [("c:p", 70.0)]),
        ([item(1, amount=None, product_id=None)], [("Unknown", 100.0)]),
        ([item(1, amount=60.0), item(2, amount=None)], [("c:p", 60.0), ("c:p", None)]),
        ([item(1, amount=130.0), item(2, amount=-30.0)], [("c:p", 130.0), ("c:p", -30.0)]),
    ],
)
def test_the_amount_of_a_deal_is_that_of_its_only_item(
    models: Models, items: list[dict[str, Any]], lines: list[tuple[str, float | None]]
) -> None:
    assert [(line[0], line[2]) for line in revenue(models, [deal()], items)] == lines


RATES = [
    {"currency": "usd", "valid_from": "2026-01-01", "rate": 0.9},
    {"currency": "USD", "valid_from": "2026-03-11", "rate": 0.5},
]


@pytest.mark.parametrize(
    ("values", "amount"),
    [
        ({"currency": "USD"}, 90.0),
        ({"currency": "usd"}, 90.0),
        ({"currency": "USD", "closed_at": "2026-03-11 00:00"}, 50.0),
        ({"currency": "USD", "closed_at": "2025-12-31 23:59"}, None),  # no rate in force yet
        ({"currency": "JPY"}, None),
        ({"currency": None}, 100.0),
        ({"currency": "eur"}, 100.0),
    ],
)
def test_money_is_converted_by_the_rate_of_the_day_and_never_guessed(
    models: Models, values: dict[str, Any], amount: float | None
) -> None:
    (line,) = revenue(models, [deal(**values)], rates=RATES)
    assert line[2] == (None if amount is None else pytest.approx(amount))


def test_coverage_counts_deals_and_revenue(models: Models) -> None:
    revenue(
        models,
        [
            deal(1),
            deal(2, closed_at=None),
            deal(3, currency="JPY"),
            deal(4, stage="nobody knows"),
            deal(5, stage="closedlost"),
        ],
        [item(1), item(2, product_id=None, deal_number=2), item(3, deal_number=3)],
    )
    models.run("int_crm__deal_coverage")
    shares = {
        row["measure"]: (row["numerator"], row["denominator"])
        for row in models.rows("select * from {int_crm__deal_coverage}")
    }
    assert shares == {
        "deals_with_mapped_stage": (4.0, 5.0),
        "won_deals_dated": (2.0, 3.0),
        "won_deals_with_amount": (2.0, 3.0),
        "revenue_with_product": (100.0, 200.0),
    }


def test_a_credit_does_not_hide_revenue_without_a_product(models: Models) -> None:
    revenue(models, [deal()], [item(1), item(2, product_id=None, amount=-100.0)])
    models.run("int_crm__deal_coverage")
    (share,) = models.rows(
        "select numerator, denominator from {int_crm__deal_coverage}"
        " where measure = 'revenue_with_product'"
    )
    assert (share["numerator"], share["denominator"]) == (100.0, 200.0)


def products(models: Models) -> dict[str, dict[str, Any]]:
    models.run("int_crm__products")
    return {row["product_id"]: row for row in models.rows("select * from {int_crm__products}")}


@pytest.mark.parametrize(
    ("listed", "won", "first"),
    [
        ("2024-05-01", "2026-03-10 12:00", date(2024, 5, 1)),
        ("2026-05-01", "2026-03-10 12:00", date(2026, 3, 10)),  # sold before it was listed
        (None, "2026-03-10 12:00", date(2026, 3, 10)),
        ("2024-05-01", None, date(2024, 5, 1)),
        (None, None, None),
    ],
)
def test_a_product_is_first_sold_on_the_earlier_of_both_dates(
    models: Models, listed: str | None, won: str | None, first: date | None
) -> None:
    models.given(
        "stg_crm__products",
        [{"source_id": "c", "product_id": "p", "name": "Probe", "first_sold_on": listed}],
    )
    revenue(models, [deal(closed_at=won)], [item(1)])
    assert products(models)["c:p"]["first_sold_on"] == first


def test_a_product_that_no_list_names_is_named_by_its_deals(models: Models) -> None:
    revenue(models, [deal()], [item(1, product_id="x")])
    row = products(models)["c:x"]
    assert (row["product_name"], row["first_sold_on"]) == ("x", WON_ON)


def test_the_map_of_a_source_wins_over_the_map_of_all(models: Models) -> None:
    models.given(
        "stg_crm__products",
        [
            {"source_id": source, "product_id": "p", "name": "P", "owner_department_id": "30"}
            for source in ("c", "d", "e")
        ],
    )
    models.given(
        "product_map",
        [
            {"source_id": "*", "product_id": "p", "jira_label": "all", "owner_department_id": "1"},
            {"source_id": "d", "product_id": "p", "jira_label": "own", "owner_department_id": None},
        ],
    )
    rows = products(models)
    assert {key: (row["jira_label"], row["owner_department_id"]) for key, row in rows.items()} == {
        "c:p": ("all", "1"),
        "d:p": ("own", "30"),  # the list's owner, where the map names none
        "e:p": ("all", "1"),
    }


def idea(
    models: Models, *, role: str = "idea", idea_at: str | None, available_at: str | None = None
) -> list[tuple[date, date, date | None]]:
    """(submitted, matures, launched) of one issue created on 2025-03-01 at 23:30 UTC."""
    models.build(timezone="Europe/Berlin")
    models.given(
        "int_jira__issues",
        [{"source_id": "j", "issue_id": "1", "role": role, "created_at": "2025-03-01 23:30"}],
    )
    models.given(
        "int_jira__issue_milestones",
        [{"source_id": "j", "issue_id": "1", "idea_at": idea_at, "available_at": available_at}],
    )
    models.run("int_metrics__ideas")
    return [
        (row["submitted_on"], row["matures_on"], row["launched_on"])
        for row in models.rows("select * from {int_metrics__ideas}")
    ]


def test_an_idea_gets_a_year_from_the_day_it_was_submitted(models: Models) -> None:
    assert idea(models, idea_at=None, available_at="2025-12-31 23:30") == [
        (date(2025, 3, 2), date(2026, 3, 2), date(2026, 1, 1))
    ]


@pytest.mark.parametrize(
    ("role", "idea_at", "count"),
    [
        ("initiative", None, 0),
        ("initiative", str(datetime(2025, 3, 1)), 1),
        ("work", str(datetime(2025, 3, 1)), 0),
    ],
)
def test_an_initiative_is_an_idea_only_if_it_began_as_one(
    models: Models, role: str, idea_at: str | None, count: int
) -> None:
    assert len(idea(models, role=role, idea_at=idea_at)) == count
