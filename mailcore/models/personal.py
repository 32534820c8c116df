"""What belongs to a person or to the rules of a mailbox, and long work with progress and undo.

Contacts, templates, trusted and blocked senders, saved searches and settings belong to the user;
rules and vacation to the mailbox.
"""

from __future__ import annotations

from django.db import models

from mailcore.models.ids import uuid7


class UserSettings(models.Model):
    """Choices of a person about how pages look and act."""

    user = models.OneToOneField("mailcore.User", models.PROTECT, related_name="settings")
    version = models.PositiveIntegerField(default=1)
    values = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"settings of {self.user_id}"


class ContactGroup(models.Model):
    """A named set of contacts."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="contact_groups")
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="uq_contactgroup_name")
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person known to the user; `is_collected` marks those only written to.

    A further address of a person is a row of its own that points at the `main` one and bears its
    name, so that an address is found, counted and offered in one way; the card is the main row's.
    """

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="contacts")
    main = models.ForeignKey("self", models.CASCADE, null=True, related_name="others")
    name = models.CharField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=320)
    card = models.JSONField(default=dict)
    is_collected = models.BooleanField(default=False)
    groups = models.ManyToManyField(ContactGroup, related_name="contacts", blank=True)
    used_count = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="uq_contact_user_address")
        ]

    def __str__(self) -> str:
        return self.name or self.address


class Template(models.Model):
    """A text to write from."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="templates")
    name = models.CharField(max_length=200)
    subject = models.CharField(max_length=998, blank=True, default="")
    html = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.name


class SavedSearch(models.Model):
    """A search kept in the rail."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="saved_searches")
    name = models.CharField(max_length=200)
    query = models.CharField(max_length=1000)
    position = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class TrustedSender(models.Model):
    """A sender whose remote images are shown."""

    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="trusted_senders")
    address = models.CharField(max_length=320)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="uq_trusted_user_address")
        ]

    def __str__(self) -> str:
        return self.address


class BlockedSender(models.Model):
    """A sender whose mail goes to Junk at delivery."""

    user = models.ForeignKey("mailcore.User", models.PROTECT, related_name="blocked_senders")
    address = models.CharField(max_length=320)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "address"], name="uq_blocked_user_address")
        ]
        indexes = [models.Index(fields=["address"], name="ix_blocked_address")]  # at delivery

    def __str__(self) -> str:
        return self.address


class Rule(models.Model):
    """A filter of a mailbox: a search and what to do with what it finds."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="rules")
    name = models.CharField(max_length=200)
    query = models.CharField(max_length=1000)
    actions = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Vacation(models.Model):
    """The automatic reply of a mailbox (RFC 3834)."""

    mailbox = models.OneToOneField("mailcore.Mailbox", models.PROTECT, related_name="vacation")
    is_enabled = models.BooleanField(default=False)
    subject = models.CharField(max_length=998, blank=True, default="")
    text = models.TextField(blank=True, default="")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"vacation of {self.mailbox_id}"


class Job(models.Model):
    """Work on many messages with progress; its steps undo it (kept 10 minutes)."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=12, default="done")
    total_count = models.BigIntegerField(default=0)
    done_count = models.BigIntegerField(default=0)
    arguments = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="ix_job_expires"),  # sweep
            models.Index(  # store.jobs.work_next
                fields=["id"],
                condition=models.Q(state__in=["waiting", "undoing"]),
                name="ix_job_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class JobStep(models.Model):
    """What one chunk of a job changed; gone when it is undone.

    A row of its own, so that a long job never rewrites what its earlier chunks did.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="steps")
    undo = models.JSONField()

    def __str__(self) -> str:
        return f"step {self.pk} of {self.job_id}"
