"""The conversation list of a folder, by keyset (RFC 8621, 4.4.3 collapseThreads).

A row is the newest message of its thread in the folder: no newer one exists. Three queries a page,
whatever its size; no OFFSET and no COUNT, so page 1,000 costs what page 1 does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role
from mailcore.models.message import Message
from mailcore.store.rows import ConversationRow, Page

Only = Literal["", "unread", "starred"]
LIMIT_MAX = 200
SENDERS_MAX = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OWN_ROLES = (Role.SENT, Role.DRAFTS)
_HIDDEN_ROLES = (Role.TRASH, Role.JUNK)
_ONLY: dict[str, Q] = {"": Q(), "unread": Q(is_seen=False), "starred": Q(is_flagged=True)}


_COLUMNS = (
    "id",
    "public_id",
    "thread_id",
    "thread__public_id",
    "received_at",
    "is_answered",
    "content__from_name",
    "content__from_address",
    "content__subject",
    "content__preview",
)


class _Newest(NamedTuple):
    id: int
    public_id: UUID
    thread_id: int
    thread_public_id: UUID
    received_at: datetime
    is_answered: bool
    from_name: str
    from_address: str
    subject: str
    preview: str
    envelope: dict[str, list[list[str]]] | None = None


@dataclass(slots=True)
class _Summary:
    """What a thread adds to its row."""

    senders: list[str] = field(default_factory=list)
    messages: int = 0
    unseen: int = 0
    flagged: int = 0
    attached: int = 0


def list_conversations(
    *, mailbox: Mailbox, folder_id: int, after: str | None = None, limit: int = 50, only: Only = ""
) -> Page:
    """Return conversations of a folder of `mailbox`, newest first, at most `limit` (1 to 200).

    `after` is the `next_cursor` of the page before; one that cannot be read gives the first page.
    `only` narrows to conversations with an unread or a starred message in the folder.
    """
    limit = max(1, min(limit, LIMIT_MAX))
    shown = shown_folders(mailbox=mailbox, folder_id=folder_id).values_list("pk", "role")
    roles = dict(shown)
    folder_ids = list(roles)
    if folder_id not in roles:
        return Page(rows=[], next_cursor=None)
    # The starred ones have an index of the mailbox only; for the others it would mislead planners.
    within = Q(mailbox_id=mailbox.pk) if only == "starred" else Q()
    matching = within & Q(folder_id=folder_id) & _ONLY[only]
    newest = _newest(
        matching,
        only=_ONLY[only],
        after=parse_cursor(after),
        limit=limit + 1,
        is_own=roles[folder_id] in _OWN_ROLES,
    )
    page = newest[:limit]
    summaries = _summaries(folder_id, folder_ids, [row.thread_id for row in page])
    rows = [_row(row, summaries[row.thread_id]) for row in page if row.thread_id in summaries]
    return Page(rows=rows, next_cursor=_cursor(page[-1]) if len(newest) > limit else None)


def parse_cursor(text: str | None) -> tuple[datetime, int] | None:
    """Return the (received_at, id) of a cursor, or None when it is not one."""
    left, dot, right = (text or "").partition(".")
    if not dot or len(left) > 16 or len(right) > 16:
        return None
    try:
        return _EPOCH + int(left, 16) * _MICROSECOND, int(right, 16)
    except (ValueError, OverflowError):
        return None


def _cursor(row: _Newest) -> str:
    return f"{(row.received_at - _EPOCH) // _MICROSECOND:x}.{row.id:x}"


def _newest(
    matching: Q, *, only: Q, after: tuple[datetime, int] | None, limit: int, is_own: bool
) -> list[_Newest]:
    """Find the messages whose thread has no newer matching one in the folder.

    With their recipients when `is_own`: the envelope costs what the other columns do together.
    """
    newer = Message.objects.filter(
        only,
        Q(received_at__gt=OuterRef("received_at")) | Q(id__gt=OuterRef("id")),
        thread_id=OuterRef("thread_id"),
        folder_id=OuterRef("folder_id"),
        received_at__gte=OuterRef("received_at"),
    )
    found = Message.objects.filter(matching).filter(~Exists(newer))
    if after:
        at, pk = after
        found = found.filter(Q(received_at__lt=at) | Q(id__lt=pk), received_at__lte=at)
    rows = found.order_by("-received_at", "-id").values_list(*_COLUMNS)
    if is_own:
        return [_Newest(*row) for row in rows.values_list(*_COLUMNS, "content__envelope")[:limit]]
    return [_Newest(*row) for row in rows[:limit]]


def shown_folders(*, mailbox: Mailbox, folder_id: int | None) -> QuerySet[Folder]:
    """Return the folders whose messages a conversation shows: all but Trash and Junk.

    Those two count only when the conversation is opened from there.
    """
    visible = ~Q(role__in=_HIDDEN_ROLES)
    if folder_id is not None:
        visible |= Q(pk=folder_id)
    return Folder.objects.filter(visible, mailbox_id=mailbox.pk)


def _summaries(
    folder_id: int, folder_ids: Sequence[int], thread_ids: Sequence[int]
) -> dict[int, _Summary]:
    here = Q(folder_id=folder_id)
    groups: Iterable[tuple[Any, ...]] = (
        Message.objects.filter(thread_id__in=thread_ids, folder_id__in=folder_ids)
        .values("thread_id", "content__from_name", "content__from_address")
        .annotate(
            last=Max("received_at"),
            messages=Count("id"),
            unseen=Count("id", filter=here & Q(is_seen=False)),
            flagged=Count("id", filter=here & Q(is_flagged=True)),
            attached=Count("id", filter=Q(has_attachment=True)),
        )
        .order_by("last")
        .values_list(
            "thread_id",
            "content__from_name",
            "content__from_address",
            "messages",
            "unseen",
            "flagged",
            "attached",
        )
    )
    summaries: dict[int, _Summary] = {}
    for thread_id, name, address, messages, unseen, flagged, attached in groups:
        summary = summaries.setdefault(thread_id, _Summary())
        summary.senders.append(name or address)
        summary.messages += messages
        summary.unseen += unseen
        summary.flagged += flagged
        summary.attached += attached
    return summaries


def _row(newest: _Newest, summary: _Summary) -> ConversationRow:
    return ConversationRow(
        thread_id=newest.thread_public_id,
        message_id=newest.public_id,
        senders=tuple(dict.fromkeys(summary.senders))[-SENDERS_MAX:],
        recipients=_recipients(newest.envelope or {}),
        from_name=newest.from_name,
        from_address=newest.from_address,
        subject=newest.subject,
        preview=newest.preview,
        received_at=newest.received_at,
        message_count=summary.messages,
        unseen_count=summary.unseen,
        is_flagged=summary.flagged > 0,
        is_answered=newest.is_answered,
        has_attachment=summary.attached > 0,
    )


def _recipients(envelope: dict[str, list[list[str]]]) -> tuple[str, ...]:
    """Return names or addresses of To, Cc and Bcc as derivation wrote them."""
    boxes = [box for key in ("to", "cc", "bcc") for box in envelope.get(key, ())]
    names = (name or address for name, address, *_ in boxes)
    return tuple(dict.fromkeys(names))[:SENDERS_MAX]
