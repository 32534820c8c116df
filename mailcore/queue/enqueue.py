"""Put a message into the queue, in the transaction of whoever accepted it (RFC 5321, 4.5.4).

Only writes rows; claiming and sending belong to the runner. A forward keeps the reverse-path, so
that the bounce goes to the one who wrote (RFC 5321, 3.9.1).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailcore import conf
from mailcore.models.queue import QueuedMessage, QueuedRecipient


@dataclass(frozen=True, slots=True)
class Recipient:
    """One forward-path to send to; `original` is the alias it was expanded from."""

    forward_path: str
    original: str = ""
    notify: str = ""
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What all recipients share: the envelope (RFC 5321, 2.3.1; RFC 3461) and the octets."""

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


def enqueue(*, outgoing: Outgoing, recipients: Sequence[Recipient], now: datetime) -> None:
    """Write one QueuedMessage with a QueuedRecipient per forward-path, due at once.

    Call it inside the transaction that makes the message ours. `size` is prefix plus blob, octets.
    """
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
        created_at=now,
        expires_at=now + conf.queue_lifetime(),
    )
    QueuedRecipient.objects.bulk_create(
        QueuedRecipient(
            message=message,
            forward_path=recipient.forward_path,
            original_forward_path=recipient.original,
            domain=recipient.forward_path.rpartition("@")[2],
            notify=recipient.notify,
            orcpt=recipient.orcpt,
            next_attempt_at=now,
        )
        for recipient in recipients
    )
