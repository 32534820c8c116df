"""Seen and flagged: the flags that people set (RFC 9051, 2.3.2).

Only messages whose flag really changes get a modseq; the operation remembers which they were.
Answered is set when a reply is sent, which nobody undoes by itself. \\Draft is `drafts_folder`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store import sequence
from mailcore.store.changes import Counters, Row, chunks, expect, messages, rows_of
from mailcore.store.operations import Operation
from mailcore.store.rows import Done

Flag = Literal["is_seen", "is_flagged", "is_answered"]


def set_seen(
    *, mailbox: Mailbox, message_ids: Sequence[UUID], value: bool, now: datetime | None = None
) -> Done:
    """Mark messages of this mailbox read or unread; ids that it does not have are passed over."""
    return _set(mailbox, message_ids, "is_seen", value, now or timezone.now())


def set_flagged(
    *, mailbox: Mailbox, message_ids: Sequence[UUID], value: bool, now: datetime | None = None
) -> Done:
    """Star messages of this mailbox or take the star away."""
    return _set(mailbox, message_ids, "is_flagged", value, now or timezone.now())


def set_answered(
    *, mailbox: Mailbox, message_ids: Sequence[UUID], now: datetime | None = None
) -> Done:
    """Mark messages of this mailbox as answered."""
    return _set(mailbox, message_ids, "is_answered", True, now or timezone.now())


def _set(
    mailbox: Mailbox, message_ids: Sequence[UUID], flag: Flag, value: bool, now: datetime
) -> Done:
    operation = Operation(mailbox, flag, {"value": value}, now)
    for chunk in chunks(message_ids):
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            found = messages(mailbox=lock.mailbox, public_ids=chunk).filter(**{flag: not value})
            rows = rows_of(found)
            if rows:
                write_flag(rows, flag, value, modseq=lock.modseq)
                operation.add([{"ids": [row.id for row in rows]}], count=len(rows))
    return operation.done()


def write_flag(rows: Sequence[Row], flag: Flag, value: bool, *, modseq: int) -> None:
    """Set one flag of rows that do not have it, under the lock. Raises ChangeMissed."""
    ids = [row.id for row in rows]
    changed = Message.objects.filter(pk__in=ids, **{flag: not value}).update(
        **{flag: value, "modseq": modseq}
    )
    expect(changed, expected=len(rows))
    counters = Counters()
    unseen = 0 if flag != "is_seen" else (-1 if value else 1)
    for row in rows:
        counters.add(row.folder_id, total=0, unseen=unseen, deleted=0, size=0)
    counters.write(modseq=modseq)
