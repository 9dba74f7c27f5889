"""How records of a live source become rows of a stream, as SQL that runs over whole pages.

Belongs here: what a shape consists of, and expressions that shapes share. Does not belong here:
shapes of a vendor (see `jira.shapes` and the like), running them (see `landing.load`).
Expressions are DuckDB's; the session's time zone is UTC. Times of the lake are naive UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Rule(NamedTuple):
    """What keeps a record out of the lake: a condition, and an expression for the reason."""

    broken: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records of a pull become rows of a stream.

    `stream`: the stream of the lake, and of the pull unless `pull` names another one.
    `values`: name -> JSON path such as `$.fields.created`; each is read as text (a nested value as
    its JSON), null where the path is absent or null. All other expressions may use these names and
    `record`, the whole record as JSON. `keys`: column of the stream -> expression of its type.
    `payload`: expression for the JSON that the lake keeps; the default keeps the record as it is.
    `newest`: expression for the latest time at which the record is known to have changed, over the
    stream's keys and `payload` as they are in the lake; by default the latest of the keys that are
    times, or of what the record of CRM or HR declares as `record_times`.
    `rules`: the first broken one refuses the record. What identifies a record must be there anyway.

    `source`: the from clause. `pulled` has one row per record, with the columns `page` (its file),
    `record`, `raw` (the same) and one for each of `values`. The clause must keep these rows and
    columns. The pulls in `joins` are there under their streams' names, with the column `record`.
    """

    stream: str
    values: Mapping[str, str]
    keys: Mapping[str, str]
    payload: str = "cast(record as varchar)"
    newest: str = ""
    rules: Sequence[Rule] = ()
    source: str = "pulled"
    joins: Sequence[str] = ()
    pull: str = field(default="")

    def __post_init__(self) -> None:
        """The pull's name defaults to the stream's."""
        if not self.pull:
            object.__setattr__(self, "pull", self.stream)


def text(value: str) -> str:
    """A text without blanks around it; null where nothing is left."""
    return f"nullif(trim({value}), '')"


def moment(value: str) -> str:
    """A naive UTC time of an ISO 8601 text with an offset (none: UTC), or of an epoch."""
    # From 100,000,000,000 on, a number is read as milliseconds, below as seconds, as in `fields`.
    number = f"try_cast({value} as bigint)"
    return (
        f"coalesce(cast(try_cast({value} as timestamptz) as timestamp), "
        f"epoch_ms(case when abs({number}) >= 100000000000 then {number} "
        f"else {number} * 1000 end))"
    )


def day(value: str) -> str:
    """A date of an ISO 8601 text; a time of day is cut off."""
    return f"try_cast(left({value}, 10) as date)"


def number(value: str) -> str:
    """A finite number."""
    cast = f"try_cast({value} as double)"
    return f"case when isfinite({cast}) then {cast} end"


def flag(value: str) -> str:
    """True or false."""
    return f"try_cast({value} as boolean)"


def flat(fields: Mapping[str, str]) -> str:
    """A JSON object of the fields that are not null, times and dates in ISO 8601.

    Field -> expression. Equals what a file with the same values leaves in the lake.
    """
    pairs = ", ".join(f"'{name}', {value}" for name, value in fields.items())
    return f"cast(json_merge_patch('{{}}', json_object({pairs})) as varchar)"


def time_text(value: str) -> str:
    """A time in the spelling of payloads; `value` is a TIMESTAMP."""
    return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%f')"


def required(path: str, value: str) -> Rule:
    """The value at a path must be there."""
    return Rule(f"{value} is null", f"'{path} is missing'")


def is_time(path: str, value: str) -> Rule:
    """The value at a path, if there is one, must be a time."""
    return _typed(path, value, moment(value), "is no time in ISO 8601")


def is_day(path: str, value: str) -> Rule:
    """The value at a path, if there is one, must be a date."""
    return _typed(path, value, day(value), "is no date in ISO 8601")


def is_number(path: str, value: str) -> Rule:
    """The value at a path, if there is one, must be a finite number."""
    return _typed(path, value, number(value), "is no number")


def _typed(path: str, value: str, typed: str, what: str) -> Rule:
    return Rule(
        f"{value} is not null and {typed} is null",
        f"'{path}: ''' || left({value}, 80) || ''' {what}'",
    )
