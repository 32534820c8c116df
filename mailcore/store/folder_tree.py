"""Where folders stand: below which parent, in which order, and deleting one with all below it.

A folder with a role stays at the root and cannot be deleted (RFC 6154). What lies in deleted
folders goes to Trash, in chunks; the folders go last, each with its FolderTombstone, so that after
a crash they are still there. Making and naming is in `folders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, FolderTombstone, Role
from mailcore.models.message import Message
from mailcore.store import folders, sequence
from mailcore.store.changes import CHUNK, rows_of
from mailcore.store.folders import DEPTH_MAX, FolderRefused
from mailcore.store.move import write_move


def nest(*, mailbox: Mailbox, folder_id: UUID, parent_id: UUID | None) -> None:
    """Put an ordinary folder, with all below it, into another one; None is the root.

    Raises FolderRefused: role, cycle (into itself or what is below it), depth, taken; FolderGone.
    """
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        folder = folders.get(lock.mailbox, folder_id)
        parent = folders.get(lock.mailbox, parent_id) if parent_id else None
        if folder.role:
            raise FolderRefused("role")
        if folder.parent_id == (parent.pk if parent else None):
            return
        below = _below(lock.mailbox, folder)
        if parent is not None and parent.pk in {row.pk for level in below for row in level}:
            raise FolderRefused("cycle")
        if parent is not None and folders.depth(parent) + len(below) >= DEPTH_MAX:
            raise FolderRefused("depth")
        folders.refuse_taken(lock.mailbox, parent, folder.name, but=folder.pk)
        Folder.objects.filter(pk=folder.pk).update(
            parent=parent, position=folders.last_position(lock.mailbox, parent), **_stamp(lock)
        )


def shift(*, mailbox: Mailbox, folder_id: UUID, by: Literal[-1, 1]) -> bool:
    """Let an ordinary folder change places with the one before (-1) or after it (1).

    Returns False for the first or the last. Raises FolderRefused("role"), FolderGone.
    """
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        folder = folders.get(lock.mailbox, folder_id)
        if folder.role:
            raise FolderRefused("role")
        siblings = _in_order(lock.mailbox, folder.parent)
        at = next(place for place, row in enumerate(siblings) if row.pk == folder.pk)
        if not 0 <= at + by < len(siblings):
            return False
        siblings[at], siblings[at + by] = siblings[at + by], siblings[at]
        for position, row in enumerate(siblings, 1):
            if row.position != position:
                Folder.objects.filter(pk=row.pk).update(position=position, **_stamp(lock))
        return True


def delete(*, mailbox: Mailbox, folder_id: UUID, now: datetime | None = None) -> int:
    """Delete an ordinary folder and all below it; return how many messages went to Trash.

    Raises FolderRefused("role"), FolderGone.
    """
    now = now or timezone.now()
    trash_id = folders.ensure_role(mailbox=mailbox, role=Role.TRASH)
    count = 0
    while True:
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            levels = _below(lock.mailbox, folders.get(lock.mailbox, folder_id))
            ids = [row.pk for level in levels for row in level]
            if any(row.role for level in levels for row in level):
                raise FolderRefused("role")
            held = Message.objects.filter(folder_id__in=ids).order_by("pk")
            rows = rows_of(
                Message.objects.filter(pk__in=list(held.values_list("pk", flat=True)[:CHUNK]))
            )
            if not rows:
                _forget(lock, [row for level in reversed(levels) for row in level], now=now)
                return count
            write_move(lock, rows, folder_id=trash_id, now=now)
        count += len(rows)


def message_count(*, mailbox: Mailbox, folder_id: UUID) -> tuple[int, int]:
    """Return how many messages and how many folders deleting would take. Raises FolderGone."""
    levels = _below(mailbox, folders.get(mailbox, folder_id))
    rows = [row for level in levels for row in level]
    return sum(row.total_count for row in rows), len(rows)


def _in_order(mailbox: Mailbox, parent: Folder | None) -> list[Folder]:
    siblings = Folder.objects.filter(mailbox_id=mailbox.pk, parent=parent, role=Role.NONE)
    return sorted(siblings, key=lambda row: (row.position, row.name.casefold()))


def _below(mailbox: Mailbox, folder: Folder) -> list[list[Folder]]:
    """Return the folder and what is below it, a list for each level."""
    children: dict[int | None, list[Folder]] = {}
    for row in Folder.objects.filter(mailbox_id=mailbox.pk):
        children.setdefault(row.parent_id, []).append(row)
    levels = [[folder]]
    while below := [child for row in levels[-1] for child in children.get(row.pk, ())]:
        levels.append(below)
    return levels


def _forget(lock: sequence.Lock, rows: Sequence[Folder], *, now: datetime) -> None:
    FolderTombstone.objects.bulk_create(
        FolderTombstone(
            mailbox=lock.mailbox,
            folder_public_id=row.public_id,
            uidvalidity=row.uidvalidity,
            modseq=lock.modseq,
            at=now,
        )
        for row in rows
    )
    for row in rows:
        row.delete()


def _stamp(lock: sequence.Lock) -> dict[str, int]:
    return {"modseq": lock.modseq, "highest_modseq": lock.modseq}
