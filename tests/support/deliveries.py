"""Builders of mailboxes, messages and deliveries for tests of the store and of delivery."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from mailcore import rawmail
from mailcore.mime.header import scan_header
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.store.deliver import Copy, Delivery

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_ROLES = {
    "inbox": "INBOX",
    "sent": "Sent",
    "drafts": "Drafts",
    "archive": "Archive",
    "junk": "Junk",
    "trash": "Trash",
}


def make_mailbox(*, name: str = "box") -> Mailbox:
    """Return an empty mailbox with the folders of every role."""
    mailbox = Mailbox.objects.create(
        display_name=name, uidvalidity_next=len(_ROLES) + 1, created_at=NOW
    )
    for number, (role, folder_name) in enumerate(_ROLES.items(), 1):
        Folder.objects.create(
            mailbox=mailbox,
            name=folder_name,
            role=role,
            position=number,
            modseq=1,
            created_modseq=1,
            highest_modseq=1,
            uidvalidity=number,
        )
    return mailbox


def make_message(
    *,
    message_id: str = "",
    subject: str = "Hello",
    sender: str = "carol@outside.example",
    to: str = "bob@hamburger.test",
    headers: Sequence[str] = (),
    body: str = "Hi",
) -> bytes:
    """Return a small message; an empty `message_id` leaves the field out."""
    fields = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", *headers]
    if message_id:
        fields.append(f"Message-ID: <{message_id}>")
    return ("\r\n".join(fields) + "\r\n\r\n" + body + "\r\n").encode()


def make_delivery(
    raw: bytes,
    *mailboxes: Mailbox,
    reverse_path: str = "carol@outside.example",
    at: datetime = NOW,
    keyed: bool = True,
    is_seen: bool = False,
    role: str = "inbox",
) -> Delivery:
    """Return a delivery of `raw` to mailboxes, with a delivery key when it has a Message-ID."""
    header = scan_header(raw)
    blob = rawmail.prepare(raw)

    def key(mailbox: Mailbox) -> bytes | None:
        if not keyed or not header.message_id:
            return None
        return hashlib.sha256(f"{reverse_path}\0{mailbox.pk}\0".encode() + blob.sha256).digest()

    return Delivery(
        header=header,
        blob=blob,
        reverse_path=reverse_path,
        trace_id=uuid.uuid4(),
        received_at=at,
        copies=tuple(
            Copy(
                mailbox_id=mailbox.pk,
                forward_path=f"{mailbox.display_name}@hamburger.test",
                domain_id=None,
                prefix=b"Delivered-To: %d\r\n" % mailbox.pk,
                key=key(mailbox),
                is_seen=is_seen,
                role=role,
            )
            for mailbox in mailboxes
        ),
    )
