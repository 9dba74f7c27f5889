"""docs/sandbox.md quotes the numbers that the code plants."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

from sandbox.spec import PROFILES, SIZES, Effects, Profile

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]


def plain(value: object) -> str:
    return str(value).strip("()")


def test_every_effect_is_documented_with_its_planted_value() -> None:
    told = {row[0].strip("`"): row[1] for row in ROWS if len(row) == 3}
    planted = {name: plain(value) for name, value in asdict(Effects()).items()}
    assert {name: told.get(name) for name in planted} == planted


def test_every_share_of_the_profiles_is_documented() -> None:
    told = {
        found[1]: (row[1], row[2])
        for row in ROWS
        if len(row) == 3 and (found := re.search(r"\(`(\w+)`\)$", row[0]))
    }
    shares = {
        field.name: tuple(f"{getattr(PROFILES[name], field.name):g}" for name in ("clean", "messy"))
        for field in fields(Profile)
        if field.name != "name"
    }
    assert told == shares


def test_every_size_is_documented() -> None:
    told = {row[0].strip("`"): row for row in ROWS if row[0].strip("`") in SIZES}
    for size in SIZES.values():
        row = told[size.name]
        assert f"{size.people:,}" in row
        assert f"{size.teams:,}" in row
