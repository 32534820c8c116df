"""Taking back a change of flags, labels or mutes or a move, within ten minutes.

Only messages that are still as the action left them are touched: a message that was moved on, or
whose flag was set again, stays. Undoing goes chunk by chunk and can be resumed after a crash.
Deletion for good cannot be undone and has no operation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.personal import Job
from mailcore.store import labels, sequence
from mailcore.store.changes import rows_of
from mailcore.store.flags import Flag, write_flag
from mailcore.store.folders import exists
from mailcore.store.move import write_move
from mailcore.store.mute import restore_muted
from mailcore.store.operations import undoable
from mailcore.store.rows import Done


def undo(*, mailbox: Mailbox, operation_id: UUID, now: datetime | None = None) -> Done:
    """Restore what an operation of this mailbox changed; `count` says how many messages.

    An operation that is unknown, too old or undone already restores none. Messages whose former
    folder is gone stay where they are.
    """
    now = now or timezone.now()
    count = 0
    while True:
        with sequence.locked(mailbox_id=mailbox.pk) as lock:
            job = undoable(mailbox=lock.mailbox, operation_id=operation_id, now=now)
            if job is None:
                return Done(operation_id=None, count=count)
            count += undo_step(lock, job, now=now)


def undo_step(lock: sequence.Lock, job: Job, *, now: datetime) -> int:
    """Undo the newest step of a job under the lock; return how many messages changed.

    With the last one the job is `undone`.
    """
    steps = list(job.steps.order_by("-pk")[:2])
    restored = 0
    if steps:
        restored = _restore(lock, job, steps[0].undo, now=now)
        job.done_count = max(0, job.done_count - len(steps[0].undo["ids"]))
        steps[0].delete()
    if len(steps) <= 1:
        job.state = "undone"
    job.save(update_fields=["state", "done_count"])
    return restored


def _restore(lock: sequence.Lock, job: Job, group: dict[str, Any], *, now: datetime) -> int:
    """Put one group back, at most a chunk; return how many messages changed."""
    found = Message.objects.filter(mailbox_id=lock.mailbox.pk, pk__in=group["ids"])
    if "folder" in group:
        if not exists(mailbox=lock.mailbox, folder_id=group["folder"]):
            return 0
        rows = rows_of(found.filter(folder_id=job.arguments["folder"]))
        write_move(lock, rows, folder_id=group["folder"], now=now)
        return len(rows)
    if job.kind == "mute":
        return restore_muted(lock, group["ids"], bool(job.arguments["value"]))
    if job.kind == "label":
        return _restore_label(lock, job, found)
    flag, value = cast("Flag", job.kind), bool(job.arguments["value"])
    rows = rows_of(found.filter(**{flag: value}))
    if rows:
        write_flag(rows, flag, not value, modseq=lock.modseq)
    return len(rows)


def _restore_label(lock: sequence.Lock, job: Job, found: QuerySet[Message]) -> int:
    """Take a label off again, or put it back; a label that is gone changes nothing."""
    bit = labels.bit_of(mailbox=lock.mailbox, label_id=UUID(job.arguments["label"]))
    if bit is None:
        return 0
    value = not job.arguments["value"]
    rows = labels.changing(found, bit, value)
    if rows:
        labels.write_label(rows, bit, value, modseq=lock.modseq)
    return len(rows)
