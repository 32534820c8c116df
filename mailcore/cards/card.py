"""A person's card as this system keeps it, and what became of a row of a file.

Only what a mail program uses: no photographs, postal addresses, keys or dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailcore.address import AddressError, parse

BYTES_MAX = 2**20
ROWS_MAX = 5000
NAME_CHARS = 300
FIELD_CHARS = 300
NOTE_CHARS = 2000
LIST_MAX = 20
Problem = Literal["", "address", "syntax", "version", "many", "columns"]


@dataclass(frozen=True, slots=True)
class Card:
    """Somebody to write to. Lists have at most LIST_MAX values, texts are cut at their limits."""

    name: str = ""
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    organisation: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A card or line of a file, counted from 1; with a problem there is nothing to store of it."""

    number: int
    card: Card
    problem: Problem = ""


def make(
    *,
    name: str,
    addresses: list[str],
    phones: list[str],
    organisation: str,
    note: str,
    groups: list[str],
) -> tuple[Card, Problem]:
    """Return a card within the limits; the problem "address" when no address can be used."""
    usable = tuple(dict.fromkeys(found for found in map(usable_address, addresses) if found))
    card = Card(
        name=one_line(name)[:NAME_CHARS],
        addresses=usable[:LIST_MAX],
        phones=_some(phones),
        organisation=one_line(organisation)[:FIELD_CHARS],
        note=_printable(note)[:NOTE_CHARS],
        groups=_some(groups),
    )
    return card, "" if usable else "address"


def usable_address(text: str) -> str:
    """Return an address in the form in which contacts are kept, '' when it is none."""
    text = text.strip()
    text = text[7:] if text.lower().startswith("mailto:") else text
    try:
        return str(parse(text)).casefold()
    except AddressError:
        return ""


def one_line(text: str) -> str:
    """Return a text without control characters, its blanks made single."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c == "\n").strip()


def _some(values: list[str]) -> tuple[str, ...]:
    lines = (one_line(value)[:FIELD_CHARS] for value in values)
    return tuple(dict.fromkeys(line for line in lines if line))[:LIST_MAX]
