"""What stands behind the colon of a search key: days, ages, sizes, headers, fixed words.

A value that a key cannot take is a Problem, for the caller to search it as plain text instead.
Days are days; in which zone is decided by `store.search`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from mailcore.search import keys
from mailcore.search.nodes import Field, Problem

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})\Z", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})\Z", re.ASCII)
_AGE = re.compile(r"(\d{1,4})([dwmysa])\Z", re.ASCII | re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,12})([kmg]?)b?\Z", re.ASCII | re.IGNORECASE)
_HEADER = re.compile(r"([A-Za-z0-9-]{1,76})(?::(.*))?\Z", re.DOTALL)
_ANGLES = re.compile(r"<?([^<>]*)>?\Z")
_UNITS = {"s": "w", "a": "y"}  # semana, año
_SIZE_UNITS = {"": 1, "k": 2**10, "M": 2**20, "G": 2**30}
PREFIXABLE = frozenset({"from", "to", "cc", "bcc", "subject", "body", "filename", "list"})


@dataclass(frozen=True, slots=True)
class Given:
    """A value as typed: `is_prefix` when a word ended in an asterisk, which is not in `text`."""

    text: str
    is_phrase: bool = False
    is_prefix: bool = False

    @property
    def typed(self) -> str:
        """The text with its asterisk."""
        return self.text + "*" if self.is_prefix else self.text


@dataclass(frozen=True, slots=True)
class Setting:
    """What a value may depend on: the language for the order of a date, and today."""

    language: str
    today: date


def read(key: str, given: Given, setting: Setting) -> Field | Problem:
    """Return the field of a canonical key, or what is wrong with its value."""
    if not given.text and key != "header":
        return Problem.EMPTY_VALUE
    special = _READERS.get(key)
    if special:
        return special(key, given, setting)
    if key in PREFIXABLE:
        return _words(key, given)
    known = keys.value_of(key, given.typed)
    if known is None and key in keys.CLOSED:
        return Problem.UNKNOWN_VALUE
    return Field(key, known) if known else Field(key, given.typed, is_phrase=given.is_phrase)


def _words(key: str, given: Given) -> Field:
    known = None if given.is_phrase or given.is_prefix else keys.value_of(key, given.text)
    if known:
        return Field(key, known)
    return Field(key, given.text, is_phrase=given.is_phrase, is_prefix=given.is_prefix)


def _date(key: str, given: Given, setting: Setting) -> Field | Problem:
    text = given.typed
    named = keys.value_of(key, text)
    if named:
        back = 1 if named == "yesterday" else 0
        return Field(key, named, day=setting.today - timedelta(days=back))
    found = _ISO.match(text)
    numbers = [int(number) for number in found.groups()] if found else None
    if numbers is None and setting.language == "es" and (found := _DAY_FIRST.match(text)):
        numbers = [int(number) for number in reversed(found.groups())]
    if numbers is None:
        return Problem.BAD_DATE
    try:
        day = date(*numbers)
        day + timedelta(days=2)
    except (ValueError, OverflowError):
        return Problem.BAD_DATE
    return Field(key, day.isoformat(), day=day)


def _age(key: str, given: Given, setting: Setting) -> Field | Problem:
    found = _AGE.match(given.typed)
    if not found:
        return Problem.BAD_AGE
    count = int(found[1])
    unit = _UNITS.get(found[2].lower(), found[2].lower())
    day = _before(setting.today, count, unit)
    return Field(key, f"{count}{unit}", day=day) if day else Problem.BAD_AGE


def _before(today: date, count: int, unit: str) -> date | None:
    """Return the day so long before `today`; the last of a month that has no such day."""
    try:
        if unit in "dw":
            return today - timedelta(days=count * (7 if unit == "w" else 1))
        months = today.year * 12 + today.month - 1 - count * (12 if unit == "y" else 1)
        first = date(months // 12, months % 12 + 1, 1)
        length = (date(first.year + first.month // 12, first.month % 12 + 1, 1) - first).days
        return first.replace(day=min(today.day, length))
    except (ValueError, OverflowError):
        return None


def _size(key: str, given: Given, _: Setting) -> Field | Problem:
    found = _SIZE.match(given.typed)
    if not found:
        return Problem.BAD_SIZE
    unit = found[2].lower() if found[2] in "kK" else found[2].upper()
    size = int(found[1]) * _SIZE_UNITS[unit]
    if size >= 2**62:
        return Problem.BAD_SIZE
    return Field(key, f"{int(found[1])}{unit}", size_bytes=size)


def _header(key: str, given: Given, setting: Setting) -> Field | Problem:
    """Read a header field; one that is indexed under a key of its own becomes that key."""
    found = _HEADER.match(given.typed)
    if not found:
        return Problem.UNKNOWN_VALUE if given.typed else Problem.EMPTY_VALUE
    value = found[2] or ""
    known = keys.OF_HEADERS.get(found[1].lower()) if value.strip() else None
    if known == "msgid":
        return _message_id(known, Given(value, is_phrase=True), setting)
    if known:
        return Field(known, value, is_phrase=True)
    return Field(key, value, is_phrase=given.is_phrase, name=found[1])


def _message_id(key: str, given: Given, _: Setting) -> Field | Problem:
    found = _ANGLES.match(given.typed)
    if not found or not found[1]:
        return Problem.UNKNOWN_VALUE
    return Field(key, found[1], is_phrase=given.is_phrase)


_READERS: dict[str, Callable[[str, Given, Setting], Field | Problem]] = {
    "before": _date,
    "after": _date,
    "on": _date,
    "newer_than": _age,
    "older_than": _age,
    "larger": _size,
    "smaller": _size,
    "header": _header,
    "msgid": _message_id,
}
