"""The Date field to an instant (RFC 5322, sections 3.3 and 4.3; also asctime and ISO 8601).

Returns UTC, because lists sort by it. A date that makes no sense is None, never an error and
never a guess: the caller falls back to the time of receipt.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
# RFC 5322, 4.3: military zones carry no information and count as UTC, as do unknown names.
_ZONE_HOURS = {"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7}
_ZONE_HOURS |= {"pst": -8, "cet": 1, "cest": 2}

_CLOCK = r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?+)?+"
_ZONE = r"\s{0,9}(?:([+-])(\d\d):?(\d\d)|\(?([A-Za-z]{1,5}))?+"
_RFC5322 = re.compile(
    r"\s{0,99}(?:[A-Za-z]{2,9}\.?+\s{0,9},?+\s{0,9})?+"
    r"(\d{1,2})[\s-]{1,9}([A-Za-z]{3})[a-z]{0,6}\.?+,?+[\s-]{1,9}(\d{2,4})[\s,]{1,9}"
    + _CLOCK
    + _ZONE
)
_ASCTIME = re.compile(
    r"\s{0,99}[A-Za-z]{3,9},?+\s{1,9}([A-Za-z]{3})[a-z]{0,6}\s{1,9}(\d{1,2}),?+\s{1,9}"
    + _CLOCK
    + r"(?:\s{1,9}([A-Z]{1,5}))?+\s{1,9}(\d{4})"
)
_ISO8601 = re.compile(r"\s{0,99}(\d{4})-(\d\d)-(\d\d)[T ]" + _CLOCK + _ZONE)
_COMMENT = re.compile(r"\([^()]{0,200}\)")
_MAX_CHARS = 400
_FIRST_YEAR = 1900


def parse_date(value: str) -> datetime | None:
    """Return the instant `value` names, in UTC, or None if it names none. Never raises."""
    value = value[:_MAX_CHARS]
    match = _RFC5322.match(value)
    if match is not None:
        day, month, year, hour, minute, second, *zone = match.groups()
        return _instant((_year(year), month, day), (hour, minute, second), zone)
    return _parse_other(value)


def _parse_other(value: str) -> datetime | None:
    match = _ASCTIME.match(value)
    if match is not None:
        month, day, hour, minute, second, name, year = match.groups()
        return _instant((int(year), month, day), (hour, minute, second), [None, None, None, name])
    match = _ISO8601.match(value)
    if match is not None:
        year, month, day, hour, minute, second, *zone = match.groups()
        return _instant((int(year), month, day), (hour, minute, second), zone)
    plain = _COMMENT.sub(" ", value)
    return parse_date(plain) if plain != value else None


def _year(digits: str) -> int:
    """Return the year of 2, 3 or 4 digits (RFC 5322, 4.3)."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _instant(
    day: tuple[int, str, str], clock: tuple[str, str, str | None], zone: list[str | None]
) -> datetime | None:
    month = _MONTHS.get(day[1].lower()) or (int(day[1]) if day[1].isdecimal() else 0)
    second = min(int(clock[2] or 0), 59) if int(clock[2] or 0) <= 60 else 60  # leap second
    if day[0] < _FIRST_YEAR:
        return None
    try:
        local = datetime(
            day[0], month, int(day[2]), int(clock[0]), int(clock[1]), second, tzinfo=UTC
        )
        return local - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _offset(zone: list[str | None]) -> timedelta:
    sign, hours, minutes, name = zone
    if sign is None or hours is None or minutes is None:
        return timedelta(hours=_ZONE_HOURS.get((name or "").lower(), 0))
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset
