"""Any entity's file as records: the front door of the readers.

Belongs here: choosing the reader of a system, and a trial read for `mission sources check` with
what of it would stop a refresh. Does not belong here: formats, fields, mapping; writing anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dagster_project.errors import MissionError
from dagster_project.settings import Mission, Source
from dagster_project.sources.fields import Reading
from dagster_project.sources.files import DataFile, OpenFile, find_files, open_file
from dagster_project.sources.jira.records import jira_records
from dagster_project.sources.rows import Accepted, Refused
from dagster_project.sources.streams import REQUIRED, TABULAR, stream
from dagster_project.sources.tables import table_records

_OTHER_DELIMITERS = (";", "\t", "|")


def read_records(
    source: Source, entity: str, file: DataFile, opened: OpenFile, cut_short: Counter[str]
) -> Iterator[Accepted | Refused]:
    """The records of an open file, in its order.

    `cut_short` counts, by stream, issues whose inline list is shorter than Jira says it is.
    Raises MissionError where the file or its mapping as a whole is wrong.
    """
    records = _records(source, entity, file, opened, cut_short)
    sign = _other_delimiter(file, opened.header)
    return _delimiter_suggested(records, file, sign) if sign else records


def _records(
    source: Source, entity: str, file: DataFile, opened: OpenFile, cut_short: Counter[str]
) -> Iterator[Accepted | Refused]:
    zone = ZoneInfo(source.timezone)
    if source.system == "jira":
        return jira_records(
            file,
            opened.header,
            opened.rows,
            entity=entity,
            reading=Reading(zone),
            cut_short=cut_short,
        )
    return table_records(
        file,
        opened.header,
        opened.rows,
        stream=entity,
        model=TABULAR[source.system][entity],
        reading=Reading(zone, file.reading.timestamp_format, file.reading.to_date_inclusive),
        # The text of a row whose columns cannot be told apart may hold a salary.
        keeps_unread_text=source.system != "hr",
    )


def _other_delimiter(file: DataFile, header: tuple[str, ...] | None) -> str | None:
    """What probably parts the columns of a CSV that seems to have one column only."""
    if file.format != "csv" or header is None or len(header) != 1:
        return None
    return next((sign for sign in _OTHER_DELIMITERS if sign in header[0]), None)


def _delimiter_suggested(
    records: Iterator[Accepted | Refused], file: DataFile, sign: str
) -> Iterator[Accepted | Refused]:
    try:
        yield from records
    except MissionError as error:
        shown = sign.replace("\t", "\\t")
        raise MissionError(
            error.message,
            f'set `delimiter: "{shown}"` at {file.place}: the header is one column only; '
            f"otherwise {error.remedy}",
        ) from None


@dataclass(frozen=True, slots=True)
class EntityCheck:
    """What a trial read of one entity found; counts are records of the entity's own stream.

    `refusals` are the first few reasons, each with file and line; `absent` are optional fields that
    no record has.
    """

    source_id: str
    entity: str
    files: int
    accepted: int
    refused: int
    refusals: tuple[str, ...]
    absent: tuple[str, ...]


def check_source(mission: Mission, source: Source, *, examples: int = 3) -> list[EntityCheck]:
    """Read all files of a source and write nothing. Raises MissionError as loading would."""
    return [_check_entity(mission, source, entity, examples) for entity in source.entities]


def _check_entity(mission: Mission, source: Source, entity: str, examples: int) -> EntityCheck:
    pending = Pending(source.system, entity)
    accepted = refused = 0
    refusals: list[str] = []
    files = find_files(mission, source, entity)
    for file in files:
        with open_file(file) as opened:
            for outcome in read_records(source, entity, file, opened, Counter()):
                if outcome.stream != entity:
                    continue
                if isinstance(outcome, Accepted):
                    accepted += 1
                    pending.see(outcome)
                else:
                    refused += 1
                    if len(refusals) < examples:
                        refusals.append(f"{file.name}, line {outcome.line}: {outcome.reason}")
    return EntityCheck(
        source.id, entity, len(files), accepted, refused, tuple(refusals), tuple(pending.fields)
    )


def refuse_emptiness(source: Source, checks: Sequence[EntityCheck]) -> None:
    """Raise MissionError where a refresh that lands these files first would stop.

    The rules are those of the landing: a snapshot of refused rows only must not replace a good one,
    and what is required must hold a row.
    """
    for check in checks:
        if check.refused and not check.accepted and source.load_of(check.entity) == "snapshot":
            raise MissionError(
                f"sources.{source.id}.entities.{check.entity}: all {check.refused} rows were "
                f"refused; the first one: {check.refusals[0]}",
                "correct the file or its settings.",
            )
    live = source.streams - set(source.entities)
    for group in REQUIRED[source.system]:
        members = [check for check in checks if check.entity in group]
        if not live & set(group) and not any(check.accepted for check in members):
            refused = next((check.refusals[0] for check in members if check.refusals), None)
            raise MissionError(
                f"source `{source.id}` holds no row of {' or '.join(group)}"
                + (f"; the first one was refused: {refused}" if refused else ""),
                f"check the files and the settings of sources.{source.id} in mission.yaml.",
            )


class Pending:
    """The fields of a stream that no record had a value for so far."""

    def __init__(self, system: str, name: str) -> None:
        self._paths = {field: field.split(".") for field in stream(system, name).fields}
        self._all = tuple(self._paths)

    @property
    def fields(self) -> list[str]:
        """Never seen, in the order of the declaration."""
        return list(self._paths)

    @property
    def delivered(self) -> list[str]:
        """Seen at least once, in the order of the declaration."""
        return [field for field in self._all if field not in self._paths]

    def see(self, record: Accepted) -> None:
        """Take note of the fields that a record has; costs nothing once all were seen."""
        if self._paths:
            for field in [f for f, path in self._paths.items() if _has(record.payload, path)]:
                del self._paths[field]


def _has(value: object, path: list[str]) -> bool:
    for name in path:
        if not isinstance(value, dict):
            return False
        value = value.get(name)
    return value is not None
