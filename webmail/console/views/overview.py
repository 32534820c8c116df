"""The first page of the console: how much there is of everything, and what was done last."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailcore.directory import listing
from mailcore.queue import inspect
from mailcore.trace import audit, peers
from webmail.console.scope import next_page, number

LATEST = 8


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the counts and the latest deeds of operators."""
    context = {
        "counts": listing.counts(),
        "states": inspect.counts(),
        "deeds": audit.deeds(limit=LATEST).deeds,
        "shared_address": peers.shared_address(),
    }
    return render(request, "console/overview.html", context)


@require_safe
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show what operators did, newest first."""
    page = audit.deeds(before=number(request))
    context = {"page": page, "next_page": next_page(request, before=page.before)}
    return render(request, "console/audit.html", context)
