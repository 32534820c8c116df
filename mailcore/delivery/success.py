"""Confirms what port 25 stored in our mailboxes, where the sender asks for it (RFC 3461, 5.2.2).

Nothing of such mail stands in the queue, so what `bounce` needs is put together here. Only for
senders elsewhere: a sender of ours who is not signed in is told nothing, and a second mailbox must
not be locked in the batch that all sessions share.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailcore.address import AddressError, parse
from mailcore.delivery import bounce
from mailcore.directory import resolve
from mailcore.directory.resolve import Relay
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.outcome import Ended
from mailcore.smtp.envelope import Envelope, ForwardPath
from mailcore.smtp.reply import Reply

_STORED = Reply(250, "2.1.5", "Stored in the mailbox")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came in: `paths` says which forward-path led to an address of ours."""

    envelope: Envelope
    paths: Mapping[str, ForwardPath]
    trace_id: uuid.UUID
    size: int
    received_at: datetime


def confirmation(arrival: Arrival) -> Callable[[int, Sequence[str]], None] | None:
    """Return what tells the sender, to be called in the storing transaction; None if no need."""
    asked = any("SUCCESS" in path.notify for path in arrival.paths.values())
    if not asked or not _is_elsewhere(arrival.envelope.reverse_path):
        return None
    return partial(_confirm, arrival)


def _is_elsewhere(reverse_path: str) -> bool:
    try:
        return isinstance(resolve.resolve(forward_path=parse(reverse_path)), Relay)
    except AddressError:  # the null path, too
        return False


def _confirm(arrival: Arrival, blob_id: int, stored: Sequence[str]) -> None:
    # Two addresses behind one alias are one recipient to the sender.
    paths = dict.fromkeys(arrival.paths[address] for address in stored)
    recipients = tuple(
        ClaimedRecipient(
            id=number,
            public_id=arrival.trace_id,
            forward_path=path.address,
            original_forward_path="",
            notify=",".join(path.notify),
            orcpt=path.orcpt,
            attempt_count=0,
            delay_dsn_at=None,
        )
        for number, path in enumerate(paths)
    )
    batch = _batch(arrival, blob_id, recipients)
    at = arrival.received_at
    ended = [Ended(batch, each, "delivered", _STORED, "", False, at) for each in recipients]
    bounce.report(ended, now=at)


def _batch(arrival: Arrival, blob_id: int, recipients: tuple[ClaimedRecipient, ...]) -> Batch:
    envelope = arrival.envelope
    return Batch(
        token=arrival.trace_id,
        domain="",
        route="local",
        message_id=0,
        public_id=arrival.trace_id,
        reverse_path=envelope.reverse_path,
        blob_id=blob_id,
        prefix=b"",
        size=arrival.size,
        smtputf8=envelope.smtputf8,
        body_8bit=envelope.body_8bit,
        envid=envelope.envid,
        ret=envelope.ret,
        origin="forward",
        submitter_id=None,
        trace_id=arrival.trace_id,
        created_at=arrival.received_at,
        expires_at=arrival.received_at,
        not_before=None,
        mailbox_id=None,
        recipients=recipients,
    )
