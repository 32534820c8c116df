"""The one-time link with which the first operator of an installation is made.

Only its digest is kept; it works once, for a day, and only while nobody is an operator. Whoever
reads the log of the start may use it: that person runs the machine.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from mailcore import conf
from mailcore.directory import users
from mailcore.directory.errors import NotFound
from mailcore.models.identity import SetupToken, User

LIFETIME = timedelta(days=1)


def is_wanted() -> bool:
    """Return whether nobody is an operator yet."""
    return not User.objects.filter(is_operator=True).exists()


def make_token(*, now: datetime, unless_within: timedelta = timedelta(0)) -> str:
    """Return a fresh token, or '' when there is an operator.

    Also '' when one was made within `unless_within`: several processes start at once, and one
    link is enough. Tokens that have expired are removed.
    """
    if not is_wanted():
        return ""
    SetupToken.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)).delete()
    if SetupToken.objects.filter(created_at__gt=now - unless_within).exists():
        return ""
    token = secrets.token_urlsafe(24)
    SetupToken.objects.create(hash=_digest(token), created_at=now, expires_at=now + LIFETIME)
    return token


def link(token: str) -> str:
    """Return the address at which the token is used."""
    return f"{conf.public_url()}/setup/{token}/"


def is_valid(token: str, *, now: datetime) -> bool:
    """Return whether an operator may be made with this token now."""
    usable = SetupToken.objects.filter(hash=_digest(token), used_at=None, expires_at__gt=now)
    return usable.exists() and is_wanted()


def use(*, token: str, login: str, password: str, now: datetime) -> User:
    """Make the first operator and spend the token, or neither.

    Raises NotFound when the token is not valid (any more), NotUsable and AlreadyExists for the
    login; the token stays valid then.
    """
    with transaction.atomic():
        # All of them, so that two links cannot be used at once.
        unused = SetupToken.objects.select_for_update().filter(used_at=None, expires_at__gt=now)
        rows = [row for row in unused.order_by("pk") if bytes(row.hash) == _digest(token)]
        if not rows or not is_wanted():
            raise NotFound("setup link", "")
        SetupToken.objects.filter(pk=rows[0].pk).update(used_at=now)
        return users.create_operator(login=login, password=password, now=now)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
