"""The ids of what a search finds, in order, within a limit of time.

By words: places of the word index (`index_words.place_of`). By operators alone: rows of the list
index. Time is given to windows, the last 90 days first, then the year, then the rest, so that what
was found in time is complete back to a day.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store import index, search_headers
from mailcore.store.index_words import PLACE_END, Span, cursor_of, place_of
from mailcore.store.matching import before, beyond
from mailcore.store.search_plan import Plan

TIME_S = 2.0
WINDOWS = (timedelta(days=90), timedelta(days=365))
_HEADERS_READ = 200  # messages at a time
Cursor = tuple[datetime, int]  # received_at, id
Window = tuple[datetime | None, datetime | None]


@dataclass(slots=True)
class Hits:
    """What was found: sort keys and ids. `reached` is the end of the last window that was done."""

    rows: list[tuple[Any, int]] = field(default_factory=list)
    is_partial: bool = False
    reached: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finder:
    """Runs one plan in one direction."""

    mailbox: Mailbox
    plan: Plan
    oldest_first: bool = False

    def key(self, cursor: Cursor) -> Any:
        """Return the sort key that the row of a cursor has."""
        return cursor if self.plan.sought is None else place_of(*cursor)

    def in_time(self, *, now: datetime, limit: int, after: Cursor | None, deadline: float) -> Hits:
        """Return the first `limit` hits, or what was found until `deadline` (monotonic)."""
        hits = Hits()
        for window in _windows(now, oldest_first=self.oldest_first):
            try:
                self._add(hits, window, limit, after, deadline)
            except TimeoutError:
                hits.is_partial = True
                break
            if len(hits.rows) >= limit:
                break
            hits.reached = window[1 if self.oldest_first else 0]
        return hits

    def _add(
        self, hits: Hits, window: Window, limit: int, after: Cursor | None, deadline: float
    ) -> None:
        """Add what a window has, up to the limit. Raises TimeoutError, with some of it added."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        with index.limited(left):
            for rows in self._passing(window, limit - len(hits.rows), after, deadline):
                hits.rows += rows

    def find(
        self,
        window: Window,
        limit: int,
        after: Cursor | None = None,
        deadline: float = math.inf,
    ) -> Sequence[tuple[Any, int]]:
        """Return at most `limit` hits of a window that come after a cursor.

        Raises TimeoutError when headers were still to be read at `deadline` (monotonic).
        """
        portions = self._passing(window, limit, after, deadline)
        return [row for rows in portions for row in rows]

    def _passing(
        self, window: Window, limit: int, after: Cursor | None, deadline: float
    ) -> Iterator[Sequence[tuple[Any, int]]]:
        """Yield hits whose headers pass, as they are read. Raises TimeoutError between portions."""
        if not self.plan.headers:
            yield self._found(window, limit, after)
            return
        while limit > 0:
            if time.monotonic() > deadline:
                raise TimeoutError
            rows = self._found(window, _HEADERS_READ, after)
            passing = search_headers.passing([pk for _, pk in rows], self.plan.headers)
            hits = [row for row in rows if row[1] in passing][:limit]
            yield hits
            limit -= len(hits)
            if len(rows) < _HEADERS_READ:
                return
            last = rows[-1][0]
            after = last if self.plan.sought is None else cursor_of(last)

    def _found(self, window: Window, limit: int, after: Cursor | None) -> Sequence[tuple[Any, int]]:
        messages = Message.objects.filter(self.plan.condition, mailbox_id=self.mailbox.pk)
        if self.plan.sought is None:
            return self._by_row(messages, window, limit, after)
        start, end = (None if at is None else place_of(at, 0) for at in window)
        start, end = start or 0, PLACE_END if end is None else end
        if after and self.oldest_first:
            start = max(start, place_of(*after) + 1)
        elif after:
            end = min(end, place_of(*after))
        return index.find(
            mailbox_id=self.mailbox.pk,
            sought=self.plan.sought,
            among=messages,
            span=Span(start, end, limit, self.oldest_first),
        )

    def _by_row(
        self, messages: QuerySet[Message], window: Window, limit: int, after: Cursor | None
    ) -> list[tuple[Any, int]]:
        start, end = window
        since = Q(received_at__gte=start) if start else Q()
        until = Q(received_at__lt=end) if end else Q()
        order = ("received_at", "id") if self.oldest_first else ("-received_at", "-id")
        step = before if self.oldest_first else beyond
        rows = step(messages.filter(since & until), after).order_by(*order)
        return [((at, pk), pk) for at, pk in rows.values_list("received_at", "id")[:limit]]


def _windows(now: datetime, *, oldest_first: bool) -> list[Window]:
    edges = [None, *(now - length for length in WINDOWS), None]
    windows = list(zip(edges[1:], edges[:-1], strict=True))
    return windows[::-1] if oldest_first else windows
