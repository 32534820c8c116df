"""What reports of others say about messages that we sent (RFC 3464; docs/adr/0007).

A recipient is found by ENVID or Message-ID *and* address. Nothing here changes a state: a later
failure is noted beside `delivered`, and a recipient that ended otherwise only gets the event.
Whether the report may be believed is the caller's to say.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from mailcore import trace
from mailcore.dsn import typed
from mailcore.live import channel
from mailcore.models.queue import QueuedMessage, QueuedRecipient, State
from mailcore.models.trace import TraceEvent

_MESSAGES = 20
# A later word counts only if it says more: `failed` is the last one.
_WEIGHT = {"": 0, "delayed": 1, "relayed": 2, "expanded": 2, "delivered": 3, "failed": 4}
_BAD_NEWS = frozenset({"failed", "delayed"})


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says of one recipient. Addresses in Unicode; `notice` is its trace id."""

    envelope_id: str
    message_id: str
    addresses: tuple[str, ...]
    action: str
    reply: str
    reporter: str
    notice: uuid.UUID


@dataclass(frozen=True, slots=True)
class Concerned:
    """A recipient of ours that a report fits."""

    recipient_id: int
    reverse_path: str


def concerned(said: Said) -> list[Concerned]:
    """Return the recipients that the report fits. Raises django.db.DatabaseError."""
    addresses = {address.casefold() for address in said.addresses if address}
    messages = _messages(said)
    if not addresses or not messages:
        return []
    rows = QueuedRecipient.objects.filter(message__in=messages).values_list(
        "pk", "message__reverse_path", "forward_path", "original_forward_path", "orcpt"
    )
    return [
        Concerned(pk, reverse_path)
        for pk, reverse_path, *names, orcpt in rows
        if not addresses.isdisjoint(_names(*names, typed.read(typed.from_orcpt(orcpt))))
    ]


def mark(*, recipient_ids: Collection[int], said: Said, now: datetime) -> int:
    """Write down what was said of these recipients; return of how many. A repeat is none.

    Raises django.db.DatabaseError.
    """
    with transaction.atomic():
        rows = QueuedRecipient.objects.filter(pk__in=recipient_ids).order_by("pk")
        locked = rows.select_for_update(of=("self",)).select_related("message")
        fresh = [row for row in locked if not _is_known(row, said)]
        for row in fresh:
            _note(row, said)
        channel.after_commit((row.message.mailbox_id for row in fresh), "sending")
        trace.record(_event(row, said, now) for row in fresh)
        trace.record(_pointer(row, said, now) for row in fresh)
    return len(fresh)


def _messages(said: Said) -> list[int]:
    """Return the newest messages with this ENVID or Message-ID."""
    fits = Q(pk__in=[])
    if said.envelope_id:
        fits |= Q(envid__in=[said.envelope_id, typed.encode_xtext(said.envelope_id)])
    if said.message_id:
        events = TraceEvent.objects.filter(message_id=said.message_id, kind="accepted")
        traces = events.order_by("-pk").values_list("trace_id", flat=True)[:_MESSAGES]
        fits |= Q(trace_id__in=list(traces)) | Q(blob__content__message_id=said.message_id)
    found = QueuedMessage.objects.filter(fits).exclude(reverse_path="")
    return list(found.order_by("-pk").values_list("pk", flat=True)[:_MESSAGES])


def _names(*addresses: str) -> Iterator[str]:
    return (address.casefold() for address in addresses if address)


def _is_known(row: QueuedRecipient, said: Said) -> bool:
    events = TraceEvent.objects.filter(
        trace_id=row.message.trace_id, kind="reported", forward_path=row.forward_path
    )
    details = events.values_list("detail", flat=True)
    return any(detail and detail.get("notice") == said.notice.hex for detail in details)


def _note(row: QueuedRecipient, said: Said) -> None:
    if row.state != State.DELIVERED or _WEIGHT[said.action] <= _WEIGHT[row.reported_action]:
        return
    row.reported_action = said.action
    if said.action in _BAD_NEWS:
        row.last_reply = said.reply[:1000]
    row.save(update_fields=["reported_action", "last_reply"])


def _event(row: QueuedRecipient, said: Said, now: datetime) -> trace.Entry:
    return trace.Entry(
        trace_id=row.message.trace_id,
        at=now,
        kind="reported",
        reverse_path=row.message.reverse_path,
        forward_path=row.forward_path,
        mailbox_id=row.message.mailbox_id,
        peer=said.reporter,
        reply=said.reply,
        detail={"action": said.action, "notice": said.notice.hex},
    )


def _pointer(row: QueuedRecipient, said: Said, now: datetime) -> trace.Entry:
    """Say in the story of the report which message it tells of."""
    return trace.Entry(
        trace_id=said.notice,
        at=now,
        kind="reported",
        forward_path=row.forward_path,
        mailbox_id=row.message.mailbox_id,
        detail={"action": said.action, "about": row.message.trace_id.hex},
    )
