"""Which messages a list means: of a folder or the mailbox, narrowed by filters (RFC 8621, 4.4.1).

The list, its "select all" and the job that works it off ask with the same value, so that they
cannot differ. Each combination has an index of its own; reads nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Exact

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role
from mailcore.models.message import Message
from mailcore.store import labels
from mailcore.store.sequence import wide

Only = Literal["", "unread", "starred", "attached"]
ONLY: dict[str, Q] = {
    "": Q(),
    "unread": Q(is_seen=False),
    "starred": Q(is_flagged=True),
    "attached": Q(has_attachment=True),
}
HIDDEN_ROLES = (Role.TRASH, Role.JUNK)
OWN_ROLES = (Role.SENT, Role.DRAFTS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR_MAX = 16  # hexadecimal digits of either half


@dataclass(frozen=True, slots=True)
class View:
    """A list. Without `folder_id` it is of the mailbox, but for Trash and Junk.

    `is_without_own` leaves off Sent and Drafts too: what is moved together stays out of them.
    """

    folder_id: int | None = None
    only: Only = ""
    is_starred: bool = False
    label_bit: int | None = None
    is_without_own: bool = False

    @property
    def predicate(self) -> Q:
        """What a message must be, wherever it is."""
        found = ONLY[self.only]
        if self.is_starred:
            found &= ONLY["starred"]
        if self.label_bit is not None:
            found &= labels.carries(self.label_bit)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return what `View(**...)` takes."""
        return asdict(self)


def roles_of(mailbox: Mailbox) -> dict[int, str]:
    """Return the roles of all folders of a mailbox by their keys; one query."""
    return dict(Folder.objects.filter(mailbox_id=mailbox.pk).values_list("pk", "role"))


def matching(*, mailbox: Mailbox, view: View, roles: Mapping[int, str] | None = None) -> Q:
    """Return the condition for messages of this mailbox that the view shows.

    `roles` are those of `roles_of`, where the caller has read them already.
    """
    if view.folder_id is None:
        hidden = (*HIDDEN_ROLES, *OWN_ROLES) if view.is_without_own else HIDDEN_ROLES
        known = roles_of(mailbox) if roles is None else roles
        ids = [pk for pk, role in known.items() if role in hidden]
        return Q(mailbox_id=mailbox.pk) & ~Q(folder_id__in=ids) & view.predicate
    # The starred ones have an index of the mailbox only; for the others it would mislead planners.
    within = Q(mailbox_id=mailbox.pk) if view.only == "starred" or view.is_starred else Q()
    return within & Q(folder_id=view.folder_id) & view.predicate


def beyond(found: QuerySet[Message], cursor: tuple[datetime, int] | None) -> QuerySet[Message]:
    """Keep what comes after the cursor in a list with the newest first."""
    if cursor is None:
        return found
    at, pk = cursor
    return found.filter(Q(received_at__lt=at) | Q(id__lt=pk), received_at__lte=at)


def before(found: QuerySet[Message], cursor: tuple[datetime, int] | None) -> QuerySet[Message]:
    """Keep what comes after the cursor in a list with the oldest first."""
    if cursor is None:
        return found
    at, pk = cursor
    return found.filter(Q(received_at__gt=at) | Q(id__gt=pk), received_at__gte=at)


def of_mailbox(pk: int) -> Q:
    """Return the condition that a message is the mailbox's, for queries that another index serves.

    SQLite keeps no statistics and would walk the whole mailbox for it.
    """
    return Q(Exact(F("mailbox_id") + wide(0), wide(pk)))


def parse_cursor(text: str | None) -> tuple[datetime, int] | None:
    """Return the (received_at, id) of a cursor, or None when it is not one."""
    left, dot, right = (text or "").partition(".")
    if not dot or len(left) > _CURSOR_MAX or len(right) > _CURSOR_MAX:
        return None
    try:
        return _EPOCH + int(left, 16) * _MICROSECOND, int(right, 16)
    except (ValueError, OverflowError):
        return None


def write_cursor(received_at: datetime, pk: int) -> str:
    """Return the cursor of a row."""
    return f"{(received_at - _EPOCH) // _MICROSECOND:x}.{pk:x}"
