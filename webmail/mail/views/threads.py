"""A conversation: every message with its header; bodies come in frames from their own route.

Opening marks as seen, unless the reader may not change the mailbox or the browser only prefetches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from mailcore.mime.invitation import Invitation
from mailcore.queue.notices import Original
from mailcore.store import drafts, flags, read
from mailcore.store.labels import of_bits
from webmail.mail import attached, banners, lists, searching, tracks
from webmail.mail.parcels import Track
from webmail.mail.scope import Scope, person, scope_or_404, signed_in
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
    told: banners.Told
    files: Sequence[attached.File]
    report_files: Sequence[attached.File]
    invitations: Sequence[Invitation]


@require_safe
@signed_in
def thread(request: HttpRequest, mailbox_id: UUID, thread_id: UUID) -> HttpResponse:
    """Show a conversation; a script that asks for the reading sheet gets no list."""
    scope = scope_or_404(request, mailbox_id)
    folders = scope.folders
    listed = lists.of_origin(request, scope, folders)
    opened_from = listed.folder if listed else None
    view = read.thread(
        mailbox=scope.mailbox,
        thread_id=thread_id,
        folder_id=opened_from.id if opened_from else None,
        folders=folders,
    )
    if view is None:
        raise Http404
    view, is_single = lists.narrowed_to_message(request, view)
    draft_id = _draft_of(scope, opened_from, view.messages)
    if draft_id is not None:
        return _to_draft(request, reverse("mail:draft", args=[mailbox_id, draft_id]))
    opened = _open(request, scope, view.messages)
    if _mark_seen(request, scope, view.messages):
        scope.forget_folders()
        folders = scope.folders
    state = _state(request, scope, listed, folders, view)
    partial = "reading" in request.headers.get("HX-Target", "")
    context = {
        **shell_context(scope, folders),
        **_beside(request, scope, state, is_shown=not partial),
        "thread": view,
        "shown_count": len(opened),
        **_folded(opened),
        "is_starred": any(message.is_flagged for message in view.messages),
        "labels": of_bits(scope.labels, _keywords(view.messages)),
        "single": view.messages[0] if is_single else None,
        "is_marked_later": scope.may_change and scope.choices.mark_read == "after_2s",
    }
    return render(request, "mail/reading.html" if partial else "mail/thread.html", context)


def _keywords(messages: Sequence[read.MessageView]) -> int:
    """Return the bits of all keywords that any of the messages has."""
    return reduce(or_, (message.keywords for message in messages), 0)


def _state(
    request: HttpRequest,
    scope: Scope,
    listed: lists.ListState | None,
    folders: Sequence[read.FolderRow],
    view: read.ThreadView,
) -> lists.ListState:
    """Return the list beside the conversation, with the counters of now."""
    if listed is not None and (listed.folder is None or listed.is_mixed):
        return listed
    here = listed.folder if listed and listed.folder else view.messages[-1].folder
    return list_state(request, scope, next((row for row in folders if row.id == here.id), here))


def _beside(
    request: HttpRequest, scope: Scope, state: lists.ListState, *, is_shown: bool
) -> dict[str, Any]:
    """Return what stands beside the conversation: its list, or the search that found it."""
    asked = searching.asked_in(request, scope.mailbox.public_id)
    alone = {"state": state, "folder": state.folder, "asked": asked, "opened_id": _named(request)}
    if not is_shown:
        return alone
    return alone | (
        searching.context(request, scope, asked) if asked else list_context(scope, state)
    )


def _named(request: HttpRequest) -> UUID | None:
    """Return the message that a search found, which is opened."""
    try:
        return UUID(request.GET.get("m", ""))
    except ValueError:
        return None


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


def _open(request: HttpRequest, scope: Scope, messages: Sequence[read.MessageView]) -> list[Opened]:
    """Say of each message how it is shown; a bounded number of bodies."""
    told = tracks.of_messages(scope, messages, now=timezone.now())
    prepared = _prepared(messages, told, named=_named(request))
    opens_all = request.GET.get("open") == "all"
    bodies = {
        m.public_id: read.rendered_body(message=m) for m in messages if m.public_id in prepared
    }
    lines = banners.of_messages(
        [(m, bodies[m.public_id]) for m in messages if m.public_id in bodies],
        mailbox=scope.mailbox,
        user=person(request),
        once=request.GET.get("images", ""),
    )
    return [
        Opened(
            message=message,
            is_open=opens_all or message.public_id in prepared,
            was_unread=not message.is_seen,
            body=bodies.get(message.public_id),
            frame_height_px=_estimate(message),
            track=told.tracks.get(message.id),
            original=told.originals.get(message.id),
            told=lines.get(message.public_id, banners.Told()),
            files=attached.files(message),
            report_files=attached.report_files(message),
            invitations=attached.invitations(message) if message.public_id in bodies else (),
        )
        for message in messages
    ]


def _prepared(
    messages: Sequence[read.MessageView], told: tracks.Told, *, named: UUID | None
) -> set[UUID]:
    """Choose what is open: what is unread or was searched for, else the last; and what failed."""
    wanted = {m.public_id for m in messages if not m.is_seen or m.public_id == named}
    wanted = wanted or {messages[-1].public_id}
    failed = {m.public_id for m in messages if m.id in told.tracks and told.tracks[m.id].is_news}
    newest = [m.public_id for m in messages if m.public_id in wanted | failed][-OPEN_MAX:]
    return {*newest, *(wanted & {named} if named else ())}


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
    """Mark as seen what is shown, unless the reader wants that later or never; say if it did."""
    if scope.choices.mark_read != "at_once":
        return False
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    unseen = [message.public_id for message in messages if not message.is_seen]
    if not unseen or not scope.may_change or "prefetch" in purpose or request.method == "HEAD":
        return False
    flags.set_seen(mailbox=scope.mailbox, message_ids=unseen, value=True)
    return True
