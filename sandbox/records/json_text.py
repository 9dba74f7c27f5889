"""SQL that writes JSON as text.

What belongs here: how objects, arrays and strings are put together in a query. What does not:
any vendor's keys. Text that is put together this way is written three times faster than nested
structs are (measured: 100 against 31 MB/s), and keys may be left out, which a struct cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping


def quoted(text: str) -> str:
    """A SQL literal of `text`."""
    return "'" + text.replace("'", "''") + "'"


def string(sql: str) -> str:
    """JSON text of a string, or null; escapes whatever is in it."""
    return f"coalesce(to_json({sql})::varchar, 'null')"


def plain(sql: str) -> str:
    """JSON text of a string that needs no escapes (ids, dates), or null."""
    return f"coalesce('\"' || {sql} || '\"', 'null')"


def bare(sql: str) -> str:
    """JSON text of a number, a truth value, or of text that is JSON already, or null."""
    return f"coalesce(({sql})::varchar, 'null')"


def json_object(keys: Mapping[str, str], optional: Mapping[str, str] | None = None) -> str:
    """JSON text of an object. Values are SQL of JSON text that is never null.

    `optional` keys follow the others and are left out where their SQL is null, so it has to be
    null where its source is (`to_json(x)`, not `string(x)`). There is at least one other key.
    """
    parts: list[str] = []
    for number, (key, value) in enumerate(keys.items()):
        parts += [_key(key, "," if number else "{"), value]
    for key, value in (optional or {}).items():
        parts.append(f"coalesce({_key(key, ',')} || ({value}), '')")
    return f"concat({', '.join([*parts, quoted('}')])})"


def json_list(sql: str, order_by: str, where: str = "") -> str:
    """JSON text of an array: an aggregate over JSON texts, [] where there are none."""
    only = f" filter (where {where})" if where else ""
    return f"concat('[', string_agg({sql}, ',' order by {order_by}){only}, ']')"


def _key(key: str, before: str) -> str:
    return quoted(f'{before}"{key}":')
