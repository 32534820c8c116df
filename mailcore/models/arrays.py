"""Columns of values as PostgreSQL array literals (PostgreSQL manual, 8.15.2), for `unnest`.

The driver turns a Python list into an array in Python, one adapter call an element: for the many
short arrays of a delivery batch that cost more than the statement. Text is made here with one
join a column; the statement's cast gives the type.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID


def numbers(values: Iterable[int | None]) -> str:
    """Return `{1,2,NULL}`."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    r"""Return `{"a","b \"c\"",NULL}`: every value quoted, as it may hold anything but NUL."""
    return "{" + ",".join([_quoted(value) for value in values]) + "}"


def octets(values: Iterable[bytes | None]) -> str:
    r"""Return `{\\x00ff,NULL}`: bytea in its hex form."""
    return "{" + ",".join(["NULL" if v is None else rf"\\x{v.hex()}" for v in values]) + "}"


def times(values: Iterable[datetime | None]) -> str:
    """Return ISO 8601 times with their offset; the values are aware."""
    return "{" + ",".join(["NULL" if v is None else v.isoformat() for v in values]) + "}"


def uuids(values: Iterable[UUID]) -> str:
    """Return the ids as 32 hexadecimal digits."""
    return "{" + ",".join([value.hex for value in values]) + "}"


def booleans(values: Iterable[bool]) -> str:
    """Return `{t,f}`."""
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def _quoted(value: str | None) -> str:
    if value is None:
        return "NULL"
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
