"""The event stream of a browser: which of its mailboxes changed, as ids; pages fetch the rest.

Server-sent events (WHATWG HTML, 9.2). An open stream waits in the event loop: it holds no database
connection and no request waits for it. It ends after some minutes, so that who lost access or was
signed out is asked again. Under WSGI there is no stream, and pages look every minute.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from mailcore.directory import mailboxes
from mailcore.live.watch import Changes, watcher
from webmail.middleware import unauthorised

PING_S = 25.0
LIFETIME_S = 600.0
GATHER_S = 0.1  # what comes together leaves together
STREAMS_MAX = 10  # of one person in one process
_RETRY_MS = 3000
_open: Counter[int] = Counter()


@require_safe
def events(request: HttpRequest) -> HttpResponseBase:
    """Stream what changes in the mailboxes of the person; 401, 429 and 204 open no stream."""
    user = request.user
    if isinstance(user, AnonymousUser):
        return unauthorised()
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    if _open[user.pk] >= STREAMS_MAX:
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    boxes = {row.mailbox.pk: row.mailbox for row in mailboxes.for_user(user)}
    return StreamingHttpResponse(
        stream(
            user.pk,
            names={pk: box.public_id for pk, box in boxes.items()},
            modseqs={pk: box.modseq for pk, box in boxes.items()},
        ),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _News:
    """What the watching thread hands to the event loop, gathered until it is taken."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._there = asyncio.Event()
        self._changes: set[Any] = set()

    def put(self, changes: Changes) -> None:
        """Add changes; called in another thread, perhaps when the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, changes)

    def _add(self, changes: Changes) -> None:
        self._changes |= changes
        self._there.set()

    async def take(self, seconds: float) -> Changes:
        """Return what came within `seconds`, nothing if nothing did."""
        try:
            await asyncio.wait_for(self._there.wait(), seconds)
        except TimeoutError:
            return frozenset()
        await asyncio.sleep(GATHER_S)
        self._there.clear()
        changes, self._changes = frozenset(self._changes), set()
        return changes


async def stream(
    user_pk: int,
    *,
    names: Mapping[int, UUID],
    modseqs: Mapping[int, int],
    ping_s: float = PING_S,
    lifetime_s: float = LIFETIME_S,
) -> AsyncIterator[str]:
    """Yield events of these mailboxes, by key, since they had these modseqs; pings between."""
    # What sign-in and mailboxes were read with is not kept while nothing happens.
    await sync_to_async(connections.close_all)()
    loop, news = asyncio.get_running_loop(), _News()
    end = loop.time() + lifetime_s
    with _counted(user_pk), _watching(modseqs, news):
        yield f"retry: {_RETRY_MS}\n\n"
        while (left := end - loop.time()) > 0:
            changes = await news.take(min(ping_s, left))
            yield _event(changes, names) if changes else "event: ping\ndata:\n\n"


@contextmanager
def _counted(user_pk: int) -> Iterator[None]:
    _open[user_pk] += 1
    try:
        yield
    finally:
        _open[user_pk] -= 1
        if not _open[user_pk]:
            del _open[user_pk]


@contextmanager
def _watching(modseqs: Mapping[int, int], news: _News) -> Iterator[None]:
    watching = watcher.add(modseqs, news.put)
    try:
        yield
    finally:
        watcher.remove(watching)


def _event(changes: Changes, names: Mapping[int, UUID]) -> str:
    """Return an event: lists of mailbox ids by what changed."""
    lists: dict[str, list[str]] = {}
    for what, mailbox_id in sorted(changes):
        lists.setdefault(what, []).append(str(names[mailbox_id]))
    return f"event: changed\ndata: {json.dumps(lists)}\n\n"
