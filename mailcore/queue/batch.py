"""Rows of the queue's hot path: what is written for many recipients at once (docs/adr/0008).

Plain tuples and no models: making a model costs more than its message may. Fields are named like
their columns, and every text fits its own. `batch_postgresql` and `batch_sqlite` do the writing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import models

from mailcore import trace


def longest(model: type[models.Model], *names: str) -> list[int | None]:
    """Return how many characters these columns take."""
    found = (model._meta.get_field(name) for name in names)
    return [field.max_length if isinstance(field, models.Field) else None for field in found]


class Due(NamedTuple):
    """A row that is due."""

    id: int
    domain: str
    message_id: int
    route: str


class Begun(NamedTuple):
    """An attempt before connecting."""

    recipient_id: int
    host: str
    ip: str


class Tried(NamedTuple):
    """An attempt that has ended; `id` is None when it was not written before."""

    id: int | None
    recipient_id: int
    started_at: datetime
    duration_ms: int
    host: str
    ip: str
    tls: str
    code: int
    enhanced: str
    text: str
    dialogue: str


class Outcome(NamedTuple):
    """What a try changes in its recipient's row; the lease ends with it."""

    id: int
    state: str
    dsn_outcome: str
    attempt_count: int
    next_attempt_at: datetime | None
    delay_dsn_at: datetime | None
    last_reply: str
    remote_host: str
    finished_at: datetime | None


class Lease(NamedTuple):
    """A row to be leased while it has this route, and the token that it gets."""

    id: int
    route: str
    token: UUID


class Writer(Protocol):
    """The statements of the hot path on one database; each raises django.db.DatabaseError."""

    def begin(self, attempts: Sequence[Begun], *, now: datetime) -> list[int]:
        """Insert attempts, all or none; return their ids in order."""

    def lock(self, ids: Collection[int]) -> dict[int, UUID | None]:
        """Lock recipients in id order; return the lease token of each that is there."""

    def due(self, *, now: datetime, after: str, until: str, size: int) -> list[Due]:
        """Return the first rows that are due, by domain and time.

        Only domains behind `after`, and up to `until` unless that is empty.
        """

    def lease(
        self, leases: Sequence[Lease], *, now: datetime, until: datetime
    ) -> list[tuple[Any, ...]]:
        """Lease the rows that are still due and return those, in id order.

        A row holds the fields of `claim.Batch` without its recipients, then those of
        `claim.ClaimedRecipient`. What another transaction has locked is left out.
        """

    def write(
        self,
        *,
        tried: Sequence[Tried],
        events: Sequence[trace.Entry],
        outcomes: Sequence[Outcome] = (),
    ) -> None:
        """Complete attempts, insert events and change locked recipients."""
