"""Muting conversations: what comes later goes to the archive and calls nobody.

The thread is what is muted, so that new mail finds it with its references (`batch`). Its messages
leave the inbox at once; none is marked as read. Reports about one's own mail (RFC 3464) still
reach the inbox. IMAP's `$muted` keyword would be read from the thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Role
from mailcore.models.message import Message, Thread
from mailcore.store import folders, sequence
from mailcore.store.changes import Row, chunks, messages, rows_of
from mailcore.store.move import origins, write_move
from mailcore.store.operations import Operation
from mailcore.store.rows import Done


def set_muted(
    *, mailbox: Mailbox, message_ids: Sequence[UUID], value: bool, now: datetime | None = None
) -> Done:
    """Mute the conversations of these messages, or end that; the answer counts conversations.

    Messages that this mailbox does not have are passed over. Muting archives what is in the
    inbox; its end moves nothing back, undo does.
    """
    now = now or timezone.now()
    archive_id = archive(mailbox) if value else None
    operation = Operation(mailbox, "mute", {"value": value, "folder": archive_id}, now)
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            rows = rows_of(messages(mailbox=lock.mailbox, public_ids=chunk))
            groups, count = write_muted(lock, rows, value, archive_id=archive_id, now=now)
            if groups:
                operation.add(groups, count=count)
    return operation.done()


def archive(mailbox: Mailbox) -> int:
    """Return the id of the folder that muted mail goes to, which is made if missing."""
    return folders.ensure_role(mailbox=mailbox, role=Role.ARCHIVE)


def write_muted(
    lock: sequence.Lock,
    rows: Iterable[Row],
    value: bool,
    *,
    archive_id: int | None,
    now: datetime,
) -> tuple[list[dict[str, Any]], int]:
    """Change the conversations of the rows, whole ones, under the lock.

    Returns what undoes it and how many conversations were not so already. Raises FolderGone.
    """
    ids = {row.thread_id for row in rows}
    found = Thread.objects.filter(mailbox_id=lock.mailbox.pk, pk__in=ids, is_muted=not value)
    changing = sorted(found.values_list("pk", flat=True))
    if not changing:
        return [], 0
    Thread.objects.filter(pk__in=changing).update(is_muted=value, modseq=lock.modseq)
    groups: list[dict[str, Any]] = [{"ids": changing}]
    if archive_id is not None:
        inside = Message.objects.filter(
            mailbox_id=lock.mailbox.pk, thread_id__in=changing, folder__role=Role.INBOX
        )
        moving = rows_of(inside)
        write_move(lock, moving, folder_id=archive_id, now=now)
        groups += origins(moving)
    return groups, len(changing)


def restore_muted(lock: sequence.Lock, ids: Sequence[int], value: bool) -> int:
    """Take back that conversations became `value`; those that are not so any more stay."""
    found = Thread.objects.filter(mailbox_id=lock.mailbox.pk, pk__in=ids, is_muted=value)
    return found.update(is_muted=not value, modseq=lock.modseq)
