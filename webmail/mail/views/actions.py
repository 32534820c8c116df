"""Changes to conversations and messages: one route, one button name for each verb.

A conversation stands for its messages in the list shown; `all` for all of the list or the search,
done by a job. In a list over several mailboxes each is changed where the person may. Deleting for
good asks first. The answer is a redirect to where the person was, with a toast; scripts follow it
and morph the page. All but `destroy` can be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from mailcore.directory.mailboxes import MailboxAccessRow
from mailcore.store import expunge, flags, folders, jobs, labels, move, mute, read, selection
from mailcore.store.changes import CHUNK
from mailcore.store.matching import View
from mailcore.store.rows import Done
from mailcore.store.search_all import FoundView
from webmail.mail import lists, searchall
from webmail.mail.forms import TARGETED, Request, parse
from webmail.mail.lists import ListState, label_or_404
from webmail.mail.saying import outcome, said, undo_tag, working
from webmail.mail.scope import Scope, change_scope, folder_or_404, may_change, signed_in
from webmail.mail.views import sure
from webmail.pages import local_path

Role = Literal["archive", "trash", "junk", "inbox"]
ROLES: dict[str, Role] = {
    "archive": "archive",
    "trash": "trash",
    "spam": "junk",
    "inbox": "inbox",
}
LABELS = {"label": True, "unlabel": False}
MUTES = {"mute": True, "unmute": False}
FLAGS = {
    "read": (flags.set_seen, True),
    "unread": (flags.set_seen, False),
    "star": (flags.set_flagged, True),
    "unstar": (flags.set_flagged, False),
}


@require_POST
@signed_in
def act(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Do what the pressed button says to the chosen messages, then go back."""
    scope = change_scope(request, mailbox_id)
    asked = parse(request.POST)
    if asked is None:
        return HttpResponseBadRequest(_("This request names no action."))
    if "quiet" in request.POST and asked.verb in FLAGS:
        _do(scope, asked, asked.message_ids)
        return HttpResponse(status=204)
    if asked.verb == "destroy" and "sure" not in request.POST:
        return sure.ask(request, scope)
    state = lists.asked(asked.origin, scope, scope.folders)
    if state and state.is_mixed and asked.verb in TARGETED:
        return HttpResponseBadRequest(_("This request names no action."))
    parts = _parts(scope, asked, state)
    if whole := asked.is_all and _whole_lists(request, parts, asked):
        _tell_jobs(request, [(within, _do_all(within, asked, view)) for within, view in whole])
    else:
        _tell_chosen(request, asked, _do_chosen(parts, asked))
    return _back(request, asked.next)


def _parts(
    scope: Scope, asked: Request, state: ListState | None
) -> list[tuple[Scope, ListState | None]]:
    """Return each mailbox whose rows the list has and the person may change, and its part of it."""
    if not (state and state.is_mixed):
        return [(scope, state)]
    scopes = [replace(scope, current=row) for row in scope.all if may_change(row)]
    return [
        (within, lists.asked(asked.origin, within, scope.trees[within.mailbox.pk]))
        for within in scopes
    ]


def _do_chosen(
    parts: Sequence[tuple[Scope, ListState | None]], asked: Request
) -> list[tuple[MailboxAccessRow, Done]]:
    """Do it to what was chosen, in each mailbox.

    Each has an operation of its own, which its own toast undoes.
    """
    chosen = [(within, _chosen(within, asked, listed)) for within, listed in parts]
    return [(within.current, _do(within, asked, ids)) for within, ids in chosen if ids]


def _tell_chosen(
    request: HttpRequest, asked: Request, done: Sequence[tuple[MailboxAccessRow, Done]]
) -> None:
    """Say what was done, with the mailbox when there were several."""
    for row, one in done:
        where = f" – {row.address}" if len(done) > 1 else ""
        text = said(asked.verb, one.count) + where
        messages.success(request, text, extra_tags=undo_tag(one, row.mailbox))
    if not done and asked.thread_ids:
        messages.info(request, _("Sent mail and drafts stay where they are."))
    elif not done:
        messages.info(request, _("Nothing is selected."))


def _tell_jobs(request: HttpRequest, done: Sequence[tuple[Scope, jobs.JobRow | None]]) -> None:
    """Say what was done in each mailbox, with its address when there are several."""
    busy = [(within, job) for within, job in done if job and (job.is_open or job.done_count)]
    for within, job in busy or done[:1]:
        where = f" – {within.current.address}" if len(busy) > 1 else ""
        _tell_job(request, within, job, where=where)


def _tell_job(
    request: HttpRequest, scope: Scope, job: jobs.JobRow | None, *, where: str = ""
) -> None:
    """Say what was done, or show how far it is."""
    if job is None or not job.is_open:
        count = job.done_count if job else 0
        is_undoable = job is not None and count > 0 and job.kind != "destroy"
        done = Done(job.id if job and is_undoable else None, count)
        text = outcome(job) if job else said("move", count)
        messages.success(request, text + where, extra_tags=undo_tag(done, scope.mailbox))
    else:
        tag = f"job:{job.id}@{scope.mailbox.public_id}"
        messages.info(request, working(job) + where, extra_tags=tag)


@require_POST
@signed_in
def undo(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Undo an operation of the last ten minutes."""
    scope = change_scope(request, mailbox_id)
    try:
        operation_id = UUID(request.POST.get("operation", ""))
    except ValueError:
        return HttpResponseBadRequest(_("This request names no action."))
    count = jobs.take_back(mailbox=scope.mailbox, job_id=operation_id)
    if count is None:
        _tell_job(request, scope, jobs.find(mailbox=scope.mailbox, job_id=operation_id))
    elif count:
        messages.success(request, _("Undone."))
    else:
        messages.info(request, _("This can no longer be undone."))
    return _back(request, request.POST.get("next", "/"))


def _chosen(scope: Scope, asked: Request, state: ListState | None) -> list[UUID]:
    """Return the ids of messages: those named, and of each conversation those in the list."""
    chosen = list(asked.message_ids)
    if state and state.is_mixed:
        chosen = selection.inside(mailbox=scope.mailbox, message_ids=chosen)
    if asked.thread_ids and state:
        chosen += selection.message_ids(
            mailbox=scope.mailbox, thread_ids=asked.thread_ids, view=_reach(asked, state)
        )
    return chosen


def _whole_lists(
    request: HttpRequest, parts: Sequence[tuple[Scope, ListState | None]], asked: Request
) -> list[tuple[Scope, View | FoundView]]:
    """Return what all of the list or the search is in each mailbox; nothing without either."""
    views = [(within, _whole(request, within, asked, listed)) for within, listed in parts]
    return [(within, view) for within, view in views if view is not None]


def _whole(
    request: HttpRequest, scope: Scope, asked: Request, state: ListState | None
) -> View | FoundView | None:
    """Return all that the list or the search means to this verb; None without either."""
    if state:
        return _reach(asked, state)
    return searchall.asked(request, scope, asked.origin, is_moving=_is_moving(asked))


def _reach(asked: Request, state: ListState) -> View:
    """Return what the list means to this verb: from all mail nothing moves out of Sent."""
    return replace(state.view, is_without_own=_is_moving(asked))


def _is_moving(asked: Request) -> bool:
    return asked.verb not in (*FLAGS, *LABELS, *MUTES)


def _do(scope: Scope, asked: Request, message_ids: Sequence[UUID]) -> Done:
    mailbox = scope.mailbox
    if asked.verb in FLAGS:
        change, value = FLAGS[asked.verb]
        return change(mailbox=mailbox, message_ids=message_ids, value=value)
    if asked.verb in LABELS and asked.target_id:
        label = label_or_404(scope, asked.target_id)
        return labels.set_label(
            mailbox=mailbox,
            message_ids=message_ids,
            label_id=label.public_id,
            value=LABELS[asked.verb],
        )
    if asked.verb in MUTES:
        return mute.set_muted(mailbox=mailbox, message_ids=message_ids, value=MUTES[asked.verb])
    if asked.verb == "destroy":
        return expunge.destroy(mailbox=mailbox, message_ids=message_ids)
    if asked.verb == "move" and asked.target_id:
        target = folder_or_404(read.list_folders(mailbox=mailbox), asked.target_id)
        return move.move(mailbox=mailbox, message_ids=message_ids, folder_id=target.id)
    return move.to_role(mailbox=mailbox, message_ids=message_ids, role=ROLES[asked.verb])


def _do_all(scope: Scope, asked: Request, view: View | FoundView) -> jobs.JobRow | None:
    """Accept a job for all messages of the view; a short one is done before this returns."""
    mailbox, verb = scope.mailbox, asked.verb
    accept = partial(jobs.accept, mailbox=mailbox, view=view, verb=verb)
    if verb in FLAGS:
        kind: Literal["is_seen", "is_flagged"] = (
            "is_flagged" if verb.endswith("star") else "is_seen"
        )
        job_id = accept(kind=kind, value=FLAGS[verb][1])
    elif verb in LABELS and asked.target_id:
        label = label_or_404(scope, asked.target_id)
        job_id = accept(kind="label", label_id=label.public_id, value=LABELS[verb])
    elif verb in MUTES:
        archive_id = mute.archive(mailbox) if MUTES[verb] else None
        job_id = accept(kind="mute", folder_id=archive_id, value=MUTES[verb])
    elif verb == "destroy":
        job_id = accept(kind="destroy")
    else:
        job_id = accept(kind="move", folder_id=_target(scope, asked))
    row = jobs.find(mailbox=mailbox, job_id=job_id)
    if row is not None and row.total_count < CHUNK:
        jobs.step(job_id=job_id, mailbox_id=mailbox.pk)
        row = jobs.find(mailbox=mailbox, job_id=job_id)
    return row


def _target(scope: Scope, asked: Request) -> int:
    if asked.target_id:
        return folder_or_404(read.list_folders(mailbox=scope.mailbox), asked.target_id).id
    return folders.ensure_role(mailbox=scope.mailbox, role=ROLES[asked.verb])


def _back(request: HttpRequest, path: str) -> HttpResponse:
    response = HttpResponseRedirect(local_path(request, path))
    response.status_code = 303
    return response
