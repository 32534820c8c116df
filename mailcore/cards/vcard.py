"""vCard 3.0 and 4.0 (RFC 2426, RFC 6350): content lines to cards, and cards to content lines.

Reads FN, N, EMAIL, TEL, ORG, NOTE and CATEGORIES and passes over the rest. Other versions (2.1
with its quoted-printable) are told as a problem of their card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mailcore.cards.card import ROWS_MAX, Card, Row, make

VERSIONS = ("3.0", "4.0")
OCTETS_PER_LINE = 75
_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)\Z")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"[\\,;]")

Lines = list[tuple[str, str]]


def read(data: bytes) -> list[Row]:
    """Return a row for each card, at most ROWS_MAX and one more that says so. Never raises."""
    text = _FOLD.sub("", data.decode("utf-8-sig", "replace"))
    rows: list[Row] = []
    for number, lines in enumerate(_cards(text.splitlines()), 1):
        if number > ROWS_MAX:
            rows.append(Row(number, Card(), "many"))
            break
        rows.append(_row(number, lines))
    return rows


def write(cards: Iterable[Card], *, version: str = "4.0") -> str:
    """Return cards as one file (RFC 6350, 3.1), lines folded at 75 octets."""
    return "".join(f"{_fold(line)}\r\n" for card in cards for line in _written(card, version))


def _cards(lines: Iterable[str]) -> Iterator[Lines | None]:
    """Yield the lines of each card; None for one without its END."""
    current: Lines | None = None
    for line in lines:
        name, value = _split(line)
        if name == "BEGIN" and value.strip().upper() == "VCARD":
            if current is not None:
                yield None
            current = []
        elif name == "END" and current is not None:
            yield current
            current = None
        elif current is not None and name:
            current.append((name, value))
    if current is not None:
        yield None


def _split(line: str) -> tuple[str, str]:
    """Return name and value of a content line; parameters may quote a colon."""
    quoted = False
    for at, char in enumerate(line):
        quoted ^= char == '"'
        if char == ":" and not quoted:
            found = _NAME.match(line[:at].partition(";")[0])
            return (found[1].upper(), line[at + 1 :]) if found else ("", "")
    return "", ""


def _row(number: int, lines: Lines | None) -> Row:
    if lines is None:
        return Row(number, Card(), "syntax")
    card, problem = make(
        name=_first(lines, "FN") or _structured(_raw(lines, "N")),
        addresses=_all(lines, "EMAIL"),
        phones=[value.removeprefix("tel:") for value in _all(lines, "TEL")],
        organisation=", ".join(filter(None, _parts(_raw(lines, "ORG"), ";"))),
        note=_first(lines, "NOTE"),
        groups=[part for name, value in lines if name == "CATEGORIES" for part in _parts(value)],
    )
    if _raw(lines, "VERSION").strip() not in VERSIONS:
        return Row(number, card, "version")
    return Row(number, card, problem)


def _raw(lines: Lines, wanted: str) -> str:
    return next((value for name, value in lines if name == wanted and value.strip()), "")


def _first(lines: Lines, wanted: str) -> str:
    return _plain(_raw(lines, wanted))


def _all(lines: Lines, wanted: str) -> list[str]:
    return [_plain(value) for name, value in lines if name == wanted]


def _structured(value: str) -> str:
    """Return a name from family; given; additional; prefixes; suffixes (RFC 6350, 6.2.2)."""
    family, given, additional, prefix, suffix = (*_parts(value, ";"), "", "", "", "", "")[:5]
    return " ".join(filter(None, (prefix, given, additional, family, suffix)))


def _parts(value: str, separator: str = ",") -> list[str]:
    """Split at a separator that is not escaped."""
    parts, start, at = [], 0, 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == separator:
            parts.append(value[start:at])
            start = at + 1
        at += 1
    return [_plain(part).strip() for part in (*parts, value[start:])]


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _written(card: Card, version: str) -> Iterator[str]:
    name = _escaped(card.name or next(iter(card.addresses), ""))
    given, _blank, family = card.name.rpartition(" ")
    yield "BEGIN:VCARD"
    yield f"VERSION:{version}"
    yield f"FN:{name}"
    yield f"N:{_escaped(family)};{_escaped(given)};;;"
    yield from (f"EMAIL:{_escaped(address)}" for address in card.addresses)
    yield from (f"TEL:{_escaped(phone)}" for phone in card.phones)
    if card.organisation:
        yield f"ORG:{_escaped(card.organisation)}"
    if card.note:
        yield f"NOTE:{_escaped(card.note)}"
    if card.groups:
        yield "CATEGORIES:" + ",".join(map(_escaped, card.groups))
    yield "END:VCARD"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text).replace("\r\n", "\\n").replace("\n", "\\n")


def _fold(line: str) -> str:
    """Fold at 75 octets, never within a character (RFC 6350, 3.2)."""
    folded, size = [], 0
    for char in line:
        octets = len(char.encode())
        if size + octets > OCTETS_PER_LINE:
            folded.append("\r\n ")
            size = 1
        folded.append(char)
        size += octets
    return "".join(folded)
