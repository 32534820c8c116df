"""One list over the inboxes of several mailboxes, by keyset (RFC 8621, 4.4.3 collapseThreads).

Each inbox gives its own next rows by its own index, and the newest of all are the page: two
queries, whatever the number of mailboxes, and what an inbox holds beyond the page is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store import matching
from mailcore.store.conversations import (
    COLUMNS,
    LIMIT_MAX,
    Newest,
    is_newest,
    page_of,
    shown_in,
)
from mailcore.store.matching import Only, View, parse_cursor
from mailcore.store.rows import Page


@dataclass(frozen=True, slots=True)
class Inbox:
    """An inbox that the reader may see, and the roles of all folders of its mailbox by key."""

    mailbox: Mailbox
    folder_id: int
    roles: Mapping[int, str]


def list_inboxes(
    *,
    inboxes: Sequence[Inbox],
    only: Only = "",
    after: str | None = None,
    limit: int = 50,
    is_oldest_first: bool = False,
    is_threaded: bool = True,
) -> Page:
    """Return a page of conversations of all these inboxes, at most `limit` rows (1 to 200).

    `after` is the `next_cursor` of the page before; one that cannot be read gives the first page.
    """
    limit = max(1, min(limit, LIMIT_MAX))
    if not inboxes:
        return Page(rows=[], next_cursor=None)
    order = ("received_at", "id") if is_oldest_first else ("-received_at", "-id")
    cursor = parse_cursor(after)
    parts: list[QuerySet[Message]] = []
    for inbox in inboxes:
        view = View(folder_id=inbox.folder_id, only=only)
        found = Message.objects.filter(matching.matching(mailbox=inbox.mailbox, view=view))
        if is_threaded:
            found = found.filter(is_newest(view, [inbox.folder_id]))
        beyond = matching.before if is_oldest_first else matching.beyond
        first = beyond(found, cursor).order_by(*order).values("pk")[: limit + 1]
        # SQLite sorts and cuts no part of a union, so each part is cut inside.
        parts.append(Message.objects.filter(pk__in=first))
    together = [part.values_list(*COLUMNS) for part in parts]
    rows = together[0].union(*together[1:], all=True) if together[1:] else together[0]
    newest = [Newest(*row) for row in rows.order_by(*order)[: limit + 1]]
    return page_of(
        newest,
        limit,
        [inbox.folder_id for inbox in inboxes],
        [pk for inbox in inboxes for pk in shown_in(inbox.roles, inbox.folder_id)],
        is_threaded=is_threaded,
    )
