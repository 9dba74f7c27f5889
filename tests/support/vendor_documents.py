"""Judges requests and responses by the vendors' own documents in ../shared/data/specs.

Belongs here: which document says what of a request. What a response ought to hold beyond its shape
belongs to the tests. A library for OpenAPI schemas does the checking.

    problems = check_response("jira", "GET", "/rest/api/3/myself", 200, body)
    problems += check_request("jira", "GET", "/rest/api/3/search/jql?jql=project=HSP")
    assert problems == []
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hubspot_document
import pytest
import yaml
from jsonschema import FormatChecker
from openapi_schema_validator import (
    OAS30ReadValidator,
    OAS30WriteValidator,
    OAS31Validator,
    oas30_format_checker,
)
from referencing import Registry, Specification

SPECS = Path(__file__).parents[3] / "shared" / "data" / "specs"
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "jira": (
        "atlassian/jira_platform_swagger-v3.v3.json.gz",
        "atlassian/jira_software_swagger.v3.json.gz",
    ),
    "bamboohr": ("bamboohr/public.yaml.gz",),
    "hubspot": ("hubspot/hubspot_crm_shapes_from_client_12.0.0.json",),
}
UNDOCUMENTED_STATUSES = {401, 403, 406, 429}
"""Statuses, beside those of broken servers, that any operation may answer with although the
documents list them for some only."""
SHOWN = 20


@dataclass
class Operation:
    """What one document says of one method and path."""

    document: Document
    pointer: str
    content: Mapping[str, Any]


@dataclass
class Document:
    """One OpenAPI document."""

    name: str
    content: Mapping[str, Any]
    registry: Any = field(init=False)

    def __post_init__(self) -> None:
        resource = Specification.OPAQUE.create_resource(self.content)
        self.registry = Registry().with_resource(f"urn:{self.name}", resource)
        self._validators: dict[tuple[str, bool], Any] = {}
        self._templates = [
            (re.compile(re.sub(r"{[^}]+}", "[^/]+", path.rstrip("/"))), path)
            for path in sorted(self.content["paths"], key=lambda path: path.count("{"))
        ]

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a request; a path spelled out goes before one with parameters."""
        for template, name in self._templates:
            content = self.content["paths"][name].get(method.lower())
            if content and template.fullmatch(path.rstrip("/")):
                escaped = name.replace("~", "~0").replace("/", "~1")
                pointer = f"/paths/{escaped}/{method.lower()}"
                return Operation(self, pointer, content)
        return None

    def problems(self, pointer: str, value: Any, *, is_request: bool) -> Iterator[str]:
        """What is wrong with `value` by the schema at `pointer`."""
        key = (pointer, is_request)
        if key not in self._validators:
            reference = {"$ref": f"urn:{self.name}#{pointer}"}
            self._validators[key] = _validator(self, reference, is_request)
        for error in self._validators[key].iter_errors(value):
            where = "/".join(str(step) for step in error.absolute_path) or "(all of it)"
            yield f"{where}: {error.message[:300]}"

    def resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """A part, or what it refers to within the document."""
        reference = part.get("$ref")
        if reference is None:
            return part
        found: Any = self.content
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        resolved: Mapping[str, Any] = found
        return resolved


def check_response(vendor: str, method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with a response, at most SHOWN lines; empty: it conforms.

    `path` may carry a query, `body` is the parsed JSON (None: no body). Skips the test where the
    documents are absent.
    """
    found = _operation(vendor, method, path)
    if isinstance(found, str):
        return [found]
    responses = found.content["responses"]
    said = str(status) if str(status) in responses else "default"
    if said not in responses:
        is_known = status in UNDOCUMENTED_STATUSES or status >= 500
        return [] if is_known else [f"{method} {path}: status {status} is not documented"]
    content = found.document.resolved(responses[said]).get("content", {})
    if "schema" not in content.get("application/json", {}) or body is None:
        return []
    if status >= 400 and isinstance(body, str):
        return []  # an error in plain words where the document has an example of one in JSON
    pointer = f"{found.pointer}/responses/{said}/content/application~1json/schema"
    if "$ref" in responses[said]:
        pointer = responses[said]["$ref"].removeprefix("#") + "/content/application~1json/schema"
    return list(found.document.problems(pointer, body, is_request=False))[:SHOWN]


def check_request(vendor: str, method: str, url: str, body: Any = None) -> list[str]:
    """What is wrong with a request: method and path, query parameters, JSON body.

    An operation that the vendor has declared deprecated is a flaw.

    Skips the test where the documents are absent.
    """
    found = _operation(vendor, method, url)
    if isinstance(found, str):
        return [found]
    problems = ["deprecated"] if found.content.get("deprecated") else []
    problems += _query_problems(found, parse_qs(urlsplit(url).query, keep_blank_values=True))
    problems += _body_problems(found, body)
    return problems[:SHOWN]


def _operation(vendor: str, method: str, url: str) -> Operation | str:
    path = urlsplit(url).path
    if vendor == "bamboohr":  # the same API at its older address
        path = re.sub(r"^/api/gateway\.php/[^/]+/v1/", "/api/v1/", path)
    for document in documents(vendor):
        if found := document.operation(method, path):
            return found
    return f"{method} {path} is in no document of {vendor}"


def _query_problems(operation: Operation, query: Mapping[str, list[str]]) -> list[str]:
    document = operation.document
    parameters = {
        parameter["name"]: parameter
        for parameter in map(document.resolved, operation.content.get("parameters", []))
        if parameter["in"] == "query"
    }
    problems = [f"query {name}: not documented" for name in query if name not in parameters]
    for name, parameter in parameters.items():
        if name in query:
            schema = parameter.get("schema", {})
            value = _typed(query[name], schema)
            validator = _validator(document, schema, is_request=True)
            problems += [f"query {name}: {e.message[:300]}" for e in validator.iter_errors(value)]
        elif parameter.get("required"):
            problems.append(f"query {name}: required, absent")
    return problems


def _typed(texts: list[str], schema: Mapping[str, Any]) -> Any:
    """The value that a query spells, as the schema's type; the text itself where it is not one."""
    if schema.get("type") == "array":
        parts = [part for text in texts for part in text.split(",")]
        return [_typed([part], schema.get("items", {})) for part in parts]
    text = texts[-1]
    if schema.get("type") in ("integer", "number") and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return json.loads(text.lstrip("0") or "0")
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _body_problems(operation: Operation, body: Any) -> list[str]:
    described = operation.content.get("requestBody")
    if described is None:
        return [] if body is None else ["body: none is documented"]
    described = operation.document.resolved(described)
    if body is None:
        return ["body: required, absent"] if described.get("required", True) else []
    if "application/json" not in described.get("content", {}):
        return ["body: JSON is not documented"]
    pointer = f"{operation.pointer}/requestBody/content/application~1json/schema"
    return list(operation.document.problems(pointer, body, is_request=True))


def _validator(document: Document, schema: Mapping[str, Any], is_request: bool) -> Any:
    if document.content["openapi"].startswith("3.1"):
        kind = OAS31Validator
    else:
        kind = OAS30WriteValidator if is_request else OAS30ReadValidator
    reference = schema.get("$ref", "")
    if reference.startswith("#"):  # which stands for the whole document, not for this schema
        schema = {"$ref": f"urn:{document.name}{reference}"}
    return kind(schema, registry=document.registry, format_checker=_formats())


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker()
    checker.checkers = {
        **oas30_format_checker.checkers,
        "date-time": (_is_date_time, (ValueError,)),
    }
    return checker


def _is_date_time(value: object) -> bool:
    """RFC 3339, or with an offset without colon, as Jira and BambooHR really write it."""
    if not isinstance(value, str):
        return True
    moment = datetime.fromisoformat(value)
    return "T" in value and moment.tzinfo is not None


@cache
def documents(vendor: str) -> tuple[Document, ...]:
    """The documents of a vendor, read once a session; skips the test where they are absent."""
    if not SPECS.is_dir():
        pytest.skip("vendor documents are absent: ../shared/data/specs lies beside no checkout")
    return tuple(
        Document(f"{vendor}-{number}", _read(SPECS / name))
        for number, name in enumerate(DOCUMENTS[vendor])
    )


def _read(path: Path) -> Mapping[str, Any]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".yaml" in path.suffixes:
        read: Mapping[str, Any] = yaml.load(data, Loader=yaml.CSafeLoader)
        return read
    content = json.loads(data)
    return hubspot_document.document(content) if "paths" not in content else content
