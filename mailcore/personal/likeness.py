"""Whether a sender is known to a person, or only bears the name of somebody who is.

Compares what is written in From with the contacts; neither is proof of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from mailcore.models.identity import User
from mailcore.models.personal import Contact

NAME_MIN = 4  # characters: "Ana" is many people


@dataclass(frozen=True, slots=True)
class Likeness:
    """`known` are addresses in the book; `others` gives the addresses of contacts by name.

    `contacts` gives the ids of contacts by address, without those who were only written to.
    """

    known: frozenset[str] = frozenset()
    contacts: Mapping[str, UUID] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

    def knows(self, address: str) -> bool:
        """Say whether there is a contact with this address."""
        return address.casefold() in self.known

    def contact(self, address: str) -> UUID | None:
        """Return the id of the contact with this address."""
        return self.contacts.get(address.casefold())

    def borrowed_from(self, name: str, address: str) -> str:
        """Return the address of the contact whose name a stranger bears, or ''."""
        return "" if self.knows(address) else self.others.get(_form(name), "")


def likeness(*, user: User, people: Iterable[tuple[str, str]]) -> Likeness:
    """Return what the contacts of a person say about these (name, address). One query."""
    pairs = [(name, address) for name, address in people if address]
    wanted = Q(address__in={address.casefold() for _, address in pairs})
    for name in {_form(name) for name, _ in pairs if len(_form(name)) >= NAME_MIN}:
        wanted |= Q(name__iexact=name)
    rows = Contact.objects.filter(wanted, user_id=user.pk).select_related("main")
    contacts = [row for row in rows if not row.is_collected]
    found = [(_form(row.name), row.address.casefold()) for row in rows]
    return Likeness(
        known=frozenset(address for _, address in found),
        contacts={row.address: (row.main or row).public_id for row in contacts},
        others={name: address for name, address in found if len(name) >= NAME_MIN},
    )


def _form(name: str) -> str:
    return " ".join(name.casefold().split())
