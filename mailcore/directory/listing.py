"""Domains, mailboxes, addresses and people as an operator lists them: values, page by page.

Pages go by key, never by number: `after` is the id of the last row of the page before, and the
order is that of an index. Reads only; who may see it is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Lower

from mailcore import address as addresses
from mailcore.directory.domains import ROLE_ADDRESSES
from mailcore.models.directory import Address, Domain, Forward
from mailcore.models.identity import MailboxAccess, User

LIMIT = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of a list; `after` asks for the next page, None is the end."""

    rows: tuple[T, ...]
    after: UUID | None


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain with what is in it. Sizes in octets; None is no limit."""

    public_id: UUID
    name: str
    is_enabled: bool
    default_quota_bytes: int | None
    mailbox_limit: int | None
    catch_all: str
    mailbox_count: int
    address_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox under its primary address, '' for the system's; `quota_bytes` is what holds."""

    public_id: UUID
    address: str
    display_name: str
    is_enabled: bool
    is_system: bool
    used_bytes: int
    used_count: int
    own_quota_bytes: int | None
    quota_bytes: int | None
    created_at: datetime

    @property
    def name(self) -> str:
        """What to call it."""
        return self.address or self.display_name or str(self.public_id)


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address of ours: of a mailbox (`mailbox` is its primary address or name), or an alias."""

    public_id: UUID
    address: str
    domain: str
    is_primary: bool
    is_enabled: bool
    mailbox_id: UUID | None
    mailbox: str
    targets: tuple[str, ...]
    created_at: datetime

    @property
    def is_required(self) -> bool:
        """Whether the domain must have it (RFC 5321, 4.5.1 and RFC 2142): it cannot be deleted."""
        return self.address.partition("@")[0] in ROLE_ADDRESSES


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person who may sign in."""

    public_id: UUID
    login: str
    display_name: str
    is_active: bool
    is_operator: bool
    mailbox_count: int
    last_login_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessRow:
    """A user may use a mailbox in a role."""

    user_id: UUID
    login: str
    mailbox_id: UUID
    mailbox: str
    role: str


def domains(*, text: str = "", after: UUID | None = None, limit: int = 50) -> Page[DomainRow]:
    """Return domains by name, those that contain `text`."""
    found = _domains().filter(name__contains=text.lower()).order_by("name")
    last = Domain.objects.filter(public_id=after).first() if after else None
    return _page(found.filter(name__gt=last.name) if last else found, _domain_row, limit)


def domain(*, public_id: UUID) -> DomainRow | None:
    """Return one domain, or None."""
    return next(map(_domain_row, _domains().filter(public_id=public_id)), None)


def mailboxes(
    *, domain: str = "", text: str = "", after: UUID | None = None, limit: int = 50
) -> Page[MailboxRow]:
    """Return mailboxes domain by domain (oldest first), in each by address."""
    found = _within(_mailboxes().filter(is_primary=True), domain, text)
    return _page(_after_address(found, after, mailbox=True), _mailbox_row, limit)


def mailbox(*, public_id: UUID) -> MailboxRow | None:
    """Return one mailbox, or None; also that which has no primary address."""
    found = _mailboxes().filter(mailbox__public_id=public_id).order_by("-is_primary", "pk")
    return next(map(_mailbox_row, found[:1]), None)


def addresses_of(
    *,
    domain: str = "",
    text: str = "",
    aliases_only: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> Page[AddressRow]:
    """Return addresses domain by domain (oldest first), in each by local part; two queries."""
    found = _within(_addresses(), domain, text)
    if aliases_only:
        found = found.filter(mailbox=None)
    return _page_of_addresses(_after_address(found, after), limit)


def address(*, public_id: UUID) -> AddressRow | None:
    """Return one address, or None."""
    page = _page_of_addresses(_addresses().filter(public_id=public_id), 1)
    return next(iter(page.rows), None)


def addresses_of_mailbox(*, mailbox_id: UUID, limit: int = LIMIT) -> tuple[AddressRow, ...]:
    """Return the addresses that belong to a mailbox, the primary one first."""
    found = _addresses().filter(mailbox__public_id=mailbox_id).order_by("-is_primary", "pk")
    return _page_of_addresses(found, limit).rows


def users(*, text: str = "", after: UUID | None = None, limit: int = 50) -> Page[UserRow]:
    """Return people by login, those whose login contains `text`."""
    found = _users().filter(login__contains=text.lower()).order_by(Lower("login"))
    last = User.objects.filter(public_id=after).first() if after else None
    if last:
        found = found.alias(key=Lower("login")).filter(key__gt=last.login.lower())
    return _page(found, _user_row, limit)


def user(*, public_id: UUID) -> UserRow | None:
    """Return one person, or None."""
    return next(map(_user_row, _users().filter(public_id=public_id)), None)


def accesses(
    *, mailbox_id: UUID | None = None, user_id: UUID | None = None
) -> tuple[AccessRow, ...]:
    """Return who may use a mailbox, or what a user may use, by login and address."""
    found = MailboxAccess.objects.all()
    if mailbox_id is not None:
        found = found.filter(mailbox__public_id=mailbox_id)
    if user_id is not None:
        found = found.filter(user__public_id=user_id)
    primary = Address.objects.filter(mailbox=OuterRef("mailbox"), is_primary=True)
    rows = found.annotate(
        local=Subquery(primary.values("local_part")), at=Subquery(primary.values("domain__name"))
    ).order_by("user__login", "at", "local", "pk")
    columns = ("user__public_id", "user__login", "mailbox__public_id", "local", "at")
    return tuple(
        AccessRow(user_id, login, mailbox_id, _spelled(local, at) or name, role)
        for user_id, login, mailbox_id, local, at, name, role in rows.values_list(
            *columns, "mailbox__display_name", "role"
        )[:LIMIT]
    )


def counts() -> dict[str, int]:
    """Return how many domains, mailboxes, addresses and users there are."""
    return {
        "domains": Domain.objects.count(),
        "mailboxes": Address.objects.filter(is_primary=True).count(),
        "addresses": Address.objects.count(),
        "users": User.objects.count(),
    }


def _page(found: QuerySet[Any], make: Callable[[Any], T], limit: int) -> Page[T]:
    size = min(limit, LIMIT)
    rows = list(found[: size + 1])
    made: list[Any] = [make(row) for row in rows[:size]]
    return Page(tuple(made), made[-1].public_id if len(rows) > size else None)


def _within(found: QuerySet[Address], domain: str, text: str) -> QuerySet[Address]:
    """Narrow to a domain and to a part of the address, which may hold an @."""
    local, at, name = text.strip().lower().partition("@")
    if domain:
        found = found.filter(domain__name=domain)
    if at:
        found = found.filter(domain__name__startswith=name, local_part__endswith=local)
    elif local:
        found = found.filter(local_part__contains=local)
    return found.order_by("domain_id", "local_part")


def _after_address(
    found: QuerySet[Address], after: UUID | None, *, mailbox: bool = False
) -> QuerySet[Address]:
    if after is None:
        return found
    key = {"mailbox__public_id": after, "is_primary": True} if mailbox else {"public_id": after}
    last = Address.objects.filter(**key).values_list("domain_id", "local_part").first()
    if last is None:
        return found
    return found.filter(Q(domain_id__gt=last[0]) | Q(domain_id=last[0], local_part__gt=last[1]))


def _domains() -> QuerySet[Domain]:
    return Domain.objects.select_related("catch_all").annotate(
        mailboxes=Count("addresses", filter=Q(addresses__is_primary=True)),
        all_addresses=Count("addresses"),
        **_primary("catch_all"),
    )


def _mailboxes() -> QuerySet[Address]:
    return Address.objects.filter(mailbox__isnull=False).select_related("mailbox", "domain")


def _addresses() -> QuerySet[Address]:
    return Address.objects.select_related("mailbox", "domain").annotate(**_primary("mailbox"))


def _users() -> QuerySet[User]:
    return User.objects.annotate(mailboxes=Count("accesses"))


def _primary(of: str) -> dict[str, Subquery]:
    """Return annotations with the primary address of the mailbox that the column names."""
    primary = Address.objects.filter(mailbox=OuterRef(of), is_primary=True)
    return {
        "main_local": Subquery(primary.values("local_part")),
        "main_domain": Subquery(primary.values("domain__name")),
    }


def _domain_row(row: Any) -> DomainRow:
    main = _spelled(row.main_local, row.main_domain)
    return DomainRow(
        public_id=row.public_id,
        name=row.name,
        is_enabled=row.is_enabled,
        default_quota_bytes=row.default_quota_bytes,
        mailbox_limit=row.mailbox_limit,
        catch_all=main or (row.catch_all.display_name if row.catch_all else ""),
        mailbox_count=row.mailboxes,
        address_count=row.all_addresses,
        created_at=row.created_at,
    )


def _mailbox_row(row: Address) -> MailboxRow:
    box = row.mailbox
    assert box is not None
    own = box.quota_bytes
    return MailboxRow(
        public_id=box.public_id,
        address=_spelled(row.local_part, row.domain.name) if row.is_primary else "",
        display_name=box.display_name,
        is_enabled=box.is_enabled,
        is_system=box.is_system,
        used_bytes=box.used_bytes,
        used_count=box.used_count,
        own_quota_bytes=own,
        quota_bytes=row.domain.default_quota_bytes if own is None else own,
        created_at=box.created_at,
    )


def _page_of_addresses(found: QuerySet[Address], limit: int) -> Page[AddressRow]:
    size = min(limit, LIMIT)
    rows: Sequence[Any] = list(found[: size + 1])
    targets = _targets(row.pk for row in rows[:size])
    made = tuple(_address_row(row, targets.get(row.pk, ())) for row in rows[:size])
    return Page(made, made[-1].public_id if len(rows) > size else None)


def _targets(address_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    rows = Forward.objects.filter(address_id__in=list(address_ids)).order_by("pk")
    for address_id, target in rows.values_list("address_id", "target"):
        found[address_id] = (*found.get(address_id, ()), target)
    return found


def _address_row(row: Any, targets: tuple[str, ...]) -> AddressRow:
    box = row.mailbox
    main = _spelled(row.main_local, row.main_domain)
    return AddressRow(
        public_id=row.public_id,
        address=_spelled(row.local_part, row.domain.name),
        domain=row.domain.name,
        is_primary=row.is_primary,
        is_enabled=row.is_enabled,
        mailbox_id=box.public_id if box else None,
        mailbox=main or (str(box) if box else ""),
        targets=targets,
        created_at=row.created_at,
    )


def _user_row(row: Any) -> UserRow:
    return UserRow(
        public_id=row.public_id,
        login=row.login,
        display_name=row.display_name,
        is_active=row.is_active,
        is_operator=row.is_operator,
        mailbox_count=row.mailboxes,
        last_login_at=row.last_login,
        created_at=row.created_at,
    )


def _spelled(local_part: str | None, domain: str | None) -> str:
    return str(addresses.Address(local_part, domain)) if local_part and domain else ""
