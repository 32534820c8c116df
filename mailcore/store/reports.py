"""Reports among the mail that came in (RFC 3464): noted by derivation, read later, once.

The note is written in the transaction that derives the content, so none is forgotten, whoever
derived it; what a report says about our own mail is `delivery.reports`'s.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailcore import rawmail
from mailcore.dsn.parse import CONTENT_BYTES, STATUS_TYPES
from mailcore.models.blob import Content
from mailcore.models.message import Message
from mailcore.models.report import WaitingReport

_NULL_PATH = b"Return-Path: <>\r\n"
_COPIES = 20


@dataclass(frozen=True, slots=True)
class ReceivedCopy:
    """A report as one mailbox has it."""

    mailbox_id: int
    trace_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Received:
    """A report that waits to be read. Only copies that came from the null reverse-path."""

    content_id: int
    copies: tuple[ReceivedCopy, ...]


def note(contents: Iterable[Content], *, now: datetime) -> None:
    """Put on the list what is a report, by its structure; part of the caller's transaction."""
    WaitingReport.objects.bulk_create(
        [WaitingReport(content_id=c.pk, noted_at=now) for c in contents if _is_report(c)],
        ignore_conflicts=True,
    )


def waiting(*, limit: int) -> list[Received]:
    """Return the oldest reports of the list. Raises django.db.DatabaseError."""
    ids = WaitingReport.objects.order_by("pk").values_list("content_id", flat=True)
    return [Received(content_id, _copies(content_id)) for content_id in ids[:limit]]


def read(received: Received) -> bytes:
    """Return the octets of the report, as many as anybody looks at.

    Raises Content.DoesNotExist, BlobMissing, BlobDamaged, OSError.
    """
    content = Content.objects.select_related("blob").get(pk=received.content_id)
    return rawmail.read_range(content.blob, start=0, length=CONTENT_BYTES)


def forget(received: Received) -> None:
    """Take a report off the list."""
    WaitingReport.objects.filter(content_id=received.content_id).delete()


def _is_report(content: Content) -> bool:
    parts = (content.structure or {}).get("parts", [])
    kinds = {part.get("content_type") for part in parts if part.get("parent") == 0}
    is_report = bool(parts) and parts[0].get("content_type") == "multipart/report"
    return is_report and not STATUS_TYPES.isdisjoint(kinds)


def _copies(content_id: int) -> tuple[ReceivedCopy, ...]:
    rows = Message.objects.filter(content_id=content_id).order_by("-pk")
    found = rows.values_list("mailbox_id", "trace_id", "prefix")[:_COPIES]
    return tuple(
        ReceivedCopy(mailbox_id, trace_id)
        for mailbox_id, trace_id, prefix in found
        if bytes(prefix).startswith(_NULL_PATH)
    )
