"""Builders of queued mail: messages enqueued by the service itself, endings as a runner gives."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from mailcore.models.blob import Blob
from mailcore.models.queue import QueuedRecipient
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.enqueue import Enqueued, Outgoing, Recipient, enqueue
from mailcore.queue.outcome import Ended, Ending
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OK = Delivered(Reply(250, "2.0.0", "Ok: queued as 4F2A"))
BUSY = Deferred(Reply(451, "4.3.2", "Come back later"))
NOBODY = Failed(Reply(550, "5.1.1", "No such user"))


def make_blob(content: bytes = b"Subject: Hello\r\n\r\nHi\r\n") -> Blob:
    """Return a blob of these octets, made when it is not there."""
    digest = hashlib.sha256(content).digest()
    values = {"size": len(content), "stored_size": len(content), "data": content, "used_at": NOW}
    return Blob.objects.get_or_create(sha256=digest, defaults=values)[0]


def queue_message(
    *forward_paths: str | Recipient, now: datetime = NOW, **envelope: Any
) -> Enqueued:
    """Enqueue one message to these forward-paths."""
    blob = make_blob()
    values: dict[str, Any] = {
        "reverse_path": "alice@hamburger.test",
        "blob_id": blob.pk,
        "prefix": b"Received: here\r\n",
        "size": blob.size + 16,
        "origin": "submission",
        "trace_id": uuid.uuid4(),
        **envelope,
    }
    recipients = [Recipient(p) if isinstance(p, str) else p for p in forward_paths]
    with transaction.atomic():
        return enqueue(outgoing=Outgoing(**values), recipients=recipients, now=now)


def queue_many(count: int, domain: str, *, now: datetime = NOW) -> None:
    """Enqueue `count` messages with one recipient each at `domain`."""
    for number in range(count):
        queue_message(f"u{number}@{domain}", now=now)


def row_of(forward_path: str) -> QueuedRecipient:
    """Return the one row of a forward-path as it is now."""
    return QueuedRecipient.objects.select_related("message").get(forward_path=forward_path)


def ending(
    batch: Batch, result: Result, *, recipient: ClaimedRecipient | None = None, **values: Any
) -> Ending:
    """Return an ending of one recipient of a batch, the first unless told."""
    values = {"attempt_id": None, "host": "mx.outside.example", "ip": "192.0.2.25", **values}
    return Ending(batch=batch, recipient=recipient or batch.recipients[0], result=result, **values)


class Reports:
    """Stands where DSNs are written: keeps what was reported and answers with one outcome."""

    def __init__(self, outcome: str = "sent") -> None:
        self.outcome = outcome
        self.ended: list[Ended] = []

    def __call__(self, ended: Sequence[Ended], *, now: datetime) -> dict[int, str]:
        self.ended += ended
        return {entry.recipient.id: self.outcome for entry in ended}

    @property
    def states(self) -> list[str]:
        """What was reported, in order."""
        return [entry.state for entry in self.ended]


def no_jitter(low: float, high: float) -> float:
    """Return no deviation, whatever is allowed."""
    return 0.0


def minutes(count: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)
