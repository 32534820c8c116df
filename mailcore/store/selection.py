"""Which messages an action on conversations means: those in the folder that is shown.

Reads ids only; the services that change them check the mailbox again.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message

SELECTION_MAX = 5000


def message_ids(*, mailbox: Mailbox, thread_ids: Sequence[UUID], folder_id: int) -> list[UUID]:
    """Return the ids of the messages of these conversations in one folder of this mailbox.

    Oldest first, at most SELECTION_MAX; threads that the mailbox does not have are passed over.
    """
    found = Message.objects.filter(
        mailbox_id=mailbox.pk, folder_id=folder_id, thread__public_id__in=list(thread_ids)
    )
    return list(found.order_by("id").values_list("public_id", flat=True)[:SELECTION_MAX])
