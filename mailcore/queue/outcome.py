"""Write down what became of recipients: the attempt, the next time or the end, the trace.

RFC 5321, 4.5.4.1 and 6.1; RFC 3464. All endings of a call share one transaction and a handful of
statements; what a DSN is due for is reported inside it (G5). Nothing is written for a row whose
lease is no longer ours. Queue rows are locked first, in id order; mailboxes after them, in
`report`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from mailcore import conf, trace
from mailcore.live import channel
from mailcore.models.queue import QueuedRecipient, State
from mailcore.queue import attempts, schedule
from mailcore.queue.attempts import Ending, Start, begin, go_on
from mailcore.queue.batch import Outcome, Writer, longest
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.destinations import Standing, read_destinations, touch_destination
from mailcore.queue.writer import writer
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Delivered, Failed

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

Jitter = Callable[[float, float], float]

_DEFERRED = "deferred"
_REPLY, _HOST = longest(QueuedRecipient, "last_reply", "remote_host")


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


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an ending means for its row: `kind` is that of the event, `told` what is reported."""

    ending: Ending
    kind: str
    told: str = ""
    next_attempt_at: datetime | None = None


def finish(
    endings: Sequence[Ending],
    *,
    now: datetime,
    report: Report,
    jitter: Jitter = random.uniform,
) -> None:
    """Write all endings in one transaction; those whose lease was lost leave no mark.

    Reported are failed and expired recipients, delayed ones once, and delivered ones that asked
    for it. Raises django.db.DatabaseError and what `report` raises: then nothing was written.
    """
    with transaction.atomic():
        queue = writer()
        ours = _still_ours(endings, queue)
        if not ours:
            return
        verdicts = _judge(ours, now=now, jitter=jitter)
        ended = [_ended(verdict, now) for verdict in verdicts if verdict.told]
        channel.after_commit((ending.batch.mailbox_id for ending in ours), "sending")
        tried = [attempts.tried(ending, now=now) for ending in ours]
        events = [attempts.event(v.ending, v.kind, now=now) for v in verdicts]
        outcomes: Mapping[int, str] = {}
        if ended:  # rare: the trace tells what happened before it tells who was told of it
            queue.write(tried=tried, events=events)
            tried, events, outcomes = [], [], report(ended, now=now)
        queue.write(
            tried=tried,
            events=events,
            outcomes=[_outcome(verdict, outcomes, now) for verdict in verdicts],
        )


def _still_ours(endings: Iterable[Ending], queue: Writer) -> list[Ending]:
    """Lock the rows and return the endings whose lease they still carry."""
    wanted = {ending.recipient.id: ending for ending in endings}
    tokens = queue.lock(wanted)
    return [e for row_id, e in wanted.items() if tokens.get(row_id) == e.batch.token]


def _judge(endings: Sequence[Ending], *, now: datetime, jitter: Jitter) -> list[_Verdict]:
    # One deviation a batch: its recipients come back together, for one transaction again.
    deviation = {
        ending.batch.token: jitter(-schedule.JITTER, schedule.JITTER) for ending in endings
    }
    return [_verdict(ending, deviation[ending.batch.token], now) for ending in endings]


def _verdict(ending: Ending, deviation: float, now: datetime) -> _Verdict:
    wants = ending.recipient.notify.upper().split(",")
    match ending.result:
        case Delivered():
            return _Verdict(ending, State.DELIVERED, State.DELIVERED if "SUCCESS" in wants else "")
        case Failed():
            return _Verdict(ending, State.FAILED, State.FAILED)
    if now >= ending.batch.expires_at:
        return _Verdict(ending, State.EXPIRED, State.EXPIRED)
    delayed_at = _delayed_at(ending)
    next_attempt_at = schedule.next_attempt_at(
        attempt_count=ending.recipient.attempt_count + 1,
        now=now,
        schedule=conf.retry_schedule(),
        jitter=deviation,
        marks=[at for at in (ending.batch.expires_at, delayed_at) if at is not None],
    )
    is_late = delayed_at is not None and now >= delayed_at
    return _Verdict(ending, _DEFERRED, "delayed" if is_late else "", next_attempt_at)


def _delayed_at(ending: Ending) -> datetime | None:
    """Return when the sender is to learn of the delay; None when told, or not to be told."""
    batch, recipient = ending.batch, ending.recipient
    is_wanted = not recipient.notify or "DELAY" in recipient.notify.upper().split(",")
    if recipient.delay_dsn_at or not batch.reverse_path or not is_wanted:
        return None
    # Its life began when it was due, not when it was written: it may have been put off or held.
    lifetime = schedule.lifetime_of(origin=batch.origin, lifetime=conf.queue_lifetime())
    return max(batch.created_at, batch.expires_at - lifetime) + conf.delay_dsn_after()


def _ended(verdict: _Verdict, now: datetime) -> Ended:
    ending = verdict.ending
    return Ended(
        batch=ending.batch,
        recipient=ending.recipient,
        state=verdict.told,
        reply=ending.result.reply,
        host=ending.host,
        relayed_dsn=ending.relayed_dsn,
        at=now,
    )


def _outcome(verdict: _Verdict, outcomes: Mapping[int, str], now: datetime) -> Outcome:
    ending, recipient = verdict.ending, verdict.ending.recipient
    is_over = verdict.kind != _DEFERRED
    return Outcome(
        id=recipient.id,
        state=verdict.kind if is_over else State.QUEUED,
        dsn_outcome=outcomes.get(recipient.id, "") if is_over else "",
        attempt_count=recipient.attempt_count + 1,
        next_attempt_at=verdict.next_attempt_at,
        delay_dsn_at=now if verdict.told == "delayed" else recipient.delay_dsn_at,
        last_reply=trace.fit(str(ending.result.reply), _REPLY),
        remote_host=trace.fit(ending.host, _HOST),
        finished_at=now if is_over else None,
    )
