"""Queued mail as operators look it up: subjects, what a trace left behind, captured octets.

The octets of a message are handed out only while something of it is captured: other mail on its
way is nobody's to read. Reads only; who may ask is the caller's to say.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from mailcore import rawmail
from mailcore.models.queue import QueuedMessage, QueuedRecipient, State


def subjects(message_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the subjects of queued messages, '' where none is known; one query."""
    rows = QueuedMessage.objects.filter(public_id__in=message_ids)
    found = rows.values_list("public_id", "blob__content__subject")
    return {public_id: subject or "" for public_id, subject in found}


def forward_paths(recipients: Collection[uuid.UUID]) -> list[str]:
    """Return where these recipients of queued messages are, oldest first."""
    rows = QueuedRecipient.objects.filter(public_id__in=recipients).order_by("pk")
    return list(rows.values_list("forward_path", flat=True))


def of_trace(trace_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the queued messages that a trace led to, oldest first; at most 20."""
    rows = QueuedMessage.objects.filter(trace_id=trace_id).order_by("pk")
    return list(rows.values_list("public_id", flat=True)[:20])


def captured_octets(*, message_id: uuid.UUID) -> bytes | None:
    """Return the octets of a message of which something is captured, else None.

    Raises BlobMissing, BlobDamaged, OSError.
    """
    rows = QueuedMessage.objects.filter(
        public_id=message_id, recipients__state=State.CAPTURED
    ).select_related("blob")
    row = rows.first()
    return bytes(row.prefix) + rawmail.read(row.blob) if row else None
