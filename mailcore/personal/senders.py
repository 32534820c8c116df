"""Senders that a person trusts (remote images are shown) or blocks (their mail goes to Junk).

Addresses compare as our own do (`address.comparable`); a whole domain is blocked as `@domain`.
A block counts for the mailboxes that the person owns; `store.batch` looks at it at delivery.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailcore.address import AddressError, comparable, normalise_domain
from mailcore.models.identity import User
from mailcore.models.personal import BlockedSender, TrustedSender

LIST_MAX = 2000  # of one person; more is a rule's work


class SenderRefused(ValueError):  # noqa: N818 - like Refused
    """The sender cannot be put on a list; `reason` is address or full."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalise_blocked(text: str) -> str:
    """Do as `address.comparable`, where `@domain` stands for every address of a domain."""
    text = text.strip()
    if not text.startswith("@"):
        return comparable(text)
    try:
        return "@" + normalise_domain(text[1:])
    except AddressError:
        return ""


def trusted(user: User, addresses: Iterable[str]) -> set[str]:
    """Return those of `addresses` (as they were given) whose remote images the person wants."""
    forms = {address: comparable(address) for address in addresses}
    rows = TrustedSender.objects.filter(user_id=user.pk, address__in=set(forms.values()) - {""})
    known = set(rows.values_list("address", flat=True))
    return {address for address, form in forms.items() if form in known}


def list_trusted(user: User) -> list[str]:
    """Return whom the person trusts, in order."""
    rows = TrustedSender.objects.filter(user_id=user.pk).order_by("address")
    return list(rows.values_list("address", flat=True))


def list_blocked(user: User) -> list[str]:
    """Return whom the person blocks, in order; domains first."""
    rows = BlockedSender.objects.filter(user_id=user.pk).order_by("address")
    return list(rows.values_list("address", flat=True))


def trust(user: User, address: str) -> str:
    """Show remote images of this sender from now on; return the form that is kept.

    Raises SenderRefused("address") for what is no address, ("full") at LIST_MAX.
    """
    form = _checked(comparable(address), TrustedSender.objects.filter(user_id=user.pk).count())
    TrustedSender.objects.get_or_create(user_id=user.pk, address=form)
    return form


def untrust(user: User, address: str) -> bool:
    """Trust this sender no longer; return whether that changed anything."""
    form = comparable(address) or address
    return bool(TrustedSender.objects.filter(user_id=user.pk, address=form).delete()[0])


def block(user: User, address: str) -> str:
    """Put mail of this address, or of all of `@domain`, into Junk from now on.

    Whom one blocks one does not trust. Raises SenderRefused.
    """
    form = _checked(
        normalise_blocked(address), BlockedSender.objects.filter(user_id=user.pk).count()
    )
    BlockedSender.objects.get_or_create(user_id=user.pk, address=form)
    untrust(user, form)
    return form


def unblock(user: User, address: str) -> bool:
    """Take mail of this address again; return whether that changed anything."""
    form = normalise_blocked(address) or address
    return bool(BlockedSender.objects.filter(user_id=user.pk, address=form).delete()[0])


def blocked(user: User, addresses: Iterable[str]) -> set[str]:
    """Return those of `addresses` (as they were given) that the person blocks."""
    forms = {address: comparable(address) for address in addresses}
    asked = {form for form in forms.values() if form}
    asked |= {_domain(form) for form in asked}
    rows = BlockedSender.objects.filter(user_id=user.pk, address__in=asked)
    known = set(rows.values_list("address", flat=True))
    return {a for a, form in forms.items() if form and known & {form, _domain(form)}}


def _domain(form: str) -> str:
    return "@" + form.rpartition("@")[2]


def _checked(form: str, count: int) -> str:
    if not form:
        raise SenderRefused("address")
    if count >= LIST_MAX:
        raise SenderRefused("full")
    return form
