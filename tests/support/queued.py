"""Queued messages as rows, in whatever state a test is about. The queue's services are not used."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from mailcore import rawmail
from mailcore.models.queue import DeliveryAttempt, QueuedMessage, QueuedRecipient
from tests.support.deliveries import NOW, make_message

PREFIX = b"Received: by mx.hamburger.test\r\n"


def make_queued(
    *forward_paths: str,
    reverse_path: str = "alice@hamburger.test",
    state: str = "queued",
    at: datetime = NOW,
    trace_id: uuid.UUID | None = None,
    origin: str = "submission",
    **columns: object,
) -> list[QueuedRecipient]:
    """Make one message with a recipient per path; `columns` are those of every recipient."""
    raw = make_message(message_id=f"{uuid.uuid4()}@m.test")
    blob = rawmail.save(rawmail.prepare(raw), now=at)
    message = QueuedMessage.objects.create(
        reverse_path=reverse_path,
        blob=blob,
        prefix=PREFIX,
        size=len(PREFIX) + len(raw),
        origin=origin,
        trace_id=trace_id or uuid.uuid4(),
        created_at=at,
        expires_at=at + timedelta(days=5),
    )
    due_at = at if state == "queued" else None
    finished_at = None if state in {"queued", "held", "captured"} else at
    given = {"next_attempt_at": due_at, "finished_at": finished_at, "state": state} | columns
    return [
        QueuedRecipient.objects.create(
            message=message, forward_path=path, domain=path.rpartition("@")[2], **given
        )
        for path in forward_paths
    ]


def make_attempt(
    recipient: QueuedRecipient, *, at: datetime = NOW, code: int | None = 451, text: str = "later"
) -> DeliveryAttempt:
    """Make a try that has ended after 20 ms."""
    return DeliveryAttempt.objects.create(
        recipient=recipient,
        started_at=at,
        duration_ms=20,
        host="mx.outside.example",
        ip="192.0.2.1",
        tls="TLSv1.3",
        code=code,
        enhanced="4.3.0",
        text=text,
        dialogue=f"S: {code} {text}",
    )
