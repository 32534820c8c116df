"""Take due recipients from the queue, domain by domain, under a lease (RFC 5321, 4.5.4.1).

A conditional UPDATE decides who has a row; SKIP LOCKED only spares PostgreSQL the waiting, SQLite
does not know it. A claimed row is due again when its lease ends: `next_attempt_at` moves with
`lease_until`, so one index finds all that is due, expired leases with it. Sends nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet

from mailcore.models.queue import Destination, QueuedMessage, QueuedRecipient
from mailcore.queue.batch import Due, Lease
from mailcore.queue.writer import writer

LEASE = timedelta(seconds=45)
RECIPIENTS_PER_BATCH = 50

# Where the last claim of this process had to stop: the next one goes on behind that domain.
_stopped_at = ""


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
    `mailbox_id` is the one in whose name it was submitted.
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
    mailbox_id: int | None
    recipients: tuple[ClaimedRecipient, ...]


_RECIPIENT = [entry.name for entry in fields(ClaimedRecipient)]
_OF_RECIPIENT = ["token", "domain", "route", "message_id"]
_OF_MESSAGE = [entry.name for entry in fields(Batch)[len(_OF_RECIPIENT) : -1]]
_SHARED = len(_OF_RECIPIENT) + len(_OF_MESSAGE)
_PREFIX = len(_OF_RECIPIENT) + _OF_MESSAGE.index("prefix")


def claim(
    *, now: datetime, limit: int = 100, per_domain: int = 20, avoid: Collection[str] = ()
) -> list[Batch]:
    """Lease at most `limit` batches that are due, at most `per_domain` of each domain.

    Domains of `avoid` and those on hold are left out; the others have their turns in a ring, so
    that none starves. Raises django.db.DatabaseError.
    """
    global _stopped_at
    choice = _Choice(limit=limit, per_domain=per_domain)
    for page in _pages(now, size=limit, after=_stopped_at):
        choice.add(page, without={*avoid, *_held(page, now)})
        if choice.is_full:
            break
    _stopped_at = choice.last_domain if choice.is_full else ""
    return _lease(choice, now=now) if choice.groups else []


def renew(*, tokens: Collection[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Prolong the leases; return those that are still ours. Raises django.db.DatabaseError."""
    until = now + LEASE
    with transaction.atomic():
        mine = _lock(tokens)
        _rows(mine).update(lease_until=until, next_attempt_at=until)
    return {*mine.values()}


def give_back(*, tokens: Collection[uuid.UUID], now: datetime) -> None:
    """Make batches due again that were not begun; the attempt is not counted."""
    with transaction.atomic():
        _rows(_lock(tokens)).update(lease_token=None, lease_until=None, next_attempt_at=now)


def next_due_at(*, now: datetime) -> datetime | None:
    """Return when the next row is due, or its lease ends; None when none waits.

    Domains on hold do not count: they are due when the hold is over and somebody looks.
    """
    held = Destination.objects.filter(kind="domain", hold_until__gt=now).values("name")
    waiting = QueuedRecipient.objects.filter(next_attempt_at__isnull=False)
    first: datetime | None = waiting.exclude(domain__in=held).aggregate(
        first=Min("next_attempt_at")
    )["first"]
    return first


def batch_of(
    token: uuid.UUID, rows: Sequence[QueuedRecipient], messages: Mapping[int, QueuedMessage]
) -> Batch:
    """Return rows of one message and one domain as a batch; `messages` holds theirs by id."""
    first = rows[0]
    message = messages[first.message_id]
    shared = (getattr(message, name) for name in _OF_MESSAGE)
    return _batch(
        (token, first.domain, first.route, first.message_id, *shared),
        [ClaimedRecipient(*(getattr(row, name) for name in _RECIPIENT)) for row in rows],
    )


def _batch(values: Sequence[Any], recipients: Iterable[ClaimedRecipient]) -> Batch:
    ours = [*values, tuple(recipients)]
    ours[_PREFIX] = bytes(ours[_PREFIX])
    return Batch(*ours)


@dataclass(slots=True)
class _Choice:
    """Due rows in groups that can go in one transaction: by message, domain and route."""

    limit: int
    per_domain: int
    last_domain: str = ""
    groups: dict[tuple[int, str, str], list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def is_full(self) -> bool:
        return len(self.groups) >= self.limit

    def add(self, rows: Collection[Due], *, without: Collection[str]) -> None:
        """Take what fits, of domains that are not in `without`."""
        for row in rows:
            key = (row.message_id, row.domain, row.route)
            if row.domain not in without and (key in self.groups or self._open(key)):
                self._put(key, row.id)

    def _open(self, key: tuple[int, str, str]) -> bool:
        domain = key[1]
        if self.is_full or self.counts[domain] >= self.per_domain:
            return False
        self.counts[domain] += 1
        self.groups[key] = []
        self.last_domain = domain
        return True

    def _put(self, key: tuple[int, str, str], row_id: int) -> None:
        if len(self.groups[key]) < RECIPIENTS_PER_BATCH:
            self.groups[key].append(row_id)


def _pages(now: datetime, *, size: int, after: str) -> Iterator[list[Due]]:
    """Yield due rows page by page, domain after domain once round the ring behind `after`.

    What of a domain does not fit into its page is passed over: a hundred thousand rows of one
    domain cost one page. Excluding domains here would make the database read all their rows.
    """
    queue = writer()
    for start, end in [(after, ""), ("", after)] if after else [("", "")]:
        while page := queue.due(now=now, after=start, until=end, size=size):
            yield page
            if len(page) < size:
                break
            start = page[-1].domain


def _held(page: Collection[Due], now: datetime) -> set[str]:
    names = {row.domain for row in page}
    held = Destination.objects.filter(kind="domain", name__in=names, hold_until__gt=now)
    return set(held.values_list("name", flat=True))


def _lease(choice: _Choice, *, now: datetime) -> list[Batch]:
    """Take the chosen rows that are still due, and leave those where another was quicker."""
    leases: list[Lease] = []
    for (_, _, route), group in choice.groups.items():
        token = uuid.uuid4()
        leases += [Lease(row_id, route, token) for row_id in group]
    shared: dict[uuid.UUID, tuple[Any, ...]] = {}
    recipients: dict[uuid.UUID, list[ClaimedRecipient]] = defaultdict(list)
    with transaction.atomic():
        rows = writer().lease(leases, now=now, until=now + LEASE)
    for row in rows:
        shared.setdefault(row[0], row[:_SHARED])
        recipients[row[0]].append(ClaimedRecipient(*row[_SHARED:]))
    return [_batch(shared[token], recipients[token]) for token in shared]


def _lock(tokens: Collection[uuid.UUID]) -> dict[int, uuid.UUID]:
    """Lock the rows under these leases in id order, as everybody does; row id -> token."""
    leased = QueuedRecipient.objects.filter(lease_token__in=list(tokens))
    locked = leased.select_for_update().order_by("pk").values_list("pk", "lease_token")
    return {row_id: token for row_id, token in locked if token is not None}


def _rows(locked: Collection[int]) -> QuerySet[QueuedRecipient]:
    return QueuedRecipient.objects.filter(pk__in=list(locked))
