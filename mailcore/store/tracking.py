"""How the queue and its reports find messages of the store, by public id and by trace id.

Who may see the message is not asked by `row_id`; `by_trace` looks in one mailbox.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.trace import TraceEvent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is to be opened."""

    message_id: UUID
    thread_id: UUID
    folder_id: UUID


def row_id(*, public_id: UUID) -> int:
    """Return the primary key of a message just stored. Raises Message.DoesNotExist."""
    return Message.objects.values_list("pk", flat=True).get(public_id=public_id)


def by_trace(*, mailbox: Mailbox, traces: Collection[UUID]) -> dict[UUID, Place]:
    """Return the messages of this mailbox that came under these trace ids, as far as known.

    The trace says when each was stored, and that moment is what messages are indexed by.
    """
    stored = TraceEvent.objects.filter(
        trace_id__in=list(traces), kind="stored", mailbox_id=mailbox.pk
    )
    moments = set(stored.values_list("at", flat=True))
    if not moments:
        return {}
    rows = Message.objects.filter(
        mailbox_id=mailbox.pk, received_at__in=moments, trace_id__in=list(traces)
    )
    columns = ("trace_id", "public_id", "thread__public_id", "folder__public_id")
    return {trace_id: Place(*place) for trace_id, *place in rows.values_list(*columns)}
