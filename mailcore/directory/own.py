"""The addresses that a person chooses From among: those of every mailbox they may send from.

Addresses of the mailbox first, the primary one before the others, then aliases that lead to it.
What may really be used is `senders`' to say, for each message; this list only offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailcore.address import Address as Parsed
from mailcore.models.directory import Address, Forward, Mailbox
from mailcore.models.identity import Access, Identity, MailboxAccess, User

OFFERED_MAX = 50


@dataclass(frozen=True, slots=True)
class Own:
    """An address to write from, the name beside it, and the mailbox in whose name it leaves.

    `usual_name` is the mailbox's, for addresses without a name of their own; `signature` is plain
    text. `address_id` is the key of its row.
    """

    address: str
    name: str
    mailbox_id: int
    address_id: int
    usual_name: str
    signature: str


def addresses(*, user: User, first: Mailbox | None = None) -> list[Own]:
    """Return at most 50 addresses, those of the mailbox `first` before others; four queries."""
    first_id = first.pk if first else None
    accesses = MailboxAccess.objects.filter(
        user=user, role__in=[Access.OWNER, Access.SEND], mailbox__is_system=False
    ).select_related("mailbox")
    mailboxes = sorted((a.mailbox for a in accesses), key=lambda box: (box.pk != first_id, box.pk))
    identities = {row.address_id: row for row in Identity.objects.filter(user=user)}
    rows = Address.objects.filter(mailbox__in=mailboxes, is_enabled=True, domain__is_enabled=True)
    own = list(rows.select_related("domain").order_by("-is_primary", "pk"))
    aliases = _aliases(own)
    found: dict[str, Own] = {}
    for mailbox in mailboxes:
        mine = [row for row in own if row.mailbox_id == mailbox.pk]
        for row in (*mine, *(alias for target in mine for alias in aliases.get(_text(target), ()))):
            found.setdefault(_text(row), _own(row, mailbox, identities.get(row.pk)))
    return list(found.values())[:OFFERED_MAX]


def _own(row: Address, mailbox: Mailbox, identity: Identity | None) -> Own:
    return Own(
        address=_text(row),
        name=(identity and identity.display_name) or mailbox.display_name,
        mailbox_id=mailbox.pk,
        address_id=row.pk,
        usual_name=mailbox.display_name,
        signature=identity.signature if identity else "",
    )


def _aliases(own: Iterable[Address]) -> dict[str, Sequence[Address]]:
    forwards = Forward.objects.filter(
        target__in=[_text(row) for row in own], address__is_enabled=True
    ).select_related("address__domain")
    found: dict[str, list[Address]] = {}
    for forward in forwards.order_by("address__pk")[:OFFERED_MAX]:
        found.setdefault(forward.target, []).append(forward.address)
    return {target: tuple(rows) for target, rows in found.items()}


def _text(row: Address) -> str:
    return str(Parsed(row.local_part, row.domain.name))
