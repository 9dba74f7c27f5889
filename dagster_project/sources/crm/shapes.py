"""How HubSpot's records become rows of the CRM streams.

Belongs here: paths within the records that `hubspot` keeps, and what makes one unreadable. Does
not belong here: what is asked for (see `portal`), what a field means (see `entities`).
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this module)

from __future__ import annotations

from collections.abc import Mapping

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

# The main one of several, else the oldest one.
_MAIN = (
    "max_by(record->>'$.to', (coalesce(cast(record->>'$.primary' as boolean), false), "
    "-cast(record->>'$.to' as bigint)))"
)


def _joined(pull: str, told: str) -> str:
    """A join to what a record belongs to, as the column `told`."""
    return (
        f"left join (select record->>'$.from' as {pull}_from, {_MAIN} as {told} from {pull} "
        f"group by 1) as {pull}_of on {pull}_of.{pull}_from = pulled.id"
    )


_OWNERS = (
    "left join (select record->>'$.id' as known_owner_id, "
    "max(record->>'$.email') as owner_email from owners group by 1) as owner_of "
    "on owner_of.known_owner_id = pulled.owner_id"
)
_CREATED = "coalesce(created_text, record_created_text)"


def _objects(
    stream: str,
    values: Mapping[str, str],
    keys: Mapping[str, str],
    fields: Mapping[str, str],
    *,
    rules: tuple[Rule, ...] = (),
    source: str = "pulled",
    joins: tuple[str, ...] = (),
) -> Shape:
    """A shape of objects, which all have an id and may be archived."""
    return Shape(
        stream,
        values={"id": "$.id", "archived": "$.archived", **values},
        keys=keys,
        payload=flat({**fields, "is_deleted": flag("archived")}),
        rules=(required("id", text("id")), *rules),
        source=source,
        joins=joins,
    )


def _history(stream: str, key: str) -> Shape:
    entered = moment("entered_text")
    return Shape(
        stream,
        values={"id": "$.id", "stage": "$.value", "entered_text": "$.timestamp"},
        keys={key: text("id"), "stage": text("stage"), "entered_at": entered},
        payload=flat({key: text("id"), "stage": text("stage"), "entered_at": time_text(entered)}),
        rules=(
            required("id", text("id")),
            required("value", text("stage")),
            required("timestamp", "entered_text"),
            is_time("timestamp", "entered_text"),
        ),
    )


def _property(name: str) -> str:
    return f"$.properties.{name}"


_TIMES = {
    "created_text": _property("createdate"),
    "record_created_text": "$.createdAt",
}

SHAPES: tuple[Shape, ...] = (
    _objects(
        "accounts",
        {
            **_TIMES,
            "name": _property("name"),
            "segment": "$.custom.segment",
            "owner_id": _property("hubspot_owner_id"),
            "initiative_keys": "$.custom.initiative_keys",
        },
        {"account_id": text("id")},
        {
            "account_id": text("id"),
            "name": text("name"),
            "segment": text("segment"),
            "owner_id": text("owner_id"),
            "owner_email": text("owner_email"),
            "created_at": time_text(moment(_CREATED)),
            "initiative_keys": text("initiative_keys"),
        },
        rules=(is_time("properties.createdate", _CREATED),),
        source=f"pulled {_OWNERS}",
        joins=("owners",),
    ),
    _objects(
        "contacts",
        {
            **_TIMES,
            "account_id": _property("associatedcompanyid"),
            "updated_text": _property("lastmodifieddate"),
        },
        {"contact_id": text("id")},
        {
            "contact_id": text("id"),
            "account_id": text("account_id"),
            "created_at": time_text(moment(_CREATED)),
            "updated_at": time_text(moment("updated_text")),
        },
        rules=(
            is_time("properties.createdate", _CREATED),
            is_time("properties.lastmodifieddate", "updated_text"),
        ),
    ),
    _objects(
        "deals",
        {
            **_TIMES,
            "name": _property("dealname"),
            "stage": _property("dealstage"),
            "amount": _property("amount"),
            "currency": _property("deal_currency_code"),
            "owner_id": _property("hubspot_owner_id"),
            "closed_text": _property("closedate"),
            "updated_text": _property("hs_lastmodifieddate"),
        },
        {"deal_id": text("id")},
        {
            "deal_id": text("id"),
            "account_id": text("account_id"),
            "name": text("name"),
            "stage": text("stage"),
            "amount": number(text("amount")),
            "currency": text("currency"),
            "owner_id": text("owner_id"),
            "owner_email": text("owner_email"),
            "created_at": time_text(moment(_CREATED)),
            "closed_at": time_text(moment(text("closed_text"))),
            "updated_at": time_text(moment("updated_text")),
        },
        rules=(
            required("properties.createdate", _CREATED),
            is_time("properties.createdate", _CREATED),
            is_time("properties.closedate", text("closed_text")),
            is_time("properties.hs_lastmodifieddate", "updated_text"),
            is_number("properties.amount", text("amount")),
        ),
        source=f"pulled {_OWNERS} {_joined('deal_accounts', 'account_id')}",
        joins=("owners", "deal_accounts"),
    ),
    _history("deal_stage_history", "deal_id"),
    _objects(
        "line_items",
        {"product_id": _property("hs_product_id"), "amount": _property("amount")},
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
        source=f"pulled {_joined('line_item_deals', 'deal_id')}",
        joins=("line_item_deals",),
    ),
    _objects(
        "products",
        {
            "name": _property("name"),
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
    _objects(
        "surveys",
        {
            "instrument": _property("hs_survey_type"),
            "score_text": _property("hs_value"),
            "own_scale_max": "$.custom.scale_max",
            "responded_text": _property("hs_submission_timestamp"),
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
            f"as pulled {_joined('survey_accounts', 'account_id')} "
            f"{_joined('survey_tickets', 'ticket_id')}"
        ),
        joins=("survey_accounts", "survey_tickets"),
    ),
    _objects(
        "tickets",
        {
            **_TIMES,
            "stage": _property("hs_pipeline_stage"),
            "priority": _property("hs_ticket_priority"),
            "owner_id": _property("hubspot_owner_id"),
            "issue_key": "$.custom.issue_key",
            "closed_text": _property("closed_date"),
            "updated_text": _property("hs_lastmodifieddate"),
        },
        {"ticket_id": text("id")},
        {
            "ticket_id": text("id"),
            "account_id": text("account_id"),
            "stage": text("stage"),
            "priority": text("priority"),
            "owner_id": text("owner_id"),
            "owner_email": text("owner_email"),
            "issue_key": text("issue_key"),
            "created_at": time_text(moment(_CREATED)),
            "closed_at": time_text(moment(text("closed_text"))),
            "updated_at": time_text(moment("updated_text")),
        },
        rules=(
            required("properties.createdate", _CREATED),
            is_time("properties.createdate", _CREATED),
            is_time("properties.closed_date", text("closed_text")),
            is_time("properties.hs_lastmodifieddate", "updated_text"),
        ),
        source=f"pulled {_OWNERS} {_joined('ticket_accounts', 'account_id')}",
        joins=("owners", "ticket_accounts"),
    ),
    _history("ticket_stage_history", "ticket_id"),
    _objects(
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
        rules=(
            required("type", text("object_type")),
            required("pipeline", text("pipeline_id")),
            required("id", text("stage_id")),
        ),
    ),
)
"""Every stream that HubSpot feeds."""
