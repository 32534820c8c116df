"""What an invitation says, as text: the first event of an iCalendar object (RFC 5545, RFC 5546).

A reader for a card, not for a calendar: no recurrence is expanded, no VTIMEZONE is believed, no
answer is made. Every value is plain text of bounded length; what it holds is never markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailcore.mime import words

MAX_CHARS = 128 * 1024
MAX_LINES = 2000
TEXT_CHARS = 300

_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_PARAMETER = re.compile(r";([A-Za-z-]{1,40})=(\"[^\"]*\"|[^;:\"]*)")
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_ESCAPE = re.compile(r"\\([\\;,nN])")
_Event = dict[str, tuple[dict[str, str], str]]

_ZONE = re.compile(r"[A-Za-z]{1,30}(?:[/_+-][A-Za-z0-9]{1,30}){0,4}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An event. `starts` is a date for whole days, a naive datetime where no zone is known."""

    method: str
    summary: str
    starts: datetime | date | None
    ends: datetime | date | None
    location: str
    organiser: str
    guest_count: int
    repeats: bool
    is_cancelled: bool


def read_invitation(text: str) -> Invitation | None:
    """Return the first event in `text`, None when there is none. Linear; never raises."""
    method = ""
    event: _Event | None = None
    guest_count = 0
    for name, params, value in _lines(text[:MAX_CHARS]):
        if name == "METHOD" and event is None:
            method = value.strip().upper()[:20]
        elif name == "BEGIN" and value.strip().upper() == "VEVENT" and event is None:
            event = {}
        elif name == "END" and value.strip().upper() == "VEVENT" and event is not None:
            return _invitation(method, event, guest_count)
        elif event is not None:
            guest_count += name == "ATTENDEE"
            event.setdefault(name, (params, value))
    return None


def _lines(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield name, parameters and value of each content line (RFC 5545, 3.1)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for line in re.split(r"\r\n|\n|\r", unfolded)[:MAX_LINES]:
        match = _LINE.fullmatch(line[:4000])
        if match:
            found = _PARAMETER.findall(match[2])
            params = {name.upper(): value.strip('"') for name, value in found}
            yield match[1].upper(), params, match[3]


def _invitation(method: str, event: _Event, guest_count: int) -> Invitation:
    status = _text(event, "STATUS").upper()
    return Invitation(
        method=method,
        summary=_text(event, "SUMMARY"),
        starts=_moment(event, "DTSTART"),
        ends=_moment(event, "DTEND"),
        location=_text(event, "LOCATION"),
        organiser=_person(event),
        guest_count=guest_count,
        repeats="RRULE" in event,
        is_cancelled=method == "CANCEL" or status == "CANCELLED",
    )


def _text(event: _Event, name: str) -> str:
    value = event.get(name, ({}, ""))[1]
    plain = _ESCAPE.sub(lambda match: " " if match[1] in "nN" else match[1], value)
    return words.clean(plain).strip()[:TEXT_CHARS]


def _person(event: _Event) -> str:
    params, value = event.get("ORGANIZER", ({}, ""))
    address = re.sub(r"(?i)^\s*mailto:", "", value)
    return words.clean(params.get("CN") or address).strip()[:TEXT_CHARS]


def _moment(event: _Event, name: str) -> datetime | date | None:
    params, value = event.get(name, ({}, ""))
    match = _MOMENT.fullmatch(value.strip())
    if not match:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    try:
        if match[4] is None:
            return date(year, month, day)
        clock = int(match[4]), int(match[5]), min(59, int(match[6]))
        zone = UTC if match[7] else _zone(params.get("TZID", ""))
        return datetime(year, month, day, *clock, tzinfo=zone)
    except ValueError:
        return None


def _zone(name: str) -> ZoneInfo | None:
    """Return a zone of the system's own list; names of others leave the time as it is written."""
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
