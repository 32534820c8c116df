"""People: operators, passwords, the login's normal form.

Passwords are hashed here and checked in `credentials`. How good one must be is the asking form's
to say: an operator at the command line may choose.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mailcore.address import AddressError, fold_local, parse
from mailcore.directory.creating import creating
from mailcore.directory.errors import AlreadyExists, NotFound, NotUsable
from mailcore.models.directory import Mailbox
from mailcore.models.identity import Access, MailboxAccess, User

# Without characters that are mistaken for another; 20 of them carry 98 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LOGIN_CHARS = 320
PASSWORD_CHARS = 1024


def generate_password() -> str:
    """Return a random password of 98 bits in four groups, good to read out."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


def normalise_login(text: str) -> str:
    """Return the form in which logins are stored: an address as ours compare, else folded."""
    stripped = text.strip()
    try:
        address = parse(stripped)
    except AddressError:
        return fold_local(stripped)
    return f"{address.key}@{address.domain}"


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person reads: language and zone of the clock, '' for the default."""

    locale: str = ""
    timezone: str = ""


def preferences(*, user_ids: Collection[int]) -> dict[int, Preferences]:
    """Return how these people read; those that are gone are left out."""
    rows = User.objects.filter(pk__in=user_ids).values_list("pk", "locale", "timezone")
    return {pk: Preferences(locale, timezone) for pk, locale, timezone in rows}


def set_locale(*, user_id: int, locale: str) -> None:
    """Remember the language in which a person reads; their notices are written in it."""
    User.objects.filter(pk=user_id).update(locale=locale)


def set_person(*, user_id: int, display_name: str, locale: str, timezone: str) -> None:
    """Remember how a person is called in the account, and how they read.

    The texts are what a form has checked: they fit their columns.
    """
    User.objects.filter(pk=user_id).update(
        display_name=display_name, locale=locale, timezone=timezone
    )


def create_operator(*, login: str, password: str, now: datetime) -> User:
    """Make a user who may administer everything and reads the system mailbox.

    Raises AlreadyExists, or NotUsable for an empty, too long or unprintable login.
    """
    with creating("user", login):
        user = create_user(login=login, password=password, is_operator=True, now=now)
        for mailbox in Mailbox.objects.filter(is_system=True):
            MailboxAccess.objects.create(mailbox=mailbox, user=user, role=Access.OWNER)
    return user


def create_user(
    *,
    login: str,
    password: str,
    display_name: str = "",
    is_operator: bool = False,
    now: datetime,
) -> User:
    """Make a user. Raises AlreadyExists, NotUsable; call it inside a transaction."""
    name = normalise_login(login)
    if not name or len(name) > LOGIN_CHARS or not name.isprintable():
        raise NotUsable("login", login)
    _check_password(password, login)
    if User.objects.filter(login__iexact=name).exists():
        raise AlreadyExists("user", name)
    user = User(login=name, display_name=display_name, is_operator=is_operator, created_at=now)
    user.set_password(password)
    user.save(force_insert=True)
    return user


def set_password(*, login: str, password: str) -> User:
    """Give the user a new password, which ends all sessions: their hash contains it.

    Raises NotFound, or NotUsable for an empty or too long password.
    """
    _check_password(password, login)
    user = User.objects.filter(login__iexact=normalise_login(login)).first()
    if user is None:
        raise NotFound("user", login)
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


def _check_password(password: str, login: str) -> None:
    if not 0 < len(password) <= PASSWORD_CHARS:
        raise NotUsable("password of", login)
