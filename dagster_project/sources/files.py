"""CSV, JSON lines and Parquet files as rows that know their line.

Belongs here: formats, compression, encodings, damaged files. Does not belong here: what a row
means (see the packages of the systems and `tables`). Memory: one row of CSV and JSON lines, 2,048
rows of Parquet.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from dagster_project.errors import MissionError
from dagster_project.settings import EntityFiles, Format, Mission, Source

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
_ROWS_AT_ONCE = 2_048


class Row(NamedTuple):
    """One row of a file: its columns, or why it has none. `line` starts at 1, header included."""

    line: int
    columns: dict[str, Any] | None
    raw: object
    reason: str | None = None


@dataclass(frozen=True)
class DataFile:
    """One file of an entity. `name` is its path within the source's folder; `place` its key."""

    path: Path
    name: str
    format: Format
    place: str
    reading: EntityFiles


@dataclass(frozen=True)
class OpenFile:
    """A file being read. `header` is None where every record brings its own keys."""

    header: tuple[str, ...] | None
    rows: Iterator[Row]
    position: Callable[[], int]


def find_files(mission: Mission, source: Source, entity: str) -> list[DataFile]:
    """The files of one entity, sorted by name; MissionError where a pattern matches none."""
    reading = source.entities[entity]
    folder = mission.folder(source)
    place = f"sources.{source.id}.entities.{entity}"
    if not folder.is_dir():
        raise MissionError(
            f"the folder of source `{source.id}` does not exist: {folder}",
            f"create it, or correct `folder` of sources.{source.id} in mission.yaml.",
        )
    paths: dict[str, Path] = {}
    for pattern in reading.path:
        try:
            found = [path for path in folder.glob(pattern) if path.is_file()]
        except (ValueError, NotImplementedError) as error:
            raise MissionError(
                f"{place}: `{pattern}` is no pattern: {error}",
                "`**` stands for folders and must stand alone between slashes.",
            ) from None
        if not found:
            raise MissionError(
                f"{place}: no file matches `{pattern}` in {folder}",
                "put the file there, correct `path`, or remove the entity from mission.yaml.",
            )
        paths |= {_name(path, folder): path for path in found}
    return [
        DataFile(path, name, _format(path, reading, place), place, reading)
        for name, path in sorted(paths.items())
    ]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _format(path: Path, reading: EntityFiles, place: str) -> Format:
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    found = reading.format or _SUFFIXES.get(plain.suffix.lower())
    if found is None:
        raise MissionError(
            f"{place}: the suffix of {path.name} names no known format",
            "set `format` to csv, jsonl or parquet.",
        )
    return found


@contextmanager
def open_file(file: DataFile) -> Iterator[OpenFile]:
    """Open a file and read its header; damage found on the way is a MissionError."""
    if file.format == "parquet":
        with _open_parquet(file) as opened:
            yield opened
        return
    with ExitStack() as stack:
        with _damage_explained(file):
            raw = stack.enter_context(file.path.open("rb"))
            content: Any = raw
            if file.path.suffix == ".gz":
                content = stack.enter_context(gzip.open(raw))
            if file.format == "csv":
                opened = OpenFile(*_open_csv(file, content), raw.tell)
            else:
                opened = OpenFile(None, _json_rows(file, content), raw.tell)
        # What the caller does with the rows is not explained as damage of the file.
        yield opened


@contextmanager
def _damage_explained(file: DataFile) -> Iterator[None]:
    """Turn what Python says of unreadable files into what the user can do about it."""
    try:
        yield
    except UnicodeDecodeError:
        raise _wrong_encoding(file) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MissionError(
            f"{file.name} is a damaged gzip file: {error}",
            "copy or export the file again; nothing of it was loaded.",
        ) from None
    except OSError as error:
        raise MissionError(
            f"{file.path} cannot be read: {error.strerror or error}",
            "check that the file exists and may be read by this user.",
        ) from None


def _wrong_encoding(file: DataFile) -> MissionError:
    """Name the first line that the declared encoding cannot read. Reads the file once more."""
    decoder = codecs.getincrementaldecoder(file.reading.encoding)()
    opener = gzip.open if file.path.suffix == ".gz" else open
    line, content = 0, b""
    with opener(file.path, "rb") as lines:
        for line, content in enumerate(lines, start=1):  # noqa: B007 - both are used below
            try:
                decoder.decode(content)
            except UnicodeDecodeError:
                break
    remedy = f"set `encoding` at {file.place} to the encoding of the file, such as `latin-1`."
    try:
        content.decode("cp1252")
        remedy = (
            f"set `encoding: cp1252` at {file.place} if the file comes from Windows or Excel; "
            "otherwise set `encoding` to that of the program that wrote it."
        )
    except UnicodeDecodeError:
        pass
    return MissionError(f"{file.name}, line {line}: not {file.reading.encoding}", remedy)


def _open_csv(file: DataFile, content: IO[bytes]) -> tuple[tuple[str, ...], Iterator[Row]]:
    # A JSON column easily exceeds the module's limit of 128 KiB.
    csv.field_size_limit(sys.maxsize)
    # Excel opens its UTF-8 files with a byte order mark, which is no part of the first name.
    encoding = "utf-8-sig" if _is_utf8(file) else file.reading.encoding
    text = io.TextIOWrapper(content, encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=file.reading.delimiter, strict=True)
    try:
        header = tuple(name.strip() for name in next(reader))
    except StopIteration:
        raise MissionError(
            f"{file.name} is empty: not even a header line",
            "export the file again, or remove the entity from mission.yaml.",
        ) from None
    except csv.Error as error:
        raise MissionError(
            f"{file.name}, line 1: the header is no CSV: {error}",
            f"check `delimiter` at {file.place}, and the quotes in the header.",
        ) from None
    return header, _csv_rows(file, reader, header)


def _csv_rows(file: DataFile, reader: Any, header: tuple[str, ...]) -> Iterator[Row]:
    with _damage_explained(file):
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, None, None, f"not CSV: {error}")
                continue
            if len(values) == len(header):
                yield Row(line, dict(zip(header, values, strict=True)), values)
            elif values:
                end = "" if reader.line_num == line else f" (lines {line}-{reader.line_num})"
                yield Row(
                    line,
                    None,
                    values,
                    f"{len(values)} values for {len(header)} columns{end}: "
                    "an unquoted delimiter, line break or quote?",
                )


def _json_rows(file: DataFile, content: IO[bytes]) -> Iterator[Row]:
    is_utf8 = _is_utf8(file)
    with _damage_explained(file):
        lines: Any = content if is_utf8 else io.TextIOWrapper(content, file.reading.encoding)
        for number, line in enumerate(lines, start=1):
            if line.isspace():
                continue
            yield parse_json(number, line, line)


def parse_json(line: int, text: bytes | str, raw: object) -> Row:
    """A row of a JSON object; a text that is none gets a reason. Raises UnicodeDecodeError."""
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if isinstance(text, bytes):
            text.decode()  # a wrong encoding concerns the whole file, not this line
        return Row(line, None, raw, f"not JSON: {error.msg} at character {error.pos + 1}")
    if not isinstance(record, dict):
        return Row(line, None, raw, f"not a JSON object but {type(record).__name__}")
    return Row(line, record, raw)


@contextmanager
def _open_parquet(file: DataFile) -> Iterator[OpenFile]:
    import duckdb

    @contextmanager
    def explained() -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise MissionError(
                f"{file.name} is no readable Parquet file: {error}",
                "copy or export the file again; nothing of it was loaded.",
            ) from None

    def rows(cursor: Any, header: tuple[str, ...]) -> Iterator[Row]:
        line = 0
        with explained():
            while values := cursor.fetchmany(_ROWS_AT_ONCE):
                for row in values:
                    line += 1
                    yield Row(line, dict(zip(header, row, strict=True)), row)

    with duckdb.connect(config={"threads": 1}) as connection:
        with explained():
            # Not a bound parameter: DuckDB's client imports pandas to look at those (1.1 s).
            path = str(file.path).replace("'", "''")
            cursor = connection.execute(f"select * from read_parquet('{path}')")  # noqa: S608
            header = tuple(column[0] for column in cursor.description or ())
        yield OpenFile(header, rows(cursor, header), lambda: 0)


def _is_utf8(file: DataFile) -> bool:
    return codecs.lookup(file.reading.encoding).name in {"utf-8", "ascii", "utf-8-sig"}


def excerpt(raw: object, limit: int = 4_000) -> str:
    """The text of a row for quarantine, cut to `limit` characters."""
    if isinstance(raw, bytes):
        return raw[: 4 * limit].decode("utf-8", "replace").rstrip("\r\n")[:limit]
    if isinstance(raw, str):
        return raw[:limit].rstrip("\r\n")
    if raw is None:
        return ""
    return orjson.dumps(raw, default=str).decode()[:limit]
