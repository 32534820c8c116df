"""Parcel tracking of sent mail: a recipient with all tries and raw dialogues; what one can do.

Whoever may read the mailbox sees it; only those who may change the mailbox act. The fragment is
what a live page fetches again.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from mailcore.queue import control, sent
from mailcore.store import read
from webmail.mail import parcels, tracks
from webmail.mail.scope import change_scope, folder_or_404, message_or_404, scope_or_404, signed_in
from webmail.mail.shell import list_context, list_state, shell_context
from webmail.pages import local_path


@require_safe
@signed_in
def parcel(request: HttpRequest, mailbox_id: UUID, recipient_id: UUID) -> HttpResponse:
    """Show one recipient with every try and what the servers said to each other."""
    scope = scope_or_404(request, mailbox_id)
    found = sent.parcel(mailbox_id=scope.mailbox.pk, recipient_id=recipient_id)
    if found is None:
        raise Http404
    message, one = found
    folders = read.list_folders(mailbox=scope.mailbox)
    folder = next((row for row in folders if row.role == "sent"), folders[0])
    if message.folder_id:
        folder = folder_or_404(folders, message.folder_id)
    told = tracks.told_of(scope, [message]).get(message.trace_id, {})
    line = parcels.line(
        message,
        one,
        now=timezone.now(),
        notices=told.get(one.forward_path, ()),
        attempts=sent.ATTEMPTS_MAX,
    )
    context = {
        **shell_context(scope, folders),
        **list_context(scope, list_state(request, scope, folder)),
        "sent": message,
        "line": line,
    }
    return render(request, "mail/parcel.html", context)


@require_safe
@signed_in
def fragment(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Return the tracking of one sent message as it stands in its conversation."""
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    track = tracks.of_messages(scope, [message], now=timezone.now()).tracks.get(message.id)
    if track is None:
        raise Http404
    here = reverse("mail:thread", args=[mailbox_id, message.thread_id])
    context = {
        "track": track,
        "here": f"{here}?in={message.folder.public_id}",
        "mailbox": scope.mailbox,
        "message": message,
        "may_change": scope.may_change,
    }
    return render(request, "mail/tracking.html", context)


@require_POST
@signed_in
def act(request: HttpRequest, mailbox_id: UUID, public_id: UUID) -> HttpResponse:
    """Try again now, cancel or dismiss: a recipient, or all of a message that it fits."""
    scope = change_scope(request, mailbox_id)
    which = sent.which(mailbox_id=scope.mailbox.pk, public_id=public_id)
    if which is None:
        raise Http404
    now, by = timezone.now(), str(request.user)
    if "retry" in request.POST:
        _say_retried(request, control.retry_now(which=which, now=now, by=by))
    elif "cancel" in request.POST:
        if sent.waits_as_draft(mailbox_id=scope.mailbox.pk, public_id=public_id, now=now):
            messages.info(request, _("It waits for its time: take it back in the outbox."))
        else:
            _say_cancelled(request, control.cancel(which=which, now=now, by=by))
    elif "dismiss" in request.POST:
        if control.dismiss(which=which, now=now):
            messages.success(request, _("Taken off the outbox. Its story stays with it in Sent."))
    else:
        return HttpResponseBadRequest(_("This request names no action."))
    response = HttpResponseRedirect(local_path(request, request.POST.get("next", "/")))
    response.status_code = 303
    return response


def _say_retried(request: HttpRequest, count: int) -> None:
    if count:
        messages.success(request, _("We try again now."))
    else:
        messages.info(request, _("Nothing waits here, or it is being sent in this moment."))


def _say_cancelled(request: HttpRequest, count: int) -> None:
    if count:
        text = ngettext("Cancelled for %(n)d recipient", "Cancelled for %(n)d recipients", count)
        messages.success(request, text % {"n": count})
    else:
        messages.info(request, _("Nothing waits here, or it is being sent in this moment."))
