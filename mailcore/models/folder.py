"""Folders of a mailbox: what IMAP and JMAP call a mailbox (RFC 9051, 2.3 and 5.1; RFC 6154 roles).

Counters are stored and proved by `verify_store`; a uidvalidity is never given twice in a mailbox.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mailcore.models.ids import uuid7


class Role(models.TextChoices):
    """Special use (RFC 6154; RFC 8457 has no part in it). '' is an ordinary folder."""

    NONE = ""
    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    TRASH = "trash"
    JUNK = "junk"
    ARCHIVE = "archive"


class Folder(models.Model):
    """A folder. `name` is the leaf; the separator is "/"; INBOX compares without letter case."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="folders")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    name = models.CharField(max_length=255)
    role = models.CharField(max_length=8, choices=Role.choices, blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    modseq = models.BigIntegerField()
    created_modseq = models.BigIntegerField()
    uidvalidity = models.BigIntegerField()
    uidnext = models.BigIntegerField(default=1)
    highest_modseq = models.BigIntegerField()
    is_subscribed = models.BooleanField(default=True)
    total_count = models.BigIntegerField(default=0)
    unseen_count = models.BigIntegerField(default=0)
    deleted_count = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "parent", "name"],
                condition=Q(parent__isnull=False),
                name="uq_folder_name",
            ),
            models.UniqueConstraint(
                fields=["mailbox", "name"],
                condition=Q(parent__isnull=True),
                name="uq_folder_root_name",
            ),
            models.UniqueConstraint(
                fields=["mailbox", "role"], condition=~Q(role=""), name="uq_folder_role"
            ),
            models.UniqueConstraint(
                fields=["mailbox", "uidvalidity"], name="uq_folder_uidvalidity"
            ),
            models.CheckConstraint(
                condition=Q(total_count__gte=0)
                & Q(unseen_count__gte=0)
                & Q(deleted_count__gte=0)
                & Q(size_bytes__gte=0),
                name="ck_folder_counters",
            ),
            models.CheckConstraint(
                condition=Q(uidnext__gte=1) & Q(uidnext__lte=2**32), name="ck_folder_uidnext"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FolderTombstone(models.Model):
    """A folder that is gone: change feeds say so, and its uidvalidity stays spent."""

    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="+")
    folder_public_id = models.UUIDField()
    uidvalidity = models.BigIntegerField()
    modseq = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = [  # JMAP Mailbox/changes
            models.Index(fields=["mailbox", "modseq"], name="ix_foldertomb_modseq")
        ]

    def __str__(self) -> str:
        return str(self.folder_public_id)
