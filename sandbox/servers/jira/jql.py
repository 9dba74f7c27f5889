"""JQL, as far as clients that fetch need it.

What belongs here: reading a query and saying it in SQL over jira_now.issue. What does not: pages.

Bare date-times are read in the zone of the user who asks, to the minute; a whole number is epoch
milliseconds. `and`, `or`, `not`, brackets, `in`, `is empty` and comparisons work on the fields of
`_COLUMNS` and `_TIMES`; everything else is refused in Jira's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.records.jira.wire import instant
from sandbox.records.json_text import quoted
from sandbox.servers.jira.answers import Refused
from sandbox.servers.jira.jql_words import Word, misread, unbounded, words

_TIMES = {
    "updated": "updated_at",
    "updateddate": "updated_at",
    "created": "created_at",
    "createddate": "created_at",
    "resolved": "resolved_at",
    "resolutiondate": "resolved_at",
    "due": "due_date",
    "duedate": "due_date",
}
_PERSON = "(select account_id from jira_now.person as person where person.person_id = {})"
_COLUMNS = {
    "project": "project_key",
    "issuetype": "issue_type",
    "type": "issue_type",
    "status": "status",
    "resolution": "resolution",
    "priority": "priority",
    "assignee": _PERSON.format("issue.assignee_id"),
    "reporter": _PERSON.format("issue.creator_id"),
    "creator": _PERSON.format("issue.creator_id"),
    "id": "issue_id",
    "key": "issue_id",
    "issue": "issue_id",
    "issuekey": "issue_id",
    "parent": "parent_issue_id",
}
_ISSUES = ("id", "key", "issue", "issuekey", "parent")
_NUMBER_OF_KEY = "try_cast(split_part(issue_key, '-', 2) as bigint)"
_ORDERS = {
    **{
        name: (f"coalesce({column}::timestamp, timestamp '1970-01-01')",)
        for name, column in _TIMES.items()
    },
    "id": ("issue_id",),
    **dict.fromkeys(("key", "issue", "issuekey"), ("project_key", _NUMBER_OF_KEY)),
    "project": ("project_key",),
    "status": ("status",),
    "issuetype": ("issue_type",),
    "type": ("issue_type",),
}
_RELATIVE = re.compile(r"([+-]?\d+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
MOST_ORDERS = 7


@dataclass(frozen=True)
class Order:
    """One term of a total order; `sql` is never null."""

    sql: str
    is_descending: bool


@dataclass(frozen=True)
class Query:
    """A query in SQL over jira_now.issue as issue."""

    where: str
    orders: tuple[Order, ...]
    """A total order: the id comes last."""
    projects: tuple[str, ...] = ()
    """What it names as projects; they have to exist."""


def read(jql: str, zone: ZoneInfo, now: datetime) -> Query:
    """A query as SQL.

    Refused (400) where Jira would not understand it, or where it has no restriction at all.
    """
    reader = _Reader(words(jql), zone, now)
    if reader.at("order"):
        raise unbounded()
    where = reader.any_of()
    orders = reader.order_by()
    reader.end()
    return Query(where, orders, tuple(reader.projects))


class _Reader:
    """Reads the words from left to right; every method takes what it names and answers in SQL."""

    def __init__(self, read: list[Word], zone: ZoneInfo, now: datetime) -> None:
        self._words = read
        self._next = 0
        self._zone = zone
        self._now = now
        self.projects: list[str] = []

    def at(self, *texts: str) -> bool:
        """Whether the next words are these (unquoted, in any case)."""
        following = self._words[self._next : self._next + len(texts)]
        return [(w.text.lower(), w.is_quoted) for w in following] == [(t, False) for t in texts]

    def any_of(self) -> str:
        parts = [self.all_of()]
        while self._took("or"):
            parts.append(self.all_of())
        return f"({' or '.join(parts)})"

    def all_of(self) -> str:
        parts = [self._term()]
        while self._took("and"):
            parts.append(self._term())
        return f"({' and '.join(parts)})"

    def order_by(self) -> tuple[Order, ...]:
        """The terms of the order; without any, the newest issues come first."""
        orders: list[Order] = []
        if not self._took("order", "by"):
            return (Order("issue_id", True),)
        is_descending, named = False, 0
        while True:
            field = self._word("a field")
            named += 1
            if field.text.lower() not in _ORDERS:
                raise Refused(400, f"Not able to sort using field '{field.text}'.")
            is_descending = self._took("desc") or (self._took("asc") and False)
            orders += [Order(sql, is_descending) for sql in _ORDERS[field.text.lower()]]
            if not self._took(","):
                break
        if named > MOST_ORDERS:
            raise Refused(400, f"The orderBy clause can contain at most {MOST_ORDERS} fields.")
        if orders[-1].sql == "issue_id":
            return tuple(orders)
        return (*orders, Order("issue_id", is_descending))

    def end(self) -> None:
        """Refuses what is left over."""
        if self._next < len(self._words):
            word = self._words[self._next]
            raise misread(f"Expecting either 'OR' or 'AND' but got '{word.text}'.", word.at)

    def _took(self, *texts: str) -> bool:
        if self.at(*texts):
            self._next += len(texts)
            return True
        return False

    def _word(self, expected: str) -> Word:
        if self._next >= len(self._words):
            last = self._words[-1]
            raise misread(f"Expecting {expected} but got end of query.", last.at)
        self._next += 1
        return self._words[self._next - 1]

    def _term(self) -> str:
        if self._took("not"):
            return f"not {self._term()}"
        if self._took("("):
            inner = self.any_of()
            if not self._took(")"):
                raise misread("Expecting ')' but got end of query.", self._words[-1].at)
            return inner
        field = self._word("a field")
        name = field.text.lower()
        if name in _TIMES:
            return self._time(name)
        if name in _COLUMNS:
            return self._choice(name)
        raise Refused(
            400,
            f"Field '{field.text}' does not exist or you do not have permission to view it.",
        )

    def _time(self, name: str) -> str:
        column = _TIMES[name]
        if (empty := self._emptiness(column)) is not None:
            return empty
        operator = self._word("an operator")
        if operator.text not in (">", ">=", "<", "<="):
            raise misread(f"Operator '{operator.text}' does not work here.", operator.at)
        moment = self._moment(self._word("a date"), name)
        if column == "due_date":
            day = moment.astimezone(self._zone).date()
            return f"coalesce(due_date {operator.text} date '{day}', false)"
        literal = f"{instant(moment)[:-1]}.{moment.microsecond:06d}'"
        return f"coalesce({column} {operator.text} {literal}, false)"

    def _emptiness(self, column: str) -> str | None:
        if not self._took("is"):
            return None
        negated = "not " if self._took("not") else ""
        word = self._word("EMPTY")
        if word.text.lower() not in ("empty", "null"):
            raise misread(f"Expecting EMPTY but got '{word.text}'.", word.at)
        return f"({column} is {negated}null)"

    def _choice(self, name: str) -> str:
        column = _COLUMNS[name]
        if (empty := self._emptiness(column)) is not None:
            return empty
        is_negated = self._took("not")
        operator = self._word("an operator")
        if operator.text.lower() == "in":
            values = self._list()
        elif operator.text in ("=", "!=") and not is_negated:
            is_negated = operator.text == "!="
            values = [self._word("a value")]
        else:
            raise misread(f"Operator '{operator.text}' does not work here.", operator.at)
        chosen = self._chosen(name, column, [word.text for word in values])
        # An empty field is neither in a list nor outside of it.
        return f"coalesce({'not ' if is_negated else ''}{chosen}, false)"

    def _chosen(self, name: str, column: str, values: list[str]) -> str:
        """SQL that is true where the column holds one of the values, null where it is empty."""
        texts = ", ".join(quoted(value) for value in values)
        capitals = ", ".join(quoted(value.upper()) for value in values)
        if name == "project":
            self.projects += values
            return f"""({column} in (
                select p.project_key from hidden.project as p
                where upper(p.project_key) in ({capitals}) or p.project_id::varchar in ({texts})
                    or upper(p.name) in ({capitals})
            ))"""
        if name not in _ISSUES:
            return f"({column} in ({texts}))"
        numbers = ", ".join(value for value in values if value.isdigit()) or "null"
        return f"""({column} in (
            select known.issue_id from jira_now.known_key as known
            where known.issue_key in ({capitals}) or known.issue_id in ({numbers})
        ))"""

    def _list(self) -> list[Word]:
        opening = self._word("'('")
        if opening.text != "(" or opening.is_quoted:
            raise misread(f"Expecting '(' but got '{opening.text}'.", opening.at)
        values = [self._word("a value")]
        while self._took(","):
            values.append(self._word("a value"))
        if not self._took(")"):
            raise misread("Expecting ')' but got end of query.", self._words[-1].at)
        return values

    def _moment(self, word: Word, name: str) -> datetime:
        """What a date in a query means, in UTC."""
        if word.text.lower() == "now" and self._took("(", ")"):
            return self._now
        if re.fullmatch(r"-?\d{1,14}", word.text):
            return datetime.fromtimestamp(int(word.text) / 1000, UTC)
        if match := _RELATIVE.fullmatch(word.text):
            return self._now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        for form in _FORMATS:
            try:
                local = datetime.strptime(word.text, form)  # noqa: DTZ007 - zone follows
            except ValueError:
                continue
            return local.replace(tzinfo=self._zone).astimezone(UTC)
        raise Refused(
            400,
            f"Date value '{word.text}' for field '{name}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period "
            "format e.g. '-5d', '4w 2d'.",
        )
