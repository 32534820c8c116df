"""The tracking of what a conversation shows, and the messages that its reports tell of.

One query when nobody sent anything here; reports are looked up only where something went wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mailcore.dsn.parse import STATUS_TYPES
from mailcore.queue import notices, sent
from mailcore.queue.notices import Original
from mailcore.queue.sent import Parcel, Sent
from mailcore.store import tracking
from mailcore.store.rows import MessageView
from webmail.mail import parcels
from webmail.mail.parcels import Notice, Track
from webmail.mail.scope import Scope


@dataclass(frozen=True, slots=True)
class Told:
    """What belongs to messages, by their keys: tracking of sent ones, originals of reports."""

    tracks: dict[int, Track]
    originals: dict[int, Original]


def of_messages(scope: Scope, messages: Sequence[MessageView], *, now: datetime) -> Told:
    """Return what is known of these messages of the scope's mailbox."""
    mailbox_id = scope.mailbox.pk
    found = sent.of_messages(mailbox_id=mailbox_id, message_ids=[each.id for each in messages])
    told = told_of(scope, found.values())
    return Told(
        tracks={
            key: parcels.track(each, now=now, notices=told.get(each.trace_id))
            for key, each in found.items()
        },
        originals=_originals(mailbox_id, [each for each in messages if _is_report(each)]),
    )


def told_of(scope: Scope, messages: Iterable[Sent]) -> dict[UUID, dict[str, list[Notice]]]:
    """Return the reports about messages that went wrong, by trace id and forward-path."""
    troubled = [each.trace_id for each in messages if any(map(_is_told, each.parcels))]
    rows = notices.of(traces=troubled) if troubled else []
    places = tracking.by_trace(mailbox=scope.mailbox, traces={row.trace_id for row in rows})
    told: dict[UUID, dict[str, list[Notice]]] = {}
    for row in rows:
        if row.trace_id in places:
            notice = Notice(parcels.notice_label(row.action), places[row.trace_id])
            told.setdefault(row.about, {}).setdefault(row.forward_path, []).append(notice)
    return told


def _is_told(parcel: Parcel) -> bool:
    """Whether there may be a report about a recipient."""
    is_late = parcel.is_open and parcel.attempt_count > 0
    return parcel.is_lost or bool(parcel.reported) or is_late


def _originals(mailbox_id: int, reports: Sequence[MessageView]) -> dict[int, Original]:
    if not reports:
        return {}
    found = notices.originals(mailbox_id=mailbox_id, traces=[each.trace_id for each in reports])
    return {each.id: found[each.trace_id] for each in reports if each.trace_id in found}


def _is_report(message: MessageView) -> bool:
    return any(part.content_type in STATUS_TYPES for part in message.parts)
