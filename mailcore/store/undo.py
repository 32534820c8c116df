"""Taking back a change of flags or a move, within ten minutes.

Only messages that are still as the action left them are touched: a message that was moved on, or
whose flag was set again, stays. Undoing goes chunk by chunk and can be resumed after a crash.
Deletion for good cannot be undone and has no operation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.personal import Job
from mailcore.store import sequence
from mailcore.store.changes import rows_of
from mailcore.store.flags import Flag, write_flag
from mailcore.store.folders import exists
from mailcore.store.move import write_move
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
            groups = cast("list[dict[str, Any]]", job.undo)
            count += _restore(lock, job, groups[-1], now=now)
            job.undo = groups[:-1] or None
            job.state = "undone" if job.undo is None else job.state
            job.save(update_fields=["undo", "state"])


def _restore(lock: sequence.Lock, job: Job, group: dict[str, Any], *, now: datetime) -> int:
    """Put one group back, at most a chunk; return how many messages changed."""
    found = Message.objects.filter(mailbox_id=lock.mailbox.pk, pk__in=group["ids"])
    if job.kind == "move":
        if not exists(mailbox=lock.mailbox, folder_id=group["folder"]):
            return 0
        rows = rows_of(found.filter(folder_id=job.arguments["folder"]))
        write_move(lock, rows, folder_id=group["folder"], now=now)
        return len(rows)
    flag, value = cast("Flag", job.kind), bool(job.arguments["value"])
    rows = rows_of(found.filter(**{flag: value}))
    if rows:
        write_flag(rows, flag, not value, modseq=lock.modseq)
    return len(rows)
