"""The people of access tests: Alice (owner), Bob (same domain), Mallory (other domain).

Made by the directory's own services, with real addresses and the standard folders. All sign in
with PASSWORD, which is hashed once per run: Argon2 is slow on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from django.contrib.auth.hashers import make_password

from mailcore.directory import domains, mailboxes
from mailcore.models.directory import Domain, Mailbox
from mailcore.models.folder import Folder
from mailcore.models.identity import MailboxAccess, User

PASSWORD = "correct horse battery"
MADE_AT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a mailbox of the same name."""

    user: User
    mailbox: Mailbox
    address: str

    def folder(self, role: str = "inbox") -> Folder:
        """Return a folder of the mailbox as it is now."""
        return Folder.objects.get(mailbox=self.mailbox, role=role)

    @property
    def box(self) -> UUID:
        """The mailbox's id in URLs."""
        return self.mailbox.public_id


def make_domain(name: str = "hamburger.test") -> Domain:
    """Return the domain, made when it is not there."""
    found = Domain.objects.filter(name=name).first()
    return found or domains.create_domain(name=name, now=MADE_AT)


def make_person(address: str, *, name: str = "", quota_bytes: int | None = None) -> Person:
    """Make a domain if need be, a mailbox and its owner."""
    make_domain(address.partition("@")[2])
    made = mailboxes.create_mailbox(
        address=address,
        password="-",
        quota_bytes=quota_bytes,
        display_name=name,
        now=MADE_AT,
    )
    made.user.password = _hashed()
    made.user.save(update_fields=["password"])
    return Person(user=made.user, mailbox=made.mailbox, address=made.address)


def make_alice() -> Person:
    """Make Alice, who owns what the test is about."""
    return make_person("alice@hamburger.test", name="Alice")


def make_bob() -> Person:
    """Make Bob, of Alice's domain."""
    return make_person("bob@hamburger.test", name="Bob")


def make_mallory() -> Person:
    """Make Mallory, of another domain, who may see nothing of either."""
    return make_person("mallory@crepes.test", name="Mallory")


def make_operator(login: str = "operator") -> User:
    """Make an operator without a mailbox."""
    return User.objects.create(
        login=login, password=_hashed(), is_operator=True, created_at=MADE_AT
    )


def give_access(*, user: User, mailbox: Mailbox, role: str) -> None:
    """Make `user` a delegate of `mailbox`."""
    MailboxAccess.objects.create(user=user, mailbox=mailbox, role=role)


@lru_cache(maxsize=1)
def _hashed() -> str:
    return make_password(PASSWORD)
