"""Reads reports that came in and notes on our own sent mail what they say (RFC 3464).

Runs after derivation, beside the reading of mail: no 250 waits for it. A report is believed only
by the mailbox that it came to: under the null reverse-path, about a message that this mailbox
sent, to the address that it names. Whoever forges one can mark nobody else's mail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, transaction

from mailcore import conf
from mailcore.address import AddressError, parse
from mailcore.blobs.protocol import BlobMissing
from mailcore.directory import resolve
from mailcore.directory.resolve import Resolved
from mailcore.dsn import typed
from mailcore.dsn.parse import ParsedRecipient
from mailcore.dsn.parse import parse as parse_report
from mailcore.queue import reports as queue_reports
from mailcore.queue.reports import Said
from mailcore.rawmail import BlobDamaged
from mailcore.store import reports as store_reports
from mailcore.store.reports import Received, ReceivedCopy

log = logging.getLogger("mailcore.delivery")

BATCH = 20


def mark_all(*, now: datetime, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Read every report that waits; return how many recipients were marked.

    Each report commits on its own; one that cannot be read is left out for good.
    Raises django.db.DatabaseError.
    """
    total = 0
    while not is_stopping() and (found := store_reports.waiting(limit=BATCH)):
        for received in found:
            total += _mark(received, now=now)
    return total


def _mark(received: Received, *, now: datetime) -> int:
    try:
        with transaction.atomic():
            count = sum(_mark_copy(received, copy, now=now) for copy in received.copies)
            store_reports.forget(received)
            return count
    except (BlobMissing, BlobDamaged, OSError, DataError, ObjectDoesNotExist) as error:
        fields = {"content_id": received.content_id, "error": repr(error)}
        log.warning("report.unreadable", extra={"fields": fields})
        store_reports.forget(received)
        return 0


def _mark_copy(received: Received, copy: ReceivedCopy, *, now: datetime) -> int:
    entries = parse_report(store_reports.read(received)) or ()
    return sum(_mark_entry(entry, copy, now=now) for entry in entries)


def _mark_entry(entry: ParsedRecipient, copy: ReceivedCopy, *, now: datetime) -> int:
    if entry.reporting_host.casefold() == conf.hostname().casefold():
        return 0  # our own: the row knew it first
    said = _said(entry, copy)
    ids = [
        row.recipient_id
        for row in queue_reports.concerned(said)
        if _is_sender(row.reverse_path, mailbox_id=copy.mailbox_id)
    ]
    return queue_reports.mark(recipient_ids=ids, said=said, now=now) if ids else 0


def _said(entry: ParsedRecipient, copy: ReceivedCopy) -> Said:
    # Some makers forget to decode the xtext of ORCPT.
    decoded = typed.decode_xtext(entry.original_recipient)
    return Said(
        envelope_id=entry.envelope_id,
        message_id=entry.message_id,
        addresses=(entry.final_recipient, entry.original_recipient, decoded),
        action=entry.action,
        reply=entry.diagnostic or entry.status,
        reporter=entry.reporting_host,
        notice=copy.trace_id,
    )


def _is_sender(reverse_path: str, *, mailbox_id: int) -> bool:
    """Whether mail to the sender of a message comes to this mailbox."""
    try:
        found = resolve.resolve(forward_path=parse(reverse_path))
    except AddressError:
        return False
    return isinstance(found, Resolved) and any(
        target.mailbox_id == mailbox_id for target in found.mailboxes
    )
