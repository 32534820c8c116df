"""Delivery into mailboxes: many messages, one transaction, on disk when it returns (G1, G3).

A message is stored for all of its recipients or for none. A message that breaks the batch is
tried alone, so that it fails alone. A busy mailbox goes to a second connection, which waits.
Inside an open transaction (a submission, a DSN) the batch joins it instead.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from mailcore.errors import MailError
from mailcore.store import events
from mailcore.store.batch import (
    Copy,
    Delivery,
    MessageRow,
    Onward,
    Plan,
    Planner,
)
from mailcore.store.batch_postgresql import PostgresqlWriter, pipelined
from mailcore.store.batch_sqlite import SqliteWriter

__all__ = ["Copy", "Delivery", "MailboxGone", "Onward", "Result", "Stored", "deliver_batch"]

log = logging.getLogger("mailcore.store")

# deadlock_detected, serialization_failure: rolled back for certain, so trying again is safe.
_SAFE_TO_RETRY = frozenset({"40P01", "40001"})
_SINGLE_FAULTS = (DatabaseError, MailError, LookupError, ValueError, TypeError, OSError)
_BUSY_WAIT = "20s"

_second_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="busy-mailbox")


class MailboxGone(MailError):  # noqa: N818 - named by what happened
    """A mailbox was deleted between RCPT and delivery."""


@dataclass(frozen=True, slots=True)
class Stored:
    """On disk. `messages` are the public ids of new rows; a repeat stores none."""

    trace_id: uuid.UUID
    messages: tuple[uuid.UUID, ...]


Result = Stored | Exception
Pending = Stored | Exception | Future[Result]


def deliver_batch(deliveries: Sequence[Delivery], *, now: datetime) -> list[Pending]:
    """Store every delivery; a value for each, in order, after COMMIT.

    An Exception means that nothing of that message was kept. A Future is that of a busy mailbox:
    it gives its Result later. Inside an open transaction everything is stored in it, exceptions
    are raised, and the caller's COMMIT decides.
    """
    if not deliveries:
        return []
    if connection.in_atomic_block:
        with _together():
            return [*_write(deliveries, now=now, wait=True).values()]
    try:
        stored = _commit(deliveries, now=now, wait=False)
    except _SINGLE_FAULTS as error:
        return _one_by_one(deliveries, error, now=now)
    return [
        stored[place] if place in stored else _second_writer.submit(_wait_for, delivery, now)
        for place, delivery in enumerate(deliveries)
    ]


def _commit(deliveries: Sequence[Delivery], *, now: datetime, wait: bool) -> dict[int, Stored]:
    with _together(), transaction.atomic():
        return _write(deliveries, now=now, wait=wait)


def _together() -> AbstractContextManager[None]:
    """Return a context in which statements and COMMIT share round trips, where there are any."""
    return pipelined() if connection.vendor == "postgresql" else nullcontext()


def _one_by_one(
    deliveries: Sequence[Delivery], error: Exception, *, now: datetime
) -> list[Pending]:
    """Try each alone, unless the connection is lost: then nobody knows what was committed."""
    log.warning(
        "store.batch_failed", extra={"fields": {"size": len(deliveries), "error": repr(error)}}
    )
    if _outcome_unknown(error):
        connection.close()
        return [error for _ in deliveries]
    if len(deliveries) == 1:
        return [error]
    results: list[Pending] = []
    for delivery in deliveries:
        results += deliver_batch([delivery], now=now)
    return results


def _outcome_unknown(error: Exception) -> bool:
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return getattr(error.__cause__, "sqlstate", None) not in _SAFE_TO_RETRY


def _wait_for(delivery: Delivery, now: datetime) -> Result:
    """Store one message on this thread's own connection, waiting for its mailboxes."""
    try:
        with transaction.atomic():
            _limit_wait()
            return _write([delivery], now=now, wait=True)[0]
    except _SINGLE_FAULTS as error:
        return error
    finally:
        connection.close()  # rarely needed: an idle connection would cost more than a new one


def _limit_wait() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_BUSY_WAIT])


def _write(deliveries: Sequence[Delivery], *, now: datetime, wait: bool) -> dict[int, Stored]:
    """Write those whose mailboxes are free into the open transaction; place -> Stored."""
    with connection.wrap_database_errors:  # the writers use the bare connection
        writer = PostgresqlWriter() if connection.vendor == "postgresql" else SqliteWriter()
        opening = writer.open(deliveries, wait=wait, now=now)
        ready = _ready(deliveries, opening.modseqs.keys(), wait=wait)
        chosen = [deliveries[place] for place in ready]
        found = opening.found
        if len(ready) < len(deliveries):
            found = writer.look_up_again(chosen, deliveries, now=now)
        planner = Planner(found, modseqs=opening.modseqs)
        for place in ready:
            planner.add(deliveries[place], opening.contents[place])
        writer.write(planner.plan)
    _finish(planner.plan)
    made = _by_trace(planner.plan.messages)
    return {
        place: Stored(d.trace_id, tuple(made.get(d.trace_id, ())))
        for place, d in zip(ready, chosen, strict=True)
    }


def _mailboxes(deliveries: Iterable[Delivery]) -> set[int]:
    return {copy.mailbox_id for delivery in deliveries for copy in delivery.copies}


def _ready(deliveries: Sequence[Delivery], locked: Iterable[int], *, wait: bool) -> list[int]:
    free = set(locked)
    ready = [place for place, delivery in enumerate(deliveries) if _mailboxes([delivery]) <= free]
    if wait and len(ready) < len(deliveries):
        raise MailboxGone(str(sorted(_mailboxes(deliveries) - free)))
    return ready


def _finish(plan: Plan) -> None:
    """Queue what goes on and confirm, in this transaction; tell the listeners after COMMIT."""
    for delivery, content, onward in plan.onward:
        if delivery.enqueue is not None:
            delivery.enqueue(content.blob_id, onward)
    for delivery, content, paths in plan.confirmed:
        if delivery.confirm is not None:
            delivery.confirm(content.blob_id, paths)
    for mailbox_id, change in plan.mailboxes.items():
        transaction.on_commit(partial(events.publish, mailbox_id=mailbox_id, modseq=change.modseq))


def _by_trace(messages: Iterable[MessageRow]) -> dict[uuid.UUID, list[uuid.UUID]]:
    made: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in messages:
        made.setdefault(row.trace_id, []).append(row.public_id)
    return made
