"""What a search means: a tree of frozen nodes, the clauses as typed, and what was wrong.

`query.parse` makes them, `writing.to_text` writes them, `store.search` runs them. And has at least
two children and holds no And; Or likewise. A Field's key and its fixed values are the English ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Problem(StrEnum):
    """Why a search is not quite what was typed. None of them stops it."""

    TOO_LONG = "too_long"  # cut at CHARS_MAX
    TOO_MANY_TERMS = "too_many_terms"  # the rest was left out
    TOO_DEEP = "too_deep"  # inner brackets were passed over
    UNCLOSED_QUOTE = "unclosed_quote"
    UNBALANCED = "unbalanced"  # brackets
    DANGLING_OR = "dangling_or"
    UNKNOWN_KEY = "unknown_key"  # searched as plain text, as are the next four
    UNKNOWN_VALUE = "unknown_value"  # of is:, has:, auth:, delivery:
    BAD_DATE = "bad_date"
    BAD_AGE = "bad_age"
    BAD_SIZE = "bad_size"
    EMPTY_VALUE = "empty_value"  # left out
    NOT_YET = "not_yet"  # a key or value that finds nothing in this version
    RECENT = "recent"  # a key that knows the last 30 days only


@dataclass(frozen=True, slots=True)
class Word:
    """A word anywhere in a message; several where it holds punctuation, and then in this order."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """`key:value`. What the value means is beside it, where it is a day, a size or a header.

    `day` is the day of before, after and on, and the first day that newer_than still finds or
    older_than no longer does. `size_bytes` belongs to larger and smaller, `name` to header.
    """

    key: str
    value: str
    is_phrase: bool = False
    is_prefix: bool = False
    day: date | None = None
    size_bytes: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but."""

    child: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of."""

    children: tuple[Node, ...]


Node = Word | Phrase | Field | Not | And | Or


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of the text that can be shown as a chip and taken away: text[start:end].

    `key` is '' for words, phrases, groups and alternatives; `value` is then the text itself.
    """

    text: str
    key: str
    value: str
    is_negated: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search; `root` is None when nothing is asked."""

    text: str
    root: Node | None
    clauses: tuple[Clause, ...]
    problems: tuple[Problem, ...]
