"""The twin of a draft in the folder Drafts: a message that other programs see (RFC 9051, \\Draft).

Written when the person pauses or leaves, not at each save; the old twin goes in the same
transaction. The draft itself stays the truth: losing a twin loses nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from mailcore import rawmail
from mailcore.mime.header import scan_header
from mailcore.models.directory import Mailbox
from mailcore.models.ids import uuid7
from mailcore.models.message import Draft, Message
from mailcore.store import folders, sequence
from mailcore.store.changes import rows_of
from mailcore.store.deliver import Copy, Delivery, Stored, deliver_batch
from mailcore.store.drafts import DraftRow
from mailcore.store.expunge import write_destroy

PAUSE = timedelta(seconds=30)
SMALL_BYTES = 1024 * 1024  # with more files than that only leaving writes the twin


def is_due(*, draft: DraftRow, now: datetime) -> bool:
    """Say whether a draft under work should show in the folder again."""
    if draft.message_id is None:
        return True
    written_at = Message.objects.filter(pk=draft.message_id).values_list("received_at", flat=True)
    last = written_at.first()
    return last is None or (now - last >= PAUSE and draft.size_bytes <= SMALL_BYTES)


def write(*, mailbox: Mailbox, draft: DraftRow, content: bytes, now: datetime) -> None:
    """Put `content` into Drafts in place of the old twin. Does nothing when the draft is gone.

    Raises what store and database raise: then nothing has changed.
    """
    folders.ensure_role(mailbox=mailbox, role="drafts")
    prepared, header = rawmail.prepare(content), scan_header(content)
    with transaction.atomic():
        row = Draft.objects.select_for_update().filter(pk=draft.pk, send_token=None).first()
        if row is None:
            return
        copy = Copy(
            mailbox_id=mailbox.pk,
            forward_path="",
            domain_id=None,
            prefix=b"",
            role="drafts",
            is_seen=True,
        )
        delivery = Delivery(
            header=header,
            blob=prepared,
            reverse_path="",
            trace_id=uuid7(),
            received_at=now,
            copies=(copy,),
        )
        stored = deliver_batch([delivery], now=now)[0]
        assert isinstance(stored, Stored)  # inside a transaction errors are raised
        old, row.message = row.message_id, _marked(stored.messages[0])
        row.save(update_fields=["message"])
        _destroy(mailbox, old, now=now)


def twin(*, mailbox: Mailbox, draft_id: UUID) -> UUID | None:
    """Return the public id of a draft's twin, wherever the person has put it, or None."""
    found = Draft.objects.filter(mailbox=mailbox, public_id=draft_id)
    return found.values_list("message__public_id", flat=True).first()


def remove(*, mailbox: Mailbox, draft: DraftRow, now: datetime) -> None:
    """Take the twin out of Drafts: the draft was sent or thrown away."""
    with transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(message=None)
        _destroy(mailbox, draft.message_id, now=now)


def remove_sent(*, mailbox: Mailbox, message_id: int | None, now: datetime) -> None:
    """Take the copy of a message that was taken back out of Sent; its draft has every word."""
    _destroy(mailbox, message_id, role="sent", now=now)


def _marked(public_id: UUID) -> Message:
    Message.objects.filter(public_id=public_id).update(is_draft=True)
    return Message.objects.get(public_id=public_id)


def _destroy(
    mailbox: Mailbox, message_id: int | None, *, role: str = "drafts", now: datetime
) -> None:
    """Delete the old twin, unless the person has moved it out of Drafts."""
    if message_id is None:
        return
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        found = Message.objects.filter(pk=message_id, mailbox=mailbox, folder__role=role)
        rows = rows_of(found)
        if rows:
            write_destroy(lock, rows, now=now)
