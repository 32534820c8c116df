"""The address book of a person: contacts and groups, listed, changed, taken in and given out.

Contacts that were only written to are `is_collected`; saving one makes it a contact. An address is
in the book once; a contact may have several, the first of them to be written to. Belongs to the
user; cards of files are read and written by `mailcore.cards`, doubles found by `duplicates`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from mailcore.cards.card import Card
from mailcore.errors import MailError
from mailcore.models.identity import User
from mailcore.models.personal import Contact, ContactGroup

PAGE_ROWS = 100
CONTACTS_MAX = 10_000
GROUPS_MAX = 100
GROUP_CHARS = 60
CHUNK = 500


class AddressTaken(MailError):  # noqa: N818 - named by what happened
    """Another contact of this person has `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact with its card; `more` are its further addresses, `groups` by name."""

    id: UUID
    name: str
    address: str
    more: tuple[str, ...]
    phones: tuple[str, ...]
    organisation: str
    note: str
    groups: tuple[str, ...]
    is_collected: bool

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, the one to write to first."""
        return (self.address, *self.more)

    @property
    def card(self) -> Card:
        """The contact as files have it."""
        return Card(
            name=self.name,
            addresses=self.addresses,
            phones=self.phones,
            organisation=self.organisation,
            note=self.note,
            groups=self.groups,
        )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group and how many contacts it has."""

    id: UUID
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class BookPage:
    """A page of the book by name; `next_after` is the id of its last row, None on the last page."""

    rows: list[ContactRow]
    next_after: UUID | None


def list_contacts(
    *,
    user: User,
    query: str = "",
    group: str = "",
    is_collected: bool = False,
    after: UUID | None = None,
    limit: int = PAGE_ROWS,
) -> BookPage:
    """Return a page by name; `query` is a part of a name or an address. Three or four queries."""
    rows = main_rows(user).filter(is_collected=is_collected)
    if query:
        others = Contact.objects.filter(user=user, address__icontains=query, main__isnull=False)
        in_name = Q(name__icontains=query) | Q(address__icontains=query)
        rows = rows.filter(in_name | Q(pk__in=others.values("main_id")))
    if group:
        rows = rows.filter(groups__name=group)
    last = main_rows(user).filter(public_id=after).first() if after else None
    if last is not None:
        key = (last.name or last.address).lower()
        rows = rows.filter(Q(key__gt=key) | Q(key=key, pk__gt=last.pk))
    found = list(rows.order_by("key", "pk")[: limit + 1])
    page = [view(row) for row in found[:limit]]
    return BookPage(page, page[-1].id if len(found) > limit else None)


def find(*, user: User, contact_id: UUID) -> ContactRow | None:
    """Return a contact of this person, None when it is not theirs."""
    row = main_rows(user).filter(public_id=contact_id).first()
    return view(row) if row else None


def list_groups(*, user: User) -> list[GroupRow]:
    """Return the groups by name. One query."""
    rows = ContactGroup.objects.filter(user=user).annotate(amount=Count("contacts"))
    return [GroupRow(row.public_id, row.name, row.amount) for row in rows.order_by(Lower("name"))]


def save(*, user: User, contact_id: UUID | None, card: Card) -> UUID | None:
    """Keep a card as a new contact, or as the contact `contact_id`, with its addresses and no more.

    What was only collected becomes a contact. Return the id; None when the contact is not this
    person's or the book is full. Raises AddressTaken.
    """
    with transaction.atomic():
        lock(user)
        mine = Contact.objects.filter(user=user)
        row = main_rows(user).filter(public_id=contact_id).first() if contact_id else None
        if (row is None and contact_id) or (row is None and mine.count() >= CONTACTS_MAX):
            return None
        there = {one.address: one for one in mine.filter(address__in=card.addresses)}
        row = row or _collected(there.get(card.addresses[0])) or Contact(user=user)
        for one in there.values():
            if not one.is_collected and row.pk != (one.main_id or one.pk):
                raise AddressTaken(one.address)
        row.name, row.is_collected, row.card = card.name, False, _json(card)
        _set_addresses(row, card.addresses)
        set_groups(user, row, card.groups)
    return row.public_id


def delete(*, user: User, contact_id: UUID) -> bool:
    """Forget a contact with its addresses; return whether there was one. Empty groups go too."""
    with transaction.atomic():
        row = main_rows(user).filter(public_id=contact_id).first()
        if row is None:
            return False
        row.delete()
        _drop_empty_groups(user)
    return True


def known(*, user: User, addresses: Iterable[str]) -> set[str]:
    """Return those addresses that the book has already, collected ones too."""
    wanted, found = list(addresses), set[str]()
    for at in range(0, len(wanted), CHUNK):
        rows = Contact.objects.filter(user=user, address__in=wanted[at : at + CHUNK])
        found.update(rows.values_list("address", flat=True))
    return found


def take_in(*, user: User, cards: Sequence[Card]) -> int:
    """Keep cards, each as a contact; return how many.

    A contact that has one of the addresses gets what the card has and it lacks, addresses too;
    nothing is overwritten, and no address goes from one contact to another.
    """
    count = 0
    for at in range(0, len(cards), CHUNK):
        with transaction.atomic():
            lock(user)
            count += _take_in(user, cards[at : at + CHUNK])
    return count


def give_out(*, user: User, group: str = "") -> list[Card]:
    """Return the cards of all contacts that were not only collected, or of a group, by name."""
    rows = main_rows(user).filter(is_collected=False)
    rows = rows.filter(groups__name=group) if group else rows
    return [view(row).card for row in rows.order_by("key", "pk")[:CONTACTS_MAX]]


def _take_in(user: User, cards: Sequence[Card]) -> int:
    wanted = {address for card in cards for address in card.addresses}
    mains: dict[int, Contact] = {}
    there: dict[str, Contact] = {}
    for row in Contact.objects.filter(user=user, address__in=wanted).select_related("main"):
        main = row.main or row
        there[row.address] = mains.setdefault(main.pk, main)
    room = CONTACTS_MAX - Contact.objects.filter(user=user).count()
    count = 0
    for card in cards:
        new = [address for address in card.addresses if address not in there][: max(0, room)]
        room -= len(new)
        found = list(dict.fromkeys(there[one] for one in card.addresses if one in there))
        if not found and new:
            found = [Contact(user=user, address=new.pop(0))]
        for row in found:
            _complete(user, row, card)
        if found:
            there |= dict.fromkeys((found[0].address, *new), found[0])
            Contact.objects.bulk_create(_further(found[0], address) for address in new)
        count += bool(found)
    return count


def _complete(user: User, row: Contact, card: Card) -> None:
    """Give a contact what the card has and it lacks."""
    row.name, row.is_collected = row.name or card.name, False
    had = {name: value for name, value in row.card.items() if value}
    row.card = {**_json(card), **had}
    row.save()
    row.others.update(name=row.name)
    set_groups(user, row, (*row.groups.values_list("name", flat=True), *card.groups))


def _collected(row: Contact | None) -> Contact | None:
    return row if row is not None and row.is_collected else None


def _further(row: Contact, address: str) -> Contact:
    return Contact(user=row.user, main=row, name=row.name, address=address)


def _set_addresses(row: Contact, addresses: Sequence[str]) -> None:
    """Save a contact with these addresses and no others; how often each was used stays with it."""
    own = Q(pk=row.pk) | Q(main=row) if row.pk else Q(pk=None)
    had = Contact.objects.filter(own | Q(user=row.user, address__in=addresses))
    used = {one.address: (one.used_count, one.used_at) for one in had}
    had.exclude(pk=row.pk).delete()
    row.address = addresses[0]
    rows = [row, *(_further(row, address) for address in addresses[1:])]
    for one in rows:
        one.used_count, one.used_at = used.get(one.address, (0, None))
    row.save()
    Contact.objects.bulk_create(rows[1:])


def lock(user: User) -> None:
    """Let nobody else change this book until the transaction ends."""
    User.objects.select_for_update().filter(pk=user.pk).first()


def main_rows(user: User) -> QuerySet[Any]:
    """Return a person's contacts, each once, with `key` to order them by."""
    key = Lower(Coalesce(NullIf(F("name"), Value("")), F("address")))
    rows = Contact.objects.filter(user=user, main=None).annotate(key=key)
    return rows.prefetch_related("groups", "others")


def view(row: Contact) -> ContactRow:
    """Return a row of `main_rows` as it is shown."""
    card = row.card if isinstance(row.card, dict) else {}
    return ContactRow(
        id=row.public_id,
        name=row.name,
        address=row.address,
        more=tuple(one.address for one in sorted(row.others.all(), key=lambda one: one.pk)),
        phones=tuple(str(phone) for phone in card.get("phones", ())),
        organisation=str(card.get("organisation", "")),
        note=str(card.get("note", "")),
        groups=tuple(sorted(group.name for group in row.groups.all())),
        is_collected=row.is_collected,
    )


def _json(card: Card) -> dict[str, object]:
    return {"phones": list(card.phones), "organisation": card.organisation, "note": card.note}


def set_groups(user: User, row: Contact, names: Iterable[str]) -> None:
    """Put a contact into these groups and no others; new names make groups, empty ones go."""
    wanted = {name.strip()[:GROUP_CHARS] for name in names if name.strip()}
    groups = {group.name: group for group in ContactGroup.objects.filter(user=user)}
    for name in sorted(wanted - set(groups))[: max(0, GROUPS_MAX - len(groups))]:
        groups[name] = ContactGroup.objects.create(user=user, name=name)
    row.groups.set([groups[name] for name in wanted if name in groups])
    _drop_empty_groups(user)


def _drop_empty_groups(user: User) -> None:
    ContactGroup.objects.filter(user=user, contacts=None).delete()
