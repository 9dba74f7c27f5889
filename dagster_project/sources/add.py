"""A new source in mission.yaml, written as its user would: below the others, comments kept.

Belongs here: the text of a source of each kind, and its place in the file. Does not belong here:
what the keys mean (see `settings`), trying the source.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import yaml

from dagster_project.errors import MissionError
from dagster_project.settings import LiveSource, Source, load_mission

#: What `mission sources add` is told -> the lines of a source below its id.
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "jira": """\
            kind: jira_cloud
            base_url: {url}
        """,
        "hubspot": """\
            kind: hubspot
            base_url: {url}
        """,
        "bamboohr": """\
            kind: bamboohr
            base_url: {url}
        """,
        "files": """\
            system: crm  # jira, crm or hr
            kind: files
            folder: {url}
            entities:
              deals: deals.csv  # docs/sources.md names all entities, fields and columns
        """,
    }
)
KINDS = tuple(_TEXTS)
_ADDRESSES: Mapping[str, str | None] = MappingProxyType(
    {"jira": None, "bamboohr": None, "hubspot": "https://api.hubapi.com", "files": "exports"}
)


def add_source(config: Path, kind: str, source_id: str, url: str | None) -> Source:
    """Append a source to mission.yaml and return it as read back.

    `kind` is one of KINDS; `url` is the address of a live source, or the folder of files. The file
    is replaced whole, and only if it can be read afterwards. Raises MissionError.
    """
    if kind not in _TEXTS:
        raise MissionError(f"there is no kind of source `{kind}`", f"choose {', '.join(KINDS)}.")
    address = url or _ADDRESSES[kind]
    if address is None:
        raise MissionError(
            f"a source of {kind} needs its address",
            "give it: --url https://YOUR-COMPANY."
            + ("atlassian.net" if kind == "jira" else "bamboohr.com"),
        )
    before = load_mission(config)
    if source_id in {source.id for source in before.sources}:
        raise MissionError(
            f"mission.yaml has a source `{source_id}` already",
            "choose another one with --id; the id is part of every key and stays for ever.",
        )
    text = config.read_text(encoding="utf-8")
    draft = config.with_name(f".{config.name}.draft")
    block = textwrap.dedent(_TEXTS[kind]).format(url=address)
    try:
        draft.write_text(_appended(text, f"id: {source_id}\n{block}"), encoding="utf-8")
        mission = load_mission(draft)
        draft.replace(config)
    finally:
        draft.unlink(missing_ok=True)
    return next(source for source in mission.sources if source.id == source_id)


def variables(source: Source) -> list[str]:
    """The environment variables that a source needs."""
    if not isinstance(source, LiveSource):
        return []
    names = [source.token_variable]
    email = getattr(source, "email_variable", None)
    return [email, *names] if email else names


def unset(source: Source) -> list[str]:
    """Those of them that are not set."""
    return [name for name in variables(source) if not os.environ.get(name, "").strip()]


def _appended(text: str, block: str) -> str:
    """The text of mission.yaml with one more item at the end of `sources`."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "it was loaded before"
    items = next(value for key, value in root.value if key.value == "sources")
    if not isinstance(items, yaml.SequenceNode) or items.flow_style:
        raise MissionError(
            "mission.yaml lists its sources in brackets, to which nothing can be appended",
            "write them as a list with one `-` line each, as in docs/sources.md.",
        )
    column = items.value[0].start_mark.column - 2
    lines = text.splitlines(keepends=True)
    # The node ends where the next key begins; blank lines and comments before it belong to that.
    end = items.end_mark.line if items.end_mark.column == 0 else items.end_mark.line + 1
    while end > 0 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    item = textwrap.indent(block, " " * (column + 2))
    item = " " * column + "- " + item.lstrip()
    return "".join([*lines[:end], "\n", item, *lines[end:]])
