"""The way a message took, out of its Received fields (RFC 5321, 4.4), and how long each step was.

Every field but those of our own hosts was written by strangers: a reader's hint, no evidence. The
clocks of hosts differ, so a step may seem to take less than no time. Writes none: that is `trace`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailcore.mime.date import parse_date

MAX_HOPS = 100
VALUE_CHARS = 2000
_NAME_CHARS = 120

_COMMENT = re.compile(r"\([^()]{0,500}\)")
_CLAUSE = re.compile(r"\b(from|by|with)\s{1,9}([^\s;()]{1,255})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hop:
    """One host that took the message. `delay` is None where a time is missing or the first."""

    sender: str
    receiver: str
    protocol: str
    at: datetime | None
    delay: timedelta | None


def read_hops(received: Iterable[str]) -> tuple[Hop, ...]:
    """Return the way, first host first, from the values of Received in the order of the header."""
    hops: list[Hop] = []
    before: datetime | None = None
    for value in reversed(list(received)[:MAX_HOPS]):
        clauses, _, date = value[:VALUE_CHARS].rpartition(";")
        at = parse_date(date)
        found: dict[str, str] = {}
        for name, text in _CLAUSE.findall(_COMMENT.sub(" ", clauses)):
            found.setdefault(name.lower(), text[:_NAME_CHARS])
        hops.append(
            Hop(
                sender=found.get("from", ""),
                receiver=found.get("by", ""),
                protocol=found.get("with", ""),
                at=at,
                delay=at - before if at and before else None,
            )
        )
        before = at or before
    return tuple(hops)
