"""Rows of CRM and HR files as records: column mapping, missing values, validation.

Belongs here: how declared columns become fields. Does not belong here: which fields there are (see
`crm.entities`, `hr.entities`). Columns that are not mapped are dropped here, first thing, so that
nothing outside the allow-list goes further; that holds for quarantine too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from dagster_project.errors import MissionError, suggestion
from dagster_project.sources.fields import Reading, Record, reason
from dagster_project.sources.files import DataFile, Row
from dagster_project.sources.rows import Accepted, Refused


def table_records(
    file: DataFile,
    header: tuple[str, ...] | None,
    rows: Iterator[Row],
    *,
    stream: str,
    model: type[Record],
    reading: Reading,
    keeps_unread_text: bool,
) -> Iterator[Accepted | Refused]:
    """Typed records of one file.

    `keeps_unread_text` allows the text of a row whose columns cannot be told apart in quarantine.
    Raises MissionError where a required or a mapped column is missing.
    """
    columns = _columns(file, header, model)
    constants = file.reading.constants
    nulls = frozenset(file.reading.nulls)
    for row in rows:
        if row.columns is None:
            text = row.raw if keeps_unread_text else None
            yield Refused(stream, row.line, row.reason or "", text)
            continue
        values = dict(constants) | _values(row.columns, columns, nulls)
        try:
            record = model.model_validate(values, context=reading)
        except ValidationError as error:
            yield Refused(stream, row.line, reason(error), values)
            continue
        fields = vars(record)
        times = [fields[field] for field in model.record_times if fields[field] is not None]
        yield Accepted(
            stream,
            row.line,
            {key: fields[key] for key in model.keys},
            {name: _json(value) for name, value in fields.items() if value is not None},
            max(times, default=None),
        )


def _columns(
    file: DataFile, header: tuple[str, ...] | None, model: type[Record]
) -> dict[str, tuple[str, ...]]:
    """Field -> its columns. Without a header every field may come; with one, what it holds."""
    declared = file.reading.columns
    mapped: dict[str, tuple[str, ...]] = {}
    for field, info in model.model_fields.items():
        if field in file.reading.constants:
            continue
        found = declared.get(field, field)
        wanted = (found,) if isinstance(found, str) else tuple(found)
        if header is None:
            mapped[field] = wanted
            continue
        missing = [column for column in wanted if column not in header]
        if not missing:
            mapped[field] = wanted
        elif field in declared or info.is_required():
            raise _no_column(file, header, field, missing[0], info.is_required())
    if header is not None:
        _refuse_twins(file, header, mapped)
    return mapped


def _no_column(
    file: DataFile, header: Sequence[str], field: str, column: str, is_required: bool
) -> MissionError:
    need = "required" if is_required else "mapped"
    return MissionError(
        f"{file.name}: the column `{column}` of the {need} field `{field}` is missing",
        f"map the field to a column of the file at {file.place}.columns.{field}"
        f"{' or set it at constants' if is_required else ', or remove the mapping'}; "
        + suggestion(column, header),
    )


def _refuse_twins(
    file: DataFile, header: Sequence[str], mapped: Mapping[str, tuple[str, ...]]
) -> None:
    """Of two columns with one name, the wrong one might be read."""
    for column in {column for columns in mapped.values() for column in columns}:
        if header.count(column) > 1:
            raise MissionError(
                f"{file.name}: the column `{column}` stands twice in the header",
                "give each column a name of its own.",
            )


def _values(
    row: Mapping[str, Any], columns: Mapping[str, tuple[str, ...]], nulls: frozenset[str]
) -> dict[str, Any]:
    """The mapped, present values of a row; several columns are joined by a blank."""
    values: dict[str, Any] = {}
    for field, names in columns.items():
        if len(names) == 1:
            value = row.get(names[0])
            if value is not None and str(value) not in nulls:
                values[field] = value
        else:
            parts = [str(row[name]) for name in names if row.get(name) is not None]
            present = [part for part in parts if part not in nulls]
            if present:
                values[field] = " ".join(present)
    return values


def _json(value: Any) -> Any:
    """Times with microseconds and dates, both ISO 8601; other values are JSON already."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value
