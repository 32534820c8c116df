"""Proof that the tables of the store agree with each other and with the octets (RFC 9051, 7162).

Recomputes what is stored redundantly: counters, quota, highest modseqs, sizes, digests. Set-wise,
in one snapshot; blobs are read afterwards, one after the other. Repairs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Length

from mailcore import rawmail
from mailcore.blobs import BlobMissing
from mailcore.models.blob import Blob, Content
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, FolderTombstone
from mailcore.models.message import Message, Thread, ThreadRef, Tombstone
from mailcore.models.search import SearchEntry
from mailcore.rawmail import BlobDamaged

SHOWN_MAX = 20  # rows named for each check; more are only counted


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. `what` is a row, `detail` says stored and found."""

    check: str
    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what}: {self.detail}"


def verify(*, with_blobs: bool = True) -> list[Finding]:
    """Return every disagreement; empty when all is well. Raises DatabaseError."""
    with transaction.atomic():
        _take_snapshot()
        findings = [
            *_folders(),
            *_mailboxes(),
            *(finding for check in _ROW_CHECKS for finding in _rows(*check())),
        ]
    return [*findings, *_blobs()] if with_blobs else findings


def _take_snapshot() -> None:
    """Let all queries see one state while deliveries go on; SQLite's lock does it by itself."""
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _folders() -> Iterator[Finding]:
    """Counters, UIDs and modseqs of each folder against its messages and its mailbox."""
    messages = (
        Message.objects.values("folder_id")
        .order_by()
        .annotate(
            total_count=Count("id"),
            unseen_count=Count("id", filter=Q(is_seen=False)),
            deleted_count=Count("id", filter=Q(is_deleted=True)),
            size_bytes=Sum("size"),
            uid=Max("uid"),
            modseq=Max("modseq"),
        )
    )
    found: dict[int, dict[str, Any]] = {row["folder_id"]: {**row} for row in messages}
    buried = Tombstone.objects.values_list("folder_id").order_by().annotate(Max("uid"))
    last_buried = {folder_id: uid for folder_id, uid in buried if folder_id is not None}
    for folder in Folder.objects.select_related("mailbox").order_by("pk"):
        row = found.get(folder.pk, {})
        for counter in ("total_count", "unseen_count", "deleted_count", "size_bytes"):
            yield from _equal(
                f"folder {counter}", f"folder {folder.pk}", getattr(folder, counter), row, counter
            )
        last = max(row.get("uid", 0), last_buried.get(folder.pk, 0))
        if last >= folder.uidnext:
            yield Finding("uid", f"folder {folder.pk}", f"uidnext {folder.uidnext}, uid {last}")
        ordered = (row.get("modseq", 0), folder.highest_modseq, folder.mailbox.modseq)
        if not ordered[0] <= ordered[1] <= ordered[2]:
            yield Finding(
                "modseq",
                f"folder {folder.pk}",
                "message {}, folder {}, mailbox {}".format(*ordered),
            )
        if folder.uidvalidity >= folder.mailbox.uidvalidity_next:
            yield Finding("uidvalidity", f"folder {folder.pk}", "not below uidvalidity_next")


def _mailboxes() -> Iterator[Finding]:
    """Quota of each mailbox against its messages."""
    sums = (
        Message.objects.values("mailbox_id")
        .order_by()
        .annotate(used_bytes=Sum("size"), used_count=Count("id"))
    )
    found: dict[int, dict[str, Any]] = {row["mailbox_id"]: {**row} for row in sums}
    for mailbox in Mailbox.objects.order_by("pk"):
        row = found.get(mailbox.pk, {})
        what = f"mailbox {mailbox.pk}"
        yield from _equal("quota", what, mailbox.used_bytes, row, "used_bytes")
        yield from _equal("quota count", what, mailbox.used_count, row, "used_count")
        if mailbox.purged_modseq > mailbox.modseq:
            yield Finding("purged_modseq", what, "above the modseq of the mailbox")


def _equal(
    check: str, what: str, stored: int, found: dict[str, Any], name: str
) -> Iterator[Finding]:
    actual = found.get(name) or 0
    if stored != actual:
        yield Finding(check, what, f"stored {stored}, found {actual}")


Check = tuple[str, QuerySet[Any], str]


def _message_sizes() -> Check:
    wrong = Message.objects.exclude(size=Length("prefix") + F("content__blob__size"))
    return "message size", wrong, "is not prefix and blob together"


def _message_contents() -> Check:
    missing = Message.objects.filter(~Exists(Content.objects.filter(pk=OuterRef("content_id"))))
    return "message content", missing, "has no content"


def _message_folders() -> Check:
    wrong = Message.objects.exclude(mailbox_id=F("folder__mailbox_id"))
    return "message folder", wrong, "is in a folder of another mailbox"


def _message_threads() -> Check:
    wrong = Message.objects.exclude(mailbox_id=F("thread__mailbox_id"))
    return "message thread", wrong, "is in a thread of another mailbox"


def _message_modseqs() -> Check:
    wrong = Message.objects.filter(created_modseq__gt=F("modseq"))
    return "message modseq", wrong, "was created after it was changed"


def _message_attachments() -> Check:
    derived = Message.objects.filter(content__parsed_at__isnull=False)
    wrong = derived.exclude(has_attachment=F("content__has_attachment"))
    return "message attachment", wrong, "has another has_attachment than its content"


def _message_words() -> Check:
    derived = Message.objects.filter(content__parsed_at__isnull=False)
    missing = derived.filter(~Exists(SearchEntry.objects.filter(pk=OuterRef("pk"))))
    return "search entry", missing, "is derived but not in the search index"


def _entry_mailboxes() -> Check:
    wrong = SearchEntry.objects.exclude(mailbox_id=F("message__mailbox_id"))
    return "search mailbox", wrong, "is indexed for another mailbox"


def _uid_reuse() -> Check:
    again = Message.objects.filter(folder_id=OuterRef("folder_id"), uid=OuterRef("uid"))
    return "uid reuse", Tombstone.objects.filter(Exists(again)), "has a living UID"


def _tombstone_modseqs() -> Check:
    wrong = Tombstone.objects.filter(modseq__gt=F("mailbox__modseq"))
    return "tombstone modseq", wrong, "is above the modseq of the mailbox"


def _uidvalidity_reuse() -> Check:
    again = FolderTombstone.objects.filter(
        mailbox_id=OuterRef("mailbox_id"), uidvalidity=OuterRef("uidvalidity")
    )
    return "uidvalidity reuse", Folder.objects.filter(Exists(again)), "has a spent uidvalidity"


def _thread_modseqs() -> Check:
    wrong = Thread.objects.filter(modseq__gt=F("mailbox__modseq"))
    return "thread modseq", wrong, "is above the modseq of the mailbox"


def _empty_threads() -> Check:
    empty = Thread.objects.filter(~Exists(Message.objects.filter(thread_id=OuterRef("pk"))))
    return "empty thread", empty, "has no message"


def _thread_references() -> Check:
    wrong = ThreadRef.objects.exclude(mailbox_id=F("thread__mailbox_id"))
    return "thread reference", wrong, "points to a thread of another mailbox"


def _content_headers() -> Check:
    wrong = Content.objects.filter(header_size__gt=F("blob__size"))
    return "content header", wrong, "has a header longer than the blob"


_ROW_CHECKS = (
    _message_sizes,
    _message_contents,
    _message_folders,
    _message_threads,
    _message_modseqs,
    _message_attachments,
    _message_words,
    _entry_mailboxes,
    _uid_reuse,
    _tombstone_modseqs,
    _uidvalidity_reuse,
    _thread_modseqs,
    _empty_threads,
    _thread_references,
    _content_headers,
)


def _rows(check: str, wrong: QuerySet[Any], detail: str) -> Iterator[Finding]:
    name = str(wrong.model._meta.model_name)
    ids = list(wrong.order_by("pk").values_list("pk", flat=True)[: SHOWN_MAX + 1])
    for pk in ids[:SHOWN_MAX]:
        yield Finding(check, f"{name} {pk}", detail)
    if len(ids) > SHOWN_MAX:
        yield Finding(check, f"{name} ...", f"{wrong.count()} in all: {detail}")


def _blobs() -> Iterator[Finding]:
    """Read every blob: there, as long as stored, with the digest that names it (G13)."""
    for blob in Blob.objects.order_by("pk").iterator(chunk_size=200):
        try:
            octets = rawmail.read_checked(blob)
        except BlobMissing:
            yield Finding("blob", f"blob {blob.pk}", "its file is missing")
        except (BlobDamaged, OSError) as error:
            yield Finding("blob", f"blob {blob.pk}", f"damaged: {error!r}")
        else:
            if len(octets) != blob.size:
                yield Finding("blob", f"blob {blob.pk}", f"size {blob.size}, found {len(octets)}")
