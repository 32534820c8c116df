"""Undoable operations: a Job whose steps say what each chunk changed, kept ten minutes.

Written in the transaction of the chunk it describes, so that a crash between chunks leaves an
operation that undoes exactly what was done. `undo` reads it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from mailcore.models.directory import Mailbox
from mailcore.models.personal import Job, JobStep
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
                arguments=self.arguments,
                created_at=self.now,
                expires_at=self.now + UNDO_WINDOW,
            )
        add_steps(self.job, groups)
        self.job.total_count += count
        self.job.done_count += count
        self.job.save(update_fields=["total_count", "done_count"])

    def done(self) -> Done:
        """Return what the person is told."""
        if self.job is None:
            return Done(operation_id=None, count=0)
        return Done(operation_id=self.job.public_id, count=self.job.done_count)


def add_steps(job: Job, groups: list[dict[str, Any]]) -> None:
    """Write what a chunk changed, in its transaction."""
    JobStep.objects.bulk_create(JobStep(job=job, undo=group) for group in groups)


def undoable(*, mailbox: Mailbox, operation_id: UUID, now: datetime) -> Job | None:
    """Return the operation if this mailbox has it and it can still be undone."""
    return Job.objects.filter(
        Exists(JobStep.objects.filter(job=OuterRef("pk"))),
        mailbox_id=mailbox.pk,
        public_id=operation_id,
        expires_at__gt=now,
    ).first()
