"""Expectations on everything that is about to be published: no person can be read from it.

Belongs here: rules over all published tables at once. Does not belong here: suppression of small
groups (the marts do it). The rules name tables and columns, never what they found there.
"""

# ruff: noqa: S608  (every part of the SQL is a constant of this package)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dagster_project.quality.checks import Check, Suite, no_rows
from dagster_project.quality.suites.mart_scorecard import METRICS

# The results are reported on the gate, because they speak of what passes it; as a batch they need
# some table that is always there.
GATE = "meta.quality_result"
BATCH = "raw_mission.build"

# Columns that say who somebody is, in the lake or in the person-grain tables.
PERSON_COLUMNS = (
    "person_key",
    "person_id",
    "employee_id",
    "source_user_id",
    "user_id",
    "assignee_id",
    "author_id",
    "worker_id",
    "full_name",
    "display_name",
    "email",
    "email_address",
    "owner_email",
)
EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
# Words of letters and digits; `names` and published text are cut alike, so punctuation, case and
# spacing cannot hide a name. One word alone (`Mark`, `Rose`) proves nothing.
WORDS = r"string_split_regex(lower({text}), '[^\pL\pN]+')"

Columns = Mapping[str, Sequence[str]]


def privacy_suite(published: Columns) -> Suite:
    """The suite for `published`: the text columns of each public table that exists.

    Without any table the rules fail: nothing was proven.
    """
    return Suite.of("privacy", METRICS, (_emails(published), _names(published), _people(published)))


def _rule(claim: str, sql: str, published: Columns, description: str, expected: str) -> Check:
    nothing = "select 'no published table was found' as problem"
    check = no_rows(BATCH, claim, sql if published else nothing, description, expected=expected)
    return replace(check, asset=GATE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _each_column(published: Columns, select: str) -> str:
    """`select` for each text column, with {table}, {column} and {value} filled in."""
    return (
        "\nunion all\n".join(
            select.format(table=table, column=column, value=f"cast({_quoted(column)} as varchar)")
            + f" from main.{_quoted(table)}"
            for table, columns in published.items()
            for column in columns
        )
        or "select null as table_name, null as column_name, null as text where false"
    )


def _emails(published: Columns) -> Check:
    texts = _each_column(
        published, "select '{table}' as table_name, '{column}' as column_name, {value} as text"
    )
    return _rule(
        "published_text_holds_no_email",
        f"select table_name, column_name, count(*) as row_count from ({texts}) as texts "
        f"where regexp_matches(text, '{EMAIL}') group by all",
        published,
        "No text column of a published table holds an e-mail address.",
        "no e-mail address in any published text",
    )


def _names(published: Columns) -> Check:
    texts = _each_column(
        published,
        "select distinct '{table}' as table_name, '{column}' as column_name, {value} as text",
    )

    def words(text: str) -> str:
        return f"list_filter({WORDS.format(text=text)}, lambda word: word <> '')"

    return _rule(
        "published_text_holds_no_name",
        f"""
        with names as (
            select distinct name
            from (select {words("full_name")} as name from staging.stg_hr__employees) as employees
            where len(name) >= 2
        ),
        texts as (
            select table_name, column_name, {words("text")} as words
            from ({texts}) as texts
            where regexp_matches(text, '\\PL')
        ),
        lengths as (select distinct len(name) as length from names),
        phrases as (
            select
                table_name,
                column_name,
                length,
                words,
                unnest(range(1, len(words) - length + 2)) as start
            from texts join lengths on length <= len(words)
        )
        select table_name, column_name, count(*) as row_count
        from phrases join names on name = words[start : start + length - 1]
        group by all
        """,
        published,
        "No text column of a published table holds the full name of an employee.",
        "no full name of HR in any published text",
    )


def _people(published: Columns) -> Check:
    tables = ", ".join(f"'{table}'" for table in published) or "''"
    columns = ", ".join(f"'{column}'" for column in PERSON_COLUMNS)
    return _rule(
        "published_tables_have_no_person_column",
        "select table_name, column_name from information_schema.columns "
        f"where table_schema = 'main' and table_name in ({tables}) "
        f"and lower(column_name) in ({columns})",
        published,
        "No published table has a column that identifies a person, not even by pseudonym.",
        "no column such as person_key or email",
    )
