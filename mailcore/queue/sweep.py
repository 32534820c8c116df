"""Forgetting mail that is delivered or given up, after 30 days: rows, recipients, attempts.

A message goes as a whole once its last recipient has been finished that long, so that a sender's
tracking is never half a story. Its blob is then the collector's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from mailcore.models.queue import DeliveryAttempt, QueuedMessage, QueuedRecipient, State

FINISHED_KEPT = timedelta(days=30)
TERMINAL = (State.DELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED)
_CHUNK = 500


def forget_finished(*, now: datetime) -> int:
    """Remove messages that were finished 30 days ago; return how many. Raises DatabaseError.

    Commits every 500 messages.
    """
    before = now - FINISHED_KEPT
    old = QueuedRecipient.objects.filter(state__in=TERMINAL, finished_at__lt=before)
    count, last = 0, 0
    while True:
        found = old.filter(message_id__gt=last).order_by("message_id").distinct()
        ids = list(found.values_list("message_id", flat=True)[:_CHUNK])
        if not ids:
            return count
        count += _remove(ids, before=before)
        last = ids[-1]


def _remove(ids: list[int], *, before: datetime) -> int:
    """Remove those of the messages that wait for nobody and were finished before."""
    recipients = QueuedRecipient.objects.filter(message_id=OuterRef("pk"))
    kept = recipients.filter(~Q(state__in=TERMINAL) | Q(finished_at__gte=before))
    with transaction.atomic():
        over = QueuedMessage.objects.filter(~Exists(kept), pk__in=ids)
        gone = list(over.values_list("pk", flat=True))
        DeliveryAttempt.objects.filter(recipient__message_id__in=gone).delete()
        QueuedRecipient.objects.filter(message_id__in=gone).delete()
        QueuedMessage.objects.filter(pk__in=gone).only("pk").delete()
    return len(gone)
