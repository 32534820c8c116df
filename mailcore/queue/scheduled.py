"""What was put off (undo send, send later), and the moment at which it leaves.

Also what a submission needs of rows that were born delivered: their success DSN (RFC 3461, 5.2.2).
Runs inside the caller's transaction. Stores no mail: that is `delivery.submit`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.queue import wake
from mailcore.queue.claim import LEASE, Batch, ClaimedRecipient
from mailcore.queue.outcome import Ended, Report
from mailcore.smtp.reply import Reply

STORED = Reply(250, "2.1.5", "Stored in the mailbox")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message whose time has come: `batch` are its local rows, under a lease of the caller.

    `forward_paths` are those of the submission that are still to be served. `is_undated` until it
    was let go once.
    """

    batch: Batch
    forward_paths: tuple[str, ...]
    is_undated: bool


def take(*, message_id: int, now: datetime) -> Waiting | None:
    """Lock a message that waits, and take its local rows from whoever has claimed them.

    None when its time has not come, or nothing of it waits any more.
    """
    come = Q(not_before=None) | Q(not_before__lte=now)
    message = QueuedMessage.objects.select_for_update().filter(come, pk=message_id).first()
    if message is None:
        return None
    rows = list(_waiting(message_id).select_for_update().order_by("pk"))
    local = [row for row in rows if row.route == "local"]
    is_undated = message.not_before is not None
    if not local and not (rows and is_undated):
        return None
    token = uuid.uuid4()
    QueuedRecipient.objects.filter(pk__in=[row.pk for row in local]).update(
        lease_token=token, lease_until=now + LEASE
    )
    return Waiting(
        batch=_batch(message, local, token=token),
        forward_paths=tuple(row.original_forward_path or row.forward_path for row in rows),
        is_undated=is_undated,
    )


def let_go(
    *, message_id: int, prefix: bytes, size: int, sent_message_id: int | None, now: datetime
) -> None:
    """Make a message one like any other: dated, its remote rows due at once.

    Leases on them end: whoever claimed them holds the message without its date.
    """
    QueuedMessage.objects.filter(pk=message_id).update(
        prefix=prefix, size=size, sent_message_id=sent_message_id, not_before=None
    )
    remote = _waiting(message_id).exclude(route="local")
    if remote.update(lease_token=None, lease_until=None, next_attempt_at=now):
        wake.after_commit()


def report_stored(*, message_id: int, now: datetime, report: Report) -> None:
    """Write the success DSNs that are due for rows born delivered."""
    rows = list(
        QueuedRecipient.objects.filter(
            message=message_id, state=State.DELIVERED, notify__contains="SUCCESS", dsn_outcome=""
        ).select_related("message")
    )
    outcomes = report([_ended(row, now) for row in rows], now=now) if rows else {}
    for pk, outcome in outcomes.items():
        QueuedRecipient.objects.filter(pk=pk).update(dsn_outcome=outcome)


def _waiting(message_id: int) -> QuerySet[QueuedRecipient]:
    return QueuedRecipient.objects.filter(message=message_id, state=State.QUEUED)


def _batch(message: QueuedMessage, rows: Sequence[QueuedRecipient], *, token: uuid.UUID) -> Batch:
    """Return the value for local rows of any domain: nothing of it goes over a wire."""
    return Batch(
        token=token,
        domain="",
        route="local",
        message_id=message.pk,
        public_id=message.public_id,
        reverse_path=message.reverse_path,
        blob_id=message.blob_id,
        prefix=bytes(message.prefix),
        size=message.size,
        smtputf8=message.smtputf8,
        body_8bit=message.body_8bit,
        envid=message.envid,
        ret=message.ret,
        origin=message.origin,
        submitter_id=message.submitter_id,
        trace_id=message.trace_id,
        created_at=message.created_at,
        expires_at=message.expires_at,
        not_before=message.not_before,
        recipients=tuple(
            ClaimedRecipient(
                id=row.pk,
                public_id=row.public_id,
                forward_path=row.forward_path,
                original_forward_path=row.original_forward_path,
                notify=row.notify,
                orcpt=row.orcpt,
                attempt_count=row.attempt_count,
                delay_dsn_at=row.delay_dsn_at,
            )
            for row in rows
        ),
        mailbox_id=message.mailbox_id,
    )


def _ended(row: QueuedRecipient, now: datetime) -> Ended:
    batch = _batch(row.message, [row], token=uuid.uuid4())
    return Ended(
        batch=batch,
        recipient=batch.recipients[0],
        state="delivered",
        reply=STORED,
        host="",
        relayed_dsn=False,
        at=now,
    )
