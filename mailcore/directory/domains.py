"""Domains of ours, with the addresses that each must have (RFC 5321, 4.5.1; RFC 2142).

Says nothing about DNS; whether the world sends its mail here is not checked.
"""

from __future__ import annotations

from datetime import datetime

from mailcore import address as addresses
from mailcore.address import AddressError, normalise_domain
from mailcore.directory import folders
from mailcore.directory.creating import creating
from mailcore.directory.errors import AlreadyExists, NotFound, NotUsable
from mailcore.models.directory import Address, Domain, Forward, Mailbox
from mailcore.models.identity import Access, MailboxAccess, User

ROLE_ADDRESSES = ("postmaster", "abuse")


def create_domain(*, name: str, now: datetime) -> Domain:
    """Make a domain with postmaster and abuse.

    They lead to the first operator's mailbox; while no operator has one, to the system mailbox.
    Raises AlreadyExists, or NotUsable when `name` is no domain name.
    """
    label = _checked(name)
    with creating("domain", label):
        if Domain.objects.filter(name=label).exists():
            raise AlreadyExists("domain", label)
        domain = Domain.objects.create(name=label, created_at=now)
        target = _operator_address()
        keeper = None if target else system_mailbox(now=now)
        for local_part in ROLE_ADDRESSES:
            address = Address.objects.create(
                domain=domain, local_part=local_part, mailbox=keeper, created_at=now
            )
            if target:
                Forward.objects.create(address=address, target=target)
    return domain


def get_domain(name: str) -> Domain:
    """Return the domain of ours. Raises NotFound."""
    domain = Domain.objects.filter(name=name).first()
    if domain is None:
        raise NotFound("domain", name)
    return domain


def system_mailbox(*, now: datetime) -> Mailbox:
    """Return the mailbox that keeps what has no other place; make it, readable by operators."""
    mailbox = Mailbox.objects.filter(is_system=True).order_by("pk").first()
    if mailbox is not None:
        return mailbox
    mailbox = Mailbox.objects.create(
        display_name="System", is_system=True, uidvalidity_next=folders.COUNT + 1, created_at=now
    )
    folders.create_standard(mailbox)
    for operator in User.objects.filter(is_operator=True):
        MailboxAccess.objects.create(mailbox=mailbox, user=operator, role=Access.OWNER)
    return mailbox


def _checked(name: str) -> str:
    try:
        label = normalise_domain(name.strip())
    except AddressError as error:
        raise NotUsable("domain name", name) from error
    if label.startswith("["):
        raise NotUsable("domain name", name)
    return label


def _operator_address() -> str:
    """Return the primary address of the first operator who owns a mailbox, or ''."""
    found = (
        Address.objects.filter(
            is_primary=True,
            mailbox__is_system=False,
            mailbox__accesses__role=Access.OWNER,
            mailbox__accesses__user__is_operator=True,
        )
        .order_by("mailbox__accesses__user_id", "pk")
        .values_list("local_part", "domain__name")
        .first()
    )
    return str(addresses.Address(*found)) if found else ""
