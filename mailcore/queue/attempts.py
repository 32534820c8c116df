"""The tries at each recipient, host by host: what the sender reads as parcel tracking.

A try is written before connecting (G4) and completed when it is known how it ended. What a peer
said is cut to its column and freed of what a database refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from mailcore import trace
from mailcore.models.queue import DeliveryAttempt
from mailcore.queue.batch import Begun, Tried, longest
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.writer import writer
from mailcore.smtp.status import Result

_HOST, _TLS, _ENHANCED, _TEXT = longest(DeliveryAttempt, "host", "tls", "enhanced", "text")


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
    begun = [Begun(one.recipient_id, trace.fit(one.host, _HOST), one.ip) for one in starts]
    return writer().begin(begun, now=now)


def go_on(endings: Sequence[Ending], *, now: datetime) -> None:
    """Close attempts after which the same try goes on at the next host. Raises DatabaseError."""
    with transaction.atomic():
        writer().write(
            tried=[tried(ending, now=now) for ending in endings],
            events=[event(ending, "attempted", now=now) for ending in endings],
        )


def event(ending: Ending, kind: str, *, now: datetime) -> trace.Entry:
    """Return the trace event of an ending."""
    told = {"host": trace.fit(ending.host, _HOST), "tls": trace.fit(ending.tls, _TLS)}
    detail: dict[str, object] = {name: value for name, value in told.items() if value}
    return trace.Entry(
        trace_id=ending.batch.trace_id,
        at=now,
        kind=kind,
        reverse_path=ending.batch.reverse_path,
        forward_path=ending.recipient.forward_path,
        mailbox_id=ending.batch.mailbox_id,
        peer=ending.ip or ending.host,
        reply=str(ending.result.reply),
        detail=detail or None,
    )


def tried(ending: Ending, *, now: datetime) -> Tried:
    """Return the row of an attempt that ended."""
    reply = ending.result.reply
    return Tried(
        id=ending.attempt_id,
        recipient_id=ending.recipient.id,
        started_at=now - timedelta(milliseconds=ending.duration_ms),
        duration_ms=ending.duration_ms,
        host=trace.fit(ending.host, _HOST),
        ip=ending.ip,
        tls=trace.fit(ending.tls, _TLS),
        code=reply.code,
        enhanced=trace.fit(reply.enhanced, _ENHANCED),
        text=trace.fit(reply.text, _TEXT),
        dialogue=trace.fit(ending.dialogue, None),
    )
