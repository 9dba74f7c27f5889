"""Live kinds of source: which client asks, which shapes its answers have.

Belongs here: the register of kinds, and making a client from mission.yaml and the environment. Does
not belong here: anything of one vendor (see the clients).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dagster_project.errors import MissionError
from dagster_project.sources.crm.shapes import SHAPES as HUBSPOT
from dagster_project.sources.hr.shapes import SHAPES as BAMBOOHR
from dagster_project.sources.jira.shapes import SHAPES as JIRA_CLOUD
from dagster_project.sources.pulls import Client
from dagster_project.sources.shapes import Shape

if TYPE_CHECKING:
    from dagster_project.settings import LiveSource

_SHAPES: Mapping[str, Sequence[Shape]] = MappingProxyType(
    {"jira_cloud": JIRA_CLOUD, "hubspot": HUBSPOT, "bamboohr": BAMBOOHR}
)


def shapes_of(kind: str) -> Sequence[Shape]:
    """How the answers of a live kind become rows."""
    return _SHAPES[kind]


def live_streams(kind: str) -> frozenset[str]:
    """The streams of the lake that a live kind fills."""
    return frozenset(shape.stream for shape in _SHAPES[kind])


def connect(
    source: LiveSource,
    *,
    custom_fields: Iterable[str] = (),
    departments: Mapping[str, str] = MappingProxyType({}),
) -> Client:
    """The client of a live source, with the secrets that the environment holds.

    `custom_fields` are ids of Jira's custom fields; `departments` are ids by the name that the HR
    system shows. Raises MissionError naming the environment variable that is missing.
    """
    # Imported here: `mission --help` needs no HTTP.
    from dagster_project.settings import BambooHRSource, HubSpotSource, JiraCloudSource
    from dagster_project.sources.http import Credentials

    options: dict[str, Any] = {
        "patience": source.patience_seconds,
        "parallel": source.requests_at_once,
    }
    token = secret(source.token_variable, source.id)
    if isinstance(source, JiraCloudSource):
        from dagster_project.sources.jira.cloud import JiraCloud

        email = secret(source.email_variable, source.id)
        credentials = Credentials.basic(email, token)
        return JiraCloud(
            source.id, source.base_url, credentials, custom_fields=custom_fields, **options
        )
    if isinstance(source, HubSpotSource):
        from dagster_project.sources.crm.hubspot import HubSpot

        return HubSpot(
            source.id,
            source.base_url,
            Credentials.bearer(token),
            version=source.api_version,
            properties=source.properties,
            **options,
        )
    assert isinstance(source, BambooHRSource), source.kind
    from dagster_project.sources.hr.bamboohr import BambooHR, FteTable

    table = source.fte_table
    return BambooHR(
        source.id,
        source.base_url,
        Credentials.basic_key(token),
        departments=departments,
        fte_table=FteTable(table.table, table.date, table.fte) if table else None,
        **options,
    )


def secret(variable: str, source_id: str) -> str:
    """A secret from the environment; raises MissionError naming the variable that is missing."""
    value = os.environ.get(variable, "").strip()
    if not value:
        raise MissionError(
            f"source `{source_id}` needs the environment variable {variable}, which is not set",
            "set it to the credential that docs/sources.md describes, in the environment that "
            "starts `mission`; secrets never stand in mission.yaml.",
        )
    return value
