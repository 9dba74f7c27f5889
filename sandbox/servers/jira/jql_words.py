"""The words of JQL, and how Jira refuses what it cannot read.

What belongs here: cutting a query into words. What does not: what they mean (`jql`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.servers.jira.answers import Refused

_WORDS = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>>=|<=|!=|=|>|<|\(|\)|,)"""
    r"""|(?P<word>[^\s()=!<>,"']+))"""
)


@dataclass(frozen=True)
class Word:
    """A word, sign or quoted text, and where it stands."""

    text: str
    is_quoted: bool
    at: int


def words(jql: str) -> list[Word]:
    """A query in words; there is at least one."""
    words, position = [], 0
    stripped = jql.rstrip()
    if not stripped:
        raise unbounded()
    while position < len(stripped):
        match = _WORDS.match(stripped, position)
        if match is None:
            raise misread(f"The character '{stripped[position]}' is not understood.", position)
        position = match.end()
        if text := match["text"]:
            unescaped = re.sub(r"\\(.)", r"\1", text[1:-1])
            words.append(Word(unescaped, True, match.start("text")))
        else:
            kind = "sign" if match["sign"] else "word"
            words.append(Word(match[kind], False, match.start(kind)))
    return words


def misread(what: str, position: int) -> Refused:
    """What Jira says to a query that it cannot read."""
    return Refused(400, f"Error in the JQL Query: {what} (line 1, character {position + 1})")


def unbounded() -> Refused:
    """What Jira says to a query that restricts nothing."""
    return Refused(
        400,
        "Unbounded JQL queries are not allowed here. "
        "Please add a search restriction to your query.",
    )
