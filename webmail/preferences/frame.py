"""What every page of the settings shares: who may see it, how it is shown, what saving answers.

Settings belong to the person who is signed in: no page takes a person's id. Folders and labels
belong to a mailbox, and only its owners change them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _

from webmail.mail.scope import Scope, scope_or_404

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailcore.directory.mailboxes import MailboxAccessRow


def show(request: HttpRequest, template: str, form: forms.Form, **context: Any) -> HttpResponse:
    """Render a page of the settings; a form with errors answers 422."""
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, f"settings/{template}.html", {"form": form, **context}, status=status)


def saved(request: HttpRequest, path: str = "", text: str = "") -> HttpResponse:
    """Answer a change: back to the page (303), with a toast."""
    messages.success(request, text or _("Saved."))
    response = HttpResponseRedirect(path or request.path)
    response.status_code = 303
    return response


def owned(rows: Iterable[MailboxAccessRow]) -> list[MailboxAccessRow]:
    """Return those mailboxes of a person that are their own."""
    return [row for row in rows if row.role == "owner"]


def owner_scope(request: HttpRequest, mailbox_id: UUID) -> Scope:
    """Return the mailbox if the person owns it. Raises Http404 or PermissionDenied."""
    scope = scope_or_404(request, mailbox_id)
    if scope.current.role != "owner":
        raise PermissionDenied
    return scope


def none_owned(request: HttpRequest) -> HttpResponse:
    """Say that there is no mailbox whose folders and labels one may change."""
    return show(request, "none_owned", forms.Form())
