"""The message that a draft became, while it waits: what undo and editing start from.

Reads only. Who may see the draft was decided when it was read.
"""

from __future__ import annotations

from uuid import UUID

from mailcore.models.queue import QueuedMessage


def message_id(*, draft_pk: int) -> UUID | None:
    """Return the public id of the newest message that was made of the draft, or None."""
    found = QueuedMessage.objects.filter(draft_id=draft_pk).order_by("-pk")
    return found.values_list("public_id", flat=True).first()
