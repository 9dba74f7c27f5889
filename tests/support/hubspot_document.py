"""HubSpot's shapes as an OpenAPI document.

Belongs here: the reading of `hubspot_crm_shapes_from_client_12.0.0.json`, which gives endpoints
and model fields but neither required fields nor which model an operation answers with. Both are
added here after the client and HubSpot's published OpenAPI documents, and so are the associations
API v4 and v3's associations of one record, which that client has elsewhere, and the addresses
with a date in them. What the document does not name may not be sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_OBJECT = ["id", "properties", "createdAt", "updatedAt", "archived"]
REQUIRED: Mapping[str, list[str]] = {
    "AssociatedId": ["id", "type"],
    "BatchReadInputSimplePublicObjectId": ["inputs", "properties", "propertiesWithHistory"],
    "BatchResponseSimplePublicObject": ["completedAt", "startedAt", "results", "status"],
    "CollectionResponseWithTotalSimplePublicObjectForwardPaging": ["total", "results"],
    "Error": ["category", "correlationId", "message"],
    "ErrorDetail": ["message"],
    "Filter": ["propertyName", "operator"],
    "FilterGroup": ["filters"],
    "ModelProperty": ["name", "label", "type", "fieldType", "groupName", "description", "options"],
    "NextPage": ["after"],
    "Pipeline": ["id", "label", "displayOrder", "stages", "createdAt", "updatedAt", "archived"],
    "PipelineStage": [
        "id",
        "label",
        "displayOrder",
        "metadata",
        "createdAt",
        "updatedAt",
        "archived",
    ],
    "PropertyModificationMetadata": ["archivable", "readOnlyDefinition", "readOnlyValue"],
    "PublicObjectId": ["id"],
    "PublicOwner": ["id", "type", "createdAt", "updatedAt", "archived"],
    "SimplePublicObject": _OBJECT,
    "SimplePublicObjectId": ["id"],
    "SimplePublicObjectWithAssociations": _OBJECT,
    "StandardError": ["category", "context", "errors", "links", "message", "status"],
    "ValueWithTimestamp": ["value", "timestamp", "sourceType"],
}
"""Beside these, every collection and batch requires its `results` or `inputs`."""

ANSWERS: Mapping[tuple[str, str], str] = {
    ("BasicApi", "get_page"): "CollectionResponseSimplePublicObjectWithAssociationsForwardPaging",
    ("BasicApi", "get_by_id"): "SimplePublicObjectWithAssociations",
    ("SearchApi", "do_search"): "CollectionResponseWithTotalSimplePublicObjectForwardPaging",
    ("BatchApi", "read"): "BatchResponseSimplePublicObject",
    ("OwnersApi", "get_page"): "CollectionResponsePublicOwnerForwardPaging",
    ("OwnersApi", "get_by_id"): "PublicOwner",
    ("PipelinesApi", "get_all"): "CollectionResponsePipelineNoPaging",
    ("PipelinesApi", "get_by_id"): "Pipeline",
    ("PipelineStagesApi", "get_all"): "CollectionResponsePipelineStageNoPaging",
    ("PipelineStagesApi", "get_by_id"): "PipelineStage",
    ("PipelineAuditsApi", "get_audit"): "CollectionResponsePublicAuditInfoNoPaging",
    ("CoreApi", "get_all"): "CollectionResponsePropertyNoPaging",
    ("CoreApi", "get_by_name"): "ModelProperty",
}
BATCH_ANSWERS: Mapping[str, str] = {
    "associations": "BatchResponsePublicAssociationMulti",
    "properties": "BatchResponseProperty",
}
DATES = ("2025-09", "2026-03", "2026-09")
SIMPLE: Mapping[str, Schema] = {
    "str": {"type": "string", "nullable": True},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {},
}

_LABELLED_TYPE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["category", "typeId", "label"],
    "properties": {
        "category": {
            "type": "string",
            "enum": ["HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED", "WORK"],
        },
        "typeId": {"type": "integer"},
        "label": {"type": "string", "nullable": True},
    },
}
V4_MODELS: Mapping[str, Schema] = {
    "MultiAssociatedObjectWithLabel": {
        "type": "object",
        "additionalProperties": False,
        "required": ["toObjectId", "associationTypes"],
        "properties": {
            # Servers often send a number; the published document says text.
            "toObjectId": {"type": "string"},
            "associationTypes": {"type": "array", "items": _LABELLED_TYPE},
        },
    },
    "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging": {
        "type": "object",
        "additionalProperties": False,
        "required": ["results"],
        "properties": {
            "results": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/MultiAssociatedObjectWithLabel"},
            },
            "paging": {"$ref": "#/components/schemas/companies.ForwardPaging"},
        },
    },
    "BatchInputPublicFetchAssociationsBatchRequest": {
        "type": "object",
        "additionalProperties": False,
        "required": ["inputs"],
        "properties": {
            "inputs": {
                "type": "array",
                "maxItems": 1000,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["id"],
                    "properties": {"id": {"type": "string"}, "after": {"type": "string"}},
                },
            }
        },
    },
    "BatchResponsePublicAssociationMultiWithLabel": {
        "type": "object",
        "additionalProperties": False,
        "required": ["completedAt", "startedAt", "results", "status"],
        "properties": {
            "completedAt": SIMPLE["datetime"],
            "requestedAt": SIMPLE["datetime"],
            "startedAt": SIMPLE["datetime"],
            "status": {
                "type": "string",
                "enum": ["PENDING", "PROCESSING", "CANCELED", "COMPLETE"],
            },
            "links": {"type": "object"},
            "numErrors": {"type": "integer"},
            "errors": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/companies.StandardError"},
            },
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["from", "to"],
                    "properties": {
                        "from": {"$ref": "#/components/schemas/companies.PublicObjectId"},
                        "to": {
                            "type": "array",
                            "items": {
                                "$ref": "#/components/schemas/MultiAssociatedObjectWithLabel"
                            },
                        },
                        "paging": {"$ref": "#/components/schemas/companies.Paging"},
                    },
                },
            },
        },
    },
}


def document(shapes: Mapping[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 document of the shapes, for validation."""
    schemas: dict[str, Schema] = dict(V4_MODELS)
    paths: dict[str, dict[str, Any]] = {}
    for group, content in shapes.items():
        for name, fields in content["models"].items():
            schemas[f"{group}.{name}"] = _model(group, name, fields)
        for endpoint in content["endpoints"]:
            path = paths.setdefault(endpoint["path"], {})
            path[endpoint["method"].lower()] = _operation(group, content["models"], endpoint)
    paths.update(_association_paths())
    for path, operations in list(paths.items()):
        for date in DATES:
            paths.setdefault(_dated(path, date), {}).update(operations)
    return {"openapi": "3.0.3", "paths": paths, "components": {"schemas": schemas}}


def _model(group: str, name: str, fields: Mapping[str, str]) -> Schema:
    required = REQUIRED.get(name, [field for field in fields if field in ("results", "inputs")])
    return {
        "type": "object",
        # Errors carry more than the client models: `status`, and what the category calls for.
        "additionalProperties": name in ("Error", "ErrorDetail"),
        "required": required,
        "properties": {field: _type(group, kind) for field, kind in fields.items()},
    }


def _type(group: str, kind: str) -> Schema:
    if kind in SIMPLE:
        return dict(SIMPLE[kind])
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        return {"type": "array", "items": _type(group, match[1])}
    if match := re.fullmatch(r"dict\[str, (.+)\]", kind):
        return {"type": "object", "additionalProperties": _type(group, match[1])}
    return {"$ref": f"#/components/schemas/{group}.{kind}"}


def _operation(
    group: str, models: Mapping[str, Any], endpoint: Mapping[str, Any]
) -> dict[str, Any]:
    in_path = re.findall(r"{(\w+)}", endpoint["path"])
    operation: dict[str, Any] = {"parameters": []}
    for parameter in endpoint["params"]:
        camel = re.sub(r"_(\w)", lambda match: match[1].upper(), parameter)
        if camel in in_path:
            continue
        model = camel[0].upper() + camel[1:]
        if model in models:
            operation["requestBody"] = _content(f"{group}.{model}")
        else:
            operation["parameters"].append(_parameter(camel))
    operation["responses"] = {"default": _content(f"{group}.Error")}
    if endpoint["api"] == "BatchApi" and group in BATCH_ANSWERS:
        answer: str | None = BATCH_ANSWERS[group]
    else:
        answer = ANSWERS.get((endpoint["api"], endpoint["operation"]))
    if answer in models:
        operation["responses"]["200"] = _content(f"{group}.{answer}")
    if f"{answer}WithErrors" in models:
        operation["responses"]["207"] = _content(f"{group}.{answer}WithErrors")
    return operation


def _parameter(name: str) -> dict[str, Any]:
    kinds: Mapping[str, Schema] = {
        "limit": {"type": "integer"},
        "archived": {"type": "boolean"},
        "properties": {"type": "array", "items": {"type": "string"}},
        "propertiesWithHistory": {"type": "array", "items": {"type": "string"}},
        "associations": {"type": "array", "items": {"type": "string"}},
    }
    return {"name": name, "in": "query", "schema": kinds.get(name, {"type": "string"})}


def _content(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _dated(path: str, date: str) -> str:
    """The address of a version with a date: /crm/v3/owners becomes /crm/owners/2026-03."""
    return re.sub(r"^/crm/v[34]/(\w+)", rf"/crm/\1/{date}", path)


def _association_paths() -> dict[str, dict[str, Any]]:
    error = _content("companies.Error")
    return {
        "/crm/v4/associations/{fromObjectType}/{toObjectType}/batch/read": {
            "post": {
                "parameters": [],
                "requestBody": _content("BatchInputPublicFetchAssociationsBatchRequest"),
                "responses": {
                    "200": _content("BatchResponsePublicAssociationMultiWithLabel"),
                    "207": _content("BatchResponsePublicAssociationMultiWithLabel"),
                    "default": error,
                },
            }
        },
        "/crm/v3/objects/{objectType}/{objectId}/associations/{toObjectType}": {
            "get": {
                "parameters": [_parameter("limit"), _parameter("after")],
                "responses": {
                    "200": _content("companies.CollectionResponseAssociatedId"),
                    "default": error,
                },
            }
        },
        "/crm/v4/objects/{objectType}/{objectId}/associations/{toObjectType}": {
            "get": {
                "parameters": [_parameter("limit"), _parameter("after")],
                "responses": {
                    "200": _content(
                        "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging"
                    ),
                    "default": error,
                },
            }
        },
    }
