"""Which Sent copies a search for `delivery:` means: by what became of their recipients.

Known while the queue keeps its rows: 30 days after the last recipient is done (`sweep`).
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.queue.control import LOST as IS_LOST

MESSAGES_MAX = 5000


def fates(*, mailbox_id: int) -> dict[str, tuple[int, ...]]:
    """Return the keys of Sent copies by fate, each the newest MESSAGES_MAX; three statements.

    `failed` has lost a recipient, `delayed` has one that was tried and waits, `delivered` has
    reached everybody as far as anybody told.
    """
    own = QueuedRecipient.objects.filter(message=OuterRef("pk"))
    is_lost = Q(Exists(own.filter(IS_LOST)))
    conditions = {
        "failed": is_lost,
        "delayed": Q(Exists(own.filter(state=State.QUEUED, attempt_count__gt=0))),
        "delivered": Q(Exists(own)) & ~Q(Exists(own.exclude(state=State.DELIVERED))) & ~is_lost,
    }
    mine = QueuedMessage.objects.filter(mailbox_id=mailbox_id, sent_message__isnull=False)
    newest = mine.order_by("-pk").values_list("sent_message_id", flat=True)
    return {
        fate: tuple(newest.filter(condition)[:MESSAGES_MAX])
        for fate, condition in conditions.items()
    }
