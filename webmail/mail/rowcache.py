"""Rendered lines of the conversation list, kept in the process.

A line is the same as long as its values, language, day and place are, and templates are most of
what a list page costs (performance budgets, reading). Holds only what its caller may see: the key
has the mailbox, the folder and all values of the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from django.template.loader import get_template
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from mailcore.store.labels import LabelRow, of_bits
from mailcore.store.rows import ConversationRow
from webmail import clock

LINES_MAX = 4096  # some 3 KB each
LABELS_MAX = 3  # shown on a line
_VALUE = "!value!"  # stands for a conversation or a message


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands, how links name it and its page, and what the reader may do.

    `address` tells the mailbox of a row apart in a list of several, else it is ''.
    """

    mailbox_id: UUID
    origin: str
    more: str
    role: str
    is_threaded: bool
    may_change: bool
    labels: tuple[LabelRow, ...]
    address: str = ""


def line(row: ConversationRow, place: Place, *, is_current: bool) -> SafeString:
    """Return the rendered line of a conversation, for the active language, time zone and clock."""
    return _line(
        row,
        place,
        is_current,
        get_language() or "",
        timezone.localdate(),
        timezone.get_current_timezone_name(),
        clock.pattern(),
    )


@lru_cache(maxsize=LINES_MAX)
def _line(
    row: ConversationRow,
    place: Place,
    is_current: bool,
    language: str,
    today: date,
    zone: str,
    hours: str,
) -> SafeString:
    """Render; the last four only tell lines apart, the templates look for themselves."""
    labels = of_bits(place.labels, row.keywords)
    message = row.message_id
    actions = _actions(language, place.role, row.is_flagged, row.unseen_count > 0)
    value = str(row.thread_id) if place.is_threaded else f"m.{message}"
    context = {
        "row": row,
        "place": place,
        "is_current": is_current,
        "marks": _marks(language, labels[:LABELS_MAX], *_flags(row)),
        "actions": SafeString(actions.replace(_VALUE, value)) if place.may_change else "",
        "kind": "thread" if place.is_threaded else "message",
        "key": row.thread_id if place.is_threaded else message,
        "anchor": "" if place.is_threaded else f"&only_message={message}",
    }
    return SafeString(get_template("mail/row.html").render(context))


def _flags(row: ConversationRow) -> tuple[bool, ...]:
    flags = (row.is_answered, row.has_attachment, row.is_muted, row.is_flagged, row.unseen_count)
    return tuple(map(bool, flags))


@lru_cache(maxsize=LINES_MAX)
def _marks(language: str, labels: tuple[LabelRow, ...], *flags: bool) -> SafeString:
    """Render the labels and icons of a line: most lines share theirs with others."""
    names = ("is_answered", "has_attachment", "is_muted", "is_flagged", "is_unseen")
    context = {"labels": labels, **dict(zip(names, flags, strict=True))}
    return SafeString(get_template("mail/row_marks.html").render(context).strip())


@lru_cache(maxsize=LINES_MAX)
def _actions(language: str, role: str, is_flagged: bool, is_unseen: bool) -> str:
    """Render the buttons of a line, which differ from line to line in what they stand for."""
    context = {"role": role, "is_flagged": is_flagged, "is_unseen": is_unseen, "value": _VALUE}
    return get_template("mail/row_actions.html").render(context).strip()
