"""What a batch needs before a connection carries it: its octets, and its attempts written (G4).

Many batches at once, of all destinations, in one change of thread. Knows no event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailcore import rawmail
from mailcore.delivery.routes import Target
from mailcore.queue import outcome
from mailcore.queue.claim import Batch
from mailcore.queue.outcome import Start


@dataclass(frozen=True, slots=True)
class Wanted:
    """A batch and where it will be tried first; None when no host is worth a try now."""

    batch: Batch
    target: Target | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Prefix and blob, None when the blob is unreadable; an attempt for each recipient, or none."""

    content: bytes | None
    attempt_ids: list[int]


def prepare(items: Sequence[Wanted], *, now: Callable[[], datetime]) -> list[Prepared]:
    """Read the octets and write the attempts. Raises DatabaseError, OSError."""
    contents = rawmail.read_many({one.batch.blob_id for one in items})
    starts = [
        Start(recipient.id, one.target.host, one.target.ip)
        for one in items
        if one.target is not None
        for recipient in one.batch.recipients
    ]
    attempt_ids = iter(outcome.begin(starts, now=now()))
    return [_prepared(one, contents, [next(attempt_ids) for _ in _tried(one)]) for one in items]


def _tried(one: Wanted) -> Sequence[object]:
    return () if one.target is None else one.batch.recipients


def _prepared(one: Wanted, contents: dict[int, bytes], attempt_ids: list[int]) -> Prepared:
    content = contents.get(one.batch.blob_id)
    return Prepared(None if content is None else one.batch.prefix + content, attempt_ids)
