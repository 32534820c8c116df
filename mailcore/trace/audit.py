"""What operators did: who, what, on what, when, in the transaction of the change itself.

No change without its entry and no entry without its change. The actions that are recorded are the
caller's to name, `object.verb`. Says nothing about who may do what.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction

from mailcore.models.trace import AuditEvent

LIMIT = 200
_LONGEST = {
    field.name: field.max_length or 0
    for field in AuditEvent._meta.fields
    if isinstance(field, models.CharField)
}


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did. `detail` is JSON; `at` is aware UTC."""

    actor: str
    action: str
    object: str
    at: datetime
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Deeds, newest first; `before` asks for the page after this one, None is the end."""

    deeds: tuple[Deed, ...]
    before: int | None


@contextmanager
def recorded(
    *, by: str, action: str, on: str = "", now: datetime, **detail: Any
) -> Iterator[dict[str, Any]]:
    """Run the block in a transaction that also records it; what raises is neither done nor told.

    The block may add to the detail that it is given: text, numbers and booleans, never a password.
    """
    with transaction.atomic():
        yield detail
        AuditEvent.objects.create(
            actor=_storable("actor", by),
            action=_storable("action", action),
            object=_storable("object", on),
            at=now,
            detail=detail or None,
        )


def deeds(*, before: int | None = None, limit: int = 50) -> Page:
    """Return a page of at most `limit` (200) deeds, newest first; one query."""
    rows = AuditEvent.objects.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    size = min(limit, LIMIT)
    columns = ("pk", "actor", "action", "object", "at", "detail")
    found = list(rows.values_list(*columns)[: size + 1])
    shown = tuple(
        Deed(actor, action, on, at, detail or {})
        for _, actor, action, on, at, detail in found[:size]
    )
    return Page(shown, found[size - 1][0] if len(found) > size else None)


def _storable(column: str, text: str) -> str:
    return text.encode(errors="replace").replace(b"\0", b"?").decode()[: _LONGEST[column]]
