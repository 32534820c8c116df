"""Mailboxes: made with their owner, and listed with what a user may do in them.

Every page starts here: an id from a request finds a mailbox only together with its user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When

from mailcore.address import Address, AddressError, parse
from mailcore.directory import domains, folders, users
from mailcore.directory.creating import creating
from mailcore.directory.errors import AlreadyExists, LimitReached, NotUsable
from mailcore.models import directory as tables
from mailcore.models.directory import Domain, Mailbox
from mailcore.models.identity import Access, MailboxAccess, User

AccessRole = Literal["owner", "send", "read"]


@dataclass(frozen=True, slots=True)
class MailboxAccessRow:
    """A mailbox that a user may use; `address` is its primary one, '' for the system mailbox."""

    mailbox: Mailbox
    role: AccessRole
    address: str
    display_name: str


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """What `create_mailbox` made."""

    mailbox: Mailbox
    user: User
    address: str


def create_mailbox(
    *,
    address: str,
    password: str,
    quota_bytes: int | None = None,
    display_name: str = "",
    now: datetime,
) -> NewMailbox:
    """Make a mailbox with its address, standard folders, and an owner whose login is the address.

    A quota of None means that of the domain. Raises NotUsable, NotFound (the domain), LimitReached
    and AlreadyExists (an address or a user of that name); nothing is changed then.
    """
    parsed = parse_own(address)
    login = str(parsed)
    with creating("address", login):
        domain = domains.get_domain(parsed.domain)
        _refuse_if_taken(domain, parsed)
        user = users.create_user(login=login, password=password, display_name=display_name, now=now)
        mailbox = Mailbox.objects.create(
            display_name=display_name,
            quota_bytes=quota_bytes,
            uidvalidity_next=folders.COUNT + 1,
            created_at=now,
        )
        folders.create_standard(mailbox)
        tables.Address.objects.create(
            domain=domain,
            local_part=parsed.local_part,
            mailbox=mailbox,
            is_primary=True,
            created_at=now,
        )
        MailboxAccess.objects.create(mailbox=mailbox, user=user, role=Access.OWNER)
    return NewMailbox(mailbox, user, login)


def parse_own(text: str) -> Address:
    """Return an address that is to be ours, its local part as ours compare. Raises NotUsable."""
    try:
        parsed = parse(text.strip())
    except AddressError as error:
        raise NotUsable("address", text) from error
    return Address(parsed.key, parsed.domain)


def for_user(user: User) -> list[MailboxAccessRow]:
    """Return the mailboxes that the user may use: own ones first, then by address; one query."""
    return [_row(access) for access in _accesses(user)]


def access(user: User, public_id: UUID) -> MailboxAccessRow | None:
    """Return the mailbox with this id if the user may use it; one query."""
    found = _accesses(user).filter(mailbox__public_id=public_id).first()
    return _row(found) if found else None


def _accesses(user: User) -> QuerySet[MailboxAccess]:
    primary = tables.Address.objects.filter(mailbox=OuterRef("mailbox"), is_primary=True)
    rank = Case(
        When(mailbox__is_system=True, then=Value(3)),
        When(role=Access.OWNER, then=Value(0)),
        When(role=Access.SEND, then=Value(1)),
        default=Value(2),
    )
    return (
        MailboxAccess.objects.filter(user=user)
        .select_related("mailbox")
        .annotate(
            rank=rank,
            local_part=Subquery(primary.values("local_part")),
            domain_name=Subquery(primary.values("domain__name")),
        )
        .order_by("rank", "local_part", "domain_name", "pk")
    )


def _row(found: MailboxAccess) -> MailboxAccessRow:
    local_part: str | None = getattr(found, "local_part", None)
    domain_name: str | None = getattr(found, "domain_name", None)
    address = str(Address(local_part, domain_name)) if local_part and domain_name else ""
    return MailboxAccessRow(
        mailbox=found.mailbox,
        role=cast(AccessRole, found.role),
        address=address,
        display_name=found.mailbox.display_name,
    )


def _refuse_if_taken(domain: Domain, address: Address) -> None:
    taken = tables.Address.objects.filter(domain=domain, local_part=address.local_part)
    if taken.exists():
        raise AlreadyExists("address", str(address))
    count = Mailbox.objects.filter(addresses__domain=domain, addresses__is_primary=True).count()
    if domain.mailbox_limit is not None and count >= domain.mailbox_limit:
        raise LimitReached("domain", domain.name)
