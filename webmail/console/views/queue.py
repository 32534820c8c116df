"""The queue: what waits and why, one message with its tries, and what to do with a selection."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from mailcore.queue import control, inspect, lookup
from mailcore.queue.control import Which
from webmail.console.scope import (
    actor,
    found_or_404,
    go,
    next_page,
    number,
    recorded,
    text_of,
)
from webmail.pages import local_path

PAGE_ROWS = 50
CHOSEN_MAX = 500
NAMED_MAX = 5
CHOICES: dict[str, tuple[str, ...]] = {
    "": ("queued", "held"),
    "queued": ("queued",),
    "held": ("held",),
    "failed": ("failed", "expired"),
    "delivered": ("delivered",),
    "cancelled": ("cancelled",),
    "all": inspect.STATES,
}
VERBS = {
    "retry": control.retry_now,
    "hold": control.hold,
    "release": control.release,
    "send": control.release_captured,
    "cancel": control.cancel,
}


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """List recipients of one state, of one domain or all, newest first."""
    state = request.GET.get("state", "")
    state = state if state in CHOICES else ""
    domain = text_of(request, "domain", chars=255).lower()
    page = inspect.recipients(
        states=CHOICES[state],
        domains=[domain] if domain else (),
        before=number(request),
        limit=PAGE_ROWS,
    )
    context = {
        "page": page,
        "state": state,
        "domain": domain,
        "counts": inspect.counts(),
        "now": timezone.now(),
        "next_page": next_page(request, before=page.before),
    }
    return render(request, "console/queue.html", context)


@require_safe
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show one message on its way: envelope, recipients, every try; not what is in it."""
    view = found_or_404(inspect.message(public_id=message_id))
    return render(request, "console/queued.html", {"queued": view, "now": timezone.now()})


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Do what the pressed button says to the chosen recipients, then go back."""
    verb = request.POST.get("verb", "")
    chosen = _uuids(request.POST.getlist("recipient"))
    if verb not in VERBS:
        return HttpResponseBadRequest(_("This request names no action."))
    if not chosen:
        messages.info(request, _("Nothing is selected."))
        return _back(request)
    with recorded(request, f"queue.{verb}", _named(chosen)) as detail:
        done = VERBS[verb](which=Which(recipients=chosen), now=timezone.now(), by=actor(request))
        detail |= {"asked": len(chosen), "done": done}
    messages.success(request, _said(verb, done))
    if done < len(chosen):
        messages.info(request, _("What is being sent just now, or has ended, was left alone."))
    return _back(request)


def _said(verb: str, count: int) -> str:
    texts = {
        "retry": ngettext("%(n)d will be tried now", "%(n)d will be tried now", count),
        "hold": ngettext("%(n)d is held", "%(n)d are held", count),
        "release": ngettext("%(n)d was released", "%(n)d were released", count),
        "send": ngettext("%(n)d is on its way", "%(n)d are on their way", count),
        "cancel": ngettext("%(n)d was cancelled", "%(n)d were cancelled", count),
    }
    return texts[verb] % {"n": count}


def _named(chosen: Collection[UUID]) -> str:
    paths = lookup.forward_paths(chosen)
    more = f" + {len(paths) - NAMED_MAX}" if len(paths) > NAMED_MAX else ""
    return ", ".join(paths[:NAMED_MAX]) + more


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    return go(local_path(request, wanted) if wanted else reverse("console:queue"))


def _uuids(values: Collection[str]) -> list[UUID]:
    found = []
    for value in list(values)[:CHOSEN_MAX]:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
