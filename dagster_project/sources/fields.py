"""Types of fields, and how text becomes a value: times, dates, numbers, names.

Belongs here: types that every system shares. Does not belong here: which entity has which field.
All validators read the settings of the file (`Reading`) from pydantic's validation context.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

#: From this size on, a number is read as milliseconds, below as seconds since 1970.
_SMALLEST_EPOCH_MILLISECONDS = 100_000_000_000


class Reading(NamedTuple):
    """How the values of a file are read: zone of naive times, strptime format, closed intervals."""

    zone: ZoneInfo
    timestamp_format: str | None = None
    to_date_inclusive: bool = False


def _reading(info: ValidationInfo) -> Reading:
    # Callers pass context=Reading(...), which pydantic types as Any | None.
    return cast("Reading", info.context)


def _utc(value: Any, info: ValidationInfo) -> datetime:
    """A naive UTC time of an ISO 8601 text, a text in the declared format, a time or an epoch."""
    reading = _reading(info)
    try:
        if isinstance(value, str):
            moment = _parsed(value, reading)
        elif isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime.combine(value, time())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _SMALLEST_EPOCH_MILLISECONDS else value
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            raise ValueError
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=reading.zone)
        return moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"is no time {_expected(reading)}") from None


def _day(value: Any, info: ValidationInfo) -> date:
    """A date of an ISO 8601 text (a time of day is cut off), of the declared format, or a date."""
    reading = _reading(info)
    try:
        if isinstance(value, str):
            return _parsed(value, reading).date()
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        raise ValueError
    except ValueError:
        raise ValueError(f"is no date {_expected(reading)}") from None


def _parsed(text: str, reading: Reading) -> datetime:
    if reading.timestamp_format is None:
        return datetime.fromisoformat(text.strip())
    # Whether a naive time needs a zone is the caller's matter: a date needs none.
    return datetime.strptime(text.strip(), reading.timestamp_format)  # noqa: DTZ007


def _expected(reading: Reading) -> str:
    if reading.timestamp_format is None:
        return "in ISO 8601 (other formats: set `timestamp_format`)"
    return f"in the format `{reading.timestamp_format}`"


def _plain_text(value: Any) -> Any:
    """Ids that a table stored as floating-point numbers or UUIDs keep their usual spelling."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, UUID) else value


Timestamp = Annotated[datetime, PlainValidator(_utc)]
Day = Annotated[date, PlainValidator(_day)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[
    str, BeforeValidator(_plain_text), StringConstraints(strip_whitespace=True, min_length=1)
]


class Part(BaseModel):
    """An object inside a record: only the declared fields are looked at."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class Record(Part):
    """One record of an entity of CRM or HR; its fields are the allow-list.

    `description` is its table's, `keys` are its table's typed columns, `identity` tells one record
    from another, `record_times` say when it was last true.
    """

    description: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    identity: ClassVar[tuple[str, ...]]
    record_times: ClassVar[tuple[str, ...]] = ()

    @field_validator("to_date", "valid_to", check_fields=False)
    @classmethod
    def _half_open(cls, end: date | None, info: ValidationInfo) -> date | None:
        """All intervals of the lake are half-open and do not run backwards."""
        if end is None:
            return None
        reading = _reading(info)
        if reading.to_date_inclusive:
            if end == date.max:
                raise ValueError(f"has no next day; list {end} under `nulls`")
            end += timedelta(days=1)
        start = info.data.get("from_date") or info.data.get("valid_from")
        if start is not None and end < start:
            raise ValueError(f"is before the interval's start {start}")
        return end


class Scored(Record):
    """An answer on a scale that starts at or above 0 and ends at scale_max."""

    scale_max: Annotated[Number, Field(gt=0)]
    score: Annotated[Number, Field(ge=0)]

    @field_validator("score")
    @classmethod
    def _on_the_scale(cls, score: float, info: ValidationInfo) -> float:
        if score > info.data.get("scale_max", score):
            raise ValueError(f"is above scale_max {info.data['scale_max']:g}")
        return score


def reason(error: ValidationError) -> str:
    """Why a record was refused: `field: what is wrong (got value)`, joined by semicolons."""
    return "; ".join(_one_reason(found) for found in error.errors(include_url=False))


def _one_reason(found: Any) -> str:
    field = ".".join(str(part) for part in found["loc"])
    if found["type"] == "missing" or found["input"] is None:
        return f"{field} is missing"
    if found["type"] == "string_too_short":
        return f"{field} is empty"
    what = str(found["msg"]).removeprefix("Value error, ")
    return f"{field}: {str(found['input'])[:80]!r} {what[:1].lower()}{what[1:]}"
