"""The account's set-up in HubSpot: object types, properties, pipelines, kinds of associations.

What belongs here: what an administrator of HubSpot could look up without a single record. What
does not: records and answers to requests (`sandbox/servers/hubspot`).

Names and numbers are HubSpot's (its client 12.0.0 and its published OpenAPI documents); a property
marked custom is one that the company added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

HOME_CURRENCY = "EUR"
OPENED_AT = datetime(2019, 1, 7, 9, tzinfo=UTC)
"""When the company's account was set up: no property or pipeline is older."""

FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "date": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}
"""Type of a property: how HubSpot's forms show it."""


@dataclass(frozen=True)
class Property:
    """A field of an object type. `type` is a key of FIELD_TYPES; values are strings anyway."""

    name: str
    type: str
    label: str
    calculated: bool = False
    """HubSpot computes it."""
    custom: bool = False
    """The company added it."""
    options: tuple[tuple[str, str], ...] = ()
    """Value and label of each choice of an enumeration."""


@dataclass(frozen=True)
class Stage:
    """One column of a pipeline."""

    stage_id: str
    label: str
    is_closed: bool
    probability: float
    """That a deal in it is won, 0 to 1; without meaning for tickets."""


@dataclass(frozen=True)
class ObjectType:
    """A kind of record: its names and its fields."""

    name: str
    """Plural, as in paths, e.g. "line_items"."""
    singular: str
    type_id: str
    """HubSpot's number for it, which works in paths as well, e.g. "0-3"."""
    scope: str
    """What a private app must be granted to read it."""
    created: str
    modified: str
    """Properties that hold when a record was made and last edited."""
    defaults: tuple[str, ...]
    """Properties returned when none are asked for, beside created, modified and hs_object_id."""
    properties: Mapping[str, Property]


DEAL_PIPELINE, TICKET_PIPELINE = "default", "0"
DEAL_STAGES = (
    Stage("appointmentscheduled", "Appointment Scheduled", False, 0.2),
    Stage("qualifiedtobuy", "Qualified To Buy", False, 0.4),
    Stage("presentationscheduled", "Presentation Scheduled", False, 0.6),
    Stage("decisionmakerboughtin", "Decision Maker Bought-In", False, 0.8),
    Stage("contractsent", "Contract Sent", False, 0.9),
    Stage("closedwon", "Closed Won", True, 1.0),
    Stage("closedlost", "Closed Lost", True, 0.0),
)
TICKET_STAGES = (
    Stage("1", "New", False, 0.0),
    Stage("2", "Waiting on contact", False, 0.0),
    Stage("3", "Waiting on us", False, 0.0),
    Stage("4", "Closed", True, 0.0),
)
PIPELINES: Mapping[str, tuple[str, str, tuple[Stage, ...]]] = MappingProxyType(
    {
        "deals": (DEAL_PIPELINE, "Sales Pipeline", DEAL_STAGES),
        "tickets": (TICKET_PIPELINE, "Support Pipeline", TICKET_STAGES),
    }
)
"""Object type: id, label and stages of its only pipeline."""


_OPTIONS: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "customer_segment": tuple(
            (segment, segment)
            for segment in ("Harbours", "Research", "Offshore Energy", "Coastal Protection")
        ),
        "lifecyclestage": (
            ("lead", "Lead"),
            ("opportunity", "Opportunity"),
            ("customer", "Customer"),
        ),
        "pipeline": ((DEAL_PIPELINE, "Sales Pipeline"),),
        "dealstage": tuple((stage.stage_id, stage.label) for stage in DEAL_STAGES),
        "hs_pipeline": ((TICKET_PIPELINE, "Support Pipeline"),),
        "hs_pipeline_stage": tuple((stage.stage_id, stage.label) for stage in TICKET_STAGES),
        "hs_ticket_priority": tuple(
            (level.upper(), level) for level in ("Low", "Medium", "High", "Urgent")
        ),
        "hs_survey_type": (("CSAT", "CSAT"), ("NPS", "NPS")),
        "hs_survey_channel": (("EMAIL", "Email"),),
    }
)
"""Property: value and label of its choices."""


def _properties(text: str) -> Mapping[str, Property]:
    """Properties from lines `name type label`; after a name, = says calculated and * custom."""
    found = {}
    for line in text.strip().splitlines():
        word, kind, label = line.split(maxsplit=2)
        name = word.rstrip("=*")
        found[name] = Property(
            name, kind, label, word.endswith("="), word.endswith("*"), _OPTIONS.get(name, ())
        )
    return MappingProxyType(found)


def _type(
    names: str,
    scope: str,
    defaults: str,
    properties: str,
    created: str = "createdate",
    modified: str = "hs_lastmodifieddate",
) -> ObjectType:
    """The object type with the `names` plural, singular and number."""
    name, singular, type_id = names.split()
    system = f"""
        {created}= datetime Create Date
        {modified}= datetime Last Modified Date
        hs_object_id= number Record ID
    """
    return ObjectType(
        name,
        singular,
        type_id,
        scope,
        created,
        modified,
        tuple(defaults.split()),
        _properties(properties.rstrip() + system),
    )


OBJECT_TYPES: Mapping[str, ObjectType] = MappingProxyType(
    {
        each.name: each
        for each in (
            _type(
                "companies company 0-2",
                "crm.objects.companies.read",
                "domain name",
                """
                name string Company name
                domain string Company Domain Name
                country string Country/Region
                hubspot_owner_id enumeration Company owner
                lifecyclestage enumeration Lifecycle Stage
                customer_segment* enumeration Segment
                jira_initiative_keys* string Jira initiatives
                """,
            ),
            _type(
                "contacts contact 0-1",
                "crm.objects.contacts.read",
                "email firstname lastname",
                """
                firstname string First Name
                lastname string Last Name
                email string Email
                associatedcompanyid number Primary Associated Company ID
                """,
                modified="lastmodifieddate",
            ),
            _type(
                "deals deal 0-3",
                "crm.objects.deals.read",
                "amount closedate dealname dealstage pipeline",
                """
                dealname string Deal Name
                pipeline enumeration Pipeline
                dealstage enumeration Deal Stage
                amount number Amount
                deal_currency_code enumeration Currency
                hs_exchange_rate= number Exchange rate
                amount_in_home_currency= number Amount in company currency
                closedate datetime Close Date
                hubspot_owner_id enumeration Deal owner
                hs_is_closed= bool Is Deal Closed?
                hs_is_closed_won= bool Is Closed Won
                hs_deal_stage_probability= number Deal probability
                hs_closed_amount= number Closed Deal Amount
                hs_closed_amount_in_home_currency= number Closed Deal Amount In Home Currency
                hs_num_of_associated_line_items= number Number of Associated Line Items
                days_to_close= number Days to close
                """,
            ),
            _type(
                "products product 0-7",
                "crm.objects.products.read",
                "description name price",
                """
                name string Name
                description string Product description
                price number Unit price
                hs_sku string SKU
                owner_department* string Owner department
                first_sale_date* date First sale
                """,
            ),
            _type(
                "line_items line_item 0-8",
                "crm.objects.line_items.read",
                "amount hs_product_id quantity",
                """
                name string Name
                hs_product_id number Product ID
                quantity number Quantity
                price number Unit price
                amount= number Net price
                hs_line_item_currency_code enumeration Currency
                """,
            ),
            _type(
                "tickets ticket 0-5",
                "tickets",
                "hs_pipeline hs_pipeline_stage hs_ticket_priority subject",
                """
                subject string Ticket name
                hs_pipeline enumeration Pipeline
                hs_pipeline_stage enumeration Ticket status
                hs_ticket_priority enumeration Priority
                hubspot_owner_id enumeration Ticket owner
                closed_date datetime Close date
                time_to_close= number Time to close
                jira_issue_key* string Jira issue
                """,
            ),
            _type(
                "feedback_submissions feedback_submission 0-19",
                "crm.objects.feedback_submissions.read",
                "",
                """
                hs_survey_id number Survey ID
                hs_survey_name string Survey Name
                hs_survey_type enumeration Survey Type
                hs_survey_channel enumeration Survey Channel
                hs_submission_timestamp datetime Date submitted
                hs_value number Rating
                hs_contact_id number Contact ID
                rating_scale_max* number Highest rating
                """,
                created="hs_createdate",
            ),
        )
    }
)
"""Object types by their plural name."""

PRIMARY, PLAIN = "Primary", None
"""Labels of associations. An object's main company is associated twice, once with each."""

ASSOCIATIONS: Mapping[tuple[str, str], Mapping[str | None, int]] = MappingProxyType(
    {
        ("companies", "contacts"): {PRIMARY: 2, PLAIN: 280},
        ("companies", "deals"): {PRIMARY: 6, PLAIN: 342},
        ("companies", "tickets"): {PRIMARY: 25, PLAIN: 340},
        ("contacts", "companies"): {PRIMARY: 1, PLAIN: 279},
        ("contacts", "deals"): {PLAIN: 4},
        ("contacts", "tickets"): {PLAIN: 15},
        ("deals", "companies"): {PRIMARY: 5, PLAIN: 341},
        ("deals", "contacts"): {PLAIN: 3},
        ("deals", "line_items"): {PLAIN: 19},
        ("line_items", "deals"): {PLAIN: 20},
        ("tickets", "companies"): {PRIMARY: 26, PLAIN: 339},
        ("tickets", "contacts"): {PLAIN: 16},
        # No published document numbers those of survey responses: these numbers are ours.
        ("companies", "feedback_submissions"): {PLAIN: 901},
        ("contacts", "feedback_submissions"): {PLAIN: 902},
        ("tickets", "feedback_submissions"): {PLAIN: 903},
        ("feedback_submissions", "companies"): {PLAIN: 904},
        ("feedback_submissions", "contacts"): {PLAIN: 905},
        ("feedback_submissions", "tickets"): {PLAIN: 906},
    }
)
"""From, to: HubSpot's number for each label."""


def object_type(word: str) -> ObjectType | None:
    """The type that a path names by its plural, its singular or its number; None: no such."""
    for each in OBJECT_TYPES.values():
        if word.lower() in (each.name, each.singular, each.type_id):
            return each
    return None
