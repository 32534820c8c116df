"""Take due recipients from the queue, domain by domain, under a lease (RFC 5321, 4.5.4.1).

A conditional UPDATE decides who has a row; SKIP LOCKED only spares PostgreSQL the waiting, SQLite
does not know it. A claimed row is due again when its lease ends: `next_attempt_at` moves with
`lease_until`, so one index finds what is due, expired leases with it. Sends nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Min, Q, QuerySet, UUIDField, Value, When

from mailcore.models.queue import Destination, QueuedMessage, QueuedRecipient, State

LEASE = timedelta(seconds=45)
RECIPIENTS_PER_BATCH = 50


@dataclass(frozen=True, slots=True)
class ClaimedRecipient:
    """One forward-path of a batch. `notify` is that of RFC 3461, with commas; '' is not given."""

    id: int
    public_id: uuid.UUID
    forward_path: str
    original_forward_path: str
    notify: str
    orcpt: str
    attempt_count: int
    delay_dsn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One message for one domain under one lease: what one SMTP transaction needs.

    `route` is mx, smarthost, local or captured; the last two never leave this machine.
    `size` is prefix and blob, octets. `not_before` is null unless the message was put off.
    """

    token: uuid.UUID
    domain: str
    route: str
    message_id: int
    public_id: uuid.UUID
    reverse_path: str
    blob_id: int
    prefix: bytes
    size: int
    smtputf8: bool
    body_8bit: bool
    envid: str
    ret: str
    origin: str
    submitter_id: int | None
    trace_id: uuid.UUID
    created_at: datetime
    expires_at: datetime
    not_before: datetime | None
    recipients: tuple[ClaimedRecipient, ...]


def claim(
    *, now: datetime, limit: int = 100, per_domain: int = 20, avoid: Collection[str] = ()
) -> list[Batch]:
    """Lease at most `limit` batches that are due, at most `per_domain` of each domain.

    Domains of `avoid` and those on hold are left out. Raises django.db.DatabaseError.
    """
    with transaction.atomic():
        rows = (
            _due(now, avoid).order_by("next_attempt_at", "id").select_for_update(skip_locked=True)
        )
        groups = _choose(rows[: limit * 10], limit=limit, per_domain=per_domain)
        return _lease([(uuid.uuid4(), group) for group in groups], now=now)


def renew(*, tokens: Collection[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Prolong the leases; return those that are still ours. Raises django.db.DatabaseError."""
    until = now + LEASE
    with transaction.atomic():
        mine = QueuedRecipient.objects.filter(lease_token__in=tokens, lease_until__gt=now)
        mine.update(lease_until=until, next_attempt_at=until)
        return set(mine.values_list("lease_token", flat=True).distinct())  # type: ignore[arg-type]


def give_back(*, tokens: Collection[uuid.UUID], now: datetime) -> None:
    """Make batches due again that were not begun; the attempt is not counted."""
    QueuedRecipient.objects.filter(lease_token__in=tokens).update(
        lease_token=None, lease_until=None, next_attempt_at=now
    )


def next_due_at(*, now: datetime) -> datetime | None:
    """Return when the next row is due, leases and holds considered; None when none waits."""
    queued = QueuedRecipient.objects.filter(state=State.QUEUED).exclude(domain__in=_held(now))
    first: datetime | None = queued.aggregate(first=Min("next_attempt_at"))["first"]
    return first


def _held(now: datetime) -> QuerySet[Destination, str]:
    held = Destination.objects.filter(kind="domain", hold_until__gt=now)
    return held.values_list("name", flat=True)


def _due(now: datetime, avoid: Collection[str]) -> QuerySet[QueuedRecipient]:
    due = QueuedRecipient.objects.filter(state=State.QUEUED, next_attempt_at__lte=now)
    return due.exclude(Q(domain__in=list(avoid)) | Q(domain__in=_held(now)))


def _choose(
    rows: Iterable[QueuedRecipient], *, limit: int, per_domain: int
) -> list[list[QueuedRecipient]]:
    groups: dict[tuple[int, str, str], list[QueuedRecipient]] = {}
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        key = (row.message_id, row.domain, row.route)
        is_new = key not in groups
        if is_new and (len(groups) >= limit or counts[row.domain] >= per_domain):
            continue
        counts[row.domain] += is_new
        group = groups.setdefault(key, [])
        if len(group) < RECIPIENTS_PER_BATCH:
            group.append(row)
    return list(groups.values())


def _lease(
    groups: Iterable[tuple[uuid.UUID, list[QueuedRecipient]]], *, now: datetime
) -> list[Batch]:
    groups = list(groups)
    if not groups:
        return []
    until = now + LEASE
    whens = [When(pk__in=[r.pk for r in group], then=Value(token)) for token, group in groups]
    QueuedRecipient.objects.filter(
        pk__in=[row.pk for _, group in groups for row in group],
        state=State.QUEUED,
        next_attempt_at__lte=now,
    ).update(
        lease_token=Case(*whens, output_field=UUIDField()),
        lease_until=until,
        next_attempt_at=until,
    )
    messages = QueuedMessage.objects.in_bulk({group[0].message_id for _, group in groups})
    return [batch_of(token, group, messages) for token, group in groups]


def batch_of(
    token: uuid.UUID, rows: list[QueuedRecipient], messages: Mapping[int, QueuedMessage]
) -> Batch:
    """Return the value for rows of one message and one domain."""
    message = messages[rows[0].message_id]
    return Batch(
        token=token,
        domain=rows[0].domain,
        route=rows[0].route,
        message_id=message.pk,
        public_id=message.public_id,
        reverse_path=message.reverse_path,
        blob_id=message.blob_id,
        prefix=bytes(message.prefix),
        size=message.size,
        smtputf8=message.smtputf8,
        body_8bit=message.body_8bit,
        envid=message.envid,
        ret=message.ret,
        origin=message.origin,
        submitter_id=message.submitter_id,
        trace_id=message.trace_id,
        created_at=message.created_at,
        expires_at=message.expires_at,
        not_before=message.not_before,
        recipients=tuple(
            ClaimedRecipient(
                id=row.pk,
                public_id=row.public_id,
                forward_path=row.forward_path,
                original_forward_path=row.original_forward_path,
                notify=row.notify,
                orcpt=row.orcpt,
                attempt_count=row.attempt_count,
                delay_dsn_at=row.delay_dsn_at,
            )
            for row in rows
        ),
    )
