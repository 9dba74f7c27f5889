"""The company's market as a HubSpot export tells it, as of any moment.

What belongs here: vendor columns and the view of a past moment. What does not: invented facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sandbox.calendars import COMPANY_ZONE
from sandbox.company import Company
from sandbox.market import LOST, WON, Market

Row: TypeAlias = dict[str, Any]

COLUMNS = {
    name: columns.split()
    for name, columns in {
        "accounts": "hs_object_id name customer_segment hubspot_owner_id owner_email createdate",
        "deals": "hs_object_id associated_company_id dealname dealstage amount "
        "deal_currency_code hubspot_owner_id owner_email createdate closedate "
        "hs_lastmodifieddate archived",
        "deal_stage_history": "hs_object_id dealstage timestamp",
        "line_items": "hs_object_id associated_deal_id hs_product_id amount",
        "products": "hs_object_id name owner_department first_sale_date",
        "surveys": "hs_object_id hs_survey_type hs_value hs_scale_max hs_submission_timestamp "
        "associated_company_id",
    }.items()
}
"""Table: its columns in order."""


def tables(company: Company, market: Market, until: datetime) -> dict[str, Iterator[Row]]:
    """All tables as of `until`."""
    return {
        "accounts": accounts(market, until),
        "deals": deals(market, until),
        "deal_stage_history": deal_stage_history(market, until),
        "line_items": line_items(market, until),
        "products": products(company, market, until),
        "surveys": surveys(market, until),
    }


def stamp(when: datetime) -> str:
    """HubSpot's timestamp, e.g. 2024-07-01T07:15:22.000Z."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def accounts(market: Market, until: datetime) -> Iterator[Row]:
    """Companies known before `until`."""
    for account in market.accounts:
        if account.created_at < until:
            yield {
                "hs_object_id": account.account_id,
                "name": account.name,
                "customer_segment": account.segment,
                "hubspot_owner_id": account.owner.number,
                "owner_email": account.owner.email,
                "createdate": stamp(account.created_at),
            }


def deals(market: Market, until: datetime) -> Iterator[Row]:
    """Deals begun before `until`, in the stage they were in; `closedate` only once closed."""
    for deal in market.deals:
        reached = [(stage, at) for stage, at in deal.stages if at < until]
        if reached:
            stage, entered_at = reached[-1]
            yield {
                "hs_object_id": deal.deal_id,
                "associated_company_id": deal.account.account_id,
                "dealname": deal.name,
                "dealstage": stage,
                "amount": f"{deal.amount:.2f}",
                "deal_currency_code": "EUR",
                "hubspot_owner_id": deal.owner.number,
                "owner_email": deal.owner.email,
                "createdate": stamp(deal.stages[0][1]),
                "closedate": stamp(entered_at) if stage in (WON, LOST) else "",
                "hs_lastmodifieddate": stamp(entered_at),
                "archived": "false",
            }


def deal_stage_history(market: Market, until: datetime) -> Iterator[Row]:
    """Every stage entered before `until`."""
    for deal in market.deals:
        for stage, at in deal.stages:
            if at < until:
                yield {
                    "hs_object_id": deal.deal_id,
                    "dealstage": stage,
                    "timestamp": stamp(at),
                }


def line_items(market: Market, until: datetime) -> Iterator[Row]:
    """The lines of deals begun before `until`; a deal's amount is their sum."""
    for deal in market.deals:
        if deal.stages[0][1] < until:
            for line in deal.lines:
                yield {
                    "hs_object_id": line.line_item_id,
                    "associated_deal_id": deal.deal_id,
                    "hs_product_id": line.product.product_id,
                    "amount": f"{line.amount:.2f}",
                }


def products(company: Company, market: Market, until: datetime) -> Iterator[Row]:
    """Products offered before `until`; a first sale date only where it has passed."""
    today = until.astimezone(COMPANY_ZONE).date()
    offered = {
        line.product.product_id
        for deal in market.deals
        if deal.stages[0][1] < until
        for line in deal.lines
    }
    for product in company.products:
        sold = product.first_sold_on is not None and product.first_sold_on < today
        if sold or product.product_id in offered:
            yield {
                "hs_object_id": product.product_id,
                "name": product.name,
                "owner_department": product.department_id,
                "first_sale_date": product.first_sold_on if sold else "",
            }


def surveys(market: Market, until: datetime) -> Iterator[Row]:
    """Answers submitted before `until`."""
    for survey in market.surveys:
        if survey.responded_at < until:
            yield {
                "hs_object_id": survey.response_id,
                "hs_survey_type": survey.instrument,
                "hs_value": survey.score,
                "hs_scale_max": survey.scale_max,
                "hs_submission_timestamp": stamp(survey.responded_at),
                "associated_company_id": survey.account.account_id,
            }
