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
    "label",
    "unlabel",
    "mute",
    "unmute",
    "destroy",
)
TARGETED = ("move", "label", "unlabel")  # whose button says whereto
STAYING = ("star", "unstar", "label", "unlabel", "unmute")  # leave a conversation where it is
CHOSEN_MAX = 500


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request. Conversations count within the list that `origin` names.

    `target_id` is of the folder or label; `is_all` asks for all messages of the list; `next` is
    the page that follows: for what changes nobody's place, the conversation that is open.
    """

    verb: str
    thread_ids: tuple[UUID, ...]
    message_ids: tuple[UUID, ...]
    origin: QueryDict
    target_id: UUID | None
    is_all: bool
    next: str


def parse(data: QueryDict) -> Request | None:
    """Return what is asked, or None when there is no known verb, or a target is missing.

    A button with a value acts on that conversation alone (`m.` and an id: on that message), else
    on all that are checked.
    """
    verb = next((name for name in VERBS if name in data), None)
    is_targeted = verb in TARGETED
    target = _uuid(data.get(verb or "", "")) if is_targeted else None
    if verb is None or (is_targeted and target is None):
        return None
    value = "" if is_targeted else data.get(verb, "")
    single = _uuids([value])
    message = _uuids([value.removeprefix("m.")]) if value.startswith("m.") else ()
    return Request(
        verb=verb,
        thread_ids=() if message else single or _uuids(data.getlist("thread")),
        message_ids=message or (() if single else _uuids(data.getlist("message"))),
        origin=QueryDict(data.get("list", "") or f"in={data.get('folder', '')}"),
        target_id=target,
        is_all=value == "all" or (bool(data.get("all")) and not (single or message)),
        next=data.get("here" if verb in STAYING and "here" in data else "next", "/"),
    )


def _uuids(values: Iterable[str]) -> tuple[UUID, ...]:
    found = [_uuid(value) for value in list(values)[:CHOSEN_MAX]]
    return tuple(value for value in found if value is not None)


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
