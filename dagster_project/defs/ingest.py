"""Assets of the first stage: records become windows of the lake and raw tables of the warehouse.

Belongs here: which raw tables exist and what the UI shows of them. Does not belong here: how a
source is read or asked (`sources`), and how its records land (`landing`).
"""

import time
from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_project.defs.progress import OnPart, nobody_asked
from dagster_project.defs.resources import (
    MissionResource,
    RefreshOptions,
    WriterLock,
    told_to_the_user,
)
from dagster_project.landing import StreamResult, freeze_build, ingest_system
from dagster_project.settings import System
from dagster_project.sources.streams import STREAMS

OWNERS = ["team:data-engineering"]
SYSTEMS: tuple[System, ...] = ("jira", "crm", "hr")
# A file may still be on its way from a network drive; a wrong file is never tried again.
RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)

_FROZEN = {
    "raw_mission.build": "One row: the day at which this build is frozen, and for whom.",
    "raw_mission.sources": "One row per source of mission.yaml.",
    "raw_mission.entities": "One row per source and field: what it delivers, for coverage.",
    "raw_mission.windows": "One row per committed window of the lake.",
    "raw_mission.quarantine": "One row per record that could not be typed, with the reason.",
    "pii.person_secret": "One row: the pads that make person keys pseudonymous.",
}


def raw_key(system: str, stream: str) -> dg.AssetKey:
    """The asset of a raw table."""
    return dg.AssetKey([f"raw_{system}", stream])


RAW_KEYS = [raw_key(system, stream.name) for system in SYSTEMS for stream in STREAMS[system]]


def ingest_assets(
    system: System,
    freshness: dg.FreshnessPolicy | None = None,
    on_part: OnPart = nobody_asked,
) -> dg.AssetsDefinition:
    """The raw tables of one system, landed together."""
    specs = [
        dg.AssetSpec(
            raw_key(system, stream.name),
            description=stream.description,
            group_name=f"ingest_{system}",
            owners=OWNERS,
            kinds={"python", "parquet"},
            freshness_policy=freshness,
        )
        for stream in STREAMS[system]
    ]

    @dg.multi_asset(name=f"ingest_{system}", specs=specs, retry_policy=RETRIES)
    def ingest(
        context: dg.AssetExecutionContext,
        mission: MissionResource,
        options: RefreshOptions,
        writer_lock: WriterLock,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Land what the sources deliver and the lake does not hold yet.

        Grain: one window per file, delivery or fetch. Origin: mission.yaml. A second call with the
        same files is idle; a live source is asked for what changed, and goes on where a killed run
        stopped.
        """
        with told_to_the_user():
            results = ingest_system(
                mission.load(), system, full=options.full, since=options.since_date()
            )
        for stream in STREAMS[system]:
            on_part("ingest")
            yield dg.MaterializeResult(
                asset_key=raw_key(system, stream.name),
                metadata=_metadata([r for r in results if r.stream == stream.name]),
            )

    return ingest


def _metadata(results: Sequence[StreamResult]) -> dict[str, dg.MetadataValue]:
    newest = max((r.newest_record_at for r in results if r.newest_record_at), default=None)
    records = [
        dg.TableRecord(
            {
                "source": r.source_id,
                "new windows": r.windows_new,
                "skipped windows": r.windows_skipped,
                "fetched": r.fetched,
                "loaded": r.loaded,
                "quarantined": r.quarantined,
                "requests": r.requests,
                "seconds": round(r.seconds, 3),
            }
        )
        for r in results
    ]
    seconds = sum(r.seconds for r in results)
    requests, size = sum(r.requests for r in results), sum(r.bytes for r in results)
    metadata: dict[str, dg.MetadataValue] = {
        "rows_loaded": dg.IntMetadataValue(sum(r.loaded for r in results)),
        "rows_quarantined": dg.IntMetadataValue(sum(r.quarantined for r in results)),
        "windows_new": dg.IntMetadataValue(sum(r.windows_new for r in results)),
        "windows_skipped": dg.IntMetadataValue(sum(r.windows_skipped for r in results)),
        "seconds": dg.FloatMetadataValue(seconds),
        "newest_record_at": dg.TextMetadataValue(
            f"{newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "-"
        ),
    }
    if requests and seconds:
        metadata["requests"] = dg.IntMetadataValue(requests)
        metadata["rows_per_second"] = dg.FloatMetadataValue(
            sum(r.fetched for r in results) / seconds
        )
        metadata["bytes_per_second"] = dg.FloatMetadataValue(size / seconds)
    if records:
        metadata["sources"] = dg.MetadataValue.table(records)
    return metadata


def build_assets(on_part: OnPart = nobody_asked) -> dg.AssetsDefinition:
    """The raw tables about the build itself, made when every system has landed."""

    @dg.multi_asset(
        name="freeze_build",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(table.split(".")),
                deps=RAW_KEYS,
                description=description,
                group_name="ingest_build",
                owners=OWNERS,
                kinds={"duckdb"},
            )
            for table, description in _FROZEN.items()
        ],
    )
    def frozen_build(
        context: dg.AssetExecutionContext,
        mission: MissionResource,
        options: RefreshOptions,
        writer_lock: WriterLock,
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Register the lake's committed windows as raw tables and decide at which day to freeze.

        Grain: see each table. Idempotent: the same windows and the same as_of give the same rows.
        """
        started = time.monotonic()
        with told_to_the_user():
            build = freeze_build(mission.load(), as_of=options.as_of_date())
        for table in _FROZEN:
            on_part("ingest")
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(table.split(".")),
                metadata={
                    "as_of_date": str(build.as_of_date),
                    "windows": build.windows,
                    "seconds": time.monotonic() - started,
                },
            )

    return frozen_build
