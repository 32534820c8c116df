"""Raw messages, stored once and shared by all recipients, and their parse cache (RFC 5322).

`rawmail` writes and collects Blob rows; `store` writes Content. Everything but Blob can be rebuilt.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Blob(models.Model):
    """Octets as received, CRLF line ends. Inline in `data`, else a file named by the digest."""

    sha256 = models.BinaryField(max_length=32, unique=True)
    size = models.BigIntegerField()
    codec = models.CharField(max_length=8, blank=True, default="")
    stored_size = models.BigIntegerField()
    data = models.BinaryField(null=True)
    key = models.CharField(max_length=200, blank=True, default="")
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(codec__in=["", "zstd"]), name="ck_blob_codec"),
            models.CheckConstraint(
                condition=Q(data__isnull=False, key="") | (Q(data__isnull=True) & ~Q(key="")),
                name="ck_blob_place",
            ),
        ]
        indexes = [models.Index(fields=["used_at"], name="ix_blob_used")]  # rawmail.collect

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class Content(models.Model):
    """What parsing found in a Blob: the header scan at delivery, the rest by derivation."""

    blob = models.OneToOneField(Blob, models.PROTECT, related_name="content")
    parser_version = models.PositiveSmallIntegerField(default=0)
    parsed_at = models.DateTimeField(null=True)
    parse_attempts = models.PositiveSmallIntegerField(default=0)
    parse_state = models.CharField(max_length=12, default="pending")
    message_id = models.CharField(max_length=998, blank=True, default="")
    subject = models.CharField(max_length=998, blank=True, default="")
    base_subject = models.CharField(max_length=998, blank=True, default="")
    from_name = models.CharField(max_length=500, blank=True, default="")
    from_address = models.CharField(max_length=500, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    header_size = models.PositiveIntegerField()
    has_attachment = models.BooleanField(default=False)
    preview = models.CharField(max_length=300, blank=True, default="")
    envelope = models.JSONField(null=True)
    structure = models.JSONField(null=True)
    search_text = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(parse_state__in=["pending", "ready", "unreadable"]),
                name="ck_content_parse_state",
            )
        ]
        indexes = [
            # store.derive: the durable to-do list
            models.Index(
                fields=["id"], condition=Q(parsed_at__isnull=True), name="ix_content_underived"
            ),
            models.Index(fields=["message_id"], name="ix_content_message_id"),  # DSN, msgid:
            # store.acquaintance: has this person written before
            models.Index(fields=["from_address", "-id"], name="ix_content_from"),
        ]

    def __str__(self) -> str:
        return self.subject or f"content {self.pk}"


class RenderedBody(models.Model):
    """Cache of a sanitised body part; part tokens become signed URLs when it is served."""

    content = models.ForeignKey(Content, models.PROTECT, related_name="bodies")
    part = models.CharField(max_length=200)
    sanitiser_version = models.PositiveSmallIntegerField()
    image_mode = models.CharField(max_length=8)
    html = models.TextField()
    colour = models.CharField(max_length=8, blank=True, default="")
    notice = models.CharField(max_length=40, blank=True, default="")
    blocked_count = models.PositiveIntegerField(default=0)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "part", "sanitiser_version", "image_mode"],
                name="uq_rendered_body",
            )
        ]
        indexes = [models.Index(fields=["used_at"], name="ix_rendered_used")]  # sweep after 30 days

    def __str__(self) -> str:
        return f"{self.content_id}/{self.part}"
