"""Contacts that may be one person: the same name, or one address with different `+details`.

Only guesses, so nothing is merged unasked. Merging keeps every address and field; of two names or
organisations the second goes into the note, where somebody may still read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from mailcore.cards.card import LIST_MAX, NOTE_CHARS
from mailcore.errors import MailError
from mailcore.models.identity import User
from mailcore.models.personal import Contact
from mailcore.personal.address_book import ContactRow, lock, main_rows, set_groups, view

CLUSTERS_MAX = 20  # of a page; merging some shows the next
CLUSTER_MAX = 10
READ_MAX = 20_000  # rows looked through, those used first


class TooMuch(MailError):  # noqa: N818 - named by what happened
    """One contact cannot hold all that these have (LIST_MAX, NOTE_CHARS)."""


@dataclass(frozen=True, slots=True)
class _Merged:
    addresses: tuple[str, ...]
    phones: tuple[str, ...]
    organisation: str
    note: str


def suggest(*, user: User, limit: int = CLUSTERS_MAX) -> list[list[ContactRow]]:
    """Return sets of contacts that may be one person, by name. Four queries.

    People who were only written to are shown beside a contact, never among themselves.
    """
    rows = Contact.objects.filter(user=user).order_by("is_collected", "pk")
    fields = rows.values_list("pk", "main_id", "name", "address", "is_collected")[:READ_MAX]
    leaders: dict[int, int] = {}
    seen: dict[str, int] = {}
    contacts = set[int]()
    for pk, main, name, address, is_collected in fields:
        person = main or pk
        contacts |= set() if is_collected else {person}
        for key in _keys(name, address):
            _join(leaders, seen.setdefault(key, person), person)
    clusters: dict[int, list[int]] = {}
    for person in leaders:
        clusters.setdefault(_leader(leaders, person), []).append(person)
    doubles = [c[:CLUSTER_MAX] for c in clusters.values() if len(c) > 1 and contacts & set(c)]
    return _shown(user, doubles[:limit])


def of_contact(*, user: User, contact: ContactRow) -> list[ContactRow]:
    """Return others that may be the same person as this contact, at most CLUSTER_MAX."""
    alike = Q(name__iexact=contact.name) if contact.name else Q()
    for address in contact.addresses:
        local, _at, domain = _base(address).rpartition("@")
        alike |= Q(address=f"{local}@{domain}")
        alike |= Q(address__startswith=f"{local}+", address__endswith=f"@{domain}")
    found = Contact.objects.filter(alike, user=user, main=None).values("pk")
    rows = main_rows(user).filter(pk__in=found).exclude(public_id=contact.id)
    return [view(row) for row in rows.order_by("key", "pk")[:CLUSTER_MAX]]


def merge(*, user: User, contact_ids: Iterable[UUID]) -> UUID | None:
    """Make one contact of these, with all that they have; return its id.

    Who is a contact, and most written to, gives name and first address. None when fewer than two
    are this person's. Raises TooMuch, and has then changed nothing.
    """
    with transaction.atomic():
        lock(user)
        rows: list[Contact] = list(main_rows(user).filter(public_id__in=list(contact_ids)))
        if len(rows) < 2:
            return None
        rows.sort(key=lambda row: (row.is_collected, -row.used_count, row.pk))
        main, rest = rows[0], [row.pk for row in rows[1:]]
        views = [view(row) for row in rows]
        merged = _merged(views)
        main.name = next((one.name for one in views if one.name), "")
        main.card = {
            "phones": list(merged.phones),
            "organisation": merged.organisation,
            "note": merged.note,
        }
        main.is_collected = False
        main.save()
        joining = Q(pk__in=rest) | Q(main_id__in=rest) | Q(main=main)
        Contact.groups.through.objects.filter(contact_id__in=rest).delete()
        Contact.objects.filter(joining, user=user).update(
            main=main, name=main.name, card={}, is_collected=False
        )
        set_groups(user, main, [group for one in views for group in one.groups])
    return main.public_id


def _merged(views: Sequence[ContactRow]) -> _Merged:
    names = _each(one.name for one in views)
    organisations = _each(one.organisation for one in views)
    lines = (*(one.note for one in views), *names[1:], *organisations[1:])
    merged = _Merged(
        addresses=_each(address for one in views for address in one.addresses),
        phones=_each(phone for one in views for phone in one.phones),
        organisation=organisations[0] if organisations else "",
        note="\n".join(_each(lines)),
    )
    if max(len(merged.addresses), len(merged.phones)) > LIST_MAX or len(merged.note) > NOTE_CHARS:
        raise TooMuch
    return merged


def _each(values: Iterable[str]) -> tuple[str, ...]:
    """Return those that are not empty, each once whatever its case."""
    found: dict[str, str] = {}
    for value in filter(None, values):
        found.setdefault(_form(value), value)
    return tuple(found.values())


def _keys(name: str, address: str) -> Iterable[str]:
    yield f"@{_base(address)}"
    if name:
        yield _form(name)


def _form(text: str) -> str:
    return " ".join(text.casefold().split())


def _base(address: str) -> str:
    """Return an address without its detail: `dora+news@x.test` reaches Dora (RFC 5233)."""
    local, _at, domain = address.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _leader(leaders: dict[int, int], person: int) -> int:
    while leaders.setdefault(person, person) != person:
        person = leaders[person] = leaders[leaders[person]]
    return person


def _join(leaders: dict[int, int], one: int, other: int) -> None:
    leaders[_leader(leaders, other)] = _leader(leaders, one)


def _shown(user: User, clusters: Sequence[Sequence[int]]) -> list[list[ContactRow]]:
    wanted = [pk for cluster in clusters for pk in cluster]
    rows: dict[int, Any] = {row.pk: row for row in main_rows(user).filter(pk__in=wanted)}
    found = [[rows[pk] for pk in cluster if pk in rows] for cluster in clusters]
    found.sort(key=lambda cluster: str(cluster[0].key))
    return [[view(row) for row in cluster] for cluster in found]
