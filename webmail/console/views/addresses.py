"""Addresses and aliases: list, make, change where they lead, delete."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.directory import aliases, changing, listing
from mailcore.directory.errors import DirectoryError
from webmail.console.forms.directory import AddressForm, NewAliasForm
from webmail.console.scope import cursor, found_or_404, go, next_page, recorded, text_of


@require_safe
def addresses(request: HttpRequest) -> HttpResponse:
    """List the addresses, of one domain or of all, or only aliases."""
    query, domain = text_of(request), text_of(request, "domain")
    only = "aliases" if request.GET.get("only") == "aliases" else ""
    page = listing.addresses_of(
        domain=domain, text=query, aliases_only=bool(only), after=cursor(request)
    )
    context = {
        "page": page,
        "query": query,
        "domain": domain,
        "only": only,
        "next_page": next_page(request, after=page.after),
    }
    return render(request, "console/addresses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_alias(request: HttpRequest) -> HttpResponse:
    """Ask for an address and where it leads, and make the alias."""
    form = NewAliasForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            with recorded(request, "alias.created", data["address"], targets=data["targets"]):
                made = aliases.create_alias(**data, now=timezone.now())
        except DirectoryError as error:
            form.refuse(error, "targets" if error.kind in {"target", "alias"} else "address")
        else:
            messages.success(request, _("%(name)s was made.") % {"name": data["address"]})
            return go(reverse("console:address", args=[made.public_id]))
    status = 422 if form.is_bound else 200
    return render(request, "console/alias_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest, address_id: UUID) -> HttpResponse:
    """Show where an address leads and change it."""
    row = found_or_404(listing.address(public_id=address_id))
    form = AddressForm(
        request.POST if request.method == "POST" else None,
        initial={"is_enabled": row.is_enabled, "keeps_mailbox": True, "targets": row.targets},
        may_leave_mailbox=row.mailbox_id is not None and not row.is_primary,
    )
    if form.is_valid():
        try:
            with recorded(request, "address.changed", row.address, **form.cleaned_data):
                changing.change_address(public_id=address_id, **form.cleaned_data)
        except DirectoryError as error:
            form.refuse(error, "targets")
        else:
            messages.success(request, _("Saved."))
            return go(request.path)
    status = 422 if form.is_bound else 200
    return render(request, "console/address.html", {"form": form, "address": row}, status=status)


@require_POST
def delete_address(request: HttpRequest, address_id: UUID) -> HttpResponse:
    """Delete an alias or a further address of a mailbox."""
    row = found_or_404(listing.address(public_id=address_id))
    try:
        with recorded(request, "address.deleted", row.address):
            changing.delete_address(public_id=address_id)
    except DirectoryError:
        text = _("%(name)s cannot be deleted: its mailbox or its domain needs it.")
        messages.error(request, text % {"name": row.address})
        return go(reverse("console:address", args=[address_id]))
    messages.success(request, _("%(name)s was deleted.") % {"name": row.address})
    return go(reverse("console:addresses"))
