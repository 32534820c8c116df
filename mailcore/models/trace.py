"""What happened to a message, from TCP connect to mailbox or bounce; and what operators did.

Rows carry plain integers instead of foreign keys: they outlive mailboxes and must not lock them.
"""

from __future__ import annotations

from django.db import models


class TraceEvent(models.Model):
    """One thing that happened to one message or connection."""

    trace_id = models.UUIDField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    reverse_path = models.CharField(max_length=320, blank=True, default="")
    forward_path = models.CharField(max_length=320, blank=True, default="")
    message_id = models.CharField(max_length=998, blank=True, default="")
    mailbox_id = models.BigIntegerField(null=True)
    domain_id = models.BigIntegerField(null=True)
    peer = models.CharField(max_length=100, blank=True, default="")
    reply = models.CharField(max_length=600, blank=True, default="")
    detail = models.JSONField(null=True)

    class Meta:
        indexes = [  # trace search by id, address, mailbox, domain, Message-ID
            models.Index(fields=["trace_id", "at"], name="ix_trace_id"),
            models.Index(fields=["forward_path", "at"], name="ix_trace_forward"),
            models.Index(fields=["reverse_path", "at"], name="ix_trace_reverse"),
            models.Index(fields=["mailbox_id", "at"], name="ix_trace_mailbox"),
            models.Index(fields=["domain_id", "at"], name="ix_trace_domain"),
            models.Index(fields=["message_id"], name="ix_trace_message_id"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.trace_id}"


class AuditEvent(models.Model):
    """What an administrator did."""

    actor = models.CharField(max_length=320)
    action = models.CharField(max_length=60)
    object = models.CharField(max_length=400, blank=True, default="")
    at = models.DateTimeField()
    detail = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="ix_audit_at")]  # the log, newest first

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object}"
