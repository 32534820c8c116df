"""Writes and reads trace events. The kinds are listed in docs/glossary.md.

Decides nothing and keeps no state; who may see an event is the reader's to say.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from mailcore.models.trace import TraceEvent

_LONGEST = {
    field.name: field.max_length
    for field in TraceEvent._meta.fields
    if isinstance(field, models.CharField)
}
COLUMNS = (
    "trace_id",
    "at",
    "kind",
    "reverse_path",
    "forward_path",
    "message_id",
    "mailbox_id",
    "domain_id",
    "peer",
    "reply",
    "detail",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, column by column. `detail` is JSON; `at` is aware UTC."""

    trace_id: uuid.UUID
    at: datetime
    kind: str
    reverse_path: str = ""
    forward_path: str = ""
    message_id: str = ""
    mailbox_id: int | None = None
    domain_id: int | None = None
    peer: str = ""
    reply: str = ""
    detail: dict[str, object] | None = None


def record(entries: Iterable[Entry]) -> None:
    """Insert the events, in order, in the caller's transaction or each batch in its own.

    What a peer sent is cut to the column and freed of what a database refuses (NUL, lone
    surrogates). Raises django.db.DatabaseError.
    """
    TraceEvent.objects.bulk_create([_row(entry) for entry in entries], batch_size=500)


def of_trace(trace_id: uuid.UUID) -> list[Entry]:
    """Return the events of one message or connection, oldest first."""
    rows = TraceEvent.objects.filter(trace_id=trace_id).order_by("at", "id")
    return [Entry(*row) for row in rows.values_list(*COLUMNS)]


def written_to(*, user_id: int, forward_paths: Collection[str]) -> set[str]:
    """Return those of the addresses that this user handed in mail for, by whatever way."""
    accepted = TraceEvent.objects.filter(
        forward_path__in=forward_paths, kind="accepted", detail__by=user_id
    )
    return set(accepted.values_list("forward_path", flat=True).distinct())


def own_mail_counts(*, forward_paths: Collection[str], since: datetime) -> dict[str, int]:
    """Return how many messages of our own making (DSNs) each address was sent since `since`."""
    own = TraceEvent.objects.filter(
        forward_path__in=forward_paths, at__gte=since, kind="accepted", reverse_path="", peer=""
    )
    counted = own.values_list("forward_path").annotate(count=models.Count("pk"))
    return dict(counted)


def values(entry: Entry) -> tuple[Any, ...]:
    """Return what the columns take of an event, in their order: for who inserts many in SQL."""
    return (
        entry.trace_id,
        entry.at,
        fit(entry.kind, _LONGEST["kind"]),
        fit(entry.reverse_path, _LONGEST["reverse_path"]),
        fit(entry.forward_path, _LONGEST["forward_path"]),
        fit(entry.message_id, _LONGEST["message_id"]),
        entry.mailbox_id,
        entry.domain_id,
        fit(entry.peer, _LONGEST["peer"]),
        fit(entry.reply, _LONGEST["reply"]),
        entry.detail,
    )


def fit(text: str, longest: int | None) -> str:
    """Return text that a column takes: no NUL, no lone surrogates, at most `longest` characters."""
    if not text.isascii() or "\0" in text:
        text = text.encode(errors="replace").replace(b"\0", b"?").decode()
    return text[:longest]


def _row(entry: Entry) -> TraceEvent:
    return TraceEvent(**dict(zip(COLUMNS, values(entry), strict=True)))
