"""The one rule of writing: the Mailbox row is the lock and gives the modseq (RFC 7162, 3.1).

`locked` wraps one command or one chunk of it. Delivery batches lock many mailboxes at once and
have the same rule in `batch_*`. UIDs and modseqs never come from sequences or max() + 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import BigIntegerField, F, Value

from mailcore.models.directory import Mailbox
from mailcore.store import events


def wide(number: int) -> Value:
    """Return a number for arithmetic in the database with 64 bits.

    A bare one goes to PostgreSQL as 32 bits, and from 2**31 on as another number.
    """
    return Value(number, output_field=BigIntegerField())


@dataclass(slots=True)
class Lock:
    """A locked mailbox and the modseq that all rows of this change carry."""

    mailbox: Mailbox
    modseq: int
    _bytes: int = 0
    _count: int = 0

    def add_used(self, *, size_bytes: int, count: int) -> None:
        """Add to what the mailbox holds; negative when messages go."""
        self._bytes += size_bytes
        self._count += count


@contextmanager
def locked(*, mailbox_id: int) -> Iterator[Lock]:
    """Lock the mailbox in a transaction; on leaving write its modseq and usage, then publish.

    Raises Mailbox.DoesNotExist. On SQLite the transaction itself (BEGIN IMMEDIATE) is the lock.
    """
    with transaction.atomic():
        mailbox = Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox_id)
        lock = Lock(mailbox=mailbox, modseq=mailbox.modseq + 1)
        yield lock
        Mailbox.objects.filter(pk=mailbox_id).update(
            modseq=lock.modseq,
            used_bytes=F("used_bytes") + wide(lock._bytes),
            used_count=F("used_count") + lock._count,
        )
        transaction.on_commit(partial(events.publish, mailbox_id=mailbox_id, modseq=lock.modseq))
