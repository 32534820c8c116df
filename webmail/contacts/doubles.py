"""Contacts that may be one person: shown side by side, merged when somebody says that they are."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailcore.personal import duplicates as finding
from webmail.contacts.views import as_uuid, see, show
from webmail.mail.scope import person, signed_in
from webmail.pages import local_path


@require_safe
@signed_in
def duplicates(request: HttpRequest) -> HttpResponse:
    """List sets of contacts that may be one person."""
    return show(request, "duplicates", clusters=finding.suggest(user=person(request)))


@require_POST
@signed_in
def merge(request: HttpRequest) -> HttpResponse:
    """Make one contact of those chosen as `contact`; with fewer than two, ask for more."""
    given = request.POST.getlist("contact")[: finding.CLUSTER_MAX + 1]
    back = local_path(request, request.POST.get("next", reverse("contacts:duplicates")))
    chosen = {found for text in given if (found := as_uuid(text))}
    if len(chosen) < 2:
        messages.error(request, _("Choose at least two contacts."))
        return see(back)
    try:
        made = finding.merge(user=person(request), contact_ids=chosen)
    except finding.TooMuch:
        messages.error(request, _("Together these are too much for one contact."))
        return see(back)
    if made is None:
        raise Http404
    messages.success(request, _("Merged into one contact."))
    return see(reverse("contacts:contact", args=[made]))
