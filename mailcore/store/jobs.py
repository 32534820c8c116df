"""Work on all messages of a list or a search, accepted at once, done in chunks, then undoable.

A Job says what is to be done and how far it is; each chunk of 500 takes the mailbox's lock and one
modseq, and commits its changes, its step for undo and its progress together. So a crash loses
nothing and two workers do nothing twice. Mail that arrives meanwhile is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message
from mailcore.models.personal import Job
from mailcore.store import labels, mute, search_all, sequence
from mailcore.store.changes import CHUNK, FolderGone, Row
from mailcore.store.expunge import DESTROYABLE, write_destroy
from mailcore.store.flags import Flag, write_flag
from mailcore.store.folders import exists
from mailcore.store.matching import View, beyond, matching, parse_cursor, write_cursor
from mailcore.store.move import origins, write_move
from mailcore.store.operations import UNDO_WINDOW, add_steps, undoable
from mailcore.store.search_all import FoundView
from mailcore.store.undo import undo, undo_step

log = logging.getLogger("mailcore.store")

Kind = Literal["move", "is_seen", "is_flagged", "label", "mute", "destroy"]
JOBS_MAX = 50  # that take turns
UNDO_AT_ONCE = 1000  # messages; more are undone by the worker
OPEN = ("waiting", "undoing")


@dataclass(frozen=True, slots=True)
class JobRow:
    """How far a job is. `state` is waiting, undoing, done, undone or failed.

    `fault` says why a failed one did: `folder gone` or `search too slow`.
    """

    id: UUID
    kind: str
    verb: str
    state: str
    total_count: int
    done_count: int
    fault: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the worker still has to do with it."""
        return self.state in OPEN


def accept(
    *,
    mailbox: Mailbox,
    view: View | FoundView,
    kind: Kind,
    verb: str,
    value: bool = True,
    folder_id: int | None = None,
    label_id: UUID | None = None,
    now: datetime | None = None,
) -> UUID:
    """Store what is to be done to all messages that the view shows now; return the job's id.

    `folder_id` is the target of `move` and `mute`, `value` that of the others; the reader sees
    `verb`.
    Costs a count and an insert, whatever the number; what a search finds is counted within its
    limit of time. Raises FolderGone.
    """
    now = now or timezone.now()
    if kind == "move" and not exists(mailbox=mailbox, folder_id=folder_id or 0):
        raise FolderGone(str(folder_id))
    last = Message.objects.filter(mailbox_id=mailbox.pk).aggregate(last=Max("id"))["last"]
    job = Job.objects.create(
        mailbox=mailbox,
        kind=kind,
        state="waiting",
        total_count=_amount(mailbox, view, now),
        arguments={
            "view" if isinstance(view, View) else "search": view.as_json(),
            "verb": verb,
            "last": last or 0,
            "value": value,
            "folder": folder_id,
            "label": str(label_id or ""),
        },
        created_at=now,
        expires_at=now + UNDO_WINDOW,
    )
    return job.public_id


def count(*, mailbox: Mailbox, view: View) -> int:
    """Return how many messages the view shows: a stored counter where there is one."""
    if view.folder_id is not None and not view.is_starred and view.only in ("", "unread"):
        column = "unseen_count" if view.only else "total_count"
        found = Folder.objects.filter(pk=view.folder_id, mailbox_id=mailbox.pk)
        return found.values_list(column, flat=True).first() or 0
    return Message.objects.filter(matching(mailbox=mailbox, view=view)).count()


def _amount(mailbox: Mailbox, view: View | FoundView, now: datetime) -> int:
    if isinstance(view, View):
        return count(mailbox=mailbox, view=view)
    return search_all.count(mailbox=mailbox, view=view, now=now)


def find(*, mailbox: Mailbox, job_id: UUID) -> JobRow | None:
    """Return a job of this mailbox, or None."""
    job = Job.objects.filter(mailbox_id=mailbox.pk, public_id=job_id).first()
    if job is None:
        return None
    return JobRow(
        id=job.public_id,
        kind=job.kind,
        verb=job.arguments.get("verb", ""),
        state=job.state,
        total_count=job.total_count,
        done_count=job.done_count,
        fault=job.arguments.get("fault", ""),
    )


def take_back(*, mailbox: Mailbox, job_id: UUID, now: datetime | None = None) -> int | None:
    """Undo an operation: a short one at once, whose count is returned; a long one by the worker.

    None says that the worker does it. What was not done yet is not done any more.
    """
    now = now or timezone.now()
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        job = undoable(mailbox=lock.mailbox, operation_id=job_id, now=now)
        is_long = job is not None and (job.done_count > UNDO_AT_ONCE or job.state in OPEN)
        if job is not None and is_long:
            job.state = "undoing"
            job.save(update_fields=["state"])
    return None if is_long else undo(mailbox=mailbox, operation_id=job_id, now=now).count


def work(*, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Do what waits, a chunk of each job in turn; return how many chunks that were.

    Raises DatabaseError; what was not committed is done again.
    """
    chunks = 0
    while not is_stopping():
        waiting = list(Job.objects.filter(state__in=OPEN).order_by("id")[:JOBS_MAX])
        if not waiting:
            break
        for job in waiting:
            if is_stopping():
                break
            step(job_id=job.public_id, mailbox_id=job.mailbox_id)
            chunks += 1
    return chunks


def step(*, job_id: UUID, mailbox_id: int, now: datetime | None = None) -> None:
    """Do or undo one chunk of a job. It fails when its folder is gone or its search too slow."""
    now = now or timezone.now()
    try:
        with sequence.locked(mailbox_id=mailbox_id) as lock:
            job = _waiting(lock.mailbox.pk, job_id).first()
            if job is None:
                return  # another worker was quicker
            if job.state == "undoing":
                undo_step(lock, job, now=now)
            else:
                _chunk(lock, job, now=now)
    except (FolderGone, TimeoutError) as fault:
        reason = "folder gone" if isinstance(fault, FolderGone) else "search too slow"
        log.warning("job.failed", extra={"fields": {"job": str(job_id), "reason": reason}})
        for job in _waiting(mailbox_id, job_id):
            job.state, job.arguments = "failed", {**job.arguments, "fault": reason}
            job.save(update_fields=["state", "arguments"])


def _waiting(mailbox_id: int, job_id: UUID) -> QuerySet[Job]:
    return Job.objects.filter(mailbox_id=mailbox_id, public_id=job_id, state__in=OPEN)


def _chunk(lock: sequence.Lock, job: Job, *, now: datetime) -> None:
    """Do the next 500 messages of the list, and say so in the job."""
    arguments = job.arguments
    looked_at = _next(lock.mailbox, arguments)
    rows = [Row(*values[:-1]) for values in looked_at]
    changed = _change(lock, job, rows, now=now) if rows else 0
    if looked_at:
        job.arguments = {**arguments, "after": write_cursor(looked_at[-1][-1], rows[-1].id)}
    job.done_count += changed
    job.total_count = max(job.total_count, job.done_count)
    job.expires_at = now + UNDO_WINDOW
    if len(looked_at) < CHUNK:
        job.state, job.total_count = "done", job.done_count
    job.save(update_fields=["arguments", "done_count", "total_count", "expires_at", "state"])


def _next(mailbox: Mailbox, arguments: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the values of Row and the time of arrival of what comes next, in order."""
    after, last = parse_cursor(arguments.get("after")), arguments["last"]
    columns = (*Row._fields, "received_at")
    if "search" not in arguments:
        found = Message.objects.filter(matching(mailbox=mailbox, view=View(**arguments["view"])))
        found = beyond(found, after).filter(id__lte=last).order_by("-received_at", "-id")
        return list(found.values_list(*columns)[:CHUNK])
    view = FoundView(**arguments["search"])
    ids = search_all.next_ids(mailbox=mailbox, view=view, after=after, last=last, limit=CHUNK)
    rows = Message.objects.filter(pk__in=ids, mailbox_id=mailbox.pk).values_list("pk", *columns)
    there = {pk: tuple(values) for pk, *values in rows}
    return [there[pk] for pk in ids]


def _change(lock: sequence.Lock, job: Job, rows: list[Row], *, now: datetime) -> int:
    """Change those of the rows that are not so already; return how many."""
    if job.kind == "destroy":
        return _destroy(lock, rows, now=now)
    if job.kind == "move":
        target = cast("int", job.arguments["folder"])
        moving = sorted((r for r in rows if r.folder_id != target), key=lambda r: r[2:4])
        write_move(lock, moving, folder_id=target, now=now)
        add_steps(job, origins(moving))
        return len(moving)
    if job.kind == "label":
        return _label(lock, job, rows)
    if job.kind == "mute":
        return _mute(lock, job, rows, now=now)
    flag, value = cast("Flag", job.kind), bool(job.arguments["value"])
    changing = [row for row in rows if getattr(row, flag) is not value]
    if changing:
        write_flag(changing, flag, value, modseq=lock.modseq)
        groups: list[dict[str, Any]] = [{"ids": [row.id for row in changing]}]
        add_steps(job, groups)
    return len(changing)


def _label(lock: sequence.Lock, job: Job, rows: list[Row]) -> int:
    """Put a label on, or take it off; one that is gone changes nothing."""
    bit = labels.bit_of(mailbox=lock.mailbox, label_id=UUID(job.arguments["label"]))
    if bit is None:
        return 0
    value = bool(job.arguments["value"])
    within = Message.objects.filter(pk__in=[row.id for row in rows])
    changing = labels.changing(within, bit, value)
    if changing:
        labels.write_label(changing, bit, value, modseq=lock.modseq)
        add_steps(job, [{"ids": [row.id for row in changing]}])
    return len(changing)


def _mute(lock: sequence.Lock, job: Job, rows: list[Row], *, now: datetime) -> int:
    """Mute the conversations of the rows, or end that; return how many changed."""
    value, archive_id = bool(job.arguments["value"]), job.arguments["folder"]
    groups, count = mute.write_muted(lock, rows, value, archive_id=archive_id, now=now)
    add_steps(job, groups)
    return count


def _destroy(lock: sequence.Lock, rows: list[Row], *, now: datetime) -> int:
    """Delete for good what is in Trash or Junk; there is no undo."""
    found = Folder.objects.filter(mailbox_id=lock.mailbox.pk, role__in=DESTROYABLE)
    ids = set(found.values_list("pk", flat=True))
    going = [row for row in rows if row.folder_id in ids]
    if going:
        write_destroy(lock, going, now=now)
    return len(going)
