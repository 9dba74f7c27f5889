"""mission.yaml: what it may say, its defaults, and errors that name key, place and remedy.

Belongs here: reading and checking the configuration. Does not belong here: opening the files of a
source (see `sources`), secrets (environment variables only), anything of the orchestrator.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
)

from dagster_project.errors import MissionError, suggestion
from dagster_project.sources.streams import ENTITIES, REQUIRED

REFERENCE = "docs/sources.md describes every key of mission.yaml."

NEEDS_JSON_COLUMN = (
    "records of Jira in a table need the column that holds the JSON",
    "set `json_column` to its name.",
)

System = Literal["jira", "crm", "hr"]
Format = Literal["csv", "parquet", "jsonl"]
Load = Literal["incremental", "snapshot"]


def _timezone(value: object) -> str:
    name = str(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"`{name}` is no time zone of the IANA database, such as `Europe/Berlin`"
        ) from None
    return name


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Timezone = Annotated[str, BeforeValidator(_timezone)]
Patterns = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class _Strict(BaseModel):
    """Every part of mission.yaml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EntityFiles(_Strict):
    """The files of one entity and how to read them (see docs/sources.md)."""

    path: Patterns
    format: Format | None = None
    load: Load | None = None
    json_column: str | None = None
    columns: dict[str, str | Annotated[list[str], Field(min_length=1)]] = {}
    constants: dict[str, str | int | float | bool | date] = {}
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    timestamp_format: str | None = None
    nulls: list[str] = [""]
    to_date_inclusive: bool = False


def _entity_files(value: object) -> object:
    return {"path": value} if isinstance(value, str | list) else value


class Source(_Strict):
    """One system of record: what all kinds of source have in common."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    system: System
    kind: str
    folder: Path | None = None
    base_url: str | None = None
    timezone: Timezone = "UTC"
    entities: dict[str, Annotated[EntityFiles, BeforeValidator(_entity_files)]] = {}

    @property
    def streams(self) -> frozenset[str]:
        """What the source delivers now; windows of anything else do not count any more."""
        return frozenset(self.entities)

    def load_of(self, entity: str) -> Load:
        """How an entity's files relate to each other: as declared, else by system."""
        declared = self.entities[entity].load if entity in self.entities else None
        return declared or ("incremental" if self.system == "jira" else "snapshot")


class FileSource(Source):
    """A system that is delivered as files."""

    kind: Literal["files"] = "files"
    folder: Path
    entities: dict[str, Annotated[EntityFiles, BeforeValidator(_entity_files)]]


class LiveSource(Source):
    """A system that is asked through its API. Secrets stay in the environment."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^/]+")]
    token_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    overlap_minutes: Annotated[int, Field(ge=0)] = 15
    patience_seconds: Annotated[float, Field(gt=0)] = 300.0
    requests_at_once: Annotated[int, Field(ge=1, le=32)] = 4

    @property
    def token_variable(self) -> str:
        """The environment variable that holds the token."""
        return self.token_env or f"MISSION_{self.id.upper()}_TOKEN"

    @property
    def streams(self) -> frozenset[str]:
        """What the API delivers, and what comes as files beside it."""
        from dagster_project.sources.live import live_streams

        return live_streams(self.kind) | super().streams


class JiraCloudSource(LiveSource):
    """A site of Jira Cloud. Without an e-mail the token is sent as a bearer token."""

    system: Literal["jira"] = "jira"
    kind: Literal["jira_cloud"]
    email_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @property
    def email_variable(self) -> str:
        """The environment variable that holds the e-mail of the account."""
        return self.email_env or f"MISSION_{self.id.upper()}_EMAIL"


class HubSpotSource(LiveSource):
    """An account of HubSpot. `properties`: stream -> field -> the company's own property."""

    system: Literal["crm"] = "crm"
    kind: Literal["hubspot"]
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]+")] = "https://api.hubapi.com"
    api_version: Annotated[str, Field(pattern=r"^(v3|\d{4}-\d{2})$")] = "v3"
    properties: dict[str, dict[str, str]] = {}


class FteColumns(_Strict):
    """The company's own BambooHR table of contracted FTE, and two of its columns."""

    table: str
    date: str
    fte: str


class BambooHRSource(LiveSource):
    """An account of BambooHR. What it cannot tell (departments, surveys) comes as files."""

    system: Literal["hr"] = "hr"
    kind: Literal["bamboohr"]
    fte_table: FteColumns | None = None


_KINDS: dict[str, type[Source]] = {
    "files": FileSource,
    "jira_cloud": JiraCloudSource,
    "hubspot": HubSpotSource,
    "bamboohr": BambooHRSource,
}


def _kind(value: Any) -> str | None:
    """The kind that a source declares; None where there is no such kind."""
    kind = value.get("kind", "files") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in _KINDS else None


AnySource = Annotated[
    Annotated[FileSource, Tag("files")]
    | Annotated[JiraCloudSource, Tag("jira_cloud")]
    | Annotated[HubSpotSource, Tag("hubspot")]
    | Annotated[BambooHRSource, Tag("bamboohr")],
    Discriminator(
        _kind,
        custom_error_type="unknown_kind",
        custom_error_message=f"`kind` must be one of {', '.join(_KINDS)}",
    ),
]


class Organisation(_Strict):
    """Who is measured. `as_of` freezes the build at the start of that day."""

    name: str
    vision: str
    timezone: Timezone
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    as_of: date | None = None


class Schedule(_Strict):
    """When the daily refresh starts; `timezone` defaults to the organisation's."""

    cron: Annotated[str, Field(pattern=r"^\s*\S+(\s+\S+){4}\s*$")] = "0 5 * * *"
    timezone: Timezone | None = None


class Publication(_Strict):
    """How many published generations are kept, the current one included; never less than two."""

    keep: Annotated[int, Field(ge=1)] = 7


class Mission(_Strict):
    """mission.yaml, checked. Paths are absolute."""

    organisation: Organisation
    storage: Path = Path("data")
    seeds: Path = Path("seeds")
    schedule: Schedule = Schedule()
    publication: Publication = Publication()
    sources: Annotated[list[AnySource], Field(min_length=1)]
    _home: Path = PrivateAttr(default=Path())

    @property
    def home(self) -> Path:
        """The folder of mission.yaml."""
        return self._home

    @property
    def landing(self) -> Path:
        """Pages on their way to the lake; empty between runs."""
        return self.storage / "landing"

    @property
    def lake(self) -> Path:
        """Committed windows."""
        return self.storage / "lake"

    @property
    def quarantine(self) -> Path:
        """Rows that could not be typed."""
        return self.storage / "quarantine"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that dbt builds."""
        return self.storage / "warehouse" / "bi.duckdb"

    @property
    def published(self) -> Path:
        """Immutable generations for readers."""
        return self.storage / "published"

    @property
    def dbt_target(self) -> Path:
        """Dbt's manifest and run results."""
        return self.storage / "dbt_target"

    @property
    def secrets(self) -> Path:
        """The key that makes person keys pseudonymous."""
        return self.storage / "secrets"

    def folder(self, source: Source) -> Path:
        """The absolute folder of a source that delivers files."""
        assert source.folder is not None, "load_mission checks it"
        return (self.home / source.folder).resolve()


def load_mission(path: Path | None = None) -> Mission:
    """Read mission.yaml: `path`, else the variable MISSION_CONFIG, else ./mission.yaml.

    The variable MISSION_STORAGE overrides `storage`. Relative paths start at mission.yaml's folder.
    Raises MissionError, naming key, line and remedy, for everything that the user can mend.
    """
    file = Path(path or os.environ.get("MISSION_CONFIG") or "mission.yaml").resolve()
    place = _Place(file)
    try:
        mission = Mission.model_validate(place.data)
    except ValidationError as error:
        raise _mission_error(error, place) from None
    for number, source in enumerate(mission.sources):
        _check_source(source, place, ("sources", number))
    ids = [source.id for source in mission.sources]
    for number, source_id in enumerate(ids):
        if source_id in ids[:number]:
            raise place.error(
                ("sources", number, "id"),
                f"two sources have the id `{source_id}`",
                "give every source an id of its own.",
            )
    storage = os.environ.get("MISSION_STORAGE")
    home = file.parent
    mission = mission.model_copy(
        update={
            "storage": Path(storage).resolve() if storage else (home / mission.storage).resolve(),
            "seeds": (home / mission.seeds).resolve(),
            "schedule": mission.schedule.model_copy(
                update={"timezone": mission.schedule.timezone or mission.organisation.timezone}
            ),
        }
    )
    mission._home = home
    if not any(mission.seeds.glob("*.csv")):
        raise place.error(
            ("seeds",) if "seeds" in mission.model_fields_set else (),
            f"the folder of seeds {mission.seeds} holds no csv files",
            "set `seeds` to the folder with jira_status_map.csv and the other seeds.",
        )
    return mission


class _Place:
    """mission.yaml as data, and where each key stands in it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise MissionError(
                f"{file} does not exist",
                "run in the folder of mission.yaml, or name its path: `mission --config PATH ...` "
                "or the environment variable MISSION_CONFIG.",
            ) from None
        except IsADirectoryError:
            raise MissionError(
                f"{file} is a folder",
                f"name the file in it: `--config` or MISSION_CONFIG = {file / 'mission.yaml'}.",
            ) from None
        except OSError as error:
            raise MissionError(
                f"{file} cannot be read: {error.strerror or error}",
                "let this user read it, or name another file: `--config` or MISSION_CONFIG.",
            ) from None
        except UnicodeDecodeError as error:
            raise MissionError(f"{file} is not UTF-8: {error}", "save it as UTF-8.") from None
        try:
            self.root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.data: Any = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise MissionError(f"{file} is not YAML: {error}", REFERENCE) from None
        if not isinstance(self.data, dict):
            raise MissionError(f"{file} holds no keys", REFERENCE)
        self._refuse_repeated_keys(self.root, ())

    def error(self, location: Sequence[str | int], message: str, remedy: str) -> MissionError:
        """An error at a key: file, line and path of the key in front of the message."""
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
        shown = f"{self.file.name}, line {self._line(location)}"
        return MissionError(f"{shown}, {where.lstrip('.') or 'top level'}: {message}", remedy)

    def _line(self, location: Sequence[str | int]) -> int:
        """The line of a key, or of the nearest part above it that exists."""
        node, line = self.root, 1
        for part in location:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == str(part)]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                found = [(value, value) for value in node.value[part : part + 1]]
            else:
                break
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        return line

    def _refuse_repeated_keys(self, node: Any, location: tuple[str | int, ...]) -> None:
        """YAML lets a second key of the same name win in silence; a mapping must not."""
        if isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._refuse_repeated_keys(value, (*location, number))
        elif isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value]
            for name in names:
                if names.count(name) > 1:
                    raise self.error((*location, name), f"`{name}` stands twice", "keep one.")
            for key, value in node.value:
                self._refuse_repeated_keys(value, (*location, key.value))


def _mission_error(error: ValidationError, place: _Place) -> MissionError:
    """One finding of pydantic, in the words of mission.yaml."""
    findings = error.errors(include_url=False)
    # A misspelt key is unknown and missing at once: the unknown one is the cause.
    found = next((f for f in findings if f["type"] == "extra_forbidden"), findings[0])
    tagged = [part for part in found["loc"] if not _is_union_member(part)]
    location = [part for n, part in enumerate(tagged) if not _is_kind(tagged, n)]
    key = str(location[-1]) if location else ""
    if found["type"] == "extra_forbidden":
        known = _model_at(Mission, tagged[:-1]).model_fields
        return place.error(location, f"unknown key `{key}`", suggestion(key, known))
    if found["type"] == "missing":
        return place.error(location, f"the key `{key}` is missing", REFERENCE)
    what = str(found["msg"]).removeprefix("Value error, ")
    return place.error(location, f"{what} (got {found['input']!r})", REFERENCE)


def _is_union_member(part: object) -> bool:
    """Pydantic puts the tried member of a union, such as `list[str]`, into the location."""
    return isinstance(part, str) and part.split("[")[0] in {"str", "int", "float", "bool", "list"}


def _is_kind(location: Sequence[str | int], place: int) -> bool:
    """Behind the number of a source, pydantic puts the kind as which it read the source."""
    return place == 2 and location[0] == "sources" and location[2] in _KINDS


def _model_at(model: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel]:
    """The model of the part of mission.yaml at a location, kinds of sources included."""
    for place, part in enumerate(location):
        if _is_kind(location, place):
            model = _KINDS[str(part)]
        elif isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            model = next(iter(_models_in(annotation)), model)
    return model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _check_source(source: Source, place: _Place, location: tuple[str | int, ...]) -> None:
    """What a source declares must fit what its system knows."""
    known = ENTITIES[source.system]
    for name, files in source.entities.items():
        at = (*location, "entities", name)
        if name not in known:
            raise place.error(
                at, f"{source.system} has no entity `{name}`", suggestion(name, known)
            )
        if source.system == "jira":
            _check_whole_records(files, place, at)
        else:
            _check_columns(files, known[name], place, at)
        _check_reading(files, place, at)
    if source.entities and source.folder is None:
        raise place.error(
            location,
            f"source `{source.id}` declares entities but no `folder` to find their files in",
            "name the folder of the files.",
        )
    for group in REQUIRED[source.system]:
        if not set(group) & source.streams:
            raise place.error(
                (*location, "entities"),
                f"source `{source.id}` declares no {' and no '.join(group)}",
                f"{source.system} cannot be measured without; declare its files.",
            )


def _check_whole_records(files: EntityFiles, place: _Place, at: tuple[str | int, ...]) -> None:
    for option in ("columns", "constants", "timestamp_format", "to_date_inclusive"):
        if option in files.model_fields_set:
            raise place.error(
                (*at, option),
                f"records of Jira are read as the REST API gives them: `{option}` has no effect",
                "remove it.",
            )
    if files.format in {"csv", "parquet"} and files.json_column is None:
        raise place.error(at, *NEEDS_JSON_COLUMN)


def _check_columns(
    files: EntityFiles, model: type[BaseModel], place: _Place, at: tuple[str | int, ...]
) -> None:
    if files.json_column is not None:
        raise place.error(
            (*at, "json_column"), "only records of Jira come in a JSON column", "use `columns`."
        )
    for option in ("columns", "constants"):
        for field in getattr(files, option):
            if field not in model.model_fields:
                raise place.error(
                    (*at, option, field),
                    f"`{at[-1]}` has no field `{field}`",
                    suggestion(field, model.model_fields),
                )
    for field in files.columns.keys() & files.constants.keys():
        raise place.error(
            (*at, "constants", field),
            f"`{field}` is mapped to a column and set to a constant",
            "keep one of the two.",
        )
    if files.to_date_inclusive and not {"to_date", "valid_to"} & set(model.model_fields):
        raise place.error(
            (*at, "to_date_inclusive"), f"`{at[-1]}` has no to_date or valid_to", "remove it."
        )


def _check_reading(files: EntityFiles, place: _Place, at: tuple[str | int, ...]) -> None:
    try:
        codecs.lookup(files.encoding)
    except LookupError:
        raise place.error(
            (*at, "encoding"),
            f"`{files.encoding}` is no encoding",
            "use utf-8, cp1252 (Windows), latin-1 or another name of Python's codecs.",
        ) from None
    for pattern in files.path:
        if not pattern or Path(pattern).is_absolute():
            raise place.error(
                (*at, "path"),
                f"`{pattern}` is no path within the source's folder",
                "write it relative to `folder`.",
            )
