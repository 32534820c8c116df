"""The outbox: what has not reached everybody yet, put off, on its way or not delivered.

By keyset (`?before=`), newest first; `?show=` names one of its lists. Read delegates see it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from mailcore.queue import sent
from mailcore.store import read
from webmail.mail import parcels, tracks
from webmail.mail.parcels import Track
from webmail.mail.scope import Scope, scope_or_404, signed_in
from webmail.mail.shell import shell_context

SHOWS: tuple[sent.Show, ...] = ("", "scheduled", "sending", "failed")
PAGE_MESSAGES = 50
_DIGITS = 18  # of a row's key


@dataclass(frozen=True, slots=True)
class Section:
    """One of the lists, with its heading."""

    name: str
    title: str
    tracks: tuple[Track, ...]


@require_safe
@signed_in
def outbox(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Show a page of the outbox; a script that refreshes it gets the same page."""
    scope = scope_or_404(request, mailbox_id)
    now, asked = timezone.now(), request.GET.get("show", "")
    show: sent.Show = next((one for one in SHOWS if one == asked), "")
    page = sent.outbox(
        mailbox_id=scope.mailbox.pk,
        now=now,
        show=show,
        before=_before(request),
        limit=PAGE_MESSAGES,
    )
    context = {
        **shell_context(scope, read.list_folders(mailbox=scope.mailbox)),
        "show": show,
        "shows": [(name, _title(name)) for name in SHOWS],
        "sections": _sections(scope, page.messages, now=now),
        "before": page.before,
        "is_outbox": True,
    }
    return render(request, "mail/outbox.html", context)


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")[:_DIGITS]
    return int(text) if text.isascii() and text.isdigit() else None


def _sections(scope: Scope, messages: Sequence[sent.Sent], *, now: datetime) -> list[Section]:
    """Sort the messages of a page: what went wrong first, then what waits for its time."""
    told = tracks.told_of(scope, messages)
    shown = [
        parcels.track(message, now=now, notices=told.get(message.trace_id)) for message in messages
    ]
    lists: dict[str, list[Track]] = {"failed": [], "scheduled": [], "sending": []}
    for track in shown:
        name = "scheduled" if track.is_put_off else "sending"
        lists["failed" if track.may_dismiss else name].append(track)
    return [Section(name, _title(name), tuple(some)) for name, some in lists.items() if some]


def _title(show: str) -> str:
    return {
        "": pgettext("outbox", "All"),
        "scheduled": _("Scheduled"),
        "sending": _("On its way"),
        "failed": _("Not delivered"),
    }[show]
