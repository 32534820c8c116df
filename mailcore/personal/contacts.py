"""People that a person writes to: collected when something is sent, offered while typing.

Belongs to the user, not to a mailbox. Looks at nobody else's; nothing here is asked of a network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from mailcore.models.identity import User
from mailcore.models.personal import Contact

SUGGESTED = 8
COLLECTED_MAX = 200  # of one message: a list of thousands is no circle of friends
_NAME_CHARS = 300
_QUERY_CHARS = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A name, '' when unknown, and an address."""

    name: str
    address: str


def remember(*, user: User, people: Iterable[Person], now: datetime) -> None:
    """Count that the user wrote to these; new ones are collected, known names are kept."""
    wanted = {p.address.casefold(): p for p in list(people)[:COLLECTED_MAX]}
    rows = Contact.objects.filter(user=user, address__in=wanted)
    known = set(rows.values_list("address", flat=True))
    rows.update(used_count=F("used_count") + 1, used_at=now)
    named = {address: p.name for address, p in wanted.items() if p.name and address in known}
    for row in rows.filter(name="", address__in=named):
        Contact.objects.filter(pk=row.pk).update(name=named[row.address][:_NAME_CHARS])
    Contact.objects.bulk_create(
        [
            Contact(
                user=user,
                name=person.name[:_NAME_CHARS],
                address=address,
                is_collected=True,
                used_count=1,
                used_at=now,
            )
            for address, person in wanted.items()
            if address not in known
        ],
        ignore_conflicts=True,
    )


def suggest(*, user: User, query: str, limit: int = SUGGESTED) -> list[Person]:
    """Return people whose name or address has a word that begins so, most used first."""
    query = query.strip()[:_QUERY_CHARS]
    if not query:
        return []
    begins = Q(address__istartswith=query) | Q(name__istartswith=query)
    within = Q(name__icontains=f" {query}") | Q(address__icontains=f"@{query}")
    within |= Q(address__icontains=f".{query}")
    rows = Contact.objects.filter(begins | within, user=user)
    ordered = rows.order_by("-used_count", "-used_at", "pk")[:limit]
    return [Person(row.name, row.address) for row in ordered]
