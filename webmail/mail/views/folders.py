"""The conversation list of a folder, by keyset; a page of it is a URL (`?after=`)."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from mailcore.store import read
from webmail.mail.scope import folder_or_404, own_mailboxes, scope_or_404, signed_in
from webmail.mail.shell import etag, list_context, list_state, shell_context


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Go to the inbox of the user's first mailbox, or say that there is none."""
    rows = own_mailboxes(request)
    if not rows:
        return render(request, "mail/none.html")
    return redirect("mail:inbox", rows[0].mailbox.public_id)


@require_safe
@signed_in
def inbox(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Go to the inbox of this mailbox."""
    scope = scope_or_404(request, mailbox_id)
    folder = read.folder_by_role(mailbox=scope.mailbox, role="inbox")
    if folder is None:
        raise Http404
    return redirect("mail:folder", mailbox_id, folder.public_id)


@require_safe
@signed_in
def folder(request: HttpRequest, mailbox_id: UUID, folder_id: UUID) -> HttpResponse:
    """Show a page of conversations; the same page again costs three queries and no body."""
    scope = scope_or_404(request, mailbox_id)
    tag = etag(request, scope)
    unchanged = get_conditional_response(request, etag=tag) if tag else None
    if unchanged is not None:
        return unchanged
    folders = read.list_folders(mailbox=scope.mailbox)
    state = list_state(request, folder_or_404(folders, folder_id))
    context = {**shell_context(scope, folders), **list_context(scope, state)}
    response = render(request, "mail/folder.html", context)
    if tag:
        response.headers["ETag"] = tag
    return response
