"""Write down what became of an attempt: the attempt, the next time or the end, the trace.

RFC 5321, 4.5.4.1 and 6.1; RFC 3464. All endings of a call share one transaction, and what a DSN
is due for is reported inside it. Nothing is written for a row whose lease is no longer ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from mailcore import conf, trace
from mailcore.models.queue import DeliveryAttempt, QueuedRecipient, State
from mailcore.queue import schedule
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.destinations import Standing, read_destinations, touch_destination
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result

__all__ = [
    "Ended",
    "Ending",
    "Report",
    "Standing",
    "Start",
    "begin",
    "finish",
    "go_on",
    "read_destinations",
    "touch_destination",
]


@dataclass(frozen=True, slots=True)
class Start:
    """An attempt that is about to be made."""

    recipient_id: int
    host: str
    ip: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt at one recipient ended. `relayed_dsn`: the peer reports success itself."""

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


@dataclass(frozen=True, slots=True)
class Ended:
    """What a DSN may be due for; `state` is delivered, failed, expired or delayed."""

    batch: Batch
    recipient: ClaimedRecipient
    state: str
    reply: Reply
    host: str
    relayed_dsn: bool
    at: datetime


class Report(Protocol):
    """Writes the DSNs inside the open transaction; recipient id -> dsn_outcome."""

    def __call__(self, ended: Sequence[Ended], *, now: datetime) -> Mapping[int, str]: ...


def begin(starts: Sequence[Start], *, now: datetime) -> list[int]:
    """Write the attempts before connecting; return their ids in order."""
    rows = DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(recipient_id=s.recipient_id, started_at=now, host=s.host, ip=s.ip)
        for s in starts
    )
    return [row.pk for row in rows]


def go_on(endings: Sequence[Ending], *, now: datetime) -> None:
    """Close attempts after which the same try goes on at the next host."""
    with transaction.atomic():
        for ending in endings:
            _close(ending)
        trace.record(_event(ending, "attempted", now) for ending in endings)


def finish(
    endings: Sequence[Ending],
    *,
    now: datetime,
    report: Report,
    jitter: Callable[[float, float], float] = random.uniform,
) -> None:
    """Write all endings in one transaction; those whose lease was lost leave no mark.

    Raises django.db.DatabaseError and what `report` raises: then nothing was written.
    """
    with transaction.atomic():
        rows = QueuedRecipient.objects.select_for_update().in_bulk(
            [ending.recipient.id for ending in endings]
        )
        ours = [e for e in endings if rows[e.recipient.id].lease_token == e.batch.token]
        ended: list[Ended] = []
        events: list[trace.Entry] = []
        for ending in ours:
            row = rows[ending.recipient.id]
            kind = _apply(row, ending, now=now, jitter=jitter)
            _close(ending)
            events.append(_event(ending, kind, now))
            if state := _told(row, ending, kind, now):
                ended.append(_ended(ending, state, now))
        told = report(ended, now=now) if ended else {}
        for ending in ours:
            row = rows[ending.recipient.id]
            if row.state != State.QUEUED:
                row.dsn_outcome = told.get(row.pk, "")
            row.save()
        trace.record(events)


def _apply(
    row: QueuedRecipient, ending: Ending, *, now: datetime, jitter: Callable[[float, float], float]
) -> str:
    row.lease_token = row.lease_until = None
    row.attempt_count += 1
    row.last_reply, row.remote_host = str(ending.result.reply)[:1000], ending.host[:255]
    kind = "deferred"
    match ending.result:
        case Delivered():
            kind = row.state = State.DELIVERED
        case Failed():
            kind = row.state = State.FAILED
        case Deferred() if now >= ending.batch.expires_at:
            kind = row.state = State.EXPIRED
    row.finished_at = now if row.state != State.QUEUED else None
    row.next_attempt_at = (
        schedule.next_attempt_at(
            attempt_count=row.attempt_count,
            now=now,
            schedule=conf.retry_schedule(),
            jitter=jitter(-schedule.JITTER, schedule.JITTER),
        )
        if kind == "deferred"
        else None
    )
    return kind


def _told(row: QueuedRecipient, ending: Ending, kind: str, now: datetime) -> str:
    if kind == "deferred":
        due = ending.batch.created_at + conf.delay_dsn_after() <= now
        if due and row.delay_dsn_at is None:
            row.delay_dsn_at = now
            return "delayed"
        return ""
    if kind == "delivered" and "SUCCESS" not in row.notify.upper():
        return ""
    return kind


def _close(ending: Ending) -> None:
    if ending.attempt_id is None:
        return
    reply = ending.result.reply
    DeliveryAttempt.objects.filter(pk=ending.attempt_id).update(
        host=ending.host,
        ip=ending.ip,
        tls=ending.tls,
        dialogue=ending.dialogue,
        duration_ms=ending.duration_ms,
        code=reply.code,
        enhanced=reply.enhanced,
        text=reply.text[:1000],
    )


def _ended(ending: Ending, state: str, now: datetime) -> Ended:
    return Ended(
        batch=ending.batch,
        recipient=ending.recipient,
        state=state,
        reply=ending.result.reply,
        host=ending.host,
        relayed_dsn=ending.relayed_dsn,
        at=now,
    )


def _event(ending: Ending, kind: str, now: datetime) -> trace.Entry:
    return trace.Entry(
        trace_id=ending.batch.trace_id,
        at=now,
        kind=kind,
        reverse_path=ending.batch.reverse_path,
        forward_path=ending.recipient.forward_path,
        peer=ending.ip or ending.host,
        reply=str(ending.result.reply),
    )
