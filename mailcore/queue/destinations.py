"""What we know of a domain or a host: failures, a pause, how many connections at once.

Counted under the row's lock, so that two runners agree. Which failure blames whom is the runner's
to say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mailcore.models.queue import Destination

CONCURRENCY_MIN = 2
CONCURRENCY_MAX = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """A destination as it is now. `hold_until` in the past is no hold."""

    name: str
    failures: int = 0
    hold_until: datetime | None = None
    concurrency: int = CONCURRENCY_MIN


def touch_destination(
    *, kind: str, name: str, is_success: bool, hold_until: datetime | None = None
) -> Standing:
    """Count a success (one connection more, no hold) or a failure (half of them, a hold if given).

    `kind` is domain or host. Raises django.db.DatabaseError.
    """
    with transaction.atomic():
        Destination.objects.bulk_create([Destination(kind=kind, name=name)], ignore_conflicts=True)
        row = Destination.objects.select_for_update().get(kind=kind, name=name)
        if is_success:
            row.failures, row.hold_until = 0, None
            row.concurrency = min(row.concurrency + 1, CONCURRENCY_MAX)
        else:
            row.failures += 1
            row.hold_until = hold_until or row.hold_until
            row.concurrency = max(row.concurrency // 2, CONCURRENCY_MIN)
        row.save(update_fields=["failures", "hold_until", "concurrency"])
        return _standing(row)


def read_destinations(*, kind: str, names: Collection[str]) -> dict[str, Standing]:
    """Return what is known of each name; one that is not known gets the start values."""
    known = Destination.objects.filter(kind=kind, name__in=names)
    return {name: Standing(name) for name in names} | {row.name: _standing(row) for row in known}


def _standing(row: Destination) -> Standing:
    return Standing(row.name, row.failures, row.hold_until, row.concurrency)
