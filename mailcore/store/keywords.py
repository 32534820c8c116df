"""Keywords that the system sets and that are no label: $Forwarded (RFC 9051, 2.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.message import Keyword
from mailcore.store import sequence
from mailcore.store.changes import chunks, messages
from mailcore.store.labels import LabelRefused, changing, free_bit, write_label

FORWARDED = "$Forwarded"


def set_forwarded(*, mailbox: Mailbox, message_ids: Sequence[UUID]) -> None:
    """Mark messages of this mailbox as forwarded, which nobody undoes by itself.

    A mailbox whose 63 keywords are all labels keeps no such mark.
    """
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            bit = _bit(lock.mailbox, FORWARDED)
            if bit is None:
                return
            rows = changing(messages(mailbox=lock.mailbox, public_ids=chunk), bit, value=True)
            if rows:
                write_label(rows, bit, value=True, modseq=lock.modseq)


def _bit(mailbox: Mailbox, name: str) -> int | None:
    """Return the keyword's bit, taking the first free one; None when there is none. Under lock."""
    used = dict(Keyword.objects.filter(mailbox_id=mailbox.pk).values_list("name", "bit"))
    if name in used:
        return used[name]
    try:
        free = free_bit(used.values())
    except LabelRefused:
        return None
    Keyword.objects.create(mailbox_id=mailbox.pk, name=name, bit=free)
    return free
