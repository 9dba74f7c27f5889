"""What is asked of a HubSpot account: object types, their properties, what belongs to what.

Belongs here: HubSpot's names. Does not belong here: requests (see `hubspot`), what becomes of the
records (see `shapes`). The properties are an allow-list: names, e-mails and telephone numbers of
contacts, subjects and texts of tickets are never requested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A kind of record.

    `name` is HubSpot's, in the plural. `custom` are fields for which HubSpot has no property of its
    own: mission.yaml names the company's. `modified` is the property by which edits are found.
    """

    name: str
    scope: str
    properties: tuple[str, ...]
    custom: tuple[str, ...] = ()
    modified: str = "hs_lastmodifieddate"
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """Records of `stream` belong to objects of the type `to`."""

    stream: str
    to: str


#: Stream -> the object type that feeds it. The first one is the main stream of a CRM.
OBJECT_TYPES: Mapping[str, ObjectType] = MappingProxyType(
    {
        "deals": ObjectType(
            "deals",
            "crm.objects.deals.read",
            (
                "dealname",
                "dealstage",
                "amount",
                "deal_currency_code",
                "hubspot_owner_id",
                "createdate",
                "closedate",
                "hs_lastmodifieddate",
            ),
        ),
        "accounts": ObjectType(
            "companies",
            "crm.objects.companies.read",
            ("name", "hubspot_owner_id", "createdate"),
            ("segment", "initiative_keys"),
        ),
        "contacts": ObjectType(
            "contacts",
            "crm.objects.contacts.read",
            ("associatedcompanyid", "createdate", "lastmodifieddate"),
            modified="lastmodifieddate",
            is_optional=True,
        ),
        "line_items": ObjectType(
            "line_items", "crm.objects.line_items.read", ("hs_product_id", "amount")
        ),
        "products": ObjectType(
            "products",
            "crm.objects.products.read",
            ("name",),
            ("owner_department_id", "first_sold_on"),
        ),
        "tickets": ObjectType(
            "tickets",
            "tickets",
            (
                "hs_pipeline_stage",
                "hs_ticket_priority",
                "hubspot_owner_id",
                "createdate",
                "closed_date",
                "hs_lastmodifieddate",
            ),
            ("issue_key",),
            is_optional=True,
        ),
        "surveys": ObjectType(
            "feedback_submissions",
            "crm.objects.feedback_submissions.read",
            ("hs_survey_type", "hs_value", "hs_submission_timestamp"),
            ("scale_max",),
            is_optional=True,
        ),
    }
)

#: Stream of stages entered -> the stream of the objects, and the property whose past it is.
HISTORIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "deal_stage_history": ("deals", "dealstage"),
        "ticket_stage_history": ("tickets", "hs_pipeline_stage"),
    }
)

#: Pull of associations -> what it tells.
RELATIONS: Mapping[str, Relation] = MappingProxyType(
    {
        "deal_accounts": Relation("deals", "companies"),
        "line_item_deals": Relation("line_items", "deals"),
        "ticket_accounts": Relation("tickets", "companies"),
        "survey_accounts": Relation("surveys", "companies"),
        "survey_tickets": Relation("surveys", "tickets"),
    }
)

#: Streams whose objects go through a pipeline.
WITH_PIPELINE = ("deals", "tickets")

#: Users of the account; not an object type of HubSpot's, but read with a scope all the same.
OWNERS = ObjectType("owners", "crm.objects.owners.read", (), is_optional=True)
