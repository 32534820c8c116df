"""What a form of the mail asks for: a verb, conversations or messages, and where to go next.

Parses only; ids are looked up later within a mailbox that the user may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict

VERBS = (
    "read",
    "unread",
    "star",
    "unstar",
    "archive",
    "trash",
    "spam",
    "inbox",
    "move",
    "destroy",
)
CHOSEN_MAX = 500


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request. Conversations count within `folder_id`; `target_id` is for `move`."""

    verb: str
    thread_ids: tuple[UUID, ...]
    message_ids: tuple[UUID, ...]
    folder_id: UUID | None
    target_id: UUID | None
    next: str


def parse(data: QueryDict) -> Request | None:
    """Return what is asked, or None when there is no known verb, or `move` without a target.

    A button with a value acts on that conversation alone, else on all that are checked.
    """
    verb = next((name for name in VERBS if name in data), None)
    target = _uuid(data.get("move", "")) if verb == "move" else None
    if verb is None or (verb == "move" and target is None):
        return None
    single = _uuids([data.get(verb, "")]) if verb != "move" else ()
    return Request(
        verb=verb,
        thread_ids=single or _uuids(data.getlist("thread")),
        message_ids=() if single else _uuids(data.getlist("message")),
        folder_id=_uuid(data.get("folder", "")),
        target_id=target,
        next=data.get("next", "/"),
    )


def _uuids(values: Iterable[str]) -> tuple[UUID, ...]:
    found = [_uuid(value) for value in list(values)[:CHOSEN_MAX]]
    return tuple(value for value in found if value is not None)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
