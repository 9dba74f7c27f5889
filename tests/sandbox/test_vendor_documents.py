"""The judge of requests and responses is able to find fault."""

from __future__ import annotations

from typing import Any

import pytest
from vendor_documents import check_request, check_response

ISSUE = {"id": "1", "key": "A-1", "self": "https://a.example.com/1", "fields": {"summary": "x"}}
CHANGED = {
    "latest": "2025-03-01T00:00:00+00:00",
    "employees": {
        "1": {"id": "1", "action": "Updated", "lastChanged": "2025-03-01T00:00:00+00:00"}
    },
}
COMPANY = {
    "id": "1",
    "properties": {"name": None},
    "createdAt": "2025-03-01T00:00:00Z",
    "updatedAt": "2025-03-01T00:00:00Z",
    "archived": False,
}


@pytest.mark.parametrize(
    ("vendor", "path", "body"),
    [
        ("jira", "/rest/api/3/search/jql", {"issues": [ISSUE], "isLast": True}),
        ("bamboohr", "/api/v1/employees/changed", CHANGED),
        ("bamboohr", "/api/gateway.php/tidewater/v1/employees/changed", CHANGED),
        ("hubspot", "/crm/v3/objects/companies/1", COMPANY),
    ],
)
def test_what_the_document_shows_conforms(vendor: str, path: str, body: Any) -> None:
    assert check_response(vendor, "GET", path, 200, body) == []


@pytest.mark.parametrize(
    ("vendor", "path", "body", "problem"),
    [
        (
            "jira",
            "/rest/api/3/search/jql",
            {"issues": [ISSUE | {"id": 1}]},
            "issues/0/id: 1 is not of type 'string'",
        ),
        (
            "jira",
            "/rest/api/3/search/jql",
            {"issues": [ISSUE | {"colour": "red"}]},
            "issues/0: Additional properties are not allowed ('colour' was unexpected)",
        ),
        (
            "jira",
            "/rest/agile/1.0/board",
            {"startAt": "0", "values": []},
            "startAt: '0' is not of type 'integer'",
        ),
        (
            "bamboohr",
            "/api/v1/employees/changed",
            {"employees": {}},
            "(all of it): 'latest' is a required property",
        ),
        (
            "bamboohr",
            "/api/v1/employees/changed",
            CHANGED | {"latest": "yesterday"},
            "latest: 'yesterday' is not a 'date-time'",
        ),
        (
            "hubspot",
            "/crm/v3/objects/companies/1",
            {key: value for key, value in COMPANY.items() if key != "updatedAt"},
            "(all of it): 'updatedAt' is a required property",
        ),
        (
            "hubspot",
            "/crm/v3/objects/companies/1",
            COMPANY | {"properties": {"name": 7}},
            "properties/name: 7 is not of type 'string'",
        ),
    ],
)
def test_every_flaw_of_a_response_is_named(vendor: str, path: str, body: Any, problem: str) -> None:
    assert check_response(vendor, "GET", path, 200, body) == [problem]


def test_an_epoch_number_is_no_date_time_and_jiras_offset_without_colon_is_one() -> None:
    def problems(created: object) -> list[str]:
        history = {"id": "1", "created": created, "items": []}
        body = {"issueChangeLogs": [{"issueId": "1", "changeHistories": [history]}]}
        return check_response("jira", "POST", "/rest/api/3/changelog/bulkfetch", 200, body)

    assert problems("2025-03-01T09:00:00.000+0000") == []
    assert problems(1740819600000) == [
        "issueChangeLogs/0/changeHistories/0/created: 1740819600000 is not of type 'string'"
    ]


@pytest.mark.parametrize(
    ("vendor", "method", "url", "body", "problem"),
    [
        ("jira", "GET", "/rest/api/3/issues", None, "GET /rest/api/3/issues is in no document"),
        ("jira", "GET", "/rest/api/3/search?jql=a", None, "deprecated"),
        ("jira", "GET", "/rest/api/3/search/jql?jql=a&page=2", None, "query page: not documented"),
        ("jira", "GET", "/rest/api/3/search/jql?maxResults=all", None, "query maxResults: 'all'"),
        ("jira", "POST", "/rest/api/3/changelog/bulkfetch", {}, "'issueIdsOrKeys' is a required"),
        ("jira", "POST", "/rest/api/3/changelog/bulkfetch", None, "body: required, absent"),
        ("jira", "GET", "/rest/api/3/myself", {"a": 1}, "body: none is documented"),
        ("bamboohr", "GET", "/api/v1/time_off/requests?start=2025-01-01", None, "query end: req"),
        ("bamboohr", "GET", "/api/v1/employees/changed?since=today", None, "query since: 'today'"),
        ("hubspot", "GET", "/crm/v3/objects/companies?page=2", None, "query page: not documented"),
        (
            "hubspot",
            "POST",
            "/crm/v3/objects/companies/search",
            {"limit": "ten"},
            "limit: 'ten' is not of type 'integer'",
        ),
    ],
)
def test_every_flaw_of_a_request_is_named(
    vendor: str, method: str, url: str, body: Any, problem: str
) -> None:
    problems = check_request(vendor, method, url, body)
    assert len(problems) == 1
    assert problem in problems[0]


def test_requests_that_a_client_sends_are_accepted() -> None:
    assert check_request("jira", "GET", "/rest/api/3/search/jql?jql=a&maxResults=100") == []
    assert check_request("hubspot", "GET", "/crm/v3/objects/feedback_submissions?limit=100") == []
    assert check_request("bamboohr", "GET", "/api/v1/employees/7?fields=hireDate") == []


def test_a_status_that_is_not_documented_is_a_flaw_but_any_server_may_be_broken() -> None:
    assert check_response("bamboohr", "GET", "/api/v1/employees/changed", 418, None) == [
        "GET /api/v1/employees/changed: status 418 is not documented"
    ]
    for status in (401, 403, 429, 500, 502, 503):
        assert check_response("bamboohr", "GET", "/api/v1/employees/changed", status, None) == []
