"""Mailboxes: list, make, change, and who may use which."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.directory import changing, listing, users
from mailcore.directory import mailboxes as directory
from mailcore.directory.errors import DirectoryError
from webmail.console.forms.directory import AccessForm, MailboxForm, NewMailboxForm
from webmail.console.scope import cursor, found_or_404, go, next_page, recorded, text_of
from webmail.console.views.passwords import made_page


@require_safe
def mailboxes(request: HttpRequest) -> HttpResponse:
    """List the mailboxes, of one domain or of all."""
    query, domain = text_of(request), text_of(request, "domain")
    page = listing.mailboxes(domain=domain, text=query, after=cursor(request))
    context = {
        "page": page,
        "query": query,
        "domain": domain,
        "next_page": next_page(request, after=page.after),
    }
    return render(request, "console/mailboxes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_mailbox(request: HttpRequest) -> HttpResponse:
    """Ask for an address and make the mailbox with its owner."""
    initial = {"address": f"@{text_of(request, 'domain')}" if "domain" in request.GET else ""}
    form = NewMailboxForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        given = form.cleaned_data["password"]
        data = {**form.cleaned_data, "password": given or users.generate_password()}
        try:
            with recorded(request, "mailbox.created", data["address"]):
                made = directory.create_mailbox(**data, now=timezone.now())
        except DirectoryError as error:
            form.refuse(error, "address")
        else:
            there = reverse("console:mailbox", args=[made.mailbox.public_id])
            messages.success(request, _("%(name)s was made.") % {"name": made.address})
            shown = "" if given else data["password"]
            return made_page(request, login=made.address, password=shown, there=there)
    status = 422 if form.is_bound else 200
    return render(request, "console/mailbox_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def mailbox(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Show a mailbox and change it."""
    row = found_or_404(listing.mailbox(public_id=mailbox_id))
    initial = {
        "display_name": row.display_name,
        "quota_bytes": row.own_quota_bytes,
        "is_enabled": row.is_enabled,
    }
    form = MailboxForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        with recorded(request, "mailbox.changed", row.name, **form.cleaned_data):
            changing.change_mailbox(public_id=mailbox_id, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return go(request.path)
    return _page(request, row, form, AccessForm())


@require_POST
def give_access(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Let a person use a mailbox, or change how."""
    row = found_or_404(listing.mailbox(public_id=mailbox_id))
    form = AccessForm(request.POST)
    if form.is_valid():
        try:
            with recorded(request, "access.given", row.name, **form.cleaned_data):
                changing.give_access(mailbox_id=mailbox_id, **form.cleaned_data)
        except DirectoryError as error:
            form.refuse(error, "login")
        else:
            messages.success(request, _("Saved."))
            return go(reverse("console:mailbox", args=[mailbox_id]))
    initial = {
        "display_name": row.display_name,
        "quota_bytes": row.own_quota_bytes,
        "is_enabled": row.is_enabled,
    }
    return _page(request, row, MailboxForm(initial=initial), form)


@require_POST
def withdraw_access(request: HttpRequest, mailbox_id: UUID, user_id: UUID) -> HttpResponse:
    """Let a person no longer use a mailbox."""
    row = found_or_404(listing.mailbox(public_id=mailbox_id))
    person = found_or_404(listing.user(public_id=user_id))
    try:
        with recorded(request, "access.withdrawn", row.name, login=person.login):
            changing.withdraw_access(mailbox_id=mailbox_id, user_id=user_id)
    except DirectoryError:
        messages.info(request, _("Nothing was changed."))
    else:
        messages.success(request, _("Saved."))
    return go(reverse("console:mailbox", args=[mailbox_id]))


def _page(
    request: HttpRequest, row: listing.MailboxRow, form: MailboxForm, access: AccessForm
) -> HttpResponse:
    context = {
        "box": row,
        "form": form,
        "access": access,
        "accesses": listing.accesses(mailbox_id=row.public_id),
        "addresses": listing.addresses_of_mailbox(mailbox_id=row.public_id),
    }
    status = 422 if form.is_bound or access.is_bound else 200
    return render(request, "console/mailbox.html", context, status=status)
