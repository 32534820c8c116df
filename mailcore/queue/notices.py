"""Which delivery report tells of which message: the trace knows both ways (RFC 3464, 2.1).

A report of our own is `notified` in the trace of the message, one of another host `reported`; the
report's own trace says in `about` which message it tells of. Every question names the mailbox.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailcore.models.queue import QueuedMessage
from mailcore.models.trace import TraceEvent

_TOLD = ("notified", "reported")
_ROWS_MAX = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """What a report told of one recipient; `trace_id` is that of the report itself."""

    about: uuid.UUID
    forward_path: str
    action: str
    trace_id: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Original:
    """The Sent copy of a message that a report tells of."""

    message_id: uuid.UUID
    thread_id: uuid.UUID
    folder_id: uuid.UUID
    subject: str


def of(*, traces: Collection[uuid.UUID]) -> list[Notice]:
    """Return what reports told of the messages with these trace ids, oldest first."""
    events = TraceEvent.objects.filter(trace_id__in=list(traces), kind__in=_TOLD)
    rows = events.order_by("at", "pk").values_list("trace_id", "forward_path", "detail", "at")
    notices = []
    for trace_id, forward_path, detail, at in rows[:_ROWS_MAX]:
        notice = _id(detail, "notice")
        if notice is not None:
            action = str((detail or {}).get("action", ""))
            notices.append(Notice(trace_id, forward_path, action, notice, at))
    return notices


def originals(*, mailbox_id: int, traces: Collection[uuid.UUID]) -> dict[uuid.UUID, Original]:
    """Return the Sent copies that reports tell of, by the trace ids of the reports."""
    events = TraceEvent.objects.filter(
        trace_id__in=list(traces), kind__in=("accepted", "reported")
    ).order_by("pk")
    about: dict[uuid.UUID, uuid.UUID] = {}
    for trace_id, detail in events.values_list("trace_id", "detail")[:_ROWS_MAX]:
        original = _id(detail, "about")
        if original is not None:
            about.setdefault(trace_id, original)
    if not about:
        return {}
    sent = QueuedMessage.objects.filter(
        mailbox_id=mailbox_id, trace_id__in=set(about.values()), sent_message__isnull=False
    )
    rows = {
        trace_id: Original(*columns) for trace_id, *columns in sent.values_list("trace_id", *_SENT)
    }
    return {report: rows[original] for report, original in about.items() if original in rows}


def _id(detail: Mapping[str, Any] | None, name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str((detail or {})[name]))
    except (KeyError, ValueError):
        return None


_SENT = (
    "sent_message__public_id",
    "sent_message__thread__public_id",
    "sent_message__folder__public_id",
    "blob__content__subject",
)
