"""Deleting messages for good, from Trash and Junk only (RFC 9051, 6.4.3).

Leaves tombstones, gives the quota back and forgets the words in the search index. The raw octets
go later, when nothing else refers to them: see `sweep` and `rawmail`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Role
from mailcore.models.message import Message, Thread, ThreadRef
from mailcore.store import index, sequence
from mailcore.store.changes import Counters, Row, chunks, expect, messages, rows_of
from mailcore.store.move import bury
from mailcore.store.rows import Done

DESTROYABLE = (Role.TRASH, Role.JUNK)


def destroy(*, mailbox: Mailbox, message_ids: Sequence[UUID], now: datetime | None = None) -> Done:
    """Delete those messages of this mailbox that are in Trash or Junk; others are passed over.

    Cannot be undone: the result has no operation_id.
    """
    now = now or timezone.now()
    count = 0
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            found = messages(mailbox=lock.mailbox, public_ids=chunk)
            rows = rows_of(found.filter(folder__role__in=DESTROYABLE))
            if rows:
                write_destroy(lock, rows, now=now)
            count += len(rows)
    return Done(operation_id=None, count=count)


def write_destroy(lock: sequence.Lock, rows: Sequence[Row], *, now: datetime) -> None:
    """Delete rows under the lock. Raises ChangeMissed."""
    ids = [row.id for row in rows]
    # Held until COMMIT, so that derivation cannot add a search entry in between.
    list(Message.objects.select_for_update().filter(pk__in=ids).values_list("pk", flat=True))
    index.remove(message_ids=ids)
    _, deleted = Message.objects.filter(pk__in=ids).delete()
    expect(deleted.get(Message._meta.label, 0), expected=len(rows))
    counters = Counters()
    for row in rows:
        counters.add_message(row.folder_id, row, sign=-1)
    counters.write(modseq=lock.modseq)
    bury(lock, rows, destroyed=True, now=now)
    lock.add_used(size_bytes=-sum(row.size for row in rows), count=-len(rows))
    _forget_empty_threads({row.thread_id for row in rows}, modseq=lock.modseq)


def _forget_empty_threads(thread_ids: set[int], *, modseq: int) -> None:
    alive = set(
        Message.objects.filter(thread_id__in=thread_ids).values_list("thread_id", flat=True)
    )
    Thread.objects.filter(pk__in=alive).update(modseq=modseq)
    empty = thread_ids - alive
    ThreadRef.objects.filter(thread_id__in=empty).delete()
    Thread.objects.filter(pk__in=empty).delete()
