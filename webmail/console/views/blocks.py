"""Networks and accounts that cannot sign in because of failed tries, and letting them again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from mailcore.directory import blocks as directory
from webmail.console.scope import go, recorded

KEY_CHARS = 400


@require_safe
def blocks(request: HttpRequest) -> HttpResponse:
    """List what is blocked now."""
    found = directory.blocked(now=timezone.now())
    return render(request, "console/blocks.html", {"blocks": found})


@require_POST
def unblock(request: HttpRequest) -> HttpResponse:
    """Forget the failures of a network or an account."""
    key = request.POST.get("key", "")[:KEY_CHARS]
    with recorded(request, "block.lifted", key) as detail:
        name = directory.unblock(key=key)
        detail["name"] = name
    if name:
        messages.success(request, _("%(name)s may sign in again.") % {"name": name})
    else:
        messages.info(request, _("That is not blocked."))
    return go(reverse("console:blocks"))
