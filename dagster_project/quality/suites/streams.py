"""What holds for the raw streams of every source, whatever the system.

Belongs here: keys, quarantine, emptiness and the counts of windows. Does not belong here: the
meaning of a field (see the suite of the source).
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.quality.checks import Check, no_rows
from dagster_project.sources.streams import REQUIRED, STREAMS

# Above this share something systematic is wrong with the delivery, not with single records.
BLOCKING_QUARANTINE_SHARE = 0.05


def stream_checks(system: str) -> Iterator[Check]:
    """The checks of each stream of a system; a stream that has no substitute blocks when empty."""
    required = {group[0] for group in REQUIRED[system] if len(group) == 1}
    for declared in STREAMS[system]:
        stream, keys = declared.name, declared.identity
        table = f"raw_{system}.{stream}"
        yield no_rows(
            table,
            "keys_are_present",
            "select source_id, window_id, count(*) as row_count from batch where "
            + " or ".join(f"{key} is null" for key in keys)
            + " group by all",
            f"Every record of {stream} has its keys: {', '.join(keys)}.",
        )
        yield no_rows(
            table,
            "declared_stream_is_not_empty",
            f"""
            select declared.source_id
            from raw_mission.entities as declared
            where declared.system = '{system}' and declared.stream = '{stream}'
            group by declared.source_id
            having bool_or(declared.is_mapped)
              and declared.source_id not in (select source_id from batch where is_latest_window)
            """,
            f"A source that says it delivers {stream} delivers at least one record: "
            "an empty delivery is a failure, not a quiet day.",
            severity="block" if stream in required else "warn",
        )
        yield _quarantine(table, system, stream, 0.0)
        yield _quarantine(table, system, stream, BLOCKING_QUARANTINE_SHARE)
        yield no_rows(
            table,
            "windows_reconcile",
            f"""
            with landed as (
                select source_id, window_id, count(*) as raw_rows from batch group by all
            ),
            set_aside as (
                select source_id, window_id, count(*) as quarantine_rows
                from raw_mission.quarantine
                where stream = '{stream}'
                group by all
            ),
            windows as (
                select source_id, window_id, fetched, loaded, quarantined
                from raw_mission.windows
                where system = '{system}' and stream = '{stream}'
            )
            select source_id, window_id, fetched, loaded, quarantined, raw_rows, quarantine_rows
            from windows
            full join landed using (source_id, window_id)
            left join set_aside using (source_id, window_id)
            where fetched is distinct from loaded + quarantined
               or coalesce(raw_rows, 0) is distinct from loaded
               or coalesce(quarantine_rows, 0) is distinct from quarantined
            """,
            f"Nothing of {stream} is lost in silence: in each window the records fetched are those "
            "loaded and those quarantined, and both can still be read.",
            kind="reconciliation",
            expected="fetched = loaded + quarantined, loaded = raw rows, "
            "quarantined = quarantine rows, in every window",
        )


def _quarantine(table: str, system: str, stream: str, share: float) -> Check:
    """At most `share` of the records that count today are in quarantine.

    An older delivery of the same files no longer counts: a mistake that was mended must not warn
    for ever. A snapshot replaces the whole stream; otherwise a file is replaced by its name.
    """
    return no_rows(
        table,
        "quarantine_is_small" if share else "quarantine_is_empty",
        f"""
        with windows as (
            select
                source_id,
                fetched,
                quarantined,
                row_number() over (
                    partition by source_id, files order by window_seq desc
                ) as delivery_rank
            from raw_mission.windows
            where system = '{system}' and stream = '{stream}'
        )
        select source_id, sum(quarantined) as quarantined, sum(fetched) as fetched
        from windows
        where delivery_rank = 1
        group by source_id
        having sum(quarantined) > {share} * sum(fetched)
        """,
        (
            f"At most {share:.0%} of the records of {stream} could not be typed"
            if share
            else f"Every record of {stream} could be typed"
        )
        + "; raw_mission.quarantine has the others with file, line and reason.",
        severity="block" if share else "warn",
        expected=f"quarantined share <= {share:.0%}",
    )
