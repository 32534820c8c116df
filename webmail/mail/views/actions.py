"""Changes to conversations and messages: one route, one button name for each verb.

A conversation stands for its messages in the folder shown. The answer is a redirect to where the
person was, with a toast; scripts follow it and morph the page. All but `destroy` can be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from mailcore.store import expunge, flags, move, read, selection
from mailcore.store import undo as undoing
from mailcore.store.rows import Done
from webmail.mail.forms import Request, parse
from webmail.mail.scope import Scope, change_scope, folder_or_404, signed_in
from webmail.pages import local_path

Role = Literal["archive", "trash", "junk", "inbox"]
ROLES: dict[str, Role] = {
    "archive": "archive",
    "trash": "trash",
    "spam": "junk",
    "inbox": "inbox",
}
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
    message_ids = _chosen(scope, asked)
    if message_ids:
        done = _do(scope, asked, message_ids)
        text = _toast(asked.verb, done.count)
        tags = str(done.operation_id or "")
        messages.success(request, text, extra_tags=tags)
    else:
        messages.info(request, _("Nothing is selected."))
    return _back(request, asked.next)


@require_POST
@signed_in
def undo(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Undo an operation of the last ten minutes."""
    scope = change_scope(request, mailbox_id)
    try:
        operation_id = UUID(request.POST.get("operation", ""))
    except ValueError:
        return HttpResponseBadRequest(_("This request names no action."))
    done = undoing.undo(mailbox=scope.mailbox, operation_id=operation_id)
    if done.count:
        messages.success(request, _("Undone."))
    else:
        messages.info(request, _("This can no longer be undone."))
    return _back(request, request.POST.get("next", "/"))


def _chosen(scope: Scope, asked: Request) -> list[UUID]:
    """Return the ids of messages: those named, and of each conversation those in the folder."""
    chosen = list(asked.message_ids)
    if asked.thread_ids and asked.folder_id:
        folders = read.list_folders(mailbox=scope.mailbox)
        folder = folder_or_404(folders, asked.folder_id)
        chosen += selection.message_ids(
            mailbox=scope.mailbox, thread_ids=asked.thread_ids, folder_id=folder.id
        )
    return chosen


def _do(scope: Scope, asked: Request, message_ids: Sequence[UUID]) -> Done:
    mailbox = scope.mailbox
    if asked.verb in FLAGS:
        change, value = FLAGS[asked.verb]
        return change(mailbox=mailbox, message_ids=message_ids, value=value)
    if asked.verb == "destroy":
        return expunge.destroy(mailbox=mailbox, message_ids=message_ids)
    if asked.verb == "move" and asked.target_id:
        target = folder_or_404(read.list_folders(mailbox=mailbox), asked.target_id)
        return move.move(mailbox=mailbox, message_ids=message_ids, folder_id=target.id)
    return move.to_role(mailbox=mailbox, message_ids=message_ids, role=ROLES[asked.verb])


def _toast(verb: str, count: int) -> str:
    """Say what was done to how many messages, in the reader's language."""
    texts = {
        "read": ngettext("%(n)d message marked as read", "%(n)d messages marked as read", count),
        "unread": ngettext(
            "%(n)d message marked as unread", "%(n)d messages marked as unread", count
        ),
        "star": ngettext("%(n)d message starred", "%(n)d messages starred", count),
        "unstar": ngettext(
            "Star removed from %(n)d message", "Star removed from %(n)d messages", count
        ),
        "archive": ngettext("%(n)d message archived", "%(n)d messages archived", count),
        "trash": ngettext("%(n)d message moved to Trash", "%(n)d messages moved to Trash", count),
        "spam": ngettext("%(n)d message marked as spam", "%(n)d messages marked as spam", count),
        "inbox": ngettext("%(n)d message moved to Inbox", "%(n)d messages moved to Inbox", count),
        "move": ngettext("%(n)d message moved", "%(n)d messages moved", count),
        "destroy": ngettext(
            "%(n)d message deleted for good", "%(n)d messages deleted for good", count
        ),
    }
    return texts[verb] % {"n": count}


def _back(request: HttpRequest, path: str) -> HttpResponse:
    response = HttpResponseRedirect(local_path(request, path))
    response.status_code = 303
    return response
