"""Labels of a mailbox: make, rename, colour and delete. For its owners."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.store import labels
from webmail.mail.scope import Scope, own_mailboxes, signed_in
from webmail.preferences.forms_mailbox import LabelForm
from webmail.preferences.frame import none_owned, owned, owner_scope, saved, show


@require_safe
@signed_in
def choose(request: HttpRequest) -> HttpResponse:
    """Go to the labels of the first mailbox that is one's own."""
    for row in owned(own_mailboxes(request)):
        return redirect("settings:labels", row.mailbox.public_id)
    return none_owned(request)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def label_list(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """List the labels; make one."""
    scope = owner_scope(request, mailbox_id)
    rows = labels.list_labels(mailbox=scope.mailbox)
    initial = {"hue": _free_hue(rows)}
    form = LabelForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            made = labels.create(mailbox=scope.mailbox, **form.cleaned_data)
        except labels.LabelRefused as refused:
            form.refuse(refused)
        else:
            return saved(request, text=_("%(name)s was made.") % {"name": made.name})
    return show(request, "labels", form, scope=scope, rows=rows, owned=owned(scope.all))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def label(request: HttpRequest, mailbox_id: UUID, label_id: UUID) -> HttpResponse:
    """Show a label; give it another name or colour."""
    scope = owner_scope(request, mailbox_id)
    row = _row_or_404(scope, label_id)
    initial = {"name": row.name, "hue": row.hue}
    form = LabelForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            labels.change(mailbox=scope.mailbox, label_id=label_id, **form.cleaned_data)
        except labels.LabelRefused as refused:
            form.refuse(refused)
        else:
            return saved(request, reverse("settings:labels", args=[mailbox_id]))
    return show(request, "label", form, scope=scope, row=row)


@require_POST
@signed_in
def delete(request: HttpRequest, mailbox_id: UUID, label_id: UUID) -> HttpResponse:
    """Take a label off all messages and forget it."""
    scope = owner_scope(request, mailbox_id)
    try:
        count = labels.delete(mailbox=scope.mailbox, label_id=label_id)
    except labels.LabelGone as gone:
        raise Http404 from gone
    text = ngettext(
        "Deleted. %(n)d message had this label.",
        "Deleted. %(n)d messages had this label.",
        count,
    )
    return saved(request, reverse("settings:labels", args=[mailbox_id]), text % {"n": count})


def _row_or_404(scope: Scope, label_id: UUID) -> labels.LabelRow:
    for row in labels.list_labels(mailbox=scope.mailbox):
        if row.public_id == label_id:
            return row
    raise Http404


def _free_hue(rows: list[labels.LabelRow]) -> int:
    """Return the colour that is used least."""
    used = [row.hue for row in rows]
    return min(range(labels.HUES), key=used.count)
