"""The company's market as HubSpot tells it, as of any instant.

What belongs here: the records as tables (one SQL file a part) and the CSV files of an export. What
does not: which properties there are (`catalogue`), and answers to requests
(`sandbox/servers/hubspot`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import duckdb

from sandbox.calendars import COMPANY_ZONE
from sandbox.records import RecordFile
from sandbox.records.hubspot.catalogue import (
    DEAL_PIPELINE,
    HOME_CURRENCY,
    PIPELINES,
    TICKET_PIPELINE,
)

PARTS = ("setup", "deals", "tickets", "companies", "answers", "relations")
"""SQL files in the order in which they build on each other."""


def prepare(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Make schema hubspot_now: what HubSpot shows of all that happened before `now` (aware).

    One table an object type: `id` and `created_at`, `updated_at`, `archived_at` (UTC, null: never)
    for the use of servers, and every property of the catalogue as text (null: no value). The
    earlier schema is replaced.
    """
    stages = [
        f"('{object_type}', '{stage.stage_id}', '{stage.label}', {order}, {stage.is_closed}, "
        f"{stage.is_closed and stage.probability == 1}, {stage.probability})"
        for object_type, (_, _, pipeline) in PIPELINES.items()
        for order, stage in enumerate(pipeline)
    ]
    parts = [Path(__file__).with_name(f"{part}.sql").read_text(encoding="utf-8") for part in PARTS]
    connection.execute(
        Template("\n".join(parts)).substitute(
            now=f"timestamp '{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}'",
            stages=", ".join(stages),
            home=HOME_CURRENCY,
            deal_pipeline=DEAL_PIPELINE,
            ticket_pipeline=TICKET_PIPELINE,
            zone=COMPANY_ZONE.key,
        )
    )


_OWNED = "hubspot_owner_id, owner_of.email as owner_email"

EXPORTS = {
    "accounts": f"""
        select hs_object_id, name, customer_segment, {_OWNED}, createdate, country,
            hs_lastmodifieddate, archived_at is not null as archived
        from hubspot_now.companies
        left join hubspot_now.owner_of on owner_id = cast(hubspot_owner_id as bigint)
        order by id
    """,
    "deals": f"""
        select hs_object_id, customer_id as associated_company_id, dealname, dealstage, amount,
            deal_currency_code, {_OWNED}, createdate, closedate, hs_lastmodifieddate,
            archived_at is not null as archived
        from hubspot_now.deals
        left join hubspot_now.owner_of on owner_id = cast(hubspot_owner_id as bigint)
        order by id
    """,
    "deal_stage_history": """
        select id as hs_object_id, dealstage, hubspot_now.stamp(entered_at) as timestamp
        from hubspot_now.deal_states order by id, position
    """,
    "line_items": """
        select hs_object_id, deal_id as associated_deal_id, hs_product_id, amount
        from hubspot_now.line_items order by id
    """,
    "products": """
        select hs_object_id, name, owner_department, first_sale_date
        from hubspot_now.products order by id
    """,
    "surveys": """
        select hs_object_id, lower(hs_survey_type) as hs_survey_type, hs_value,
            rating_scale_max as hs_scale_max, hs_submission_timestamp,
            customer_id as associated_company_id, ticket_id as associated_ticket_id
        from hubspot_now.feedback_submissions order by id
    """,
    "contacts": """
        select hs_object_id, firstname, lastname, email, associatedcompanyid, createdate,
            archived_at is not null as archived
        from hubspot_now.contacts order by id
    """,
    "tickets": f"""
        select hs_object_id, customer_id as associated_company_id, subject, hs_pipeline_stage,
            hs_ticket_priority, {_OWNED}, createdate, closed_date, jira_issue_key,
            hs_lastmodifieddate, archived_at is not null as archived
        from hubspot_now.tickets
        left join hubspot_now.owner_of on owner_id = cast(hubspot_owner_id as bigint)
        order by id
    """,
    "ticket_stage_history": """
        select id as hs_object_id, hs_pipeline_stage, hubspot_now.stamp(entered_at) as timestamp
        from hubspot_now.ticket_states order by id, position
    """,
    "initiative_accounts": """
        select companies.hs_object_id, trim(key) as jira_initiative_key
        from hubspot_now.companies, unnest(string_split(jira_initiative_keys, ';')) as keys (key)
        order by id, jira_initiative_key
    """,
}
"""CSV file: its rows. The first six are what mission.yaml maps."""

INVITATIONS = """
    select survey_id as hs_object_id, instrument as hs_survey_type,
        hubspot_now.stamp(sent_at) as hs_sent_timestamp, customer_id as associated_company_id
    from hidden.survey where sent_at < timestamp '{now}' order by cast(survey_id as bigint)
"""
"""Every survey sent: without it nobody could tell how many answered."""


def files(connection: duckdb.DuckDBPyConnection, now: datetime) -> Iterator[RecordFile]:
    """The export as of `now`, for which `prepare` was called on this database before."""
    for name, sql in EXPORTS.items():
        yield RecordFile(f"crm/{name}", f"crm/{name}.csv", sql, "csv")
    sent = INVITATIONS.format(now=f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    yield RecordFile("crm/survey_invitations", "crm/survey_invitations.csv", sent, "csv")
