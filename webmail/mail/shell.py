"""What every page of the mail shows around its subject: rail, account, and the list beside it.

Also the ETag of such pages: from modseqs and settings, never from bytes, because CSRF tokens are
masked anew each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from mailcore.directory.mailboxes import MailboxAccessRow
from mailcore.store import conversations, inboxes, read
from mailcore.store.inboxes import Inbox
from mailcore.store.rows import Page
from webmail import importmap
from webmail.mail import lists
from webmail.mail.lists import ListState
from webmail.mail.rowcache import Place
from webmail.mail.scope import Scope, may_change
from webmail.middleware import frame_theme, theme

PAGE_ROWS = 50
UNFOLDED = "boxes"  # the cookie that names the other mailboxes whose folders are shown


def list_state(request: HttpRequest, scope: Scope, folder: read.FolderRow) -> ListState:
    """Return the page of a folder that the query string names."""
    return lists.of_folder(request, scope, folder)


def list_context(scope: Scope, state: ListState) -> dict[str, Any]:
    """Return the list pane: one page of conversations by keyset.

    `may_act` says whether any of its rows may be changed, `forms_to` whose address its forms go
    to: of a list over several mailboxes the first that the person may change.
    """
    page = _page(scope, state)
    listed = scope.all if state.is_mixed else [scope.current]
    changeable = [row.mailbox.public_id for row in listed if may_change(row)]
    return {
        "state": state,
        "page": page,
        "folder": state.folder,
        "places": {row.mailbox.pk: _place(scope, state, row) for row in listed},
        "may_act": bool(changeable),
        "forms_to": changeable[0] if changeable else scope.mailbox.public_id,
        "unseen": _unseen(scope, state),
        "more_url": state.page_url(page.next_cursor) if page.next_cursor else "",
    }


def _unseen(scope: Scope, state: ListState) -> int:
    """Return what is unread in the list by the stored counters, 0 where there are none."""
    if not state.is_mixed:
        return state.folder.unseen_count if state.folder else 0
    rows = (row for folders in scope.trees.values() for row in folders)
    return sum(row.unseen_count for row in rows if row.role == "inbox")


def _page(scope: Scope, state: ListState) -> Page:
    after = state.after or None
    if not state.is_mixed:
        return conversations.list_page(
            mailbox=scope.mailbox,
            view=state.view,
            after=after,
            limit=PAGE_ROWS,
            is_oldest_first=state.is_oldest_first,
            is_threaded=state.is_threaded,
            roles={row.id: row.role for row in scope.folders},
        )
    return inboxes.list_inboxes(
        inboxes=[
            Inbox(row.mailbox, folder.id, {one.id: one.role for one in scope.trees[row.mailbox.pk]})
            for row in scope.all
            for folder in scope.trees[row.mailbox.pk]
            if folder.role == "inbox"
        ],
        only=state.only,
        after=after,
        limit=PAGE_ROWS,
        is_oldest_first=state.is_oldest_first,
        is_threaded=state.is_threaded,
    )


def _place(scope: Scope, state: ListState, row: MailboxAccessRow) -> Place:
    labels = scope.all_labels[row.mailbox.pk] if state.is_mixed else scope.labels
    return Place(
        mailbox_id=row.mailbox.public_id,
        origin=state.origin,
        more=state.more,
        role=state.role,
        is_threaded=state.is_threaded,
        may_change=may_change(row),
        labels=tuple(labels),
        address=(row.address or row.display_name) if state.is_mixed else "",
    )


def shell_context(scope: Scope, folders: Sequence[read.FolderRow]) -> dict[str, Any]:
    """Return rail and account: own folders by role first, then by name."""
    mailbox = scope.mailbox
    quota = mailbox.quota_bytes
    return {
        "scope": scope,
        "mailbox": mailbox,
        "role_folders": [row for row in folders if row.role],
        "own_folders": [row for row in folders if not row.role],
        "may_change": scope.may_change,
        "all_folders": folders,
        "choices": scope.choices,
        "quota": quota,
        "quota_percent": min(100, mailbox.used_bytes * 100 // quota) if quota else None,
    }


def etag(request: HttpRequest, scope: Scope) -> str | None:
    """Return the ETag of a page of this mailbox, or None while there is a toast to show.

    Every change in a mailbox raises its modseq, so the page is the same while those are: the rail
    tells what the person's other mailboxes hold.
    """
    if len(get_messages(request)):
        return None
    parts = (
        request.get_full_path(),
        request.headers.get("HX-Request", ""),
        [(row.mailbox.pk, row.mailbox.modseq, row.role, row.address) for row in scope.all],
        request.COOKIES.get(UNFOLDED, ""),
        scope.outbox_count,  # hosts answer without a change in the mailbox
        scope.choices,  # with a version that kept searches raise too
        request.user.pk,
        get_language(),
        theme(request),
        frame_theme(request),
        timezone.localdate(),
        request.COOKIES.get(settings.CSRF_COOKIE_NAME, ""),
        build(),
    )
    return '"' + hashlib.sha256(repr(parts).encode()).hexdigest()[:24] + '"'


@cache
def build() -> str:
    """Return what identifies templates and scripts of this start."""
    digest = hashlib.sha256(importmap.element().encode())
    for path in sorted(Path(settings.BASE_DIR, "templates").rglob("*.html")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
