"""HubSpot's records of a company that many tests look at, prepared no more often than needed.

Belongs here: which instant a schema was prepared for. Does not belong here: expectations.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from sandbox.records import hubspot


def prepare_once(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Prepare the records as of an instant, unless that is what is prepared.

    A table beside the records notes the instant; it goes with the schema.
    """
    mark = f"shown_{now:%Y%m%d%H%M%S}"
    found = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'hubspot_now' "
        f"and table_name = '{mark}'"
    ).fetchall()
    if not found:
        hubspot.prepare(connection, now)
        connection.execute(f"create table hubspot_now.{mark} (nothing text)")
