"""How HubSpot's records become rows of the CRM streams.

Belongs here: paths within the records that `hubspot` keeps, and what makes one unreadable. Does
not belong here: what is asked for (see `portal`), what a field means (see `entities`).
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from dagster_project.sources.crm.shape_parts import (
    CREATED_FIELD,
    CREATED_RULES,
    CREATED_VALUES,
    OWNER_FIELDS,
    OWNER_VALUE,
    OWNERS,
    closable,
    history,
    joined,
    objects,
    prop,
)
from dagster_project.sources.shapes import (
    Rule,
    Shape,
    day,
    flag,
    flat,
    is_day,
    is_number,
    is_time,
    moment,
    number,
    required,
    text,
    time_text,
)

_DEAL_VALUES, _DEAL_FIELDS, _DEAL_RULES = closable("closedate")
_TICKET_VALUES, _TICKET_FIELDS, _TICKET_RULES = closable("closed_date")

SHAPES: tuple[Shape, ...] = (
    objects(
        "accounts",
        {
            **CREATED_VALUES,
            **OWNER_VALUE,
            "name": prop("name"),
            "segment": "$.custom.segment",
            "initiative_keys": "$.custom.initiative_keys",
        },
        {"account_id": text("id")},
        {
            "account_id": text("id"),
            "name": text("name"),
            "segment": text("segment"),
            **OWNER_FIELDS,
            **CREATED_FIELD,
            "initiative_keys": text("initiative_keys"),
        },
        rules=CREATED_RULES,
        source=f"pulled {OWNERS}",
        joins=("owners",),
    ),
    objects(
        "contacts",
        {
            **CREATED_VALUES,
            "account_id": prop("associatedcompanyid"),
            "updated_text": prop("lastmodifieddate"),
        },
        {"contact_id": text("id")},
        {
            "contact_id": text("id"),
            "account_id": text("account_id"),
            **CREATED_FIELD,
            "updated_at": time_text(moment("updated_text")),
        },
        rules=(*CREATED_RULES, is_time("properties.lastmodifieddate", "updated_text")),
    ),
    objects(
        "deals",
        {
            **_DEAL_VALUES,
            **OWNER_VALUE,
            "name": prop("dealname"),
            "stage": prop("dealstage"),
            "amount": prop("amount"),
            "currency": prop("deal_currency_code"),
        },
        {"deal_id": text("id")},
        {
            "deal_id": text("id"),
            "account_id": text("account_id"),
            "name": text("name"),
            "stage": text("stage"),
            "amount": number(text("amount")),
            "currency": text("currency"),
            **OWNER_FIELDS,
            **_DEAL_FIELDS,
        },
        rules=(*_DEAL_RULES, is_number("properties.amount", text("amount"))),
        source=f"pulled {OWNERS} {joined('deal_accounts', 'account_id')}",
        joins=("owners", "deal_accounts"),
    ),
    history("deal_stage_history", "deal_id"),
    objects(
        "line_items",
        {"product_id": prop("hs_product_id"), "amount": prop("amount")},
        {"line_item_id": text("id")},
        {
            "line_item_id": text("id"),
            "deal_id": text("deal_id"),
            "product_id": text("product_id"),
            "amount": number(text("amount")),
        },
        rules=(
            # An archived line item belongs to nothing any more: it only tells that it is gone.
            Rule(
                f"not coalesce({flag('archived')}, false) and deal_id is null",
                "'it belongs to no deal'",
            ),
            is_number("properties.amount", text("amount")),
        ),
        source=f"pulled {joined('line_item_deals', 'deal_id')}",
        joins=("line_item_deals",),
    ),
    objects(
        "products",
        {
            "name": prop("name"),
            "owner_department_id": "$.custom.owner_department_id",
            "first_sold_text": "$.custom.first_sold_on",
        },
        {"product_id": text("id")},
        {
            "product_id": text("id"),
            "name": text("name"),
            "owner_department_id": text("owner_department_id"),
            "first_sold_on": day(text("first_sold_text")),
        },
        rules=(is_day("custom.first_sold_on", text("first_sold_text")),),
    ),
    objects(
        "surveys",
        {
            "instrument": prop("hs_survey_type"),
            "score_text": prop("hs_value"),
            "own_scale_max": "$.custom.scale_max",
            "responded_text": prop("hs_submission_timestamp"),
        },
        {"response_id": text("id")},
        {
            "response_id": text("id"),
            "instrument": "lower(trim(instrument))",
            "scale_max": number("scale_max"),
            "score": number("score_text"),
            "responded_at": time_text(moment("responded_text")),
            "account_id": text("account_id"),
            "ticket_id": text("ticket_id"),
        },
        rules=(
            Rule(
                "coalesce(lower(trim(instrument)), '') not in ('csat', 'nps')",
                "'hs_survey_type: ''' || coalesce(instrument, '') || ''' is neither CSAT nor NPS'",
            ),
            required("properties.hs_submission_timestamp", "responded_text"),
            is_time("properties.hs_submission_timestamp", "responded_text"),
            required("properties.hs_value", "score_text"),
            is_number("properties.hs_value", "score_text"),
            required("custom.scale_max", "scale_max"),
            is_number("custom.scale_max", "scale_max"),
            Rule(
                f"{number('score_text')} not between 0 and {number('scale_max')}",
                "'properties.hs_value: ''' || score_text || ''' is not on the scale from 0 to ' || "
                "scale_max",
            ),
        ),
        # Every NPS question is asked on a scale from 0 to 10; other scales only the company knows.
        source=(
            "(select *, coalesce(nullif(trim(own_scale_max), ''), "
            "case lower(trim(instrument)) when 'nps' then '10' end) as scale_max from pulled) "
            f"as pulled {joined('survey_accounts', 'account_id')} "
            f"{joined('survey_tickets', 'ticket_id')}"
        ),
        joins=("survey_accounts", "survey_tickets"),
    ),
    objects(
        "tickets",
        {
            **_TICKET_VALUES,
            **OWNER_VALUE,
            "stage": prop("hs_pipeline_stage"),
            "priority": prop("hs_ticket_priority"),
            "issue_key": "$.custom.issue_key",
        },
        {"ticket_id": text("id")},
        {
            "ticket_id": text("id"),
            "account_id": text("account_id"),
            "stage": text("stage"),
            "priority": text("priority"),
            **OWNER_FIELDS,
            "issue_key": text("issue_key"),
            **_TICKET_FIELDS,
        },
        rules=_TICKET_RULES,
        source=f"pulled {OWNERS} {joined('ticket_accounts', 'account_id')}",
        joins=("owners", "ticket_accounts"),
    ),
    history("ticket_stage_history", "ticket_id"),
    objects(
        "owners",
        {"email": "$.email"},
        {"owner_id": text("id")},
        {"owner_id": text("id"), "email": text("email")},
    ),
    Shape(
        "pipeline_stages",
        values={
            "object_type": "$.type",
            "pipeline_id": "$.pipeline",
            "stage_id": "$.id",
            "label": "$.label",
            "closed_text": "$.metadata.isClosed",
            "probability": "$.metadata.probability",
        },
        keys={
            "object_type": text("object_type"),
            "pipeline_id": text("pipeline_id"),
            "stage_id": text("stage_id"),
        },
        payload=flat(
            {
                "object_type": text("object_type"),
                "pipeline_id": text("pipeline_id"),
                "stage_id": text("stage_id"),
                "label": text("label"),
                "is_closed": flag("closed_text"),
                "probability": number("probability"),
            }
        ),
    ),
)
"""Every stream that HubSpot feeds."""
