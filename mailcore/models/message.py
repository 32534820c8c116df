"""Messages in folders, their threads and what is left when they go (RFC 9051, 7162, 8474).

One row is one message in one folder. Only `store` may import this module: every change goes
through one service that locks the Mailbox row, takes a modseq and keeps the counters.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mailcore.models.ids import uuid7


class Thread(models.Model):
    """A conversation in one mailbox. The subject columns serve only replies without references.

    What joins a muted one does not come to the inbox.
    """

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="threads")
    modseq = models.BigIntegerField()
    subject_hash = models.BigIntegerField(default=0)
    last_message_at = models.DateTimeField()
    participants = models.JSONField(default=list)
    is_muted = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            # store.threads: a reply that carries no reference
            models.Index(
                fields=["mailbox", "subject_hash", "-last_message_at"], name="ix_thread_subject"
            ),
            # store.search_operators: is:muted
            models.Index(fields=["mailbox"], condition=Q(is_muted=True), name="ix_thread_muted"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class ThreadRef(models.Model):
    """A Message-ID that belongs to a thread, seen or only referred to (128 bits of its SHA-256)."""

    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="+")
    hash = models.BinaryField(max_length=16)
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="refs")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "hash"], name="uq_threadref_mailbox_hash")
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()


class Keyword(models.Model):
    """An IMAP keyword of a mailbox and its bit in Message.keywords."""

    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="keywords")
    name = models.CharField(max_length=100)
    bit = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "name"], name="uq_keyword_name"),
            models.UniqueConstraint(fields=["mailbox", "bit"], name="uq_keyword_bit"),
            models.CheckConstraint(condition=Q(bit__lte=62), name="ck_keyword_bit"),
        ]

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    """A keyword with a colour that people see."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    keyword = models.OneToOneField(Keyword, models.PROTECT, related_name="label")
    name = models.CharField(max_length=100)
    hue = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """A message in a folder. A move keeps the row's id; a copy gets a new row and public_id."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    email_id = models.UUIDField(default=uuid7, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="messages")
    folder = models.ForeignKey("mailcore.Folder", models.PROTECT, related_name="messages")
    thread = models.ForeignKey(Thread, models.PROTECT, related_name="messages", db_index=False)
    content = models.ForeignKey("mailcore.Content", models.PROTECT, related_name="messages")
    uid = models.BigIntegerField()
    modseq = models.BigIntegerField()
    created_modseq = models.BigIntegerField()
    trace_id = models.UUIDField()
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    prefix = models.BinaryField(default=b"")
    size = models.BigIntegerField()
    has_attachment = models.BooleanField(default=False)
    is_seen = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
    is_deleted = models.BooleanField(default=False)
    is_draft = models.BooleanField(default=False)
    keywords = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folder", "uid"], name="uq_message_folder_uid"),
            models.CheckConstraint(condition=Q(uid__gte=1), name="ck_message_uid"),
            models.CheckConstraint(condition=Q(keywords__gte=0), name="ck_message_keywords"),
        ]
        indexes = [
            # store.read.list_conversations and its unread filter
            models.Index(fields=["folder", "-received_at", "-id"], name="ix_message_list"),
            models.Index(
                fields=["folder", "-received_at", "-id"],
                condition=Q(is_seen=False),
                name="ix_message_list_unseen",
            ),
            # CHANGEDSINCE, IDLE catch-up
            models.Index(fields=["folder", "modseq"], name="ix_message_folder_modseq"),
            # All mail, Starred, search by operators
            models.Index(fields=["mailbox", "-received_at", "-id"], name="ix_message_all"),
            models.Index(
                fields=["mailbox", "-received_at", "-id"],
                condition=Q(is_flagged=True),
                name="ix_message_flagged",
            ),
            # live update of the webmail, JMAP Email/changes
            models.Index(fields=["mailbox", "modseq"], name="ix_message_mailbox_modseq"),
            # the list's filter of messages with attachments, and labels of the mailbox
            models.Index(
                fields=["folder", "-received_at", "-id"],
                condition=Q(has_attachment=True),
                name="ix_message_list_attached",
            ),
            models.Index(
                fields=["mailbox", "-received_at", "-id"],
                condition=Q(keywords__gt=0),
                name="ix_message_labelled",
            ),
            # newest message of its thread by NOT EXISTS
            models.Index(
                fields=["thread", "folder", "-received_at", "-id"], name="ix_message_thread"
            ),
            # EXPUNGE
            models.Index(
                fields=["folder", "uid"],
                condition=Q(is_deleted=True),
                name="ix_message_deleted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uid}"


class Tombstone(models.Model):
    """A message that left a folder: moved (destroyed false) or deleted for good."""

    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="+")
    folder = models.ForeignKey(
        "mailcore.Folder", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    uid = models.BigIntegerField()
    modseq = models.BigIntegerField()
    message_pk = models.BigIntegerField()
    message_public_id = models.UUIDField()
    destroyed = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["folder", "modseq"], name="ix_tombstone_folder"),  # VANISHED
            models.Index(  # JMAP Email/changes
                fields=["mailbox", "modseq"],
                condition=Q(destroyed=True),
                name="ix_tombstone_destroyed",
            ),
            models.Index(fields=["at"], name="ix_tombstone_at"),  # purge after 90 days
        ]

    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uid}"


class DeliveryKey(models.Model):
    """Recognises a repeat of a delivery whose 250 was lost; kept 7 days, port 25 only."""

    key = models.BinaryField(max_length=32, unique=True)
    trace_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="ix_deliverykey_created")]  # sweep

    def __str__(self) -> str:
        return bytes(self.key).hex()


class Draft(models.Model):
    """What the compose page edits. Becomes a Message in Drafts when the person pauses or leaves."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="drafts")
    author = models.ForeignKey("mailcore.User", models.PROTECT, related_name="drafts")
    identity = models.ForeignKey(
        "mailcore.Identity", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="+")
    recipients = models.JSONField(default=dict)
    subject = models.CharField(max_length=998, blank=True, default="")
    html = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")
    in_reply_to = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    send_token = models.UUIDField(null=True, unique=True)
    not_before = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [  # drafts of a mailbox, newest first
            models.Index(fields=["mailbox", "-updated_at"], name="ix_draft_updated")
        ]

    def __str__(self) -> str:
        return self.subject or str(self.public_id)


class DraftAttachment(models.Model):
    """A file on a draft; its octets are a Blob of their own, so autosave never rewrites them."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    draft = models.ForeignKey(Draft, models.PROTECT, related_name="attachments")
    blob = models.ForeignKey("mailcore.Blob", models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    content_id = models.CharField(max_length=255, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.name
