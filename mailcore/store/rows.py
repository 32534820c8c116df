"""What reading the store returns: frozen rows without database access (RFC 9051 and 8621 words).

Built by `read`, `conversations` and `rendering`; a template or an API can walk them freely.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Mailbox = tuple[str, str]  # (display name, addr-spec)
ParseState = Literal["ready", "pending", "unreadable"]
OWN_ROLES = frozenset({"sent", "drafts"})  # folders of what one writes oneself


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder with its stored counters; `depth` is 0 at the root."""

    id: int
    public_id: UUID
    name: str
    role: str
    parent_id: int | None
    depth: int
    total_count: int
    unseen_count: int
    highest_modseq: int


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A line of the conversation list: a thread as its newest message in the folder shows it.

    `recipients` are those of what one writes oneself, in Sent and Drafts; elsewhere there are none.
    `keywords` has the bits of all its messages.
    """

    mailbox_id: int
    thread_id: UUID
    message_id: UUID
    senders: tuple[str, ...]
    recipients: tuple[Mailbox, ...]
    from_name: str
    from_address: str
    subject: str
    preview: str
    received_at: datetime
    message_count: int
    unseen_count: int
    is_flagged: bool
    is_answered: bool
    has_attachment: bool
    is_muted: bool
    keywords: int

    @property
    def face(self) -> Mailbox:
        """Whose initials and colour the line has: the first of whom one writes to, else From."""
        return self.recipients[0] if self.recipients else (self.from_name, self.from_address)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next_cursor` is None on the last one."""

    rows: list[ConversationRow]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PartView:
    """A leaf part (RFC 2045). `size` is of the decoded octets, near enough to be shown."""

    part: str
    content_type: str
    name: str
    size: int
    charset: str
    disposition: str
    content_id: str
    offset: int
    length: int
    encoding: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as a reader sees it, without its octets."""

    id: int
    public_id: UUID
    thread_id: UUID
    folder: FolderRow
    subject: str
    from_name: str
    from_address: str
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    list_id: str
    sent_at: datetime | None
    received_at: datetime
    size: int
    is_seen: bool
    is_flagged: bool
    is_answered: bool
    is_draft: bool
    keywords: int
    has_attachment: bool
    preview: str
    content_id: int
    trace_id: UUID
    blob_sha256: bytes
    parts: tuple[PartView, ...]
    body_part: str
    html_part: str
    attachments: tuple[PartView, ...]
    state: ParseState


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A conversation, oldest message first; `message_count` also counts those left off."""

    thread_id: UUID
    subject: str
    messages: list[MessageView]
    message_count: int
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class RenderedView:
    """A body ready to be framed: sanitised HTML with tokens in place of links to parts."""

    html: str
    blocked_count: int
    notice: str
    kind: Literal["html", "text"]
    colour: Literal["none", "grey", "colour"]


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made. `operation_id` undoes it for ten minutes; None: nothing to undo."""

    operation_id: UUID | None
    count: int
