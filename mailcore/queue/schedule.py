"""When to try again and when to stop (RFC 5321, 4.5.4.1; RFC 3464, 2.3.3). Only arithmetic.

The first gaps are shorter than the 30 minutes of the RFC on purpose: hosts that greylist defer a
first attempt only. `queue.outcome` stores what this says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

BOUNCE_LIFETIME = timedelta(days=2)
JITTER = 0.1


def next_attempt_at(
    *,
    attempt_count: int,
    now: datetime,
    schedule: Sequence[timedelta],
    jitter: float = 0.0,
    marks: Collection[datetime] = (),
) -> datetime:
    """Return when to try again after `attempt_count` attempts; the last step repeats.

    `jitter` is a fraction of the step, -0.1 to 0.1, so that a dead host does not bring all its
    mail back in the same second. A coming mark (the time of a delay DSN, the end) is not passed
    over: the next try is then. `now` must be aware. Raises ValueError if `attempt_count` < 1.
    """
    if attempt_count < 1:
        raise ValueError("attempt_count starts at 1")
    step = schedule[min(attempt_count, len(schedule)) - 1]
    return min([now + step * (1 + jitter), *(mark for mark in marks if mark > now)])


def lifetime_of(*, origin: str, lifetime: timedelta) -> timedelta:
    """Return how long a message may wait; a bounce that nobody takes, at most two days."""
    return min(lifetime, BOUNCE_LIFETIME) if origin == "dsn" else lifetime
