"""Undoable operations: a Job row that says what each chunk changed, kept ten minutes.

Written in the transaction of the chunk it describes, so that a crash between chunks leaves an
operation that undoes exactly what was done. `undo` reads it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.personal import Job
from mailcore.store.rows import Done

UNDO_WINDOW = timedelta(minutes=10)


@dataclass(slots=True)
class Operation:
    """One command of a person in progress; `job` exists from its first change on."""

    mailbox: Mailbox
    kind: str
    arguments: dict[str, Any]
    now: datetime
    job: Job | None = None

    def add(self, groups: list[dict[str, Any]], *, count: int) -> None:
        """Record what a chunk changed; call it inside the chunk's transaction."""
        if self.job is None:
            self.job = Job.objects.create(
                mailbox=self.mailbox,
                kind=self.kind,
                total_count=count,
                done_count=count,
                arguments=self.arguments,
                undo=groups,
                created_at=self.now,
                expires_at=self.now + UNDO_WINDOW,
            )
            return
        self.job.undo = [*(self.job.undo or ()), *groups]
        self.job.total_count += count
        self.job.done_count += count
        self.job.save(update_fields=["undo", "total_count", "done_count"])

    def done(self) -> Done:
        """Return what the person is told."""
        if self.job is None:
            return Done(operation_id=None, count=0)
        return Done(operation_id=self.job.public_id, count=self.job.done_count)


def undoable(*, mailbox: Mailbox, operation_id: UUID, now: datetime) -> Job | None:
    """Return the operation if this mailbox has it and it can still be undone."""
    return Job.objects.filter(
        mailbox_id=mailbox.pk,
        public_id=operation_id,
        expires_at__gt=now,
        undo__isnull=False,
    ).first()
