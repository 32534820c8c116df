"""Tells a sender what became of a message: failed, delayed, delivered (RFC 3461, 5; RFC 3464).

Runs in the transaction that ends the recipients, so that no end is without its notice or the
reason why there is none (G5). Never for the null reverse-path, never against NOTIFY, and only so
many an hour to one address: outsiders must not make us write to a third (G6). What the notice
looks like is `bounce_content`'s.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from mailcore import conf, rawmail, trace
from mailcore.address import AddressError, parse
from mailcore.delivery import bounce_content
from mailcore.delivery.bounce_content import Notice, Source
from mailcore.directory import resolve
from mailcore.directory.resolve import Destinations, Relay, Resolved, Unknown
from mailcore.mime import trace as trace_fields
from mailcore.mime.header import scan_header
from mailcore.queue import enqueue
from mailcore.queue.outcome import Ended
from mailcore.store.deliver import Copy, Delivery, MailboxGone, Onward, deliver_batch

log = logging.getLogger("mailcore.delivery")

SENT, NONE_NULL, NONE_NOTIFY, NONE_RATE = "sent", "none_null", "none_notify", "none_rate"
PER_HOUR = 1000  # to one of our own people
STRANGER_PER_HOUR = 20  # to one whose mail we only forward
_OWN = frozenset({"submission", "webmail"})
_KINDS = {"failed": "failed", "expired": "failed", "delayed": "delayed"}


@dataclass(frozen=True, slots=True)
class _Composed:
    """A notice as octets, under its own trace id, and where it goes."""

    notice: Notice
    content: bytes
    blob: rawmail.PreparedBlob
    trace_id: uuid.UUID
    to: Destinations


def report(ended: Sequence[Ended], *, now: datetime) -> dict[int, str]:
    """Write the notices that are due; return the dsn_outcome of each recipient that needs one.

    Call it inside the transaction that ends the recipients. One notice per message and kind; a
    delay that is not told has no outcome, and neither has a success that nobody asked about.
    Raises django.db.DatabaseError.
    """
    outcomes: dict[int, str] = {}
    groups: dict[tuple[int, str], list[Ended]] = {}
    for each in ended:
        reason = _reason_for_none(each)
        if reason is None:
            groups.setdefault((each.batch.message_id, _kind(each)), []).append(each)
        elif reason and each.state != "delayed":
            outcomes[each.recipient.id] = reason
    notices = [Notice(kind, tuple(group)) for (_, kind), group in groups.items()]
    for notice, outcome in _send(notices, now=now):
        if notice.kind != "delayed":
            outcomes |= {each.recipient.id: outcome for each in notice.ended}
    return outcomes


def _kind(each: Ended) -> str:
    if each.state == "delivered":
        return "delivered" if each.batch.route == "local" else "relayed"
    return _KINDS[each.state]


def _reason_for_none(each: Ended) -> str | None:
    """Return None when a notice is due, '' when none was ever asked for, else the outcome."""
    notify = frozenset(filter(None, each.recipient.notify.upper().split(",")))
    if each.state == "delivered" and ("SUCCESS" not in notify or each.relayed_dsn):
        return ""
    if not each.batch.reverse_path:
        return NONE_NULL
    if each.state == "delivered":
        return None
    if each.state == "delayed":
        is_told = "DELAY" in notify or (not notify and each.batch.origin in _OWN)
        return None if is_told else ""
    return NONE_NOTIFY if notify and "FAILURE" not in notify else None


def _send(notices: Sequence[Notice], *, now: datetime) -> list[tuple[Notice, str]]:
    """Write the notices that may be written; return each with its outcome."""
    if not notices:
        return []
    paths = {notice.batch.reverse_path for notice in notices}
    targets = {path: _target(path) for path in paths}
    counts = Counter(trace.own_mail_counts(forward_paths=paths, since=now - timedelta(hours=1)))
    outcomes: list[tuple[Notice, str]] = []
    allowed: list[Notice] = []
    for notice in notices:
        path = notice.batch.reverse_path
        limit = PER_HOUR if notice.batch.origin in _OWN else STRANGER_PER_HOUR
        if not isinstance(targets[path], Relay | Resolved):
            outcomes.append((notice, NONE_NULL))  # the sender is gone: nobody to tell
        elif counts[path] >= limit:
            outcomes.append((notice, NONE_RATE))
        else:
            counts[path] += 1
            allowed.append(notice)
    composed = _compose(allowed, targets, now=now)
    unsent = _write(composed, now=now)
    outcomes += [(each.notice, NONE_NULL if each in unsent else SENT) for each in composed]
    return outcomes


def _target(reverse_path: str) -> Destinations:
    try:
        return resolve.resolve(forward_path=parse(reverse_path))
    except AddressError:
        return Unknown()


def _compose(
    notices: Sequence[Notice], targets: Mapping[str, Destinations], *, now: datetime
) -> list[_Composed]:
    sources = bounce_content.read_sources(notices)
    composed = []
    for notice in notices:
        target = targets[notice.batch.reverse_path]
        trace_id = uuid.uuid4()
        write = partial(
            bounce_content.write,
            notice,
            is_ours=not isinstance(target, Relay),
            message_id=f"{trace_id.hex}@{conf.hostname()}",
            now=now,
        )
        content, blob = _prepared(write, sources[notice])
        composed.append(_Composed(notice, content, blob, trace_id, target))
    return composed


def _prepared(write: Callable[..., bytes], source: Source) -> tuple[bytes, rawmail.PreparedBlob]:
    """Return a notice and its blob; one that cannot become a file goes without the original."""
    content = write(source=source)
    try:
        return content, rawmail.prepare(content)
    except OSError as error:
        log.warning("bounce.without_original", extra={"fields": {"error": repr(error)}})
        content = write(source=replace(source, original=b""))
        return content, rawmail.prepare(content)


def _write(composed: Sequence[_Composed], *, now: datetime) -> list[_Composed]:
    """Store and queue; return those whose mailbox was deleted in this moment."""
    local = [each for each in composed if isinstance(each.to, Resolved)]
    gone = _store(local, now=now)
    for each in composed:
        if isinstance(each.to, Relay):
            blob = rawmail.save(each.blob, now=now)
            trace.record([_accepted(each, now)])
            _enqueue(each, now, blob.pk, [Onward(each.notice.batch.reverse_path)])
    trace.record(
        _notified(each, recipient.recipient.forward_path, now)
        for each in composed
        if each not in gone
        for recipient in each.notice.ended
    )
    return gone


def _store(local: Sequence[_Composed], *, now: datetime) -> list[_Composed]:
    """Deliver into our own mailboxes, all at once, in the order of their locks."""
    try:
        with transaction.atomic():
            deliver_batch([_delivery(each, now) for each in local], now=now)
            return []
    except MailboxGone:
        log.info("bounce.mailbox_gone")
    if len(local) == 1:
        return list(local)
    return [gone for each in local for gone in _store([each], now=now)]


def _delivery(each: _Composed, now: datetime) -> Delivery:
    assert isinstance(each.to, Resolved)
    path = each.notice.batch.reverse_path
    events = [_accepted(each, now)]
    if each.to.is_expansion:
        into = [target.address for target in each.to.mailboxes]
        into += [target.address for target in each.to.remotes]
        events.append(_event(each, "expanded", path, now, {"into": into}))
    return Delivery(
        header=scan_header(each.content),
        blob=each.blob,
        reverse_path="",
        trace_id=each.trace_id,
        received_at=now,
        copies=tuple(
            Copy(
                mailbox_id=target.mailbox_id,
                forward_path=target.address if each.to.is_expansion else path,
                domain_id=target.domain_id,
                prefix=trace_fields.return_path_field("")
                + trace_fields.delivered_to_field(target.address),
            )
            for target in each.to.mailboxes
        ),
        onward=tuple(Onward(remote.address) for remote in each.to.remotes),
        events=tuple(events),
        enqueue=partial(_enqueue, each, now),
    )


def _enqueue(each: _Composed, now: datetime, blob_id: int, onward: Sequence[Onward]) -> None:
    """Queue a notice with the null reverse-path, which nobody may bounce (RFC 3461, 6.1)."""
    path = each.notice.batch.reverse_path
    enqueue.enqueue(
        outgoing=enqueue.Outgoing(
            reverse_path="",
            blob_id=blob_id,
            prefix=b"",
            size=len(each.content),
            origin="dsn",
            trace_id=each.trace_id,
            smtputf8=not path.isascii(),
            body_8bit=not each.content.isascii(),
        ),
        recipients=[
            enqueue.Recipient(
                forward_path=target.forward_path,
                original="" if target.forward_path == path else path,
                notify="NEVER",
            )
            for target in onward
        ],
        now=now,
    )


def _accepted(each: _Composed, now: datetime) -> trace.Entry:
    detail: dict[str, object] = {
        "action": each.notice.kind,
        "about": each.notice.batch.trace_id.hex,
    }
    return _event(each, "accepted", each.notice.batch.reverse_path, now, detail)


def _event(
    each: _Composed, kind: str, forward_path: str, now: datetime, detail: dict[str, object]
) -> trace.Entry:
    return trace.Entry(
        trace_id=each.trace_id,
        at=now,
        kind=kind,
        forward_path=forward_path,
        message_id=f"{each.trace_id.hex}@{conf.hostname()}",
        detail=detail,
    )


def _notified(each: _Composed, forward_path: str, now: datetime) -> trace.Entry:
    """Say in the story of the message itself which notice told of a recipient."""
    batch = each.notice.batch
    return trace.Entry(
        trace_id=batch.trace_id,
        at=now,
        kind="notified",
        reverse_path=batch.reverse_path,
        forward_path=forward_path,
        mailbox_id=batch.mailbox_id,
        detail={"action": each.notice.kind, "notice": each.trace_id.hex},
    )
