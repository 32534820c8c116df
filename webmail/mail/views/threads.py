"""A conversation: every message with its header; bodies come in frames from their own route.

Opening marks as seen, unless the reader may not change the mailbox or the browser only prefetches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from mailcore.queue.notices import Original
from mailcore.store import drafts, flags, read
from webmail.mail import tracks
from webmail.mail.parcels import Track
from webmail.mail.scope import Scope, folder_or_404, scope_or_404, signed_in
from webmail.mail.shell import list_context, list_state, shell_context

OPEN_MAX = 5  # bodies that are prepared with the page; the others when they are opened
FOLD_FROM = 4  # closed messages before the first open one: all but two of them are folded
FRAME_LINE_PX = 24
FRAME_MIN_PX, FRAME_MAX_PX = 120, 1600


@dataclass(frozen=True, slots=True)
class Opened:
    """A message of the conversation and how the page shows it."""

    message: read.MessageView
    is_open: bool
    was_unread: bool
    body: read.RenderedView | None
    frame_height_px: int
    track: Track | None
    original: Original | None


@require_safe
@signed_in
def thread(request: HttpRequest, mailbox_id: UUID, thread_id: UUID) -> HttpResponse:
    """Show a conversation; a script that asks for the reading sheet gets no list."""
    scope = scope_or_404(request, mailbox_id)
    folders = read.list_folders(mailbox=scope.mailbox)
    opened_from = _opened_from(request, folders)
    view = read.thread(
        mailbox=scope.mailbox,
        thread_id=thread_id,
        folder_id=opened_from.id if opened_from else None,
    )
    if view is None:
        raise Http404
    draft_id = _draft_of(scope, opened_from, view.messages)
    if draft_id is not None:
        return _to_draft(request, reverse("mail:draft", args=[mailbox_id, draft_id]))
    opened = _open(scope, view.messages)
    if _mark_seen(request, scope, view.messages):
        folders = read.list_folders(mailbox=scope.mailbox)
    here = opened_from or view.messages[-1].folder
    folder = next((row for row in folders if row.id == here.id), here)
    state = list_state(request, folder)
    partial = "reading" in request.headers.get("HX-Target", "")
    context = {
        **shell_context(scope, folders),
        **({"state": state, "folder": folder} if partial else list_context(scope, state)),
        "thread": view,
        "shown_count": len(opened),
        **_folded(opened),
        "is_starred": any(message.is_flagged for message in view.messages),
        "all_folders": folders,
    }
    return render(request, "mail/reading.html" if partial else "mail/thread.html", context)


def _opened_from(request: HttpRequest, folders: Sequence[read.FolderRow]) -> read.FolderRow | None:
    try:
        folder_id = UUID(request.GET.get("in", ""))
    except ValueError:
        return None
    return folder_or_404(folders, folder_id)


def _draft_of(
    scope: Scope, opened_from: read.FolderRow | None, messages: Sequence[read.MessageView]
) -> UUID | None:
    """Return the draft that a click in Drafts means: the newest that can be edited here."""
    if opened_from is None or opened_from.role != "drafts" or not scope.may_change:
        return None
    inside = [m for m in messages if m.is_draft and m.folder.id == opened_from.id]
    return drafts.of_message(mailbox=scope.mailbox, message_id=inside[-1].id) if inside else None


def _to_draft(request: HttpRequest, path: str) -> HttpResponse:
    """Go to the compose page; a script that wanted a fragment is told to go there."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": path})
    return redirect(path)


def _open(scope: Scope, messages: Sequence[read.MessageView]) -> list[Opened]:
    """Open what is unread and the last message; prepare a bounded number of bodies."""
    wanted = [m.public_id for m in messages if not m.is_seen] or [messages[-1].public_id]
    prepared = set(wanted[-OPEN_MAX:])
    told = tracks.of_messages(scope, messages, now=timezone.now())
    return [
        Opened(
            message=message,
            is_open=message.public_id in prepared,
            was_unread=not message.is_seen,
            body=_body(message, is_open=message.public_id in prepared),
            frame_height_px=_estimate(message),
            track=told.tracks.get(message.id),
            original=told.originals.get(message.id),
        )
        for message in messages
    ]


def _body(message: read.MessageView, *, is_open: bool) -> read.RenderedView | None:
    return read.rendered_body(message=message) if is_open else None


def _folded(opened: Sequence[Opened]) -> dict[str, Sequence[Opened]]:
    """Split into the beginning, what is folded away, and the rest from the last closed one on."""
    first_open = next((at for at, item in enumerate(opened) if item.is_open), 0)
    if first_open < FOLD_FROM:
        return {"beginning": (), "folded": (), "rest": opened}
    return {
        "beginning": opened[:1],
        "folded": opened[1 : first_open - 1],
        "rest": opened[first_open - 1 :],
    }


def _estimate(message: read.MessageView) -> int:
    """Guess the height of a body from its octets, until the frame reports its own."""
    size = next((part.size for part in message.parts if part.part == message.body_part), 2000)
    return max(FRAME_MIN_PX, min(FRAME_MAX_PX, size // 60 * FRAME_LINE_PX))


def _mark_seen(request: HttpRequest, scope: Scope, messages: Sequence[read.MessageView]) -> bool:
    """Mark as seen what is shown; return whether anything changed."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    unseen = [message.public_id for message in messages if not message.is_seen]
    if not unseen or not scope.may_change or "prefetch" in purpose or request.method == "HEAD":
        return False
    flags.set_seen(mailbox=scope.mailbox, message_ids=unseen, value=True)
    return True
