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

from mailcore.store.rows import ConversationRow

LINES_MAX = 4096  # some 3 KB each


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands: the mailbox and folder, its page, and what the reader may do."""

    mailbox_id: UUID
    folder_id: UUID
    role: str
    after: str
    only: str
    may_change: bool


def line(row: ConversationRow, place: Place, *, is_current: bool) -> SafeString:
    """Return the rendered line of a conversation, for the active language and time zone."""
    return _line(
        row,
        place,
        is_current,
        get_language() or "",
        timezone.localdate(),
        timezone.get_current_timezone_name(),
    )


@lru_cache(maxsize=LINES_MAX)
def _line(
    row: ConversationRow, place: Place, is_current: bool, language: str, today: date, zone: str
) -> SafeString:
    context = {"row": row, "place": place, "is_current": is_current}
    return SafeString(get_template("mail/row.html").render(context))
