"""Conversation lists, by keyset: of a folder, a label, or the mailbox; a page is a URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from mailcore.store import read
from webmail.mail import lists
from webmail.mail.scope import Scope, folder_or_404, own_mailboxes, scope_or_404, signed_in
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
    """Show a page of conversations.

    At most eight queries, whatever the mailbox holds and however many mailboxes the person has;
    four and no body for the same page again.
    """
    return _show(
        request,
        mailbox_id,
        lambda scope, rows: list_state(request, scope, folder_or_404(rows, folder_id)),
    )


@require_safe
@signed_in
def view(request: HttpRequest, mailbox_id: UUID, name: lists.Name) -> HttpResponse:
    """Show a list over the mailbox: what is starred, or all mail but Trash and Junk.

    Or over the inboxes of all mailboxes that the person may read.
    """
    return _show(request, mailbox_id, lambda scope, _: lists.of_view(request, scope, name))


@require_safe
@signed_in
def label(request: HttpRequest, mailbox_id: UUID, label_id: UUID) -> HttpResponse:
    """Show what carries a label, wherever it is but in Trash and Junk."""
    return _show(request, mailbox_id, lambda scope, _: lists.of_label(request, scope, label_id))


Chosen = Callable[[Scope, Sequence[read.FolderRow]], lists.ListState]


def _show(request: HttpRequest, mailbox_id: UUID, choose: Chosen) -> HttpResponse:
    scope = scope_or_404(request, mailbox_id)
    tag = etag(request, scope)
    unchanged = get_conditional_response(request, etag=tag) if tag else None
    if unchanged is not None:
        return unchanged
    folders = scope.folders
    context = {**shell_context(scope, folders), **list_context(scope, choose(scope, folders))}
    response = render(request, "mail/folder.html", context)
    if tag:
        response.headers["ETag"] = tag
    return response
