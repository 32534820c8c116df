"""What people do with the queue: hold, release, cancel, retry, expire, dismiss, free captured mail.

Each locks the rows that are in the right state, changes them and traces it, in one transaction. A
row that a runner holds under a lease is never touched: whoever asks again a minute later finds it
free. Who may ask is the caller's to decide.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from mailcore import conf, trace
from mailcore.live import channel
from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.queue import schedule, wake
from mailcore.queue.claim import Batch, batch_of
from mailcore.queue.outcome import Ended, Report
from mailcore.smtp.reply import Reply

LOST = Q(state__in=[State.FAILED, State.EXPIRED]) | Q(reported_action="failed")
_OPEN = (State.QUEUED, State.HELD, State.CAPTURED)
_GIVEN_UP = Reply(554, "5.4.7", "Given up by the administrator")


@dataclass(frozen=True, slots=True)
class Which:
    """The rows that are meant: recipients by public id, or all of a message by its public id."""

    recipients: Collection[uuid.UUID] = ()
    message: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that was taken back before anything of it went out."""

    message_id: int
    draft_id: int | None
    sent_message_id: int | None
    recipient_count: int


def hold(*, which: Which, now: datetime, by: str = "") -> int:
    """Keep queued rows back until they are released; return how many."""
    with transaction.atomic():
        rows = _lock(which, Q(state=State.QUEUED), now=now)
        return _change(rows, "held", now, by, state=State.HELD, next_attempt_at=None)


def release(*, which: Which, now: datetime, by: str = "") -> int:
    """Let held rows go, due at once, with a full lifetime; return how many."""
    with transaction.atomic():
        rows = _lock(which, Q(state=State.HELD), now=now)
        return _let_go(rows, now, by)


def release_captured(*, which: Which, now: datetime, by: str = "") -> int:
    """Send captured rows to their real destinations, due at once; return how many."""
    with transaction.atomic():
        rows = _lock(which, Q(state=State.CAPTURED), now=now)
        return _let_go(rows, now, by, route="mx")


def retry_now(*, which: Which, now: datetime, by: str = "") -> int:
    """Make waiting rows due at once; return how many. A time that the sender chose is kept."""
    undated = Q(message__not_before=None) | Q(message__not_before__lte=now)
    with transaction.atomic():
        rows = _lock(which, undated & Q(state=State.QUEUED, next_attempt_at__gt=now), now=now)
        wake.after_commit()
        return _change(rows, "queued", now, by, next_attempt_at=now)


def cancel(*, which: Which, now: datetime, by: str = "") -> int:
    """End rows that nobody holds under a lease; return how many. No DSN is due: `by` knows."""
    with transaction.atomic():
        return _end(_lock(which, Q(state__in=_OPEN), now=now), State.CANCELLED, now, by)


def cancel_unsent(*, message: uuid.UUID, now: datetime, by: str = "") -> Unsent | None:
    """Cancel all recipients of a message, or none when one was begun or has ended: undo send."""
    with transaction.atomic():
        rows = _lock(Which(message=message), Q(), now=now)
        if not rows or len(rows) < rows[0].message.recipients.count():
            return None
        if any(row.attempt_count or row.state not in _OPEN for row in rows):
            return None
        _end(rows, State.CANCELLED, now, by)
        of = rows[0].message
        return Unsent(of.pk, of.draft_id, of.sent_message_id, len(rows))


def dismiss(*, which: Which, now: datetime) -> int:
    """Take recipients that were not reached off the outbox; return how many. Tracking stays."""
    with transaction.atomic():
        rows = _lock(which, LOST & Q(dismissed_at=None), now=now)
        found = QueuedRecipient.objects.filter(pk__in=[row.pk for row in rows])
        channel.after_commit((row.message.mailbox_id for row in rows), "sending")
        return found.update(dismissed_at=now)


def expire(*, which: Which, now: datetime, report: Report, by: str = "") -> int:
    """Give rows up now, with the DSN that is due (RFC 3464); return how many."""
    with transaction.atomic():
        rows = _lock(which, Q(state__in=_OPEN), now=now)
        if rows:
            _end(rows, State.EXPIRED, now, by)
            outcomes = report(_given_up(rows, now), now=now)
            for outcome in set(outcomes.values()):
                some = [pk for pk, written in outcomes.items() if written == outcome]
                QueuedRecipient.objects.filter(pk__in=some).update(dsn_outcome=outcome)
    return len(rows)


def capture(*, batch: Batch, now: datetime) -> int:
    """Keep a claimed batch of the route `captured`, whose time has come; return how many rows."""
    with transaction.atomic():
        mine = Q(state=State.QUEUED, lease_token=batch.token)
        rows = _lock(Which(message=batch.public_id), mine, now=now, leased=True)
        return _change(rows, "captured", now, "", state=State.CAPTURED, next_attempt_at=None)


def hold_leased(*, batch: Batch, now: datetime, by: str) -> int:
    """Keep back what a runner still holds of a batch, until a person looks; return how many.

    For rows whose outcome nothing can write: their mail would go out again with every lease.
    """
    with transaction.atomic():
        mine = Q(state=State.QUEUED, lease_token=batch.token)
        rows = _lock(Which(message=batch.public_id), mine, now=now, leased=True)
        return _change(rows, "held", now, by, state=State.HELD, next_attempt_at=None)


def _lock(
    which: Which, condition: Q, *, now: datetime, leased: bool = False
) -> list[QueuedRecipient]:
    """Lock the rows that are meant, in id order, without those under a lease unless `leased`."""
    chosen = Q(public_id__in=list(which.recipients))
    if which.message is not None:
        found = QueuedMessage.objects.filter(public_id=which.message)
        chosen |= Q(message__in=list(found.values_list("pk", flat=True)))
    if not leased:
        condition &= Q(lease_until=None) | Q(lease_until__lte=now)
    rows = QueuedRecipient.objects.select_for_update(of=("self",)).select_related("message")
    return list(rows.filter(chosen & condition).order_by("pk"))


def _change(
    rows: Sequence[QueuedRecipient], kind: str, now: datetime, by: str, **values: Any
) -> int:
    QueuedRecipient.objects.filter(pk__in=[row.pk for row in rows]).update(
        lease_token=None, lease_until=None, **values
    )
    trace.record(
        trace.Entry(
            trace_id=row.message.trace_id,
            at=now,
            kind=kind,
            reverse_path=row.message.reverse_path,
            forward_path=row.forward_path,
            mailbox_id=row.message.mailbox_id,
            detail={"by": by} if by else None,
        )
        for row in rows
    )
    channel.after_commit((row.message.mailbox_id for row in rows), "sending")
    return len(rows)


def _let_go(rows: Sequence[QueuedRecipient], now: datetime, by: str, **values: Any) -> int:
    """Make rows due that waited for a person: that time does not count against their lifetime."""
    for message in {row.message_id: row.message for row in rows}.values():
        due_at = max(now, message.not_before or now)
        lifetime = schedule.lifetime_of(origin=message.origin, lifetime=conf.queue_lifetime())
        message.expires_at = max(message.expires_at, due_at + lifetime)
        message.save(update_fields=["expires_at"])
        its_rows = [row for row in rows if row.message_id == message.pk]
        _change(its_rows, "released", now, by, state=State.QUEUED, next_attempt_at=due_at, **values)
    wake.after_commit()
    return len(rows)


def _end(
    rows: Sequence[QueuedRecipient], state: State, now: datetime, by: str, **values: Any
) -> int:
    return _change(
        rows, state.value, now, by, state=state, next_attempt_at=None, finished_at=now, **values
    )


def _given_up(rows: Sequence[QueuedRecipient], now: datetime) -> list[Ended]:
    # One batch a row: nothing is on its way, so that no lease and no grouping is told.
    batches = [batch_of(uuid.uuid4(), [row], {row.message_id: row.message}) for row in rows]
    return [
        Ended(
            batch=batch,
            recipient=batch.recipients[0],
            state="expired",
            reply=_GIVEN_UP,
            host="",
            relayed_dsn=False,
            at=now,
        )
        for batch in batches
    ]
