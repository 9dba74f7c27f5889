"""Which fields of a live source came with a value, and which one has vanished.

Belongs here: looking for fields in many records without reading all of them. Does not belong here:
which fields there are (see `sources`). A sample has nearly all fields; only for the others is
everything searched, for the name as plain text first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from dagster_project.errors import MissionError
from dagster_project.landing.journal import Page
from dagster_project.landing.lake import Manifest
from dagster_project.landing.shaping import lines
from dagster_project.landing.window import sql_list, sql_text
from dagster_project.sources.shapes import Shape
from dagster_project.sources.streams import Stream

_SAMPLE = 1_000
#: In a window of changes, so many records without a field are no chance.
_ENOUGH_TO_JUDGE = 100


def delivered_fields(
    connection: duckdb.DuckDBPyConnection, declared: Stream, lake: str
) -> list[str]:
    """The fields that have a value in any payload of a relation, in the stream's order."""
    paths = {field: f"$.{field}" for field in declared.fields}
    return _found(connection, lake, "payload", paths, "not in ('NULL')")


def present_values(
    connection: duckdb.DuckDBPyConnection,
    shape: Shape,
    pages: Sequence[Page],
    earlier: Sequence[Manifest],
    *,
    is_snapshot: bool,
) -> list[str]:
    """The values of a shape whose field is there in any record, if only as null.

    Raises MissionError where one is in no record that was there in an earlier window. A record
    tells nothing of a field inside an object that it lacks; nor do a few changed records.
    """
    records = lines(pages)
    present = _found(connection, records, "record", shape.values, "is not null")
    known = {name for manifest in earlier for name in manifest.request.get("present", ())}
    for name in (known & shape.values.keys()) - set(present):
        path = shape.values[name]
        holder = path.rpartition(".")[0]
        (without,) = connection.execute(
            f"select count(*) from {records} "  # noqa: S608
            f"where json_type(record, {sql_text(holder)}) = 'OBJECT'"
        ).fetchall()[0]
        if without >= (1 if is_snapshot else _ENOUGH_TO_JUDGE):
            raise MissionError(
                f"{shape.stream}: none of {without} records has the field "
                f"`{path.removeprefix('$.')}`, which was there before",
                "it was removed or renamed at the source, or the credentials may no longer see "
                "it: restore it there, or map another one. Nothing was committed; the pages stay.",
            )
    return present


def _found(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    paths: Mapping[str, str],
    test: str,
) -> list[str]:
    """The names whose path has, in any row, a JSON type that passes a test."""

    def tested(source: str, names: Sequence[str]) -> set[str]:
        tests = ", ".join(
            f"coalesce(bool_or(types[{number}] {test}), false)"
            for number in range(1, len(names) + 1)
        )
        asked = sql_list([paths[name] for name in names])
        row = connection.execute(
            f"select {tests} from (select json_type({column}, {asked}) as types from {source})"  # noqa: S608
        ).fetchall()[0]
        return {name for name, is_there in zip(names, row, strict=True) if is_there}

    found = tested(f"(from {relation} limit {_SAMPLE})", list(paths)) if paths else set()
    missing = [name for name in paths if name not in found]
    if missing:
        words = [sql_text('"' + paths[name].rpartition(".")[2] + '"') for name in missing]
        mentioned = " or ".join(f"contains({column}, {word})" for word in words)
        found |= tested(f"(from {relation} where {mentioned})", missing)
    return [name for name in paths if name in found]
