"""What the word index is told about a content, and what it is asked. Values, no database.

Words come from `search.words`, so that both databases find the same. A whole address and a mark
(`has:pdf`) are one word each, in EXACT letters that no text can make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailcore.search.words import WORD_CHARS, split

FIELDS = ("subject", "from", "to", "cc", "bcc", "filename", "list", "marks", "body")
EXACT = "\u00b7"  # no letter: `split` never leaves it in a word
_EXACT_CHARS = 2 * WORD_CHARS
_ADDRESS_KEYS = {"from": "authors", "to": "to", "cc": "cc", "bcc": "bcc"}
_SECONDS = 2**32 - 2
_IDS = 2**31 - 1
PLACE_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a content by field, in their order. At most 256 KiB of text."""

    content_id: int
    fields: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Words that follow each other, in a field or ('') in any; the last may be only a beginning."""

    words: tuple[str, ...]
    field: str = ""
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """Each of them."""

    children: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of them."""

    children: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Everything of the mailbox but this."""

    child: Sought


Sought = Leaf | Each | Either | Without


@dataclass(frozen=True, slots=True)
class Span:
    """Places from `start` on and before `end`, the newest first or the oldest; how many at most."""

    start: int
    end: int
    limit: int
    oldest_first: bool = False


def place_of(received_at: datetime, message_id: int) -> int:
    """Return the number by which the index sorts: the second of arrival, then the message."""
    second = min(max(int(received_at.timestamp()), 0), _SECONDS)
    return second << 31 | message_id & _IDS


def cursor_of(place: int) -> tuple[datetime, int]:
    """Return what `place_of` makes this place of: the second of arrival, and the message."""
    return datetime.fromtimestamp(place >> 31, UTC), place & _IDS


def exact(text: str) -> str:
    """Return the one word that stands for a whole address, list or mark."""
    return EXACT + EXACT.join(split(text))[:_EXACT_CHARS]


def words_of(
    *,
    content_id: int,
    subject: str,
    envelope: Mapping[str, Any],
    structure: Mapping[str, Any],
    body: str,
) -> Words:
    """Return what is indexed of a content, from what derivation stored of it."""
    people = {field: _people(envelope.get(key, ())) for field, key in _ADDRESS_KEYS.items()}
    return Words(
        content_id,
        {
            "subject": split(subject),
            **people,
            "filename": split(" ".join(structure.get("files", ()))),
            "list": _list(structure.get("list_id", "")),
            "marks": [EXACT + mark for mark in structure.get("marks", ())],
            "body": split(body),
        },
    )


def _people(boxes: Iterable[Sequence[str]]) -> list[str]:
    words: list[str] = []
    for name, address, *_ in boxes:
        words += [*split(name), *split(address), *([exact(address)] if address else ())]
    return words


def _list(text: str) -> list[str]:
    return [*split(text), exact(text)] if text else []


def leaf(text: str, *, field: str = "", is_prefix: bool = False) -> Leaf | None:
    """Return the leaf of a typed word, or None when there is no letter in it."""
    words = tuple(split(text))
    return Leaf(words, field, is_prefix) if words else None


def mark(name: str) -> Leaf:
    """Return the leaf of a mark: `pdf`, `link`."""
    return Leaf((EXACT + name,), "marks")


def whole(text: str, *, field: str) -> Leaf:
    """Return the leaf of a whole address."""
    return Leaf((exact(text),), field)


def leaves(sought: Sought) -> Iterator[Leaf]:
    """Yield the leaves of what is sought."""
    match sought:
        case Leaf():
            yield sought
        case Without(child):
            yield from leaves(child)
        case Each(children) | Either(children):
            for child in children:
                yield from leaves(child)
