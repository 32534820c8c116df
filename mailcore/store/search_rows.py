"""What a search returns: frozen rows without database access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mailcore.store.rows import OWN_ROLES, FolderRow, Mailbox


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A message that was found. `snippet` is plain text around the first of `hits`, or ''.

    `hits` are the words to be marked: `search.highlight.pieces` finds them in a text.
    """

    id: int
    public_id: UUID
    thread_id: UUID
    folder: FolderRow
    from_name: str
    from_address: str
    to: tuple[Mailbox, ...]
    subject: str
    preview: str
    received_at: datetime
    size: int
    has_attachment: bool
    is_seen: bool
    is_flagged: bool
    is_answered: bool
    is_draft: bool
    snippet: str
    hits: tuple[str, ...]

    @property
    def face(self) -> Mailbox:
        """Whose initials and colour the line has: the first of whom one writes to, else From."""
        is_own = self.folder.role in OWN_ROLES
        return self.to[0] if is_own and self.to else (self.from_name, self.from_address)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of what was found, newest first unless asked otherwise.

    `count` is of all that matches, exact up to 1,000; `is_capped` says that there is more. When
    time ran out `is_partial` is true and `searched_back_to` the day from which on nothing is
    missing (with the oldest first: up to which); it is None if not even the first step ended.
    """

    rows: list[SearchRow]
    next_cursor: str | None
    count: int
    is_capped: bool
    is_partial: bool
    searched_back_to: datetime | None
