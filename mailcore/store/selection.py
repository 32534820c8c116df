"""Which messages an action on conversations means: those that the list shows (`matching.View`).

Reads ids only; the services that change them check the mailbox again.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store.matching import View, matching

SELECTION_MAX = 5000


def inside(*, mailbox: Mailbox, message_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of these messages that are in this mailbox; none of none without a query."""
    if not message_ids:
        return []
    found = Message.objects.filter(mailbox_id=mailbox.pk, public_id__in=list(message_ids))
    return list(found.order_by("id").values_list("public_id", flat=True))


def message_ids(*, mailbox: Mailbox, thread_ids: Sequence[UUID], view: View) -> list[UUID]:
    """Return the ids of the messages of these conversations in the folder of a view, or in all.

    Filters do not narrow: a conversation is the whole of it. Oldest first, at most SELECTION_MAX;
    threads that the mailbox does not have are passed over.
    """
    place = View(folder_id=view.folder_id, is_without_own=view.is_without_own)
    found = Message.objects.filter(
        matching(mailbox=mailbox, view=place),
        mailbox_id=mailbox.pk,
        thread__public_id__in=list(thread_ids),
    )
    return list(found.order_by("id").values_list("public_id", flat=True)[:SELECTION_MAX])
