"""Who exists: domains, mailboxes and the addresses that lead to them (RFC 5321, 2.3.11).

One Address table for mailbox and alias addresses: a clash is impossible and RCPT is one indexed
look-up. Resolution (aliases, catch-all, detail) is `directory.resolve`'s.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mailcore.models.ids import uuid7


class Domain(models.Model):
    """A domain whose mail we take: A-label, lower case."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=255, unique=True)
    is_enabled = models.BooleanField(default=True)
    catch_all = models.ForeignKey(
        "mailcore.Mailbox", models.PROTECT, null=True, blank=True, related_name="+"
    )
    default_quota_bytes = models.BigIntegerField(null=True, blank=True)
    mailbox_limit = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(default_quota_bytes__isnull=True) | Q(default_quota_bytes__gte=0),
                name="ck_domain_quota",
            )
        ]

    def __str__(self) -> str:
        return self.name


class DkimKey(models.Model):
    """A signing key of a domain; the private part is encrypted at rest."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="dkim_keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=16)
    public_key = models.TextField()
    secret = models.BinaryField()
    is_active = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="uq_dkim_domain_selector")
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain_id}"


class Mailbox(models.Model):
    """The addressable destination and its message store. This row is the store's write lock."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    display_name = models.CharField(max_length=200, blank=True, default="")
    quota_bytes = models.BigIntegerField(null=True, blank=True)
    used_bytes = models.BigIntegerField(default=0)
    used_count = models.BigIntegerField(default=0)
    modseq = models.BigIntegerField(default=1)
    uidvalidity_next = models.BigIntegerField(default=1)
    purged_modseq = models.BigIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)
    is_system = models.BooleanField(default=False)
    keeps_sent_copy = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_bytes__gte=0) & Q(used_count__gte=0), name="ck_mailbox_used"
            ),
            models.CheckConstraint(
                condition=Q(modseq__gte=1) & Q(purged_modseq__gte=0), name="ck_mailbox_modseq"
            ),
            models.CheckConstraint(
                condition=Q(quota_bytes__isnull=True) | Q(quota_bytes__gte=0),
                name="ck_mailbox_quota",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.public_id)


class Address(models.Model):
    """local-part@domain of ours. Leads to a mailbox, or as an alias to its forwards."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="addresses")
    local_part = models.CharField(max_length=255)
    mailbox = models.ForeignKey(
        Mailbox, models.PROTECT, null=True, blank=True, related_name="addresses"
    )
    is_primary = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "local_part"], name="uq_address_domain_local"
            ),
            models.UniqueConstraint(
                fields=["mailbox"], condition=Q(is_primary=True), name="uq_address_primary"
            ),
            models.CheckConstraint(
                condition=Q(is_primary=False) | Q(mailbox__isnull=False), name="ck_address_primary"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain_id}"


class Forward(models.Model):
    """One target of an address: ours or remote, as addr-spec with an A-label domain."""

    address = models.ForeignKey(Address, models.PROTECT, related_name="forwards")
    target = models.CharField(max_length=320)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address", "target"], name="uq_forward_address_target")
        ]
        indexes = [models.Index(fields=["target"], name="ix_forward_target")]  # who points here

    def __str__(self) -> str:
        return self.target
