"""Put a message into the queue, in the transaction of whoever accepted it (RFC 5321, 4.5.4).

Only writes rows; claiming and sending belong to the runner, which is woken after COMMIT. A forward
keeps the reverse-path, so that the bounce goes to the one who wrote (RFC 5321, 3.9.1).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailcore import conf, trace
from mailcore.live import channel
from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.queue import schedule, wake

_ROUTES = {"direct": "mx", "smarthost": "smarthost", "capture": "captured"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One forward-path to send to; `original` is the alias it was expanded from.

    An empty `route` is the one of OUTBOUND_MODE; `local` is one of our mailboxes. What was stored
    in a mailbox in this transaction is born delivered.
    """

    forward_path: str
    original: str = ""
    notify: str = ""
    orcpt: str = ""
    route: str = ""
    is_delivered: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What all recipients share: the envelope (RFC 5321, 2.3.1; RFC 3461) and the octets.

    Nothing is due before `not_before`. `size` is prefix plus blob, octets. `mailbox_id` is the one
    in whose name it was submitted: its people see the tracking.
    """

    reverse_path: str
    blob_id: int
    prefix: bytes
    size: int
    origin: str
    trace_id: uuid.UUID
    smtputf8: bool = False
    body_8bit: bool = False
    envid: str = ""
    ret: str = ""
    not_before: datetime | None = None
    submitter_id: int | None = None
    draft_id: int | None = None
    sent_message_id: int | None = None
    mailbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The row of the message; `public_id` is what URLs name."""

    message_id: int
    public_id: uuid.UUID


def enqueue(*, outgoing: Outgoing, recipients: Sequence[Recipient], now: datetime) -> Enqueued:
    """Write one QueuedMessage with a QueuedRecipient per forward-path and trace each.

    Call it inside the transaction that makes the message ours; the runner is told after COMMIT,
    once a transaction. In the mode `capture` nothing leaves: the rows are captured, or will be
    when `not_before` has come. Raises django.db.DatabaseError.
    """
    due_at = max(now, outgoing.not_before or now)
    lifetime = schedule.lifetime_of(origin=outgoing.origin, lifetime=conf.queue_lifetime())
    message = QueuedMessage.objects.create(
        reverse_path=outgoing.reverse_path,
        blob_id=outgoing.blob_id,
        prefix=outgoing.prefix,
        size=outgoing.size,
        origin=outgoing.origin,
        trace_id=outgoing.trace_id,
        smtputf8=outgoing.smtputf8,
        body_8bit=outgoing.body_8bit,
        envid=outgoing.envid,
        ret=outgoing.ret,
        submitter_id=outgoing.submitter_id,
        draft_id=outgoing.draft_id,
        sent_message_id=outgoing.sent_message_id,
        mailbox_id=outgoing.mailbox_id,
        created_at=now,
        not_before=outgoing.not_before,
        expires_at=due_at + lifetime,
    )
    rows = [_row(message, recipient, due_at=due_at, now=now) for recipient in recipients]
    QueuedRecipient.objects.bulk_create(rows)
    trace.record(_events(message, rows, now=now))
    channel.after_commit([message.mailbox_id], "sending")
    if any(row.state == State.QUEUED for row in rows):
        wake.after_commit()
    return Enqueued(message.pk, message.public_id)


def _row(
    message: QueuedMessage, recipient: Recipient, *, due_at: datetime, now: datetime
) -> QueuedRecipient:
    route = recipient.route or _ROUTES[conf.outbound_mode()]
    state = State.QUEUED
    if recipient.is_delivered:
        state = State.DELIVERED
    elif route == "captured" and due_at <= now:
        state = State.CAPTURED
    return QueuedRecipient(
        message=message,
        forward_path=recipient.forward_path,
        original_forward_path=recipient.original,
        route=route,
        domain=recipient.forward_path.rpartition("@")[2].lower(),
        notify=recipient.notify,
        orcpt=recipient.orcpt,
        state=state,
        next_attempt_at=due_at if state == State.QUEUED else None,
        finished_at=now if state == State.DELIVERED else None,
    )


def _events(
    message: QueuedMessage, rows: Iterable[QueuedRecipient], *, now: datetime
) -> list[trace.Entry]:
    """Return `queued` or `captured` of each row; one born delivered has its `stored` already."""
    return [
        trace.Entry(
            trace_id=message.trace_id,
            at=now,
            kind=row.state,
            reverse_path=message.reverse_path,
            forward_path=row.forward_path,
            mailbox_id=message.mailbox_id,
        )
        for row in rows
        if row.state != State.DELIVERED
    ]
