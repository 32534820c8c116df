"""The moment at which a message leaves that was put off (undo send, send later).

It gets its Date, the Sent copy and its place in the mailboxes of ours; rows for other hosts become
due. What the first look at the recipients decided may be old by now, so local ones are resolved
again. Calling it twice does no harm. `queue.scheduled` holds the rows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from mailcore import rawmail
from mailcore.address import AddressError, parse_forward_path
from mailcore.delivery import accept, authorship, bounce, copies
from mailcore.delivery.destinations import LocalCopy
from mailcore.directory import resolve
from mailcore.directory.resolve import RemoteTarget, Resolved
from mailcore.directory.senders import SendingMailbox
from mailcore.errors import Refused
from mailcore.mime import originate
from mailcore.mime.header import scan_header
from mailcore.mime.limits import DEFAULT
from mailcore.models.blob import Blob
from mailcore.queue import enqueue, outcome, scheduled
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.scheduled import STORED, Waiting
from mailcore.rawmail import PreparedBlob
from mailcore.smtp.status import Delivered, Failed, Result


def release(*, message_id: int, now: datetime) -> bool:
    """Let a queued message go whose `not_before` has come, in one transaction; return True.

    True: whatever the caller had claimed of the message is stale and must be dropped. Its local
    rows have ended; its remote rows are due afresh, now with a date. Does nothing when another
    caller was quicker. Raises what store and database raise: then nothing has changed.
    """
    with transaction.atomic():
        waiting = scheduled.take(message_id=message_id, now=now)
        if waiting is not None:
            _release(waiting, now=now)
    return True


def _release(waiting: Waiting, *, now: datetime) -> None:
    batch = waiting.batch
    blob = Blob.objects.get(pk=batch.blob_id)
    head = rawmail.read_range(blob, start=0, length=DEFAULT.header_bytes)
    header = scan_header(head)
    prefix, author, bcc = batch.prefix, None, b""
    if waiting.is_undated:
        date = originate.date_field(now)
        prefix, header = prefix + date, replace(header, sent_at=now)
        author = _author(head, batch.submitter_id)
        bcc = copies.bcc_field(head, waiting.forward_paths) + date
    sorting = _Sorting()
    results = [sorting.add(recipient) for recipient in batch.recipients]
    post = copies.Post(
        header=header,
        blob=_prepared(blob),
        reverse_path=batch.reverse_path,
        trace_id=batch.trace_id,
        prefix=prefix,
        sent_prefix=bcc,
        author=author,
    )
    sent_id = copies.store(post, sorting.copies.values(), now=now)
    size = len(prefix) + blob.size
    if waiting.is_undated:
        scheduled.let_go(
            message_id=batch.message_id,
            prefix=prefix,
            size=size,
            sent_message_id=sent_id,
            now=now,
        )
    _forward(sorting, batch, prefix=prefix, size=size, now=now)
    outcome.finish(
        [
            outcome.Ending(batch, recipient, None, result)
            for recipient, result in zip(batch.recipients, results, strict=True)
        ],
        now=now,
        report=bounce.report,
    )


class _Sorting:
    """Collects the copies, and targets elsewhere, of local recipients."""

    def __init__(self) -> None:
        self.copies: dict[int, LocalCopy] = {}
        self.remotes: list[tuple[RemoteTarget, ClaimedRecipient]] = []

    def add(self, recipient: ClaimedRecipient) -> Result:
        """Resolve one recipient; return what becomes of it."""
        try:
            found = resolve.resolve(forward_path=parse_forward_path(recipient.forward_path))
            if not isinstance(found, Resolved):
                accept.judge(found, declared_size=None)
        except (AddressError, Refused) as error:
            return Failed(error.reply if isinstance(error, Refused) else accept.refusal(error))
        assert isinstance(found, Resolved)
        for target in found.mailboxes:
            address = target.address if found.is_expansion else recipient.forward_path
            copy = LocalCopy(target.mailbox_id, target.domain_id, address)
            self.copies.setdefault(target.mailbox_id, copy)
        self.remotes += [(remote, recipient) for remote in found.remotes]
        return Delivered(STORED)


def _author(head: bytes, submitter_id: int | None) -> SendingMailbox | None:
    """Return whose Sent copy it is; None when the account may not write so any more."""
    if submitter_id is None:
        return None
    try:
        return authorship.check_authors(head, user_id=submitter_id)
    except Refused:
        return None


def _prepared(blob: Blob) -> PreparedBlob:
    data = None if blob.data is None else bytes(blob.data)
    return PreparedBlob(bytes(blob.sha256), blob.size, blob.codec, blob.stored_size, data, blob.key)


def _forward(sorting: _Sorting, batch: Batch, *, prefix: bytes, size: int, now: datetime) -> None:
    """Queue what an alias made meanwhile sends on to others."""
    if not sorting.remotes:
        return
    enqueue.enqueue(
        outgoing=enqueue.Outgoing(
            reverse_path=batch.reverse_path,
            blob_id=batch.blob_id,
            prefix=prefix,
            size=size,
            origin="forward",
            trace_id=batch.trace_id,
            smtputf8=batch.smtputf8,
            body_8bit=batch.body_8bit,
            envid=batch.envid,
            ret=batch.ret,
        ),
        recipients=[
            enqueue.Recipient(remote.address, original=recipient.forward_path)
            for remote, recipient in {r.address: (r, c) for r, c in sorting.remotes}.values()
        ],
        now=now,
    )
