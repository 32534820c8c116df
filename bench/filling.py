"""Puts the bench's mailbox into an installation's store; called within `manage.py shell`.

By the same batch that stores mail from port 25, without SMTP; `manage.py derive --once` does the
rest. Imports Django's models: nothing else of the bench may import this.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat

from bench.mailbox import ARCHIVED, Made, archived, messages
from mailcore import rawmail
from mailcore.delivery.accept import parse_recipient
from mailcore.directory.resolve import Resolved, resolve
from mailcore.mime.header import scan_header
from mailcore.store.deliver import Copy, Delivery, Stored, deliver_batch

_BATCH = 200


def fill(*, count: int, address: str) -> None:
    """Store `count` messages for a local address, and some in its Archive.

    Raises SystemExit when one is not stored.
    """
    found = resolve(forward_path=parse_recipient(address, smtputf8=False))
    if not isinstance(found, Resolved):
        raise SystemExit(f"nobody has {address}")
    mailbox_id = found.mailboxes[0].mailbox_id
    inbox = zip(messages(count), repeat("inbox"))
    archive = zip(archived(min(count, ARCHIVED)), repeat("archive"))
    for batch in _batches(chain(inbox, archive)):
        deliveries = [
            _delivery(made, mailbox_id=mailbox_id, address=address, role=role)
            for made, role in batch
        ]
        for result in deliver_batch(deliveries, now=batch[-1][0].at):
            if not isinstance(result, Stored):
                raise SystemExit(f"not stored: {result!r}")


def _batches(made: Iterator[tuple[Made, str]]) -> Iterator[Sequence[tuple[Made, str]]]:
    while batch := list(islice(made, _BATCH)):
        yield batch


def _delivery(made: Made, *, mailbox_id: int, address: str, role: str) -> Delivery:
    copy = Copy(
        mailbox_id=mailbox_id,
        forward_path=address,
        domain_id=None,
        prefix=b"Delivered-To: " + address.encode() + b"\r\n",
        key=None,
        is_seen=made.is_seen,
        role=role,
    )
    return Delivery(
        header=scan_header(made.raw),
        blob=rawmail.prepare(made.raw),
        reverse_path="load@client.test",
        trace_id=uuid.uuid4(),
        received_at=made.at,
        copies=(copy,),
    )
