"""Shapes as SQL: pages of JSON lines as a relation, and the rows of a stream out of it.

Belongs here: queries over pages. Does not belong here: shapes of a vendor (see `sources`), running
the queries (see `load`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_project.landing.journal import Page
from dagster_project.landing.window import REFUSED_COLUMNS, sql_list
from dagster_project.sources.shapes import Shape
from dagster_project.sources.streams import TABULAR, Stream

#: So many characters of a refused record are kept, as with files.
_EXCERPT = 4_000


class Query:
    """A shape as SQL over pages."""

    def __init__(self, shape: Shape, declared: Stream, pages: Mapping[str, Sequence[Page]]) -> None:
        """`pages` holds those of every pull by its stream."""
        self._shape, self._declared = shape, declared
        values = "".join(
            f", extracted[{number}] as {name}" for number, name in enumerate(shape.values, 1)
        )
        paths = sql_list(list(shape.values.values()))
        # One pass over a record finds all its values; a path at a time would parse it each time.
        pulled = (
            f"select page, record, record as raw{values} from (select page, record, "  # noqa: S608
            f"json_extract_string(record, {paths}) as extracted from {lines(pages[shape.pull])})"
        )
        tables = {"pulled": pulled} | {
            name: f"select record from {lines(pages[name])}"  # noqa: S608
            for name in shape.joins
        }
        self._with = ", ".join(f"{name} as ({query})" for name, query in tables.items())
        broken = [*shape.rules]
        self._reason = "".join(f" when {rule.broken} then {rule.reason}" for rule in broken)
        self._reason += "".join(
            f" when ({shape.keys[key]}) is null then '{key} is missing'"
            for key in declared.identity
        )

    @property
    def accepted(self) -> str:
        """The stream's keys and payload of the records that break no rule."""
        keys = ", ".join(
            f"cast({self._shape.keys[key]} as {kind}) as {key}"
            if key in self._shape.keys
            else f"cast(null as {kind}) as {key}"
            for key, kind in self._declared.keys.items()
        )
        return (
            f"with {self._with} select {keys}, {self._shape.payload} as payload "  # noqa: S608
            f"from {self._shape.source} where (case{self._reason} end) is null"
        )

    @property
    def refused(self) -> str:
        """REFUSED_COLUMNS of the others."""
        told = {
            "file": "parse_filename(page)",
            "line": "null",
            "reason": "why",
            "record": f"left(raw, {_EXCERPT})",
        }
        columns = ", ".join(f"cast({told[c]} as {t}) as {c}" for c, t in REFUSED_COLUMNS.items())
        return (
            f"with {self._with} select {columns} from (select page, raw, "  # noqa: S608
            f"case{self._reason} end as why from {self._shape.source}) where why is not null"
        )


def lines(pages: Sequence[Page]) -> str:
    """The records of pages as a relation: `page` is the path, `record` the JSON as text."""
    filled = [page.path for page in pages if page.records]
    if not filled:
        return "(select cast(null as varchar) as page, cast(null as varchar) as record where false)"
    longest = max(page.longest for page in pages)
    size = max(2**21, 2 * longest)
    # JSON holds no control characters, so a line is a row of one column. Reading lines and parsing
    # them once is faster than read_json of whole objects.
    return (
        f"(select filename as page, record from read_csv({sql_list(filled)}, "  # noqa: S608
        "auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', "
        "comment = '', new_line = '\\n', columns = {record: 'VARCHAR'}, filename = true, "
        f"max_line_size = {size}, buffer_size = {4 * size}))"
    )


def newest_expression(declared: Stream) -> str:
    """The latest time of a row, as the record's declaration tells."""
    if declared.system in TABULAR:
        model = TABULAR[declared.system][declared.name]
        times = [
            f"cast(json_extract_string(payload, '$.{field}') as timestamp)"
            for field in model.record_times
        ]
    else:
        times = [key for key, kind in declared.keys.items() if kind == "TIMESTAMP"]
    return f"greatest({', '.join(times)})" if times else "cast(null as timestamp)"
