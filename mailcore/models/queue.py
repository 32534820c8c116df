"""The outbound queue: the table is the truth (RFC 5321, 4.5.4.1; RFC 3461; RFC 3464).

Only `queue` may import this module. Claims are conditional UPDATEs whose row count decides.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mailcore.models.ids import uuid7


class QueuedMessage(models.Model):
    """A message on its way: the envelope and what each recipient shares."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    reverse_path = models.CharField(max_length=320, blank=True)
    blob = models.ForeignKey("mailcore.Blob", models.PROTECT, related_name="queued")
    prefix = models.BinaryField(default=b"")
    size = models.BigIntegerField()
    smtputf8 = models.BooleanField(default=False)
    body_8bit = models.BooleanField(default=False)
    require_tls = models.BooleanField(default=False)
    envid = models.CharField(max_length=100, blank=True, default="")
    ret = models.CharField(max_length=4, blank=True, default="")
    origin = models.CharField(max_length=12)
    submitter = models.ForeignKey(
        "mailcore.User", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # In whose name it was submitted: who may see its tracking. Null for forwards and DSNs.
    mailbox = models.ForeignKey(
        "mailcore.Mailbox",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    draft = models.ForeignKey(
        "mailcore.Draft", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sent_message = models.ForeignKey(
        "mailcore.Message", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    trace_id = models.UUIDField(db_index=True)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(origin__in=["submission", "webmail", "forward", "dsn"]),
                name="ck_queued_origin",
            )
        ]
        indexes = [
            # queue.reports: the message that a DSN is about
            models.Index(fields=["envid"], condition=~Q(envid=""), name="ix_queued_envid"),
            # queue.sent: the outbox of a mailbox, newest first
            models.Index(fields=["mailbox", "id"], name="ix_queued_mailbox"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class State(models.TextChoices):
    """Where a recipient of a queued message is. The last four are terminal."""

    QUEUED = "queued"
    HELD = "held"
    CAPTURED = "captured"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class QueuedRecipient(models.Model):
    """One forward-path of a queued message: exactly one state at any time."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    message = models.ForeignKey(QueuedMessage, models.PROTECT, related_name="recipients")
    forward_path = models.CharField(max_length=320)
    original_forward_path = models.CharField(max_length=320, blank=True, default="")
    route = models.CharField(max_length=12, default="mx")
    domain = models.CharField(max_length=255)
    orcpt = models.CharField(max_length=500, blank=True, default="")
    notify = models.CharField(max_length=40, blank=True, default="")
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    dsn_outcome = models.CharField(max_length=12, blank=True, default="")
    attempt_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    delay_dsn_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_reply = models.CharField(max_length=1000, blank=True, default="")
    remote_host = models.CharField(max_length=255, blank=True, default="")
    finished_at = models.DateTimeField(null=True)
    # What a DSN said after the peer had taken the message (docs/adr/0007): failed, delivered...
    reported_action = models.CharField(max_length=12, blank=True, default="")
    # Its sender has seen that it was lost: the outbox shows it no more, the Sent copy still does.
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "forward_path"], name="uq_queuedrecipient_path"
            ),
            models.CheckConstraint(
                condition=Q(route__in=["mx", "smarthost", "local", "captured"]),
                name="ck_queuedrecipient_route",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="ck_queuedrecipient_state"
            ),
            models.CheckConstraint(
                condition=Q(state="queued", next_attempt_at__isnull=False)
                | (~Q(state="queued") & Q(next_attempt_at__isnull=True)),
                name="ck_queuedrecipient_next",
            ),
        ]
        indexes = [
            # queue.claim, domain by domain: a dead domain starves nobody. Only queued rows have a
            # next attempt; a parameter for the state would hide that the index serves
            models.Index(
                fields=["domain", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="ix_queuedrecipient_due",
            ),
            # queue.claim: renew and give_back find the few rows under a lease
            models.Index(
                fields=["lease_token"],
                condition=Q(lease_token__isnull=False),
                name="ix_queuedrecipient_lease",
            ),
            # sweeps and the console's lists
            models.Index(fields=["state", "finished_at"], name="ix_queuedrecipient_state"),
        ]

    def __str__(self) -> str:
        return f"{self.forward_path} {self.state}"


class DeliveryAttempt(models.Model):
    """One try at one host, written before connecting: the sender's parcel tracking."""

    recipient = models.ForeignKey(QueuedRecipient, models.PROTECT, related_name="attempts")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)
    host = models.CharField(max_length=255, blank=True, default="")
    ip = models.CharField(max_length=45, blank=True, default="")
    tls = models.CharField(max_length=60, blank=True, default="")
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=12, blank=True, default="")
    text = models.CharField(max_length=1000, blank=True, default="")
    dialogue = models.TextField(blank=True, default="")

    class Meta:
        indexes = [  # tracking of a recipient in order
            models.Index(fields=["recipient", "started_at"], name="ix_attempt_recipient")
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} at {self.started_at:%Y-%m-%d %H:%M}"


class Destination(models.Model):
    """What we know of a domain or a host: failures, a pause, how many connections at once."""

    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=255)
    failures = models.PositiveIntegerField(default=0)
    hold_until = models.DateTimeField(null=True)
    concurrency = models.PositiveSmallIntegerField(default=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="uq_destination_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["domain", "host"]), name="ck_destination_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.name
