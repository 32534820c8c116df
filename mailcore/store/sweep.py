"""Forgetting what is no longer needed: old keys, caches, tombstones, Trash and Junk, blobs.

Every sweep commits in chunks and can be stopped and run again at any time, beside deliveries.
The `derive` process runs all of them hourly; a scheduler may call them one by one. None goes on for
long: what is left after a portion is for the next call, so that people's jobs get their turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Greatest

from mailcore.models.blob import Content, RenderedBody
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, FolderTombstone
from mailcore.models.message import DeliveryKey, Message, Tombstone
from mailcore.models.personal import Job
from mailcore.models.trace import TraceEvent
from mailcore.rawmail.collector import UNUSED, collect
from mailcore.store import drafts, jobs, remote_images, sequence
from mailcore.store.changes import CHUNK, rows_of
from mailcore.store.expunge import DESTROYABLE, write_destroy

log = logging.getLogger("mailcore.store")

DELIVERY_KEYS_KEPT = timedelta(days=7)
TRACE_KEPT = timedelta(days=30)
BODIES_KEPT = timedelta(days=30)  # after they were last shown
TRASH_KEPT = timedelta(days=30)  # after a message came into Trash or Junk
PORTION = 5_000  # rows after which a sweep ends, to go on in the next call; a second or two
TOMBSTONES_KEPT = timedelta(days=90)  # longer than TRASH_KEPT: they tell when a message came


def run_all(*, now: datetime, is_stopping: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Run every sweep and return how many rows each removed; from PORTION on there may be more.

    Raises DatabaseError, OSError.
    """
    sweeps: dict[str, Callable[..., int]] = {
        "delivery_keys": forget_delivery_keys,
        "jobs": forget_jobs,
        "drafts": drafts.sweep,
        "bodies": forget_bodies,
        "remote_images": remote_images.sweep,
        "trace": forget_trace,
        "trash": empty_trash,
        "tombstones": purge_tombstones,
        "contents": collect_contents,
        "blobs": collect_blobs,
    }
    counts: dict[str, int] = {}
    for name, sweep in sweeps.items():
        if is_stopping():
            break
        counts[name] = sweep(now=now)
    if any(counts.values()):
        log.info("store.swept", extra={"fields": counts})
    return counts


def forget_delivery_keys(*, now: datetime) -> int:
    """Remove delivery keys after seven days: a repeat that late is a new mail."""
    return _remove(DeliveryKey.objects.filter(created_at__lt=now - DELIVERY_KEYS_KEPT))


def forget_jobs(*, now: datetime) -> int:
    """Remove operations that can no longer be undone."""
    return _remove(Job.objects.filter(expires_at__lt=now).exclude(state__in=jobs.OPEN))


def forget_bodies(*, now: datetime) -> int:
    """Remove sanitised bodies that nobody opened for 30 days; they are made again on demand."""
    return _remove(RenderedBody.objects.filter(used_at__lt=now - BODIES_KEPT))


def forget_trace(*, now: datetime) -> int:
    """Remove trace events after 30 days."""
    return _remove(TraceEvent.objects.filter(at__lt=now - TRACE_KEPT))


def empty_trash(*, now: datetime) -> int:
    """Delete for good what has been in Trash or Junk for 30 days."""
    count = 0
    folders = Folder.objects.filter(role__in=DESTROYABLE, total_count__gt=0)
    for folder_id, mailbox_id in folders.values_list("pk", "mailbox_id"):
        for chunk in _overdue(folder_id, before=now - TRASH_KEPT):
            count += _destroy(chunk, folder_id=folder_id, mailbox_id=mailbox_id, now=now)
            if count >= PORTION:
                return count
    return count


def _destroy(chunk: Sequence[int], *, folder_id: int, mailbox_id: int, now: datetime) -> int:
    with sequence.locked(mailbox_id=mailbox_id) as lock:
        rows = rows_of(Message.objects.filter(folder_id=folder_id, pk__in=chunk))
        if rows:
            write_destroy(lock, rows, now=now)
    return len(rows)


def _overdue(folder_id: int, *, before: datetime) -> Iterator[list[int]]:
    """Yield ids of messages that are old and came into the folder before `before`.

    A move leaves a tombstone with its time; what was delivered there has none.
    """
    old = Message.objects.filter(folder_id=folder_id, received_at__lt=before)
    ids = list(old.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        moved = Tombstone.objects.filter(at__gte=before, message_pk__in=chunk)
        recent = set(moved.values_list("message_pk", flat=True))
        yield [pk for pk in chunk if pk not in recent]


def purge_tombstones(*, now: datetime) -> int:
    """Forget after 90 days what left a mailbox, and say up to which modseq (RFC 7162, 3.2.5.2)."""
    count = 0
    for table in (Tombstone, FolderTombstone):
        old = table.objects.filter(at__lt=now - TOMBSTONES_KEPT)
        for mailbox_id in old.values_list("mailbox_id", flat=True).order_by().distinct():
            of_mailbox = old.filter(mailbox_id=mailbox_id)
            while count < PORTION and (removed := _purge_some(of_mailbox, mailbox_id)):
                count += removed
    return count


def _purge_some(old: QuerySet[Any], mailbox_id: int) -> int:
    with sequence.locked(mailbox_id=mailbox_id):
        rows = list(old.order_by("modseq").values_list("pk", "modseq")[:CHUNK])
        if rows:
            Mailbox.objects.filter(pk=mailbox_id).update(
                purged_modseq=Greatest("purged_modseq", rows[-1][1])
            )
            old.filter(pk__in=[pk for pk, _ in rows]).delete()
    return len(rows)


def collect_contents(*, now: datetime) -> int:
    """Remove parse caches that no message needs and whose blob was unused for 24 hours."""
    count = 0
    while count < PORTION and (removed := _collect_some(before=now - UNUSED)):
        count += removed
    return count


def _collect_some(*, before: datetime) -> int:
    """Lock first, look again then: a delivery that takes the content waits for us, or we for it."""
    unused = ~Exists(Message.objects.filter(content_id=OuterRef("pk")))
    with transaction.atomic():
        found = Content.objects.filter(unused, blob__used_at__lt=before).order_by("pk")
        locked = found.select_for_update(skip_locked=True, of=("self",))
        ids = list(locked.values_list("pk", flat=True)[:CHUNK])
        gone = list(Content.objects.filter(unused, pk__in=ids).values_list("pk", flat=True))
        RenderedBody.objects.filter(content_id__in=gone).delete()
        Content.objects.filter(pk__in=gone).only("pk").delete()
    return len(gone)


def collect_blobs(*, now: datetime) -> int:
    """Remove raw octets and files that nothing refers to."""
    collected = collect(now=now)
    return collected.row_count + collected.file_count + collected.unfinished_count


def _remove(found: QuerySet[Any]) -> int:
    """Delete rows that nothing refers to, a chunk and a COMMIT at a time."""
    count = 0
    while count < PORTION:
        ids = list(found.order_by("pk").values_list("pk", flat=True)[: 2 * CHUNK])
        if not ids:
            break
        found.model._base_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count
