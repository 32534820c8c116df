"""Changes that an operator makes to what exists: domains, mailboxes, addresses, people, access.

Everything is found by its public id; what is not there raises NotFound, what may not be, NotUsable.
Each is one transaction. Making new things is in `domains`, `mailboxes`, `aliases`, `users`; who
may do it is the caller's to say, and `trace.audit` records it around the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.db import models, transaction

from mailcore.directory import resolve, users
from mailcore.directory.aliases import parse_targets
from mailcore.directory.domains import ROLE_ADDRESSES
from mailcore.directory.errors import NotFound, NotUsable
from mailcore.directory.mailboxes import parse_own
from mailcore.models.directory import Address, Domain, Forward, Mailbox
from mailcore.models.identity import Access, DomainAdmin, Identity, MailboxAccess, User

T = TypeVar("T", bound=models.Model)


def change_domain(
    *,
    public_id: UUID,
    is_enabled: bool,
    catch_all: str,
    default_quota_bytes: int | None,
    mailbox_limit: int | None,
) -> Domain:
    """Change a domain. `catch_all` is an address of the mailbox that takes the rest, '' for none.

    Raises NotFound (the domain, or no mailbox has that address).
    """
    with transaction.atomic():
        domain = _locked(Domain, public_id)
        domain.is_enabled = is_enabled
        domain.catch_all = _mailbox_of(catch_all) if catch_all else None
        domain.default_quota_bytes = default_quota_bytes
        domain.mailbox_limit = mailbox_limit
        domain.save()
    resolve.forget()
    return domain


def delete_domain(*, public_id: UUID) -> str:
    """Delete a domain that has nothing but its role addresses; return its name.

    Raises NotFound, or NotUsable while other addresses are in it.
    """
    with transaction.atomic():
        domain = _locked(Domain, public_id)
        own = Address.objects.filter(domain=domain)
        if own.exclude(local_part__in=ROLE_ADDRESSES).exists() or domain.dkim_keys.exists():
            raise NotUsable("domain", domain.name)
        if own.filter(is_primary=True).exists():
            raise NotUsable("domain", domain.name)
        Identity.objects.filter(address__domain=domain).delete()
        Forward.objects.filter(address__domain=domain).delete()
        DomainAdmin.objects.filter(domain=domain).delete()
        own.delete()
        domain.delete()
    resolve.forget()
    return domain.name


def change_mailbox(
    *, public_id: UUID, display_name: str, quota_bytes: int | None, is_enabled: bool
) -> Mailbox:
    """Change a mailbox; a quota of None means that of its domain. Raises NotFound."""
    with transaction.atomic():
        mailbox = _locked(Mailbox, public_id)
        mailbox.display_name = display_name
        mailbox.quota_bytes = quota_bytes
        mailbox.is_enabled = is_enabled
        mailbox.save(update_fields=["display_name", "quota_bytes", "is_enabled"])
    resolve.forget()
    return mailbox


def change_address(
    *, public_id: UUID, targets: Sequence[str], is_enabled: bool, keeps_mailbox: bool = True
) -> Address:
    """Give an address these targets instead of those that it has.

    An address of a mailbox delivers to it as well; without `keeps_mailbox` it becomes an alias.
    Raises NotFound, or NotUsable (a target, no target at all, or a primary address turned alias).
    """
    with transaction.atomic():
        row = _locked(Address, public_id)
        name = f"{row.local_part}@{row.domain.name}"
        wanted = parse_targets(targets, of=parse_own(name))
        if not keeps_mailbox and row.is_primary:
            raise NotUsable("address", name)
        row.mailbox = row.mailbox if keeps_mailbox else None
        if row.mailbox_id is None and not wanted:
            raise NotUsable("alias", name)
        row.is_enabled = is_enabled
        row.save(update_fields=["mailbox", "is_enabled"])
        Forward.objects.filter(address=row).delete()
        Forward.objects.bulk_create(Forward(address=row, target=target) for target in wanted)
    resolve.forget()
    return row


def delete_address(*, public_id: UUID) -> str:
    """Delete an alias or a further address of a mailbox; return what it was.

    Raises NotFound, or NotUsable for a primary address and for one that a domain must have.
    """
    with transaction.atomic():
        row = _locked(Address, public_id)
        name = f"{row.local_part}@{row.domain.name}"
        if row.is_primary or row.local_part in ROLE_ADDRESSES:
            raise NotUsable("address", name)
        Identity.objects.filter(address=row).delete()  # nobody signs with it any more
        Forward.objects.filter(address=row).delete()
        row.delete()
    resolve.forget()
    return name


def change_user(
    *, public_id: UUID, display_name: str, is_active: bool, is_operator: bool, by: UUID
) -> User:
    """Change a person. Nobody ends their own rights: so that one operator is always left.

    Raises NotFound, or NotUsable when `by` would disable or demote themselves.
    """
    with transaction.atomic():
        user = _locked(User, public_id)
        if user.public_id == by and not (is_active and is_operator):
            raise NotUsable("user", user.login)
        user.display_name = display_name
        user.is_active = is_active
        if user.is_operator != is_operator:
            user.is_operator = is_operator
            _share_system_mailbox(user)
        user.save(update_fields=["display_name", "is_active", "is_operator"])
    return user


def change_password(*, public_id: UUID, password: str) -> User:
    """Give a person a new password, which ends their sessions. Raises NotFound, NotUsable."""
    with transaction.atomic():
        return users.set_password(login=_locked(User, public_id).login, password=password)


def give_access(*, mailbox_id: UUID, login: str, role: str) -> MailboxAccess:
    """Let a user use a mailbox in a role (read, send, owner), instead of the one they had.

    Raises NotFound (mailbox, user), NotUsable (role).
    """
    if role not in Access.values:
        raise NotUsable("role", role)
    name = users.normalise_login(login)
    with transaction.atomic():
        mailbox = _locked(Mailbox, mailbox_id)
        user = User.objects.filter(login__iexact=name if name.isprintable() else "").first()
        if user is None:
            raise NotFound("user", login)
        return MailboxAccess.objects.update_or_create(
            mailbox=mailbox, user=user, defaults={"role": role}
        )[0]


def withdraw_access(*, mailbox_id: UUID, user_id: UUID) -> str:
    """Let a user no longer use a mailbox; return the login. Raises NotFound."""
    with transaction.atomic():
        mailbox = _locked(Mailbox, mailbox_id)
        found = MailboxAccess.objects.select_related("user").filter(
            mailbox=mailbox, user__public_id=user_id
        )
        access = found.first()
        if access is None:
            raise NotFound("access", str(user_id))
        access.delete()
        return access.user.login


def _locked(table: type[T], public_id: UUID) -> T:
    row = table._default_manager.select_for_update().filter(public_id=public_id).first()
    if row is None:
        raise NotFound(table._meta.model_name or "", str(public_id))
    return row


def _mailbox_of(address: str) -> Mailbox:
    own = parse_own(address)
    found = Address.objects.select_related("mailbox").filter(
        domain__name=own.domain, local_part=own.local_part, mailbox__isnull=False
    )
    row = found.first()
    if row is None or row.mailbox is None:
        raise NotFound("mailbox", address)
    return row.mailbox


def _share_system_mailbox(user: User) -> None:
    """Operators read the system mailbox; who is none any more does not."""
    for mailbox in Mailbox.objects.filter(is_system=True):
        found = MailboxAccess.objects.filter(mailbox=mailbox, user=user)
        if user.is_operator and not found.exists():
            MailboxAccess.objects.create(mailbox=mailbox, user=user, role=Access.OWNER)
        elif not user.is_operator:
            found.delete()
