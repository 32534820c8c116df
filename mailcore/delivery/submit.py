"""A message of one of our own people: from 587, 465 or the compose page to mailboxes and queue.

RFC 6409. Checks who may write, puts the header right, then one transaction: copies for mailboxes
of ours, the Sent copy, and a queue row for every forward-path. What is put off waits whole, without
Date and Sent copy, until `release`. Refuses with the reply of `refusals`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from django.db import DatabaseError, transaction

from mailcore import conf, rawmail, trace
from mailcore.delivery import accept, authorship, bounce, copies, refusals
from mailcore.delivery.destinations import Spread, spread
from mailcore.delivery.inbound import Incoming, PendingOutcome, Receipt
from mailcore.delivery.release import release
from mailcore.directory import resolve
from mailcore.directory.resolve import Relay
from mailcore.directory.senders import SendingMailbox
from mailcore.errors import MailError, Refused
from mailcore.mime import originate
from mailcore.mime import trace as trace_fields
from mailcore.mime.fields import Octets
from mailcore.mime.header import HeaderScan, HeaderTooLarge, scan_header
from mailcore.queue import enqueue, scheduled
from mailcore.rawmail import PreparedBlob
from mailcore.smtp.envelope import Envelope, Peer
from mailcore.smtp.spool import Spool

__all__ = [
    "Submission",
    "Submitted",
    "check_recipient",
    "check_sender",
    "release",
    "submit",
    "submit_batch",
]

check_sender = authorship.check_reverse_path


@dataclass(frozen=True, slots=True)
class Submission:
    """A message to send. `content` has CRLF line ends; `peer` is None for the compose page."""

    envelope: Envelope
    content: Octets
    submitter_id: int
    trace_id: uuid.UUID
    origin: Literal["submission", "webmail"] = "submission"
    peer: Peer | None = None
    not_before: datetime | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """On disk for every recipient; `public_id` names the message in the queue."""

    trace_id: uuid.UUID
    message_id: int
    public_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class _Ready:
    """A submission after the checks: what the transaction writes. `prefix` is for remote hosts."""

    submission: Submission
    header: HeaderScan
    blob: PreparedBlob
    prefix: bytes
    bcc: bytes
    is_8bit: bool
    author: SendingMailbox
    spread: Spread


def check_recipient(*, forward_path: str, declared_size: int | None, smtputf8: bool) -> None:
    """Raise Refused when `forward_path` is one of ours that takes no mail, or is no address."""
    address = accept.parse_recipient(forward_path, smtputf8=smtputf8)
    found = resolve.resolve_cached(forward_path=address)
    if not isinstance(found, Relay):
        accept.judge(found, declared_size=declared_size)


def submit_batch(items: Sequence[Incoming], *, now: datetime) -> list[PendingOutcome]:
    """Submit what sessions of 587 and 465 took; a value for each, in order, after COMMIT."""
    return [_submit_incoming(item, now=now) for item in items]


def submit(submission: Submission, *, now: datetime) -> Submitted:
    """Store and queue a message; on disk for every recipient when this returns.

    Raises Refused (4yz or 5yz) and what store and database raise: then nothing was kept.
    """
    spool = Spool(directory=conf.data_dir() / "spool")
    try:
        ready = _prepare(submission, spool, now=now)
    finally:
        spool.close()
    with transaction.atomic():
        return _write(ready, now=now)


def _submit_incoming(item: Incoming, *, now: datetime) -> Receipt | Exception:
    if item.submitter_id is None:
        return ValueError("nobody has signed in")
    submission = Submission(
        envelope=item.envelope,
        content=item.content.view(),
        submitter_id=item.submitter_id,
        trace_id=item.trace_id,
        peer=item.peer,
    )
    try:
        submit(submission, now=now)
    except (MailError, DatabaseError, OSError, ValueError, LookupError) as error:
        return error
    return Receipt(queued_as=item.trace_id.hex)


def _prepare(submission: Submission, spool: Spool, *, now: datetime) -> _Ready:
    envelope, user_id = submission.envelope, submission.submitter_id
    _scan(submission.content)  # the limits, before anything else looks at it
    authorship.check_reverse_path(user_id=user_id, reverse_path=envelope.reverse_path)
    author = authorship.check_authors(submission.content, user_id=user_id)
    made = originate.originate(
        submission.content,
        message_id=f"{submission.trace_id.hex}@{conf.hostname()}",
        date=None if submission.not_before else now,
        drop=["date"] if submission.not_before else [],
    )
    content = _rewritten(submission.content, made, spool) if made.is_changed else submission.content
    return _Ready(
        submission=submission,
        header=_scan(content),
        blob=rawmail.prepare(content),
        prefix=_received(submission, at=now),
        bcc=made.bcc,
        is_8bit=envelope.body_8bit or originate.is_8bit(content),
        author=author,
        spread=spread(envelope.forward_paths, smtputf8=envelope.smtputf8),
    )


def _scan(content: Octets) -> HeaderScan:
    try:
        header = scan_header(content)
    except HeaderTooLarge as error:
        raise Refused(refusals.HEADER_TOO_LARGE) from error
    if header.received_count > conf.received_limit():
        raise Refused(refusals.LOOP)
    return header


def _rewritten(content: Octets, made: originate.Originated, spool: Spool) -> Octets:
    """Return the message with its new header; a large one goes through a file. Raises OSError."""
    spool.write(made.header)
    with memoryview(content) as view, view[made.body_start :] as body:
        spool.write(body)
    if spool.fault is not None:
        raise spool.fault
    return spool.view()


def _received(submission: Submission, *, at: datetime) -> bytes:
    """Return our Received field: it says that somebody signed in, not from where.

    Nothing for the compose page: the first hop is the host that we send to.
    """
    peer = submission.peer
    if peer is None:
        return b""
    paths = [path.address for path in submission.envelope.forward_paths]
    return trace_fields.received_field(
        helo="localhost",
        ip="",
        by=conf.hostname(),
        queue_id=submission.trace_id.hex,
        at=at,
        recipients=paths,
        esmtp=peer.esmtp,
        tls_version=peer.tls.version if peer.tls else "",
        tls_cipher=peer.tls.cipher if peer.tls else "",
        authenticated=True,
        smtputf8=submission.envelope.smtputf8,
    )


def _write(ready: _Ready, *, now: datetime) -> Submitted:
    """Write everything about one submission into the open transaction."""
    submission, is_put_off = ready.submission, ready.submission.not_before is not None
    blob = rawmail.save(ready.blob, now=now)
    trace.record(_events(ready, now=now))
    sent_id = None
    if not is_put_off:
        sent_id = copies.store(_post(ready), ready.spread.copies.values(), now=now)
    queued = enqueue.enqueue(
        outgoing=_outgoing(ready, blob_id=blob.pk, sent_message_id=sent_id),
        recipients=[
            replace(row, is_delivered=row.route == "local" and not is_put_off)
            for row in ready.spread.rows.values()
        ],
        now=now,
    )
    scheduled.report_stored(message_id=queued.message_id, now=now, report=bounce.report)
    return Submitted(submission.trace_id, queued.message_id, queued.public_id)


def _post(ready: _Ready) -> copies.Post:
    submission = ready.submission
    return copies.Post(
        header=ready.header,
        blob=ready.blob,
        reverse_path=submission.envelope.reverse_path,
        trace_id=submission.trace_id,
        prefix=ready.prefix,
        sent_prefix=ready.bcc,
        author=ready.author,
        peer=submission.peer.ip if submission.peer else "",
    )


def _events(ready: _Ready, *, now: datetime) -> Iterable[trace.Entry]:
    submission = ready.submission
    event = trace.Entry(
        trace_id=submission.trace_id,
        at=now,
        kind="accepted",
        reverse_path=submission.envelope.reverse_path,
        message_id=ready.header.message_id,
        peer=submission.peer.ip if submission.peer else "",
        detail={"by": submission.submitter_id, "origin": submission.origin},
    )
    for path in ready.spread.accepted:
        yield replace(event, forward_path=path)
        if path in ready.spread.expanded:
            into: dict[str, object] = {"into": ready.spread.expanded[path]}
            yield replace(event, forward_path=path, kind="expanded", detail=into)


def _outgoing(ready: _Ready, *, blob_id: int, sent_message_id: int | None) -> enqueue.Outgoing:
    submission, envelope = ready.submission, ready.submission.envelope
    return enqueue.Outgoing(
        reverse_path=envelope.reverse_path,
        blob_id=blob_id,
        prefix=ready.prefix,
        size=len(ready.prefix) + ready.blob.size,
        origin=submission.origin,
        trace_id=submission.trace_id,
        smtputf8=envelope.smtputf8,
        body_8bit=ready.is_8bit,
        envid=envelope.envid,
        ret=envelope.ret,
        not_before=submission.not_before,
        submitter_id=submission.submitter_id,
        draft_id=submission.draft_id,
        sent_message_id=sent_message_id,
        mailbox_id=ready.author.mailbox_id,
    )
