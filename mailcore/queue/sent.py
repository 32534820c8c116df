"""What becomes of the mail of one mailbox: its outbox, and the tracking of each recipient.

Every question names the mailbox in whose name the mail was submitted, so that an id of somebody
else's mail finds nothing. Reads only and hands out values; `control` changes. Whether a person may
use the mailbox is the caller's to say.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from mailcore import rawmail
from mailcore.blobs.protocol import BlobMissing
from mailcore.mime.header import HeaderTooLarge, scan_header
from mailcore.mime.limits import DEFAULT
from mailcore.models.queue import DeliveryAttempt, QueuedMessage, QueuedRecipient, State
from mailcore.queue.control import LOST as IS_LOST
from mailcore.queue.control import Which
from mailcore.smtp.reply import Reply

Show = Literal["", "scheduled", "sending", "failed"]
OPEN: tuple[str, ...] = (State.QUEUED, State.HELD, State.CAPTURED)
WAITING: tuple[str, ...] = (State.QUEUED, State.HELD)
LOST: tuple[str, ...] = (State.FAILED, State.EXPIRED)
PAGE_MAX = 100
PARCELS_MAX = 200  # recipients that one page shows, what went wrong first
ATTEMPTS_MAX = 300  # tries of one page, the newest
_REPLY = re.compile(r"(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3}))?[ -]?(.*)", re.DOTALL)
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one host; `code` is None while it runs. `dialogue` is '' in lists."""

    started_at: datetime
    duration_ms: int | None
    host: str
    ip: str
    tls: str
    code: int | None
    enhanced: str
    text: str
    dialogue: str = ""

    @property
    def reply(self) -> str:
        """What the host answered, in its own words."""
        return str(Reply(self.code, self.enhanced, self.text)) if self.code else ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One recipient of a message and how far it got. `attempts` are newest first.

    `reported` is what a report said after a host had taken it (docs/adr/0007), '' without one.
    """

    id: uuid.UUID
    forward_path: str
    original_forward_path: str
    route: str
    state: str
    attempt_count: int
    next_attempt_at: datetime | None
    last_reply: str
    remote_host: str
    finished_at: datetime | None
    reported: str
    lease_until: datetime | None
    dismissed_at: datetime | None
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anything is still going to happen."""
        return self.state in OPEN

    @property
    def is_lost(self) -> bool:
        """Whether the recipient has not got the message and will not."""
        return self.state in LOST or self.reported == "failed"

    @property
    def may_dismiss(self) -> bool:
        """Whether the outbox shows it as lost, and its sender can take it off."""
        return self.is_lost and self.dismissed_at is None

    @property
    def reply(self) -> Reply:
        """The last reply as a value; what a report quotes may be a bare status code."""
        return read_reply(self.last_reply)

    def is_busy(self, now: datetime) -> bool:
        """Whether it is being sent in this moment, so that nothing can be done with it."""
        return self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was submitted; `message_id` and `thread_id` name its Sent copy.

    `parcels` may be fewer than `total`. `not_before` is set while a chosen time has not come.
    """

    id: uuid.UUID
    trace_id: uuid.UUID
    subject: str
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    draft_id: uuid.UUID | None
    message_id: uuid.UUID | None
    thread_id: uuid.UUID | None
    folder_id: uuid.UUID | None
    total: int
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, newest first; `before` asks for the page after this one, None is the end."""

    messages: tuple[Sent, ...]
    before: int | None


def outbox(
    *, mailbox_id: int, now: datetime, show: Show = "", before: int | None = None, limit: int = 50
) -> Page:
    """Return what has not reached everybody: put off, on its way, or not delivered.

    At most `limit` messages (100) in three statements; tries are left out.
    """
    size = max(1, min(limit, PAGE_MAX))
    rows = QueuedMessage.objects.filter(_shown(show, now), mailbox_id=mailbox_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = _read(rows.order_by("-pk")[: size + 1])
    page = found[:size]
    parcels = _parcels([row["id"] for row in page])
    messages = tuple(_sent(row, parcels.get(row["id"], ())) for row in _with_subjects(page))
    return Page(messages, page[-1]["id"] if len(found) > size else None)


def count(*, mailbox_id: int, limit: int = 100) -> int:
    """Return how many messages wait or were not delivered and not dismissed, at most `limit`.

    What an operator's mode keeps here for good (captured) is nothing to wait for. One statement.
    """
    own = QueuedRecipient.objects.filter(message=OuterRef("pk"))
    told = own.filter(Q(state__in=WAITING) | (IS_LOST & Q(dismissed_at=None)))
    return QueuedMessage.objects.filter(Exists(told), mailbox_id=mailbox_id)[:limit].count()


def of_messages(*, mailbox_id: int, message_ids: Collection[int]) -> dict[int, Sent]:
    """Return the tracking of Sent copies by the key of their rows; those without are left out.

    One statement when there is none, else three.
    """
    rows = QueuedMessage.objects.filter(mailbox_id=mailbox_id, sent_message__in=list(message_ids))
    found = _read(rows.order_by("pk"))
    parcels = _parcels([row["id"] for row in found], with_attempts=True)
    return {row["sent_message_id"]: _sent(row, parcels.get(row["id"], ())) for row in found}


def parcel(*, mailbox_id: int, recipient_id: uuid.UUID) -> tuple[Sent, Parcel] | None:
    """Return a recipient with its tries and their dialogues, and its message; None: no such."""
    own = QueuedRecipient.objects.filter(public_id=recipient_id, message__mailbox_id=mailbox_id)
    row = own.values_list("pk", "message_id").first()
    if row is None:
        return None
    [message] = _with_subjects(_read(QueuedMessage.objects.filter(pk=row[1])))
    parcels = _parcels([row[1]], only=row[0], with_attempts=True, with_dialogues=True)
    sent = _sent(message, parcels[row[1]])
    return sent, sent.parcels[0]


def which(*, mailbox_id: int, public_id: uuid.UUID) -> Which | None:
    """Return what `control` takes for a message or a recipient of this mailbox; None: no such."""
    messages = QueuedMessage.objects.filter(mailbox_id=mailbox_id, public_id=public_id)
    if messages.exists():
        return Which(message=public_id)
    own = QueuedRecipient.objects.filter(message__mailbox_id=mailbox_id, public_id=public_id)
    return Which(recipients=[public_id]) if own.exists() else None


def waits_as_draft(*, mailbox_id: int, public_id: uuid.UUID, now: datetime) -> bool:
    """Whether a message, or that of a recipient, waits for its time and has a draft to go back to.

    Cancelling it would leave the words where nobody finds them: it is taken back instead.
    """
    meant = Q(public_id=public_id) | Q(recipients__public_id=public_id)
    rows = QueuedMessage.objects.filter(meant, mailbox_id=mailbox_id, not_before__gt=now)
    return rows.exclude(draft=None).exists()


def read_reply(text: str) -> Reply:
    """Return a stored reply as a value; a text without a code counts as its status code says."""
    match = _REPLY.match(text)
    if match:
        return Reply(int(match[1]), match[2] or "", match[3])
    status = _STATUS.search(text)
    return Reply(int(status[1]) * 100 + 50, status[0], text) if status else Reply(550, "", text)


def _shown(show: Show, now: datetime) -> Q:
    own = QueuedRecipient.objects.filter(message=OuterRef("pk"))
    is_open, is_put_off = Q(Exists(own.filter(state__in=OPEN))), Q(not_before__gt=now)
    is_lost = Q(Exists(own.filter(IS_LOST, dismissed_at=None)))
    if show == "scheduled":
        return is_open & is_put_off
    if show == "sending":
        return is_open & (Q(not_before=None) | ~is_put_off)
    return is_lost if show == "failed" else is_open | is_lost


def _read(rows: QuerySet[QueuedMessage]) -> list[dict[str, Any]]:
    return list(rows.annotate(total=Count("recipients")).values(*_MESSAGE, "total"))


def _with_subjects(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Fill in the subjects of what was never stored in a mailbox of ours: from the octets."""
    missing = [row for row in rows if _subject(row) is None]
    if missing:
        messages = QueuedMessage.objects.select_related("blob")
        blobs = {row.pk: row.blob for row in messages.filter(pk__in=[r["id"] for r in missing])}
        for row in missing:
            row["draft__subject"] = _scanned_subject(blobs[row["id"]]) if row["id"] in blobs else ""
    return rows


def _scanned_subject(blob: Any) -> str:
    try:
        head = rawmail.read_range(blob, start=0, length=DEFAULT.header_bytes)
        return scan_header(head).subject
    except (BlobMissing, rawmail.BlobDamaged, HeaderTooLarge, OSError):
        return ""


def _subject(row: Mapping[str, Any]) -> str | None:
    stored: str | None = row["blob__content__subject"]
    return row["draft__subject"] if stored is None else stored


def _sent(row: Mapping[str, Any], parcels: Sequence[Parcel]) -> Sent:
    return Sent(
        id=row["public_id"],
        trace_id=row["trace_id"],
        subject=_subject(row) or "",
        created_at=row["created_at"],
        not_before=row["not_before"],
        expires_at=row["expires_at"],
        draft_id=row["draft__public_id"],
        message_id=row["sent_message__public_id"],
        thread_id=row["sent_message__thread__public_id"],
        folder_id=row["sent_message__folder__public_id"],
        total=row["total"],
        parcels=tuple(parcels),
    )


def _parcels(
    messages: Sequence[int],
    *,
    only: int | None = None,
    with_attempts: bool = False,
    with_dialogues: bool = False,
) -> dict[int, list[Parcel]]:
    """Return the recipients of messages, by message: lost ones first, then those that wait."""
    if not messages:
        return {}
    rank = Case(
        When(IS_LOST, then=Value(0)),
        When(state__in=OPEN, then=Value(1)),
        default=Value(2),
    )
    rows = QueuedRecipient.objects.filter(message__in=messages).annotate(rank=rank)
    if only is not None:
        rows = rows.filter(pk=only)
    found = list(
        rows.order_by("rank", "pk").values_list("pk", "message_id", *_PARCEL)[:PARCELS_MAX]
    )
    tries = _attempts([row[0] for row in found], with_dialogues) if with_attempts else {}
    parcels: dict[int, list[Parcel]] = {}
    for pk, message_id, *values in found:
        parcel = replace(Parcel(*values), attempts=tuple(tries.get(pk, ())))
        parcels.setdefault(message_id, []).append(parcel)
    return parcels


def _attempts(recipients: Sequence[int], with_dialogues: bool) -> dict[int, list[Attempt]]:
    columns = _ATTEMPT if with_dialogues else _ATTEMPT[:-1]
    rows = DeliveryAttempt.objects.filter(recipient__in=recipients).order_by("-started_at", "-pk")
    tries: dict[int, list[Attempt]] = {}
    for pk, *values in rows.values_list("recipient_id", *columns)[:ATTEMPTS_MAX]:
        tries.setdefault(pk, []).append(Attempt(*values))
    return tries


_MESSAGE = (
    "id",
    "public_id",
    "trace_id",
    "created_at",
    "not_before",
    "expires_at",
    "sent_message_id",
    "sent_message__public_id",
    "sent_message__thread__public_id",
    "sent_message__folder__public_id",
    "draft__public_id",
    "draft__subject",
    "blob__content__subject",
)
_PARCEL = (  # in the order of Parcel
    "public_id",
    "forward_path",
    "original_forward_path",
    "route",
    "state",
    "attempt_count",
    "next_attempt_at",
    "last_reply",
    "remote_host",
    "finished_at",
    "reported_action",
    "lease_until",
    "dismissed_at",
)
_ATTEMPT = (
    "started_at",
    "duration_ms",
    "host",
    "ip",
    "tls",
    "code",
    "enhanced",
    "text",
    "dialogue",
)
