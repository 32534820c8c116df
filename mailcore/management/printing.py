"""How commands print rows: one JSON object a line, or a table for a terminal.

What a peer sent may hold anything: JSON is ASCII, and a table shows no control character.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_WIDEST = 60


def moment(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC with microseconds, `2026-11-21T07:21:45.000000Z`."""
    if at is None:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def second(at: datetime | None) -> str:
    """Return a time for a table, to the second in UTC; `-` when there is none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "-"


def json_line(values: Mapping[str, object]) -> str:
    """Return one JSON object without line breaks."""
    return json.dumps(values)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their head, columns as wide as needed, the last one as it is."""
    shown = [[_short(cell) for cell in row[:-1]] + [printable(row[-1])] for row in rows]
    lines = [list(head), *shown]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def printable(text: str) -> str:
    """Return text in which nothing can move a terminal's cursor or forge a line."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def _short(cell: str) -> str:
    text = printable(cell)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
