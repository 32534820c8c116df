"""The queue as people read it: lists, one message with its recipients, their attempts, its octets.

Reads only and hands out values, never rows. Who may see what is the caller's to say: it gives
the domains or the submitter whose mail may be shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from mailcore import rawmail
from mailcore.models.queue import (
    DeliveryAttempt,
    Destination,
    QueuedMessage,
    QueuedRecipient,
    State,
)

STATES: tuple[str, ...] = tuple(State.values)
WAITING: tuple[str, ...] = (State.QUEUED, State.HELD, State.CAPTURED)
_PAGE_MAX = 1000


@dataclass(frozen=True, slots=True)
class RecipientView:
    """One forward-path of a queued message. `attempts` counts tries that have ended."""

    id: uuid.UUID
    message_id: uuid.UUID
    trace_id: uuid.UUID
    reverse_path: str
    forward_path: str
    original_forward_path: str
    domain: str
    route: str
    state: str
    dsn_outcome: str
    attempts: int
    next_attempt_at: datetime | None
    last_reply: str
    remote_host: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Recipients, newest first; `before` asks for the page after this one, None is the end."""

    recipients: tuple[RecipientView, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try at one host. `code` is None while it runs or when no reply came."""

    started_at: datetime
    duration_ms: int | None
    host: str
    ip: str
    tls: str
    code: int | None
    enhanced: str
    text: str
    dialogue: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """A recipient with all that was tried, oldest first."""

    recipient: RecipientView
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    """A queued message as a whole. `size` in octets, prefix and blob together."""

    id: uuid.UUID
    trace_id: uuid.UUID
    reverse_path: str
    origin: str
    size: int
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime
    recipients: tuple[Tracked, ...]


def recipients(
    *,
    states: Collection[str] = (),
    domains: Collection[str] = (),
    submitter_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Page:
    """Return a page of at most `limit` recipients (1000), newest first.

    An empty filter lets all pass; `domains` are those of the forward-paths. `before` comes from
    the page before.
    """
    rows = QueuedRecipient.objects.order_by("-pk")
    if states:
        rows = rows.filter(state__in=states)
    if domains:
        rows = rows.filter(domain__in=domains)
    if submitter_id is not None:
        rows = rows.filter(message__submitter_id=submitter_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    size = min(limit, _PAGE_MAX)
    found = list(rows.values_list("pk", *_COLUMNS)[: size + 1])
    shown = tuple(RecipientView(*columns) for _, *columns in found[:size])
    return Page(shown, found[size - 1][0] if len(found) > size else None)


def counts() -> dict[str, int]:
    """Return how many recipients each state has, those without any too."""
    rows = QueuedRecipient.objects.values_list("state").order_by().annotate(Count("pk"))
    return dict.fromkeys(STATES, 0) | dict(rows)


def overdue_s(*, now: datetime) -> float:
    """Return for how many seconds the oldest due row has waited for a runner; 0 when none has.

    What goes to a domain on hold waits for that domain, not for us.
    """
    on_hold = Destination.objects.filter(kind="domain", hold_until__gt=now).values("name")
    due = QueuedRecipient.objects.filter(next_attempt_at__lte=now).exclude(domain__in=on_hold)
    oldest: datetime | None = due.aggregate(at=Min("next_attempt_at"))["at"]
    return (now - oldest).total_seconds() if oldest else 0.0


def message(*, public_id: uuid.UUID) -> MessageView | None:
    """Return the message with this id, or that of the recipient with this id; None: no such."""
    row = _messages(public_id).first()
    if row is None:
        return None
    found = QueuedRecipient.objects.filter(message=row).order_by("pk")
    views = {pk: RecipientView(*columns) for pk, *columns in found.values_list("pk", *_COLUMNS)}
    tries: dict[int, list[AttemptView]] = {pk: [] for pk in views}
    attempts = DeliveryAttempt.objects.filter(recipient__message=row).order_by("started_at", "pk")
    for pk, *columns in attempts.values_list("recipient_id", *AttemptView.__slots__):
        tries[pk].append(AttemptView(*columns))
    return MessageView(
        id=row.public_id,
        trace_id=row.trace_id,
        reverse_path=row.reverse_path,
        origin=row.origin,
        size=row.size,
        created_at=row.created_at,
        not_before=row.not_before,
        expires_at=row.expires_at,
        recipients=tuple(Tracked(view, tuple(tries[pk])) for pk, view in views.items()),
    )


def source(*, public_id: uuid.UUID) -> bytes | None:
    """Return the octets of a message (its id or a recipient's) as they would be sent.

    None when there is none. Raises BlobMissing, BlobDamaged, OSError.
    """
    row = _messages(public_id).select_related("blob").first()
    return bytes(row.prefix) + rawmail.read(row.blob) if row else None


def _messages(public_id: uuid.UUID) -> QuerySet[QueuedMessage]:
    by_recipient = QueuedRecipient.objects.filter(public_id=public_id).values("message_id")
    return QueuedMessage.objects.filter(Q(public_id=public_id) | Q(pk__in=by_recipient))


_COLUMNS = (  # in the order of RecipientView
    "public_id",
    "message__public_id",
    "message__trace_id",
    "message__reverse_path",
    "forward_path",
    "original_forward_path",
    "domain",
    "route",
    "state",
    "dsn_outcome",
    "attempt_count",
    "next_attempt_at",
    "last_reply",
    "remote_host",
    "message__created_at",
    "finished_at",
)
