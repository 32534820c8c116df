"""Drafts: what the compose page edits, saved often and never over somebody else's words.

A save names the version that it began from; another one means that two windows write (Changed).
Files are blobs of their own, so that saving text never writes them again. `send_token` is taken
once: a double click sends once. Its twin in the folder Drafts is `store.drafts_folder`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from mailcore import rawmail
from mailcore.errors import MailError
from mailcore.mime.filename import safe_filename
from mailcore.models.directory import Mailbox
from mailcore.models.message import Draft, DraftAttachment, Message

FILES_MAX = 100
SENT_KEPT = timedelta(days=7)
LOST_KEPT = timedelta(days=30)
SWEPT_MAX = 500
_TYPE_CHARS = 255
_SAID = ("to", "cc", "bcc", "subject", "text", "html")
_SUBJECT_CHARS = 998


class Changed(MailError):  # noqa: N818 - named by what happened
    """Somebody saved the draft meanwhile. `current` is what it holds now."""

    def __init__(self, current: DraftRow) -> None:
        super().__init__(str(current.id))
        self.current = current


class NotOpen(MailError):  # noqa: N818 - named by what happened
    """The draft was sent, or never was one of this mailbox."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a person typed. Address lists as typed; `html` is '' for plain text and clean."""

    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a draft; `content_id` when the HTML shows it."""

    id: UUID
    name: str
    content_type: str
    size_bytes: int
    content_id: str
    blob_id: int


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft. `answers` is the message that it replies to or forwards, None when there is none.

    `kind` is '', reply or forward; `send_token` is set from sending until it is taken back.
    """

    pk: int
    id: UUID
    mailbox_id: int
    written: Written
    kind: str
    answers: UUID | None
    version: int
    send_token: UUID | None
    not_before: datetime | None
    updated_at: datetime
    message_id: int | None
    files: tuple[FileRow, ...]

    @property
    def is_blank(self) -> bool:
        """Whether nobody has written anything: no word, no recipient, no file."""
        said = (getattr(self.written, name).strip() for name in _SAID)
        return not self.files and not any(said)

    @property
    def size_bytes(self) -> int:
        """Octets of all files together."""
        return sum(file.size_bytes for file in self.files)


def find(*, mailbox: Mailbox, draft_id: UUID) -> DraftRow | None:
    """Return the draft of this mailbox, sent or not, or None; two queries."""
    return _first(mailbox_id=mailbox.pk, public_id=draft_id)


def of_message(*, mailbox: Mailbox, message_id: int) -> UUID | None:
    """Return the id of the open draft that a message in Drafts is the twin of, or None."""
    found = Draft.objects.filter(mailbox=mailbox, message_id=message_id, send_token=None)
    return found.values_list("public_id", flat=True).first()


def save(
    *,
    mailbox: Mailbox,
    author_id: int,
    draft_id: UUID,
    version: int,
    written: Written,
    kind: str = "",
    answers: UUID | None = None,
    now: datetime,
) -> DraftRow:
    """Save a draft, new when `version` is 0 and there is none; return it as it is now.

    The same words again change nothing. Raises Changed, and NotOpen when it was sent, or when the
    id belongs to a draft of another mailbox.
    """
    with transaction.atomic():
        current = _locked(mailbox, draft_id)
        if current is None:
            _create(mailbox, author_id, draft_id, written, kind, answers, now)
        elif current.send_token is not None:
            raise NotOpen(str(draft_id))
        elif _differs(current, written):
            if current.version != version:
                raise Changed(current)
            _update(current.pk, written, now)
        saved = find(mailbox=mailbox, draft_id=draft_id)
    if saved is None:
        raise NotOpen(str(draft_id))
    return saved


def add_file(
    *,
    draft: DraftRow,
    name: str,
    content_type: str,
    content: bytes,
    content_id: str = "",
    now: datetime,
) -> None:
    """Put a file on a draft. Raises NotOpen; OSError when it cannot be stored."""
    prepared = rawmail.prepare(content)
    with transaction.atomic():
        row = _open_row(draft)
        if row.attachments.count() >= FILES_MAX:
            raise NotOpen(str(draft.id))
        DraftAttachment.objects.create(
            draft=row,
            blob=rawmail.save(prepared, now=now),
            name=safe_filename(name),
            content_type=content_type[:_TYPE_CHARS],
            content_id=content_id,
            position=min(len(draft.files), 32_000),
        )
        Draft.objects.filter(pk=row.pk).update(updated_at=now)


def detach_pictures(*, draft: DraftRow) -> None:
    """Make pictures of the text plain attachments: the text holds none any more."""
    with transaction.atomic():
        row = _open_row(draft)
        DraftAttachment.objects.filter(draft=row).exclude(content_id="").update(content_id="")


def remove_files(*, draft: DraftRow, file_ids: Sequence[UUID]) -> None:
    """Take files off a draft; ids that it does not have are passed over. Raises NotOpen."""
    with transaction.atomic():
        row = _open_row(draft)
        DraftAttachment.objects.filter(draft=row, public_id__in=file_ids).delete()


def file_bytes(*, file: FileRow) -> bytes:
    """Return the octets of a file. Raises BlobMissing, BlobDamaged, OSError."""
    return rawmail.read(rawmail.rows([file.blob_id])[file.blob_id])


def claim(*, draft: DraftRow, token: UUID, not_before: datetime | None, now: datetime) -> bool:
    """Take the draft for sending, once; False when it was changed, sent or is gone meanwhile.

    Call it in the transaction that sends.
    """
    found = Draft.objects.filter(pk=draft.pk, version=draft.version, send_token=None)
    try:
        with transaction.atomic():
            changed = found.update(
                send_token=token, not_before=not_before, updated_at=now, version=F("version") + 1
            )
    except IntegrityError:  # the token of another draft
        return False
    return changed == 1


def reopen(*, draft: DraftRow, now: datetime) -> None:
    """Give a draft back that was not sent after all; it is a new version."""
    Draft.objects.filter(pk=draft.pk).update(
        send_token=None, not_before=None, updated_at=now, version=F("version") + 1
    )


def forget(*, pk: int) -> None:
    """Delete a draft and its files: it was sent, or thrown away. Its twin is not touched."""
    DraftAttachment.objects.filter(draft_id=pk).delete()
    Draft.objects.filter(pk=pk).delete()


def sweep(*, now: datetime) -> int:
    """Forget drafts sent a week ago, and open ones whose twin went a month ago; return how many."""
    sent = Q(send_token__isnull=False, updated_at__lt=now - SENT_KEPT)
    sent &= Q(not_before=None) | Q(not_before__lt=now - SENT_KEPT)
    lost = Q(send_token=None, message=None, updated_at__lt=now - LOST_KEPT)
    chosen = list(Draft.objects.filter(sent | lost).values_list("pk", flat=True)[:SWEPT_MAX])
    with transaction.atomic():
        DraftAttachment.objects.filter(draft__in=chosen).delete()
        Draft.objects.filter(pk__in=chosen).delete()
    return len(chosen)


def _first(**where: Any) -> DraftRow | None:
    row = Draft.objects.filter(**where).select_related("in_reply_to").first()
    return _row(row) if row else None


def _locked(mailbox: Mailbox, draft_id: UUID) -> DraftRow | None:
    """Lock and return the draft. Raises NotOpen when another mailbox has this id."""
    found = Draft.objects.select_for_update().filter(public_id=draft_id)
    owner = found.values_list("mailbox_id", flat=True).first()
    if owner is None:
        return None
    if owner != mailbox.pk:
        raise NotOpen(str(draft_id))
    return find(mailbox=mailbox, draft_id=draft_id)


def _open_row(draft: DraftRow) -> Draft:
    row = Draft.objects.select_for_update().filter(pk=draft.pk, send_token=None).first()
    if row is None:
        raise NotOpen(str(draft.id))
    return row


def _create(
    mailbox: Mailbox,
    author_id: int,
    draft_id: UUID,
    written: Written,
    kind: str,
    answers: UUID | None,
    now: datetime,
) -> None:
    parent = Message.objects.filter(mailbox=mailbox, public_id=answers).first() if answers else None
    try:
        with transaction.atomic():
            Draft.objects.create(
                public_id=draft_id,
                mailbox=mailbox,
                author_id=author_id,
                in_reply_to=parent,
                created_at=now,
                updated_at=now,
                **_columns(written, kind),
            )
    except IntegrityError as error:  # another window made it in this moment
        raise NotOpen(str(draft_id)) from error


def _update(pk: int, written: Written, now: datetime) -> None:
    kind = Draft.objects.values_list("recipients", flat=True).get(pk=pk).get("kind", "")
    Draft.objects.filter(pk=pk).update(
        version=F("version") + 1, updated_at=now, **_columns(written, kind)
    )


def _columns(written: Written, kind: str) -> dict[str, Any]:
    values = {name: value.replace("\0", "") for name, value in asdict(written).items()}
    lists = {name: values[name] for name in ("sender", "to", "cc", "bcc")}
    return {
        "recipients": {**lists, "kind": kind},
        "subject": values["subject"][:_SUBJECT_CHARS],
        "text": values["text"],
        "html": values["html"],
    }


def _differs(current: DraftRow, written: Written) -> bool:
    return _columns(current.written, "") != _columns(written, "")


def _row(row: Draft) -> DraftRow:
    people = row.recipients
    files = row.attachments.select_related("blob").order_by("position", "pk")
    return DraftRow(
        pk=row.pk,
        id=row.public_id,
        mailbox_id=row.mailbox_id,
        written=Written(
            **{name: str(people.get(name, "")) for name in ("sender", "to", "cc", "bcc")},
            subject=row.subject,
            text=row.text,
            html=row.html,
        ),
        kind=str(people.get("kind", "")),
        answers=row.in_reply_to.public_id if row.in_reply_to else None,
        version=row.version,
        send_token=row.send_token,
        not_before=row.not_before,
        updated_at=row.updated_at,
        message_id=row.message_id,
        files=tuple(
            FileRow(
                id=file.public_id,
                name=file.name,
                content_type=file.content_type,
                size_bytes=file.blob.size,
                content_id=file.content_id,
                blob_id=file.blob_id,
            )
            for file in files
        ),
    )
