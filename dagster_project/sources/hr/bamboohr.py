"""BambooHR: employees, their posts, their leave.

Belongs here: BambooHR's addresses and the allow-list of fields. Does not belong here: how dated
rows become posts (see `posts`), rows of the lake (see `shapes`), waiting and errors (see `http`).
Nothing beyond the fields named here is requested, and nothing else that comes along is kept:
no salary, birth date, gender, note or photograph.

Posts and leave are asked for whole each time. BambooHR does not say which row was removed, and
tables of the company's own do not count as a change of the employee; the answers are one request
each. Employees have to be asked for one by one: only those that changed are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

from dagster_project.errors import SourceError
from dagster_project.sources.credentials import Credentials
from dagster_project.sources.hr.posts import Dated, Job, posts
from dagster_project.sources.http import Session, Usage
from dagster_project.sources.pulls import Answer, Gap, Json, Pull, Seen

#: Fields of an employee that are requested: the allow-list.
EMPLOYEE_FIELDS = (
    "employeeNumber",
    "firstName",
    "lastName",
    "workEmail",
    "hireDate",
    "originalHireDate",
    "terminationDate",
    "location",
)
#: Columns that are kept of each table; the first one of jobInfo and employmentStatus is the date.
_JOB_INFO = ("date", "department", "location")
_EMPLOYMENT_STATUS = ("date", "employmentStatus")
_EVER = "1970-01-01T00:00:00Z"
_FIRST_DAY, _LAST_DAY = "1970-01-01", "2199-12-31"
_EMPLOYEES_PAGE = 25
_HIDDEN = (
    "BambooHR leaves this field out: let the access level of the API key's user see it "
    "(Settings, Access Levels)"
)
_REMEDIES = {
    401: "the API key is wrong or was removed: make one in BambooHR (your name, API Keys), put it "
    "into the environment variable of this source, then try `mission sources check`.",
    403: "the user of the API key may not see this: change the access level (BambooHR: Settings, "
    "Access Levels), then try `mission sources check`.",
    404: "check `base_url` (https://COMPANY.bamboohr.com) and, if the table of contracted FTE is "
    "meant, `fte_table` of this source in mission.yaml.",
}


@dataclass(frozen=True, slots=True)
class FteTable:
    """The company's own table of contracted FTE: its name and its two columns."""

    table: str
    date: str
    fte: str


class BambooHR:
    """One BambooHR account.

    `departments` gives the id of a department by the name that BambooHR shows; a name that is
    absent is an id itself. Without `fte_table` nothing is known of part-time work. `options` are
    those of Session.
    """

    def __init__(
        self,
        source: str,
        base_url: str,
        credentials: Credentials,
        *,
        departments: Mapping[str, str] = MappingProxyType({}),
        fte_table: FteTable | None = None,
        **options: Any,
    ) -> None:
        self.name = source
        self._session = Session(source, base_url, credentials, remedies=_REMEDIES, **options)
        self._departments = departments
        self._fte_table = fte_table
        self._untold: set[str] = set()

    @property
    def endpoint(self) -> str:
        """The address of the API."""
        return self._session.base_url

    @property
    def gaps(self) -> Sequence[Gap]:
        """What the key may not see, as noted so far."""
        return self._session.gaps

    def usage(self, stream: str | None = None) -> Usage:
        """What was done for one stream, or for all."""
        return self._session.usage(stream)

    def now(self) -> datetime:
        """BambooHR's time at the first answer."""
        if self._session.began is None:
            self._changes(datetime.now(UTC).isoformat(timespec="seconds"))
        assert self._session.began is not None
        return self._session.began

    def plan(self, since: datetime | None) -> list[Pull]:
        """Employees that changed, all posts, all leave."""
        load: Any = "snapshot" if since is None else "incremental"
        start = _EVER if since is None else since.astimezone(UTC).isoformat(timespec="seconds")
        return [
            Pull(
                "employees",
                {"fields": list(EMPLOYEE_FIELDS), "is_full": since is None},
                load,
                after="employee_changes",
                concurrency=4,
            ),
            Pull("employee_changes", {"since": start}, load),
            Pull(
                "department_history",
                {
                    "tables": {name: list(columns) for name, columns in self._tables().items()},
                    "departments": dict(self._departments),
                },
                "snapshot",
            ),
            Pull("leave", {"start": _FIRST_DAY, "end": _LAST_DAY}, "snapshot"),
        ]

    def fetch(self, pull: Pull, position: Json | None, ids: Sequence[str]) -> Answer:
        """One page; see Client."""
        try:
            answer = self._page(pull, position or {"start": 0}, ids)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            unexpected = f"{type(error).__name__}: {error}"
        else:
            self._session.count_rows(pull.stream, len(answer.records))
            return answer
        raise SourceError(
            f"source `{self.name}`, {pull.stream}: the answer has not the expected form "
            f"({unexpected})",
            "check `base_url` of this source in mission.yaml; if it is right, BambooHR has changed "
            "this API.",
        )

    def check(self) -> list[Seen]:
        """How many employees there are, and which fields and tables are missing."""
        listed = self._ask("/meta/fields", "employees")
        known = {field.get("alias") for field in listed}
        absent = [field for field in EMPLOYEE_FIELDS if field not in known]
        found = [
            Seen("employees ever", len(self._changes(_EVER))),
            Seen("fields", len(EMPLOYEE_FIELDS) - len(absent), _lacks(absent)),
        ]
        tables = {table["alias"]: table["fields"] for table in self._ask("/meta/tables", "tables")}
        for name, columns in self._tables().items():
            shown = {field.get("alias") for field in tables.get(name, [])}
            absent = [column for column in columns if column not in shown]
            found.append(Seen(f"table {name}", len(columns) - len(absent), _lacks(absent)))
        return found

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def _page(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        if pull.stream == "employees":
            return self._employees(pull, position, ids)
        if pull.stream == "employee_changes":
            return Answer([{"id": each} for each in self._changes(pull.request["since"])], None)
        if pull.stream == "department_history":
            return Answer(list(self._posts()), None)
        return Answer(self._leave(pull), None)

    def _ask(self, path: str, resource: str, params: Json | None = None) -> Any:
        return self._session.ask("GET", f"/api/v1{path}", resource=resource, params=params)

    def _changes(self, since: str) -> list[str]:
        """Ids of employees that were entered, edited or deleted since."""
        body = self._ask("/employees/changed", "employee_changes", {"since": since})
        return list(body["employees"] or {})

    def _employees(self, pull: Pull, position: Json, ids: Sequence[str]) -> Answer:
        """Up to 25 employees."""
        start = position["start"]
        records = [
            record
            for employee_id in ids[start : start + _EMPLOYEES_PAGE]
            for record in self._employee(pull, employee_id)
        ]
        end = start + _EMPLOYEES_PAGE
        return Answer(records, {"start": end} if end < len(ids) else None)

    def _employee(self, pull: Pull, employee_id: str) -> Iterator[Json]:
        """The allowed fields of an employee; of one who was deleted, that it is gone.

        What was asked for and not told is absent, so that the landing can tell it from no value.
        """
        fields = pull.request["fields"]
        asked = {"fields": ",".join(fields)}
        try:
            found = dict(self._ask(f"/employees/{employee_id}", "employees", asked))
        except SourceError as error:
            if error.status != 404:
                raise
            if not pull.request["is_full"]:
                yield {"id": employee_id, "deleted": True}
            return
        for field in fields:
            if field not in found:
                self._note_untold(f"employees.{field}")
        told = {field: found[field] for field in fields if field in found}
        yield {"id": employee_id, **told, "deleted": False}

    def _tables(self) -> dict[str, tuple[str, ...]]:
        """The tables that posts are made of, and the columns that are kept."""
        tables = {"jobInfo": _JOB_INFO, "employmentStatus": _EMPLOYMENT_STATUS}
        if self._fte_table:
            tables[self._fte_table.table] = (self._fte_table.date, self._fte_table.fte)
        return tables

    def _posts(self) -> Iterator[Json]:
        """Posts of all employees, made of whole tables."""
        rows = self._rows("jobInfo", _JOB_INFO, essential=("date", "department"))
        jobs = [Job(*row) for row in rows]
        rows = self._rows("employmentStatus", _EMPLOYMENT_STATUS, essential=_EMPLOYMENT_STATUS)
        statuses = [Dated(*row) for row in rows]
        ftes: list[Dated] = []
        if own := self._fte_table:
            found = self._rows(own.table, (own.date, own.fte), essential=(own.date, own.fte))
            ftes = [Dated(*row) for row in found]
        for post in posts(jobs, statuses, ftes):
            yield {
                "employeeId": post.employee_id,
                "department": post.department,
                "departmentId": self._departments.get(post.department or "", post.department),
                "location": post.location,
                "fte": post.fte,
                "from": post.from_day,
                "to": post.to_day,
            }

    def _rows(
        self, table: str, columns: Sequence[str], *, essential: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Employee id and columns of each row. Raises SourceError where an essential one hides."""
        rows = self._ask(f"/employees/all/tables/{table}", "department_history")
        hidden = [column for column in columns if rows and not any(column in r for r in rows)]
        for column in hidden:
            if column in essential:
                raise SourceError(
                    f"source `{self.name}`: the table {table} comes without `{column}`, and posts "
                    "cannot be told without it",
                    "let the access level of the API key's user see this field, or correct "
                    "`fte_table` in mission.yaml.",
                )
            self._note_untold(f"{table}.{column}")
        for row in rows:
            yield [str(row["employeeId"]), *(row.get(column) for column in columns)]

    def _leave(self, pull: Pull) -> list[Json]:
        """Approved leave, without notes and names."""
        requests = self._ask(
            "/time_off/requests",
            "leave",
            {**pull.request, "status": "approved", "excludeNote": "1"},
        )
        return [
            {
                "id": each["id"],
                "employeeId": each["employeeId"],
                "start": each["start"],
                "end": each["end"],
                "type": each["type"]["name"],
                "unit": each["amount"]["unit"],
                "amount": each["amount"]["amount"],
            }
            for each in requests
        ]

    def _note_untold(self, resource: str) -> None:
        """BambooHR leaves out what may not be seen, without a word."""
        if resource not in self._untold:
            self._untold.add(resource)
            self._session.gaps.append(Gap(self.name, resource, 200, _HIDDEN))


def _lacks(names: Sequence[str]) -> str | None:
    return f"{', '.join(names)}: {_HIDDEN}" if names else None
