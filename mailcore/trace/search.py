"""Finding what happened: by address, Message-ID or trace id, newest first and bounded.

The trace answers "where is my mail?". A scope narrows what is shown to the events that concern
some addresses or domains; without one everything is shown, which is for operators.
"""

from __future__ import annotations

import contextlib
import heapq
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from mailcore.address import AddressError, parse
from mailcore.models.trace import TraceEvent
from mailcore.trace.events import COLUMNS, Entry

LIMIT = 1000
READ_MAX = 20 * LIMIT
_TRACE_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose events may be shown: those from or to these addresses or addresses of these domains.

    Everything lower case. The empty scope shows nothing.
    """

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def covers(self, entry: Entry) -> bool:
        """Whether the event concerns somebody in this scope."""
        return any(self._has(path.lower()) for path in (entry.reverse_path, entry.forward_path))

    def _has(self, path: str) -> bool:
        return path in self.addresses or path.rpartition("@")[2] in self.domains


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    at: datetime
    row: int


@dataclass(frozen=True, slots=True)
class Found:
    """Events, newest first; `before` asks for the page after this one, None is the end."""

    entries: tuple[Entry, ...]
    before: Cursor | None


def search(
    *,
    query: str,
    scope: Scope | None = None,
    before: Cursor | None = None,
    limit: int = LIMIT,
    read_max: int = READ_MAX,
) -> Found:
    """Return at most `limit` events (1000) about an address, a Message-ID or a trace id.

    A Message-ID, with or without angle brackets, finds all events of the messages that carry it.
    An address finds what it sent and got. What is neither finds nothing. A narrow scope may end a
    page early, so that no question reads more than `read_max` rows. Raises DatabaseError.
    """
    size = min(limit, LIMIT)
    entries: list[Entry] = []
    for number, (cursor, entry) in enumerate(_newest_first(query.strip(), before)):
        if len(entries) == size or number == read_max:
            return Found(tuple(entries), before)
        if scope is None or scope.covers(entry):
            entries.append(entry)
        before = cursor
    return Found(tuple(entries), None)


def _newest_first(query: str, before: Cursor | None) -> Iterator[tuple[Cursor, Entry]]:
    """Merge what each index finds; an event that two of them find comes once."""
    found = [_pages(rows, before) for rows in _matching(query)]
    last: Cursor | None = None
    for cursor, entry in heapq.merge(*found, key=_order, reverse=True):
        if cursor != last:
            yield cursor, entry
        last = cursor


def _order(found: tuple[Cursor, Entry]) -> tuple[datetime, int]:
    return found[0].at, found[0].row


def _pages(rows: QuerySet[TraceEvent], before: Cursor | None) -> Iterator[tuple[Cursor, Entry]]:
    ordered = rows.order_by("-at", "-pk")
    while True:
        page = ordered
        if before is not None:
            page = ordered.filter(Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.row))
        found = list(page.values_list("pk", *COLUMNS)[:LIMIT])
        for row, *columns in found:
            entry = Entry(*columns)
            before = Cursor(entry.at, row)
            yield before, entry
        if len(found) < LIMIT:
            return


def _matching(query: str) -> list[QuerySet[TraceEvent]]:
    """Return one question for each index: an OR of them would read the whole table."""
    events = TraceEvent.objects.all()
    if _TRACE_ID.fullmatch(query):
        return [events.filter(trace_id=uuid.UUID(query))]
    bracketed = query.startswith("<") and query.endswith(">")
    message_id = query[1:-1] if bracketed else query
    if not message_id:
        return []
    # Not every event of a message carries its Message-ID, but all carry its trace id.
    carriers = events.filter(message_id=message_id).order_by("-pk")
    traces = set(carriers.values_list("trace_id", flat=True)[:LIMIT])
    found = [events.filter(trace_id__in=traces)] if traces else []
    if "@" in message_id and not bracketed:
        spellings = _spellings(query)
        found += [
            events.filter(forward_path__in=spellings),
            events.filter(reverse_path__in=spellings),
        ]
    return found


def _spellings(address: str) -> set[str]:
    """Return how an address may stand in an event: as a client wrote it, or as we write it."""
    with contextlib.suppress(AddressError):
        return {address, address.lower(), str(parse(address))}
    return {address, address.lower()}
