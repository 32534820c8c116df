"""Domains: list, make, change, delete."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.directory import changing, listing
from mailcore.directory import domains as directory
from mailcore.directory.errors import DirectoryError
from webmail.console.forms.directory import DomainForm, NewDomainForm
from webmail.console.scope import cursor, found_or_404, go, next_page, recorded, text_of

FIELDS = ("is_enabled", "catch_all", "default_quota_bytes", "mailbox_limit")


@require_safe
def domains(request: HttpRequest) -> HttpResponse:
    """List the domains."""
    query = text_of(request)
    page = listing.domains(text=query, after=cursor(request))
    context = {"page": page, "query": query, "next_page": next_page(request, after=page.after)}
    return render(request, "console/domains.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_domain(request: HttpRequest) -> HttpResponse:
    """Ask for a name and make the domain."""
    form = NewDomainForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            with recorded(request, "domain.created", form.cleaned_data["name"]):
                made = directory.create_domain(name=form.cleaned_data["name"], now=timezone.now())
        except DirectoryError as error:
            form.refuse(error, "name")
        else:
            messages.success(request, _("%(name)s was made.") % {"name": made.name})
            return go(reverse("console:domain", args=[made.public_id]))
    status = 422 if form.is_bound else 200
    return render(request, "console/domain_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def domain(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    """Show a domain and change it."""
    row = found_or_404(listing.domain(public_id=domain_id))
    initial = {name: getattr(row, name) for name in FIELDS}
    form = DomainForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            with recorded(request, "domain.changed", row.name, **form.cleaned_data):
                changing.change_domain(public_id=domain_id, **form.cleaned_data)
        except DirectoryError as error:
            form.refuse(error, "catch_all")
        else:
            messages.success(request, _("Saved."))
            return go(request.path)
    status = 422 if form.is_bound else 200
    return render(request, "console/domain.html", {"form": form, "domain": row}, status=status)


@require_POST
def delete_domain(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    """Delete a domain that has nothing in it."""
    row = found_or_404(listing.domain(public_id=domain_id))
    try:
        with recorded(request, "domain.deleted", row.name):
            changing.delete_domain(public_id=domain_id)
    except DirectoryError:
        messages.error(
            request, _("%(name)s still has mailboxes or addresses.") % {"name": row.name}
        )
        return go(reverse("console:domain", args=[domain_id]))
    messages.success(request, _("%(name)s was deleted.") % {"name": row.name})
    return go(reverse("console:domains"))
