"""The trace: find what happened to mail, refused mail included, and tell it as a story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailcore import trace as tracing
from mailcore.queue import lookup
from mailcore.trace.search import Cursor, search
from webmail.console.scope import next_page, text_of
from webmail.console.story import tell

PAGE_ROWS = 50
QUERY_CHARS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@require_safe
def trace(request: HttpRequest) -> HttpResponse:
    """Search by address, Message-ID or trace id, newest first."""
    query = text_of(request, chars=QUERY_CHARS)
    found = search(query=query, before=_cursor(request), limit=PAGE_ROWS) if query else None
    before = _written(found.before) if found and found.before else None
    context = {
        "query": query,
        "found": found,
        "told": tell(found.entries) if found else [],
        "next_page": next_page(request, before=before),
    }
    return render(request, "console/trace.html", context)


@require_safe
def story(request: HttpRequest, trace_id: UUID) -> HttpResponse:
    """Tell the life of one message, or of one connection, oldest first."""
    entries = tracing.of_trace(trace_id)
    if not entries:
        raise Http404
    named = (entry.message_id for entry in entries if entry.message_id)
    context = {
        "trace_id": trace_id,
        "told": tell(entries),
        "message_id": next(named, ""),
        "reverse_path": next((entry.reverse_path for entry in entries if entry.reverse_path), ""),
        "forward_paths": list(dict.fromkeys(e.forward_path for e in entries if e.forward_path)),
        "queued": lookup.of_trace(trace_id),
    }
    return render(request, "console/story.html", context)


def _cursor(request: HttpRequest) -> Cursor | None:
    """Read `?before=microseconds.row`; what is none counts as absent."""
    at, _, row = request.GET.get("before", "")[:40].partition(".")
    if not (at.isascii() and at.isdigit() and row.isascii() and row.isdigit()):
        return None
    if len(at) > 16 or len(row) > 18:
        return None
    return Cursor(_EPOCH + timedelta(microseconds=int(at)), int(row))


def _written(cursor: Cursor) -> str:
    return f"{(cursor.at - _EPOCH) // timedelta(microseconds=1)}.{cursor.row}"
