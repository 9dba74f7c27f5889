"""What a CRM delivers: the fields of each entity, required ones without a default.

Belongs here: field names, types and keys. Does not belong here: reading files, mapping columns.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dagster_project.sources.fields import Day, Number, Record, Scored, Text, Timestamp


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class Account(Record):
    """A customer."""

    description: ClassVar = "One row per customer and delivery."
    keys: ClassVar = ("account_id",)
    identity: ClassVar = ("account_id",)

    account_id: Text
    name: Text | None = None
    segment: Text | None = None
    owner_id: Text | None = None
    owner_email: Text | None = None
    created_at: Timestamp | None = None
    initiative_keys: Text | None = None
    is_deleted: bool | None = None


class Contact(Record):
    """A person at a customer: whose, never who."""

    description: ClassVar = "One row per contact and delivery, without name and address."
    keys: ClassVar = ("contact_id",)
    identity: ClassVar = ("contact_id",)
    record_times: ClassVar = ("updated_at", "created_at")

    contact_id: Text
    account_id: Text | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    is_deleted: bool | None = None


class Deal(Record):
    """A sale that may be open, won or lost."""

    description: ClassVar = "One row per deal and delivery."
    keys: ClassVar = ("deal_id",)
    identity: ClassVar = ("deal_id",)
    # closed_at of an open deal is the date on which somebody hopes to close it.
    record_times: ClassVar = ("updated_at", "created_at")

    deal_id: Text
    account_id: Text | None = None
    name: Text | None = None
    stage: Text | None = None
    amount: Number | None = None
    currency: Text | None = None
    owner_id: Text | None = None
    owner_email: Text | None = None
    created_at: Timestamp
    closed_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    is_deleted: bool | None = None


class DealStage(Record):
    """A deal entered a stage."""

    description: ClassVar = "One row per entry of a deal into a stage and delivery."
    keys: ClassVar = ("deal_id", "stage", "entered_at")
    identity: ClassVar = ("deal_id", "stage", "entered_at")
    record_times: ClassVar = ("entered_at",)

    deal_id: Text
    stage: Text
    entered_at: Timestamp


class LineItem(Record):
    """A product within a deal."""

    description: ClassVar = "One row per product within a deal and delivery."
    keys: ClassVar = ("line_item_id",)
    identity: ClassVar = ("line_item_id",)

    line_item_id: Text
    deal_id: Text
    product_id: Text | None = None
    amount: Number | None = None
    is_deleted: bool | None = None


class Product(Record):
    """Something that is sold."""

    description: ClassVar = "One row per product and delivery."
    keys: ClassVar = ("product_id",)
    identity: ClassVar = ("product_id",)

    product_id: Text
    name: Text | None = None
    owner_department_id: Text | None = None
    first_sold_on: Day | None = None
    is_deleted: bool | None = None


class Survey(Scored):
    """One customer's answer to a satisfaction survey."""

    description: ClassVar = "One row per survey response and delivery."
    keys: ClassVar = ("response_id",)
    identity: ClassVar = ("response_id",)
    record_times: ClassVar = ("responded_at",)

    response_id: Text
    instrument: Annotated[Literal["csat", "nps"], BeforeValidator(_lower)]
    responded_at: Timestamp
    account_id: Text | None = None
    ticket_id: Text | None = None
    is_deleted: bool | None = None


class Ticket(Record):
    """A customer's request for help; its subject is never kept."""

    description: ClassVar = "One row per ticket and delivery, without its subject."
    keys: ClassVar = ("ticket_id",)
    identity: ClassVar = ("ticket_id",)
    record_times: ClassVar = ("updated_at", "created_at")

    ticket_id: Text
    account_id: Text | None = None
    stage: Text | None = None
    priority: Text | None = None
    owner_id: Text | None = None
    owner_email: Text | None = None
    issue_key: Text | None = None
    created_at: Timestamp
    closed_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    is_deleted: bool | None = None


class TicketStage(Record):
    """A ticket entered a stage."""

    description: ClassVar = "One row per entry of a ticket into a stage and delivery."
    keys: ClassVar = ("ticket_id", "stage", "entered_at")
    identity: ClassVar = ("ticket_id", "stage", "entered_at")
    record_times: ClassVar = ("entered_at",)

    ticket_id: Text
    stage: Text
    entered_at: Timestamp


class Owner(Record):
    """Somebody whom records of the CRM can belong to."""

    description: ClassVar = "One row per user of the CRM and delivery."
    keys: ClassVar = ("owner_id",)
    identity: ClassVar = ("owner_id",)

    owner_id: Text
    email: Text | None = None
    is_deleted: bool | None = None


class PipelineStage(Record):
    """A stage that deals or tickets can be in."""

    description: ClassVar = "One row per stage of a pipeline and delivery."
    keys: ClassVar = ("object_type", "pipeline_id", "stage_id")
    identity: ClassVar = ("object_type", "pipeline_id", "stage_id")

    object_type: Text
    pipeline_id: Text
    stage_id: Text
    label: Text | None = None
    is_closed: bool | None = None
    probability: Annotated[Number, Field(ge=0, le=1)] | None = None


ENTITIES: dict[str, type[Record]] = {
    "accounts": Account,
    "deals": Deal,
    "deal_stage_history": DealStage,
    "line_items": LineItem,
    "products": Product,
    "surveys": Survey,
    "contacts": Contact,
    "tickets": Ticket,
    "ticket_stage_history": TicketStage,
    "owners": Owner,
    "pipeline_stages": PipelineStage,
}
