"""Moving messages between folders of a mailbox (RFC 6851; RFC 7162 for tombstones).

A moved message keeps its row, public_id and flags, takes a new UID in the target and leaves a
tombstone behind. Order is kept. Copying to another mailbox is not done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Tombstone
from mailcore.store import batch_move, folders, sequence
from mailcore.store.changes import (
    Counters,
    FolderGone,
    Row,
    chunks,
    expect,
    messages,
    rows_of,
)
from mailcore.store.operations import Operation
from mailcore.store.rows import Done


def move(
    *,
    mailbox: Mailbox,
    message_ids: Sequence[UUID],
    folder_id: int,
    now: datetime | None = None,
) -> Done:
    """Move messages of this mailbox into a folder of it.

    Messages that are there already, or that the mailbox does not have, are passed over.
    Raises FolderGone; chunks of 500 that were moved before that stay moved.
    """
    now = now or timezone.now()
    operation = Operation(mailbox, "move", {"folder": folder_id}, now)
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            found = messages(mailbox=lock.mailbox, public_ids=chunk)
            rows = rows_of(found.exclude(folder_id=folder_id))
            write_move(lock, rows, folder_id=folder_id, now=now)
            if rows:
                operation.add(origins(rows), count=len(rows))
    return operation.done()


def to_role(
    *,
    mailbox: Mailbox,
    message_ids: Sequence[UUID],
    role: Literal["archive", "trash", "junk", "inbox"],
    now: datetime | None = None,
) -> Done:
    """Move messages into the folder with a special use (RFC 6154), which is made if missing."""
    folder_id = folders.ensure_role(mailbox=mailbox, role=role)
    return move(mailbox=mailbox, message_ids=message_ids, folder_id=folder_id, now=now)


def write_move(lock: sequence.Lock, rows: Sequence[Row], *, folder_id: int, now: datetime) -> None:
    """Move rows that are elsewhere into the folder, under the lock.

    Raises FolderGone when this mailbox has no such folder, ChangeMissed.
    """
    target = Folder.objects.filter(pk=folder_id, mailbox_id=lock.mailbox.pk).first()
    if target is None:
        raise FolderGone(f"folder {folder_id}")
    if not rows:
        return
    uids = {row.id: uid for uid, row in enumerate(rows, start=target.uidnext)}
    changed = batch_move.place(uids=uids, folder_id=folder_id, modseq=lock.modseq)
    expect(changed, expected=len(rows))
    Folder.objects.filter(pk=folder_id).update(uidnext=F("uidnext") + len(rows))
    counters = Counters()
    for row in rows:
        counters.add_message(row.folder_id, row, sign=-1)
        counters.add_message(folder_id, row, sign=1)
    counters.write(modseq=lock.modseq)
    bury(lock, rows, destroyed=False, now=now)


def bury(lock: sequence.Lock, rows: Sequence[Row], *, destroyed: bool, now: datetime) -> None:
    """Leave a tombstone for every row where it was (VANISHED, RFC 7162, 3.2.10)."""
    Tombstone.objects.bulk_create(
        Tombstone(
            mailbox_id=lock.mailbox.pk,
            folder_id=row.folder_id,
            uid=row.uid,
            modseq=lock.modseq,
            message_pk=row.id,
            message_public_id=row.public_id,
            destroyed=destroyed,
            at=now,
        )
        for row in rows
    )


def origins(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Group rows by the folder that they came from: the steps that undo a move."""
    groups: dict[int, list[int]] = {}
    for row in rows:
        groups.setdefault(row.folder_id, []).append(row.id)
    return [{"folder": folder_id, "ids": ids} for folder_id, ids in groups.items()]
