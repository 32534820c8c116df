"""Conversation lists by keyset: of a folder, or of the mailbox (RFC 8621, 4.4.3 collapseThreads).

A row is the newest message of its thread that the view shows: no newer one exists. A few queries a
page, whatever its size; no OFFSET and no COUNT, so page 1,000 costs what page 1 does. Without
conversations every message is a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message
from mailcore.store import matching
from mailcore.store.matching import Only, View, parse_cursor, write_cursor
from mailcore.store.rows import ConversationRow, Page
from mailcore.store.rows import Mailbox as Person

LIMIT_MAX = 200
SENDERS_MAX = 5

COLUMNS = (
    "id",
    "public_id",
    "mailbox_id",
    "thread_id",
    "thread__public_id",
    "received_at",
    "is_answered",
    "is_seen",
    "is_flagged",
    "has_attachment",
    "keywords",
    "thread__is_muted",
    "content__from_name",
    "content__from_address",
    "content__subject",
    "content__preview",
)


class Newest(NamedTuple):
    """The columns of the message that stands for its conversation; `COLUMNS`, in order."""

    id: int
    public_id: UUID
    mailbox_id: int
    thread_id: int
    thread_public_id: UUID
    received_at: datetime
    is_answered: bool
    is_seen: bool
    is_flagged: bool
    has_attachment: bool
    keywords: int
    is_muted: bool
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
    keywords: int = 0


def list_conversations(
    *, mailbox: Mailbox, folder_id: int, after: str | None = None, limit: int = 50, only: Only = ""
) -> Page:
    """Return conversations of a folder of `mailbox`, newest first: `list_page` of that folder."""
    view = View(folder_id=folder_id, only=only)
    return list_page(mailbox=mailbox, view=view, after=after, limit=limit)


def list_page(
    *,
    mailbox: Mailbox,
    view: View,
    after: str | None = None,
    limit: int = 50,
    is_oldest_first: bool = False,
    is_threaded: bool = True,
    roles: Mapping[int, str] | None = None,
) -> Page:
    """Return a page of what the view shows, at most `limit` rows (1 to 200).

    `after` is the `next_cursor` of the page before; one that cannot be read gives the first page.
    A folder that the mailbox does not have is empty. `roles` are those of all folders of the
    mailbox by key, where the caller has read them already: two queries then, else three.
    """
    limit = max(1, min(limit, LIMIT_MAX))
    roles = matching.roles_of(mailbox) if roles is None else roles
    if view.folder_id is not None and view.folder_id not in roles:
        return Page(rows=[], next_cursor=None)
    shown = shown_in(roles, view.folder_id)
    inside = shown if view.folder_id is None else [view.folder_id]
    found = Message.objects.filter(matching.matching(mailbox=mailbox, view=view, roles=roles))
    if is_threaded:
        found = found.filter(is_newest(view, inside))
    is_own = view.folder_id is not None and roles[view.folder_id] in matching.OWN_ROLES
    cursor = parse_cursor(after)
    newest = _ordered(found, cursor, limit + 1, is_own=is_own, is_oldest_first=is_oldest_first)
    return page_of(newest, limit, inside, shown, is_threaded=is_threaded)


def page_of(
    newest: Sequence[Newest],
    limit: int,
    inside: Sequence[int],
    shown: Sequence[int],
    *,
    is_threaded: bool,
) -> Page:
    """Return the page of at most `limit` rows; one message more says that there is another.

    What is unread and starred counts `inside` the folders listed, senders in all folders `shown`.
    """
    page = newest[:limit]
    if is_threaded:
        summaries = _summaries(inside, shown, [row.thread_id for row in page])
        rows = [_row(row, summaries[row.thread_id]) for row in page if row.thread_id in summaries]
    else:
        rows = [_row(row, _alone(row)) for row in page]
    last = page[-1] if len(newest) > limit else None
    return Page(rows=rows, next_cursor=write_cursor(last.received_at, last.id) if last else None)


def shown_in(roles: Mapping[int, str], folder_id: int | None) -> list[int]:
    """Return the keys of the folders whose messages a conversation shows: see `shown_folders`."""
    hidden = matching.HIDDEN_ROLES
    return [pk for pk, role in roles.items() if role not in hidden or pk == folder_id]


def is_newest(view: View, inside: Sequence[int]) -> Q:
    """Return the condition that no message of the thread that the view shows too is newer."""
    newer = Message.objects.filter(
        view.predicate,
        Q(received_at__gt=OuterRef("received_at")) | Q(id__gt=OuterRef("id")),
        thread_id=OuterRef("thread_id"),
        folder_id__in=inside,
        received_at__gte=OuterRef("received_at"),
    )
    return Q(~Exists(newer))


def _ordered(
    found: QuerySet[Message],
    cursor: tuple[datetime, int] | None,
    limit: int,
    *,
    is_own: bool,
    is_oldest_first: bool,
) -> list[Newest]:
    """Read a page of messages.

    With their recipients when `is_own`: the envelope costs what the other columns do together.
    """
    if is_oldest_first:
        rows = matching.before(found, cursor).order_by("received_at", "id")
    else:
        rows = matching.beyond(found, cursor).order_by("-received_at", "-id")
    columns = (*COLUMNS, "content__envelope") if is_own else COLUMNS
    return [Newest(*row) for row in rows.values_list(*columns)[:limit]]


def _alone(row: Newest) -> _Summary:
    """What a message that stands for itself says."""
    return _Summary(
        senders=[row.from_name or row.from_address],
        messages=1,
        unseen=int(not row.is_seen),
        flagged=int(row.is_flagged),
        attached=int(row.has_attachment),
        keywords=row.keywords,
    )


def shown_folders(*, mailbox: Mailbox, folder_id: int | None) -> QuerySet[Folder]:
    """Return the folders whose messages a conversation shows: all but Trash and Junk.

    Those two count only when the conversation is opened from there.
    """
    visible = ~Q(role__in=matching.HIDDEN_ROLES)
    if folder_id is not None:
        visible |= Q(pk=folder_id)
    return Folder.objects.filter(visible, mailbox_id=mailbox.pk)


def _summaries(
    inside: Sequence[int], folder_ids: Sequence[int], thread_ids: Sequence[int]
) -> dict[int, _Summary]:
    here = Q(folder_id__in=inside)
    groups: Iterable[tuple[Any, ...]] = (
        Message.objects.filter(thread_id__in=thread_ids, folder_id__in=folder_ids)
        .values("thread_id", "content__from_name", "content__from_address", "keywords")
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
            "keywords",
        )
    )
    summaries: dict[int, _Summary] = {}
    for thread_id, name, address, messages, unseen, flagged, attached, keywords in groups:
        summary = summaries.setdefault(thread_id, _Summary())
        summary.senders.append(name or address)
        summary.messages += messages
        summary.unseen += unseen
        summary.flagged += flagged
        summary.attached += attached
        summary.keywords |= keywords
    return summaries


def _row(newest: Newest, summary: _Summary) -> ConversationRow:
    return ConversationRow(
        mailbox_id=newest.mailbox_id,
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
        is_muted=newest.is_muted,
        keywords=summary.keywords,
    )


def _recipients(envelope: dict[str, list[list[str]]]) -> tuple[Person, ...]:
    """Return name and address of those in To, Cc and Bcc as derivation wrote them."""
    boxes = [box for key in ("to", "cc", "bcc") for box in envelope.get(key, ())]
    pairs = ((name, address) for name, address, *_ in boxes)
    return tuple(dict.fromkeys(pairs))[:SENDERS_MAX]
