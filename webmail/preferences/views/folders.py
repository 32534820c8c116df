"""Folders of a mailbox: make, rename, nest, order and delete. For its owners."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.store import folder_tree, folders, read
from mailcore.store.changes import FolderGone
from mailcore.store.rows import FolderRow
from webmail.mail.scope import Scope, folder_or_404, own_mailboxes, signed_in
from webmail.preferences.forms_mailbox import FolderForm, folder_reason
from webmail.preferences.frame import none_owned, owned, owner_scope, saved, show


@require_safe
@signed_in
def choose(request: HttpRequest) -> HttpResponse:
    """Go to the folders of the first mailbox that is one's own."""
    for row in owned(own_mailboxes(request)):
        return redirect("settings:folders", row.mailbox.public_id)
    return none_owned(request)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def folder_list(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """List the folders; make one."""
    scope = owner_scope(request, mailbox_id)
    rows = _ordinary(scope)
    form = FolderForm(request.POST if request.method == "POST" else None, rows=rows)
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            folders.create(mailbox=scope.mailbox, name=name, parent_id=form.parent_id)
        except folders.FolderRefused as refused:
            form.refuse(refused)
        else:
            return saved(request, text=_("%(name)s was made.") % {"name": name})
    return show(
        request, "folders", form, scope=scope, rows=_with_places(rows), owned=owned(scope.all)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def folder(request: HttpRequest, mailbox_id: UUID, folder_id: UUID) -> HttpResponse:
    """Show a folder; give it another name or parent."""
    scope = owner_scope(request, mailbox_id)
    rows = _ordinary(scope)
    row = folder_or_404(rows, folder_id)
    parents = {one.id: str(one.public_id) for one in rows}
    initial = {"name": row.name, "parent": parents.get(row.parent_id or 0, "")}
    within = _within(rows, row)
    form = FolderForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        rows=[one for one in rows if one not in within],
    )
    if form.is_valid():
        try:
            folders.rename(
                mailbox=scope.mailbox, folder_id=folder_id, name=form.cleaned_data["name"]
            )
            folder_tree.nest(mailbox=scope.mailbox, folder_id=folder_id, parent_id=form.parent_id)
        except folders.FolderRefused as refused:
            form.refuse(refused)
        else:
            return saved(request, reverse("settings:folders", args=[mailbox_id]))
    count = sum(one.total_count for one in within)
    return show(request, "folder", form, scope=scope, row=row, count=count, inner=len(within) - 1)


@require_POST
@signed_in
def shift(request: HttpRequest, mailbox_id: UUID, folder_id: UUID) -> HttpResponse:
    """Let a folder change places with its neighbour."""
    scope = owner_scope(request, mailbox_id)
    try:
        folder_tree.shift(
            mailbox=scope.mailbox, folder_id=folder_id, by=-1 if "up" in request.POST else 1
        )
    except FolderGone as gone:
        raise Http404 from gone
    except folders.FolderRefused as refused:
        messages.error(request, folder_reason(refused))
    response = redirect("settings:folders", mailbox_id)
    response.status_code = 303
    return response


@require_POST
@signed_in
def delete(request: HttpRequest, mailbox_id: UUID, folder_id: UUID) -> HttpResponse:
    """Delete a folder and all below it; its messages go to Trash."""
    scope = owner_scope(request, mailbox_id)
    back = reverse("settings:folders", args=[mailbox_id])
    try:
        count = folder_tree.delete(mailbox=scope.mailbox, folder_id=folder_id)
    except FolderGone as gone:
        raise Http404 from gone
    except folders.FolderRefused as refused:
        return saved(request, back, folder_reason(refused))
    text = ngettext(
        "Deleted. %(n)d message was moved to Trash.",
        "Deleted. %(n)d messages were moved to Trash.",
        count,
    )
    return saved(request, back, text % {"n": count})


def _ordinary(scope: Scope) -> list[FolderRow]:
    return [row for row in read.list_folders(mailbox=scope.mailbox) if not row.role]


def _within(rows: Sequence[FolderRow], row: FolderRow) -> list[FolderRow]:
    """Return the folder and all that lie in it: they follow it in the list, deeper."""
    inside = [row]
    for one in rows[rows.index(row) + 1 :]:
        if one.depth <= row.depth:
            break
        inside.append(one)
    return inside


def _with_places(rows: Sequence[FolderRow]) -> list[tuple[FolderRow, bool, bool]]:
    """Return each folder with whether it is the first and the last of its siblings."""
    siblings: dict[int | None, list[int]] = {}
    for row in rows:
        siblings.setdefault(row.parent_id, []).append(row.id)
    return [
        (row, siblings[row.parent_id][0] == row.id, siblings[row.parent_id][-1] == row.id)
        for row in rows
    ]
