"""The tries at each recipient, host by host: what the sender reads as parcel tracking.

A try is written before connecting (G4) and completed when it is known how it ended. What a peer
said is cut to its column and freed of what a database refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction

from mailcore import trace
from mailcore.models.queue import DeliveryAttempt
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.smtp.status import Result

_RESULT = ["duration_ms", "host", "ip", "tls", "code", "enhanced", "text", "dialogue"]


@dataclass(frozen=True, slots=True)
class Start:
    """An attempt that is about to be made."""

    recipient_id: int
    host: str
    ip: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt at one recipient ended. `relayed_dsn`: the peer reports success itself.

    Without an `attempt_id` no host was connected to; the attempt is written all the same.
    """

    batch: Batch
    recipient: ClaimedRecipient
    attempt_id: int | None
    result: Result
    host: str = ""
    ip: str = ""
    tls: str = ""
    dialogue: str = ""
    duration_ms: int = 0
    relayed_dsn: bool = False


def begin(starts: Sequence[Start], *, now: datetime) -> list[int]:
    """Write attempts before connecting; return their ids in order. Raises DatabaseError."""
    rows = DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            recipient_id=start.recipient_id,
            started_at=now,
            host=fit(start.host, DeliveryAttempt, "host"),
            ip=start.ip,
        )
        for start in starts
    )
    return [row.pk for row in rows]


def go_on(endings: Sequence[Ending], *, now: datetime) -> None:
    """Close attempts after which the same try goes on at the next host. Raises DatabaseError."""
    with transaction.atomic():
        close(endings, now=now)
        trace.record(event(ending, "attempted", now=now) for ending in endings)


def close(endings: Sequence[Ending], *, now: datetime) -> None:
    """Complete the attempts in the caller's transaction; one statement, two for ones not begun."""
    rows = [_row(ending, now) for ending in endings]
    DeliveryAttempt.objects.bulk_create(row for row in rows if row.pk is None)
    # Different values in each row: an upsert of rows that are there costs half of a CASE.
    DeliveryAttempt.objects.bulk_create(
        [row for row in rows if row.pk is not None],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_RESULT,
    )


def event(ending: Ending, kind: str, *, now: datetime) -> trace.Entry:
    """Return the trace event of an ending."""
    detail: dict[str, object] = {"host": ending.host, "tls": ending.tls}
    return trace.Entry(
        trace_id=ending.batch.trace_id,
        at=now,
        kind=kind,
        reverse_path=ending.batch.reverse_path,
        forward_path=ending.recipient.forward_path,
        mailbox_id=ending.batch.mailbox_id,
        peer=ending.ip or ending.host,
        reply=str(ending.result.reply),
        detail={name: value for name, value in detail.items() if value} or None,
    )


def fit(text: str, model: type[models.Model], name: str) -> str:
    """Return text that its column takes: no NUL, no lone surrogates, not too long."""
    storable = text.encode(errors="replace").replace(b"\0", b"?").decode()
    return storable[: model._meta.get_field(name).max_length]  # type: ignore[union-attr]


def _row(ending: Ending, now: datetime) -> DeliveryAttempt:
    reply = ending.result.reply
    return DeliveryAttempt(
        pk=ending.attempt_id,
        recipient_id=ending.recipient.id,
        started_at=now - timedelta(milliseconds=ending.duration_ms),
        duration_ms=ending.duration_ms,
        host=fit(ending.host, DeliveryAttempt, "host"),
        ip=ending.ip,
        tls=fit(ending.tls, DeliveryAttempt, "tls"),
        code=reply.code,
        enhanced=fit(reply.enhanced, DeliveryAttempt, "enhanced"),
        text=fit(reply.text, DeliveryAttempt, "text"),
        dialogue=fit(ending.dialogue, DeliveryAttempt, "dialogue"),
    )
