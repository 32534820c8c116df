"""From the end of DATA to the store: mail that came in by port 25 (RFC 5321, 3.3 and 4.4).

Size and loop checks, a bytes scan of the header, the recipients once more, our trace fields, then
one transaction for the whole batch. The 250 may be sent only for a Receipt. Parsing the message
is not needed for a 250 and happens later.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import DatabaseError

from mailcore import conf, rawmail, trace
from mailcore.delivery import refusals, success
from mailcore.delivery.accept import parse_recipient
from mailcore.directory import own_domains, resolve
from mailcore.directory.resolve import MailboxTarget, RemoteTarget, Resolved
from mailcore.errors import MailError, Refused
from mailcore.mime import trace as trace_fields
from mailcore.mime.fields import Octets
from mailcore.mime.header import HeaderScan, HeaderTooLarge, scan_header
from mailcore.queue import enqueue
from mailcore.smtp.envelope import Envelope, ForwardPath, Peer
from mailcore.smtp.spool import Spool
from mailcore.store.deliver import Copy, Delivery, Onward, Result, Stored, deliver_batch

_Content = tuple[HeaderScan, rawmail.PreparedBlob]
_FAULTS = (MailError, DatabaseError, OSError, ValueError, LookupError)


@dataclass(slots=True)
class Incoming:
    """A message as DATA brought it; `submitter_id` is the user who signed in, None on port 25.

    `events` are those of its connection, to be written with it. `begun` is what `begin` left.
    """

    envelope: Envelope
    content: Spool
    peer: Peer
    trace_id: uuid.UUID
    received_at: datetime
    submitter_id: int | None = None
    events: tuple[trace.Entry, ...] = ()
    begun: Callable[[], _Content] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """On disk for every recipient; `queued_as` goes into the 250."""

    queued_as: str


# Files are synced side by side: the disk takes eight in little more than the time of one.
_file_writers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="blob-file")

Outcome = Receipt | Exception
PendingOutcome = Outcome | Future[Outcome]


def begin(item: Incoming) -> None:
    """Read a message from its final dot on, while a batch is committed.

    Called in the event loop, which reads a small message itself: the writer is what all wait for,
    and another thread costs more than it takes. One that becomes a file is written beside.
    """
    if item.content.size > conf.blob_inline_max():
        item.begun = _file_writers.submit(_read, item).result
        return
    done: Future[_Content] = Future()
    try:
        done.set_result(_read(item))
    except _FAULTS as error:
        done.set_exception(error)
    item.begun = done.result


def receive_batch(items: Sequence[Incoming], *, now: datetime) -> list[PendingOutcome]:
    """Store the messages in one transaction; a value for each, in order, after COMMIT.

    Refused carries the reply for the client; any other exception is a fault of ours (451). A
    Future stands for a message whose mailbox is busy, so that nobody else waits for it.
    """
    prepared = [_prepare(item) for item in items]
    deliveries = [entry for entry in prepared if isinstance(entry, Delivery)]
    results = iter(deliver_batch(deliveries, now=now))
    return [_outcome(next(results)) if isinstance(entry, Delivery) else entry for entry in prepared]


def _outcome(result: Result | Future[Result]) -> PendingOutcome:
    if isinstance(result, Stored):
        return Receipt(queued_as=result.trace_id.hex)
    if not isinstance(result, Future):
        return result
    later: Future[Outcome] = Future()
    result.add_done_callback(partial(_pass_on, later))
    return later


def _pass_on(later: Future[Outcome], done: Future[Result]) -> None:
    outcome = _outcome(done.result())
    if not isinstance(outcome, Future):
        later.set_result(outcome)


def _read(item: Incoming) -> _Content:
    view = item.content.view()
    header = _header(view)
    return header, rawmail.prepare(view)


def _prepare(item: Incoming) -> Delivery | Exception:
    try:
        return _delivery(item, *(item.begun() if item.begun else _read(item)))
    except _FAULTS as error:
        return error


def _delivery(item: Incoming, header: HeaderScan, blob: rawmail.PreparedBlob) -> Delivery:
    """Decide where one message goes. Raises Refused, or what the directory raises."""
    context = _Context(item, header, blob.sha256)
    for path in item.envelope.forward_paths:
        context.add(path)
    return Delivery(
        header=header,
        blob=blob,
        reverse_path=item.envelope.reverse_path,
        trace_id=item.trace_id,
        received_at=item.received_at,
        copies=tuple(context.copies),
        onward=tuple(context.onward),
        events=tuple(context.events),
        enqueue=partial(_enqueue_forwards, item, context.paths, blob.size),
        confirm=success.confirmation(
            success.Arrival(
                envelope=item.envelope,
                paths=context.local_paths,
                trace_id=item.trace_id,
                size=blob.size,
                received_at=item.received_at,
            )
        ),
        peer=item.peer.ip,
    )


def _header(view: Octets) -> HeaderScan:
    try:
        header = scan_header(view)
    except HeaderTooLarge as error:
        raise Refused(refusals.HEADER_TOO_LARGE) from error
    if header.received_count > conf.received_limit():
        raise Refused(refusals.LOOP)
    return header


class _Context:
    """Collects copies, forwards and trace events while the forward-paths are resolved."""

    def __init__(self, item: Incoming, header: HeaderScan, digest: bytes) -> None:
        self._item = item
        self._header = header
        self._digest = digest
        self._note = _note_on_sender(item.envelope.reverse_path)
        self.copies: list[Copy] = []
        self.onward: list[Onward] = []
        self.events = list(item.events)
        self.paths: dict[str, tuple[RemoteTarget, ForwardPath]] = {}
        self.local_paths: dict[str, ForwardPath] = {}

    def add(self, path: ForwardPath) -> None:
        """Resolve one forward-path and note what becomes of it. Raises Refused."""
        found = resolve.resolve_cached(
            forward_path=parse_recipient(path.address, smtputf8=self._item.envelope.smtputf8)
        )
        if not isinstance(found, Resolved):
            # It was there at RCPT: somebody removed it since. The client learns it by 550.
            raise Refused(refusals.UNKNOWN_USER)
        self._event("accepted", path.address, detail=self._note)
        if found.is_expansion:
            self._note_expansion(path, found)
        for target in found.mailboxes:
            self._add_copy(path, target, expanded=found.is_expansion)
        for remote in found.remotes:
            self._add_onward(path, remote)

    def _note_expansion(self, path: ForwardPath, found: Resolved) -> None:
        if path.address in self._header.delivered_to and found.remotes:
            raise Refused(refusals.LOOP)
        into = [target.address for target in found.mailboxes]
        into += [target.address for target in found.remotes]
        self._event("expanded", path.address, detail={"into": into})

    def _add_copy(self, path: ForwardPath, target: MailboxTarget, *, expanded: bool) -> None:
        address = target.address if expanded else path.address
        self.local_paths.setdefault(address, path)
        self.copies.append(
            Copy(
                mailbox_id=target.mailbox_id,
                forward_path=address,
                domain_id=target.domain_id,
                prefix=_prefix(self._item, delivered_to=address, accepted_for=path.address),
                key=self._key(f"m:{target.mailbox_id}"),
            )
        )

    def _add_onward(self, path: ForwardPath, remote: RemoteTarget) -> None:
        self.paths.setdefault(remote.address, (remote, path))
        self.onward.append(Onward(remote.address, key=self._key(f"f:{remote.address}")))

    def _key(self, target: str) -> bytes | None:
        """Return what makes this delivery unique; only mail with a Message-ID can be a repeat."""
        if not self._header.message_id:
            return None
        parts = (self._item.envelope.reverse_path.encode(), target.encode(), self._digest)
        return hashlib.sha256(b"\0".join(parts)).digest()

    def _event(
        self, kind: str, forward_path: str, *, detail: dict[str, object] | None = None
    ) -> None:
        self.events.append(
            trace.Entry(
                trace_id=self._item.trace_id,
                at=self._item.received_at,
                kind=kind,
                reverse_path=self._item.envelope.reverse_path,
                forward_path=forward_path,
                message_id=self._header.message_id,
                peer=self._item.peer.ip,
                detail=detail,
            )
        )


def _note_on_sender(reverse_path: str) -> dict[str, object] | None:
    """Return what the trace says of mail in our own name from somebody who has not signed in.

    It is taken: lists and forwarders send such mail, and so do forgers.
    """
    is_ours = own_domains.is_own(reverse_path.rpartition("@")[2].lower())
    return {"sender": "ours, not signed in"} if is_ours else None


def _prefix(item: Incoming, *, delivered_to: str, accepted_for: str) -> bytes:
    """Return the trace fields that go before the blob of one recipient (RFC 5321, 4.4)."""
    return (
        trace_fields.return_path_field(item.envelope.reverse_path)
        + trace_fields.delivered_to_field(delivered_to)
        + _received(item, recipients=[accepted_for])
    )


def _received(item: Incoming, *, recipients: Sequence[str]) -> bytes:
    """Return our Received field; each mailbox sees only its own recipient in it."""
    tls = item.peer.tls
    return trace_fields.received_field(
        helo=item.peer.helo,
        ip=item.peer.ip,
        by=conf.hostname(),
        queue_id=item.trace_id.hex,
        at=item.received_at,
        recipients=recipients,
        esmtp=item.peer.esmtp,
        tls_version=tls.version if tls else "",
        tls_cipher=tls.cipher if tls else "",
        smtputf8=item.envelope.smtputf8,
    )


def _enqueue_forwards(
    item: Incoming,
    paths: dict[str, tuple[RemoteTarget, ForwardPath]],
    blob_size: int,
    blob_id: int,
    onward: Sequence[Onward],
) -> None:
    """Queue the forwards of one message, in its transaction, and trace each."""
    prefix = _received(item, recipients=())
    envelope = item.envelope
    enqueue.enqueue(
        outgoing=enqueue.Outgoing(
            reverse_path=envelope.reverse_path,
            blob_id=blob_id,
            prefix=prefix,
            size=len(prefix) + blob_size,
            origin="forward",
            trace_id=item.trace_id,
            smtputf8=envelope.smtputf8,
            body_8bit=envelope.body_8bit,
            envid=envelope.envid,
            ret=envelope.ret,
        ),
        recipients=list(_recipients(paths, onward)),
        now=item.received_at,
    )
    trace.record(
        trace.Entry(
            trace_id=item.trace_id,
            at=item.received_at,
            kind="forwarded",
            reverse_path=envelope.reverse_path,
            forward_path=target.forward_path,
            peer=item.peer.ip,
        )
        for target in onward
    )


def _recipients(
    paths: dict[str, tuple[RemoteTarget, ForwardPath]], onward: Sequence[Onward]
) -> Iterator[enqueue.Recipient]:
    for target in onward:
        _, path = paths[target.forward_path]
        yield enqueue.Recipient(
            forward_path=target.forward_path,
            original=path.address,
            notify=",".join(path.notify),
            orcpt=path.orcpt,
        )
