"""What every page of the mail shows around its subject: rail, account, and the list beside it.

Also the ETag of such pages: from modseqs and settings, never from bytes, because CSRF tokens are
masked anew each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from mailcore.store import read
from webmail import importmap
from webmail.mail.rowcache import Place
from webmail.mail.scope import Scope
from webmail.middleware import frame_theme, theme

PAGE_ROWS = 50
FILTERS = ("", "unread", "starred")


@dataclass(frozen=True, slots=True)
class ListState:
    """Which page of which folder the list shows; `only` is '' or the name of a filter."""

    folder: read.FolderRow
    after: str
    only: str

    @property
    def query(self) -> str:
        """The query string of this state, '' for a plain first page."""
        pairs = [("only", self.only), ("after", self.after)]
        joined = "&".join(f"{name}={value}" for name, value in pairs if value)
        return f"?{joined}" if joined else ""


def list_state(request: HttpRequest, folder: read.FolderRow) -> ListState:
    """Read `?after=` and `?only=`; what cannot be read counts as absent."""
    only = request.GET.get("only", "")
    after = "".join(c for c in request.GET.get("after", "")[:40] if c in "0123456789abcdef.")
    return ListState(folder=folder, after=after, only=only if only in FILTERS else "")


def list_context(scope: Scope, state: ListState) -> dict[str, Any]:
    """Return the list pane: one page of conversations by keyset."""
    page = read.list_conversations(
        mailbox=scope.mailbox,
        folder_id=state.folder.id,
        after=state.after or None,
        limit=PAGE_ROWS,
        only=state.only,  # type: ignore[arg-type]  # checked against FILTERS
    )
    place = Place(
        mailbox_id=scope.mailbox.public_id,
        folder_id=state.folder.public_id,
        role=state.folder.role,
        after=state.after,
        only=state.only,
        may_change=scope.may_change,
    )
    return {"state": state, "page": page, "folder": state.folder, "place": place}


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
        "quota": quota,
        "quota_percent": min(100, mailbox.used_bytes * 100 // quota) if quota else None,
    }


def etag(request: HttpRequest, scope: Scope) -> str | None:
    """Return the ETag of a page of this mailbox, or None while there is a toast to show.

    Every change in the mailbox raises its modseq, so the page is the same while that is.
    """
    if len(get_messages(request)):
        return None
    parts = (
        request.get_full_path(),
        request.headers.get("HX-Request", ""),
        scope.mailbox.modseq,
        scope.current.role,
        len(scope.all),
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
