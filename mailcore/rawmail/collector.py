"""Collects raw mail that nothing refers to any more: rows first, then files.

What refers to a Blob is read from the tables themselves, so that a new one cannot be forgotten.
A Content keeps its Blob: `store` removes the Contents that no message needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from mailcore.blobs import StoredKey
from mailcore.models.blob import Blob
from mailcore.rawmail.place import blob_store

UNUSED = timedelta(hours=24)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Collected:
    """How many rows, files without a row, and rests of unfinished writes are gone."""

    row_count: int
    file_count: int
    unfinished_count: int


def collect(*, now: datetime) -> Collected:
    """Remove blobs that were unused for 24 hours. Safe beside deliveries and other collectors.

    A delivery that uses a blob again renews `used_at` or the file's time in the same moment, and
    both are looked at again under a lock. Commits every 500 rows; raises DatabaseError, OSError.
    """
    before = now - UNUSED
    row_count = 0
    while count := _remove_rows(before):
        row_count += count
    return Collected(
        row_count=row_count,
        file_count=_remove_orphan_files(before),
        unfinished_count=blob_store().forget_unfinished(before=before),
    )


def _remove_rows(before: datetime) -> int:
    with transaction.atomic():
        rows = _unreferenced().filter(used_at__lt=before).order_by("used_at")
        locked = rows.select_for_update(skip_locked=True).values_list("pk", flat=True)
        found = list(locked[:_CHUNK])
        # Without the data: deletion would otherwise load the octets of every row.
        Blob.objects.filter(pk__in=found).only("pk").delete()
    return len(found)


def _unreferenced() -> QuerySet[Blob]:
    rows = Blob.objects.all()
    for relation in Blob._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel):
            referring = relation.related_model._base_manager
            rows = rows.filter(
                ~Exists(referring.filter(**{relation.field.name: OuterRef("pk")}).values("pk"))
            )
    return rows


def _remove_orphan_files(before: datetime) -> int:
    store = blob_store()
    old = (stored for stored in store.stored_keys() if stored.stored_at < before)
    count = 0
    while chunk := list(islice(old, _CHUNK)):
        count += sum(store.delete(key, unless_since=before) for key in _orphans(chunk))
    return count


def _orphans(chunk: list[StoredKey]) -> Iterator[str]:
    digests = [bytes.fromhex(stored.key) for stored in chunk]
    rows = Blob.objects.filter(sha256__in=digests).values_list("key", flat=True)
    kept = set(rows)
    return (stored.key for stored in chunk if stored.key not in kept)
