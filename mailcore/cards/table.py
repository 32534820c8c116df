"""Cards as CSV (RFC 4180): columns by their names in English and Spanish, of common programs too.

What spreadsheets would run as a formula is neutralised with an apostrophe on the way out and freed
of it on the way in. Knows no dialects but comma, semicolon and tab.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from mailcore.cards.card import ROWS_MAX, Card, Problem, Row, make

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
HEAD = ("Name", "Email", "Phone", "Organization", "Note", "Groups")
SEPARATOR = " ::: "  # between values of one cell, as Google writes them
COLUMNS = {
    "name": {"name", "nombre", "full name", "display name", "nombre completo"},
    "given": {"first name", "given name", "nombre de pila"},
    "family": {"last name", "family name", "apellidos", "apellido"},
    "address": {"email", "e-mail", "email address", "e-mail address", "correo", "mail"}
    | {"correo electrónico", "dirección de correo electrónico", "address", "dirección"},
    "phone": {"phone", "teléfono", "mobile phone", "móvil", "home phone", "business phone"},
    "organisation": {"organization", "organisation", "organización", "company", "empresa"}
    | {"organization name"},
    "note": {"note", "notes", "nota", "notas"},
    "group": {"groups", "group", "grupos", "grupo", "categories", "categorías", "labels"}
    | {"group membership"},
}
_HEAD_CHARS = 20_000


def read(data: bytes) -> list[Row]:
    """Return a row for each line below the head, at most ROWS_MAX and one that says so.

    Without a column of addresses there is one row, with the problem "columns". Never raises.
    """
    text = _decoded(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        columns = _columns(next(reader, []))
        if "address" not in columns:
            return [Row(1, Card(), "columns")]
        return _rows(reader, columns)
    except csv.Error:
        return [Row(1, Card(), "syntax")]


def write(cards: Iterable[Card]) -> str:
    """Return cards as one table with a head; a card has one line."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for card in cards:
        cells = (
            card.name,
            SEPARATOR.join(card.addresses),
            SEPARATOR.join(card.phones),
            card.organisation,
            card.note,
            SEPARATOR.join(card.groups),
        )
        writer.writerow([neutral(cell) for cell in cells])
    return out.getvalue()


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell


def _freed(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and neutral(cell[1:]) != cell[1:] else cell


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    head = text[:_HEAD_CHARS].partition("\n")[0]
    return max(",;\t", key=head.count)


def _columns(head: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of the columns that mean something to us."""
    found: dict[str, list[int]] = {}
    for at, title in enumerate(head):
        # Google: `E-mail 1 - Value`; Outlook: `E-mail 2 Address`.
        plain = "".join(c for c in title.casefold().replace(" - value", "") if not c.isdigit())
        plain = " ".join(plain.split())
        for name, titles in COLUMNS.items():
            if plain in titles:
                found.setdefault(name, []).append(at)
    return found


def _rows(reader: Iterable[list[str]], columns: dict[str, list[int]]) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(reader, 2):
        if not any(cell.strip() for cell in line):
            continue
        if len(rows) >= ROWS_MAX:
            rows.append(Row(number, Card(), "many"))
            break
        rows.append(Row(number, *_card(line, columns)))
    return rows


def _card(line: Sequence[str], columns: dict[str, list[int]]) -> tuple[Card, Problem]:
    def cells(name: str) -> list[str]:
        return [_freed(line[at]) for at in columns.get(name, ()) if at < len(line)]

    def values(name: str) -> list[str]:
        return [part for cell in cells(name) for part in cell.split(SEPARATOR.strip())]

    def text(name: str) -> str:
        return next(filter(None, (cell.strip() for cell in cells(name))), "")

    return make(
        name=text("name") or f"{text('given')} {text('family')}",
        addresses=values("address"),
        phones=values("phone"),
        organisation=text("organisation"),
        note=text("note"),
        groups=[group.removeprefix("* ") for group in values("group")],
    )
