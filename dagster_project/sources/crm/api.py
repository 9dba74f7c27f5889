"""Requests to HubSpot: addresses, scopes, tokens of pages, batches answered in part.

Belongs here: what all of HubSpot's endpoints share. Does not belong here: what is asked for (see
`portal`), the order of pages (see `hubspot` and `related`), waiting and tries (see `http`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dagster_project.errors import SourceError
from dagster_project.sources.crm.portal import ObjectType
from dagster_project.sources.http import Session
from dagster_project.sources.pulls import Gap, Json, WindowRejected

WHERE = "HubSpot: Settings, Integrations, Private Apps, Scopes"
REMEDIES: Mapping[int, str] = {
    401: "the token is wrong or was rotated: copy the private app's access token into the "
    "environment variable of this source, then try `mission sources check`.",
    403: f"grant the scope that is missing to the private app of this source ({WHERE}).",
}

#: What reading an answer raises where it has another form than HubSpot's documents say.
UNEXPECTED = (KeyError, TypeError, AttributeError, ValueError)


class Page(NamedTuple):
    """Results, and the token of the next page."""

    results: list[Json]
    after: str | None


class Api:
    """One account at a version: v3, or a date, which stands behind the name of the API."""

    def __init__(self, session: Session, version: str) -> None:
        self.session = session
        self.version = version
        self._untold: set[str] = set()

    def path(self, api: str) -> str:
        """The address of `objects`, `owners` and the like; v3's associations with labels are v4."""
        if not self.version.startswith("v"):
            return f"/crm/{api}/{self.version}"
        return f"/crm/{'v4' if api == 'associations' else self.version}/{api}"

    def ask(
        self,
        method: str,
        path: str,
        kind: ObjectType,
        *,
        resource: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        """The answer about an object type; None where the account may do without it.

        Raises WindowRejected where HubSpot has forgotten the token of a page, which it calls
        invalid; SourceError names the scope that is missing.
        """
        try:
            return self.session.ask(
                method, path, resource=resource, params=params, body=body, lacking=lacking(kind)
            )
        except SourceError as error:
            refusal = error
        if refusal.status == 400 and "after" in (params or {}):
            raise WindowRejected(str(refusal))
        if refusal.status == 403:
            remedy = f"grant the scope {kind.scope} to the private app of this source ({WHERE})."
            raise SourceError(refusal.message, remedy, status=403, told=refusal.told)
        raise refusal

    def results(self, resource: str, body: Json | None) -> list[Json]:
        """Results of a batch. Raises SourceError for a failure other than an absent object."""
        if body is None:
            return []
        for error in body.get("errors", []):
            if error.get("category") != "OBJECT_NOT_FOUND":
                raise SourceError(
                    f"source `{self.session.source}`, {resource}: HubSpot answered a batch in part "
                    f"only: {str(error.get('message'))[:200]}",
                    "run again; if it persists, look up the message in HubSpot's documentation.",
                    status=207,
                )
        return list(body["results"])

    def strange(self, resource: str, what: str) -> SourceError:
        """The error for an answer of another form than HubSpot's documents say."""
        return SourceError(
            f"source `{self.session.source}`, {resource}: the answer has not the expected form "
            f"({what})",
            "check `base_url` and `api_version` of this source in mission.yaml; if they are right, "
            "HubSpot has changed this API.",
        )

    def note_untold(self, resource: str) -> None:
        """Note once that HubSpot leaves out a property, which it does without a word."""
        if resource not in self._untold:
            self._untold.add(resource)
            why = "HubSpot does not tell this property: it was renamed or removed, or is hidden"
            self.session.gaps.append(Gap(self.session.source, resource, 200, why))


def lacking(kind: ObjectType) -> Mapping[int, str]:
    """Refusals that are noted and no errors, because an account may do without such objects."""
    if not kind.is_optional:
        return {}
    return {403: f"the private app lacks the scope {kind.scope}, or the account has no {kind.name}"}


def page(body: Json | None) -> Page:
    """A collection as HubSpot pages it; nothing of what may not be seen."""
    if body is None:
        return Page([], None)
    following = body.get("paging", {}).get("next")
    return Page(list(body["results"]), following["after"] if following else None)


def batch(ids: Sequence[str], number: int, size: int) -> Sequence[str]:
    """The batch with a number, from 0 on."""
    return ids[number * size : (number + 1) * size]


def next_batch(ids: Sequence[str], number: int, size: int) -> Json | None:
    """The position of the batch that follows."""
    return {"batch": number + 1} if (number + 1) * size < len(ids) else None
