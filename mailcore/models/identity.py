"""People and what they may use: users, access to mailboxes, administration of domains.

Holds no policy: `directory` decides who may do what. Passwords are argon2id hashes (RFC 9106).
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from mailcore.models.ids import uuid7


class Users(BaseUserManager["User"]):
    """Look-up by login as the login form types it: letter case does not count."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with this login. Raises User.DoesNotExist."""
        return self.get(login__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in. The login of a mailbox owner is its primary address."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    login = models.CharField(max_length=320)
    display_name = models.CharField(max_length=200, blank=True, default="")
    locale = models.CharField(max_length=10, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects: ClassVar[Users] = Users()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("login"), name="uq_user_login")]

    def __str__(self) -> str:
        return self.login


class Access(models.TextChoices):
    """What a delegate may do: read; also change and send as; also folders, rules, delegates."""

    READ = "read"
    SEND = "send"
    OWNER = "owner"


class MailboxAccess(models.Model):
    """A user may use a mailbox."""

    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="accesses")
    user = models.ForeignKey(User, models.PROTECT, related_name="accesses")
    role = models.CharField(max_length=8, choices=Access.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "user"], name="uq_access_mailbox_user"),
            models.CheckConstraint(
                condition=models.Q(role__in=["read", "send", "owner"]), name="ck_access_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.mailbox_id}"


class DomainAdmin(models.Model):
    """A user may administer a domain."""

    user = models.ForeignKey(User, models.PROTECT, related_name="administered")
    domain = models.ForeignKey("mailcore.Domain", models.PROTECT, related_name="admins")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "domain"], name="uq_domainadmin_user_domain")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} administers {self.domain_id}"


class AppPassword(models.Model):
    """A 128-bit random secret for one client, stored as SHA-256."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="app_passwords")
    label = models.CharField(max_length=100)
    hash = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label


class Identity(models.Model):
    """A From that a user may write with: address, name and signature."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="identities")
    address = models.ForeignKey("mailcore.Address", models.PROTECT, related_name="identities")
    display_name = models.CharField(max_length=200, blank=True, default="")
    signature = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="uq_identity_user_address")
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.address_id)


class AuthThrottle(models.Model):
    """Failed sign-ins of one key (an account or a network) in one time window."""

    key = models.CharField(max_length=400)
    window = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "window"], name="uq_throttle_key_window")
        ]
        indexes = [models.Index(fields=["window"], name="ix_throttle_window")]  # sweep by age

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class SetupToken(models.Model):
    """The one-time link with which the first operator is made."""

    hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"setup token of {self.created_at:%Y-%m-%d}"


class SignIn(models.Model):
    """A session as its person sees it: from which network and with which kind of browser.

    The session itself is Django's; neither full address nor full User-Agent is kept.
    """

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    network = models.CharField(max_length=50, blank=True, default="")
    agent = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} with {self.agent or 'something'}"
