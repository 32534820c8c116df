"""The copies of a submission: one for each mailbox of ours that it reaches, one for Sent.

All of them share the blob; each has its own fields before it. The Sent copy shows its owner the
Bcc that nobody else sees. Joins the transaction of `delivery.submit`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailcore.delivery.destinations import LocalCopy
from mailcore.directory.senders import SendingMailbox
from mailcore.mime import trace as trace_fields
from mailcore.mime.envelope import read_addresses
from mailcore.mime.fields import Octets
from mailcore.mime.header import HeaderScan
from mailcore.rawmail import PreparedBlob
from mailcore.store import tracking
from mailcore.store.deliver import Copy, Delivery, Stored, deliver_batch


@dataclass(frozen=True, slots=True)
class Post:
    """What all copies share. `prefix` goes before each; `sent_prefix` before the Sent copy."""

    header: HeaderScan
    blob: PreparedBlob
    reverse_path: str
    trace_id: uuid.UUID
    prefix: bytes
    sent_prefix: bytes
    author: SendingMailbox | None
    peer: str = ""


def store(post: Post, copies: Iterable[LocalCopy], *, now: datetime) -> int | None:
    """Store the copies and, where the author's mailbox keeps one, the Sent copy; return its id.

    Call it inside a transaction. A message from the null path (a receipt) leaves no Sent copy.
    """
    local = [_local_copy(post, copy) for copy in copies]
    author = post.author
    keeps = author is not None and author.keeps_sent_copy and bool(post.reverse_path)
    # A delivery of its own: a mailbox gets one copy of a delivery, and people write to themselves.
    sent = [_sent_copy(post, author.mailbox_id)] if author and keeps else []
    stored = deliver_batch([_delivery(post, some, now) for some in (local, sent) if some], now=now)
    if not (sent and isinstance(stored[-1], Stored)):
        return None
    return tracking.row_id(public_id=stored[-1].messages[-1])


def bcc_field(content: Octets, forward_paths: Iterable[str]) -> bytes:
    """Return a Bcc field of the recipients that neither To nor Cc names, b'' if there are none."""
    shown = read_addresses(content)
    named = {box.address.casefold() for box in (*shown.to, *shown.cc)}
    hidden = [path for path in dict.fromkeys(forward_paths) if path.casefold() not in named]
    return b"Bcc: " + ",\r\n\t".join(hidden).encode() + b"\r\n" if hidden else b""


def _local_copy(post: Post, copy: LocalCopy) -> Copy:
    return Copy(
        mailbox_id=copy.mailbox_id,
        forward_path=copy.address,
        domain_id=copy.domain_id,
        prefix=trace_fields.return_path_field(post.reverse_path)
        + trace_fields.delivered_to_field(copy.address)
        + post.prefix,
    )


def _sent_copy(post: Post, mailbox_id: int) -> Copy:
    """Return the author's own copy; no forward-path, because it is nobody's delivery."""
    return Copy(
        mailbox_id=mailbox_id,
        forward_path="",
        domain_id=None,
        prefix=post.sent_prefix,
        role="sent",
        is_seen=True,
    )


def _delivery(post: Post, copies: Sequence[Copy], now: datetime) -> Delivery:
    return Delivery(
        header=post.header,
        blob=post.blob,
        reverse_path=post.reverse_path,
        trace_id=post.trace_id,
        received_at=now,
        copies=tuple(copies),
        peer=post.peer,
    )
