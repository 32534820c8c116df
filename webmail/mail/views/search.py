"""Search: results, the form behind the box, what is offered while one types, kept searches.

The query string is the state; nothing of a search is stored but what a person chooses to keep.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from mailcore.personal import saved_searches
from mailcore.store import read
from webmail import csp
from webmail.mail import searchform, searching, suggesting
from webmail.mail.scope import person, scope_or_404, signed_in
from webmail.mail.searching import Asked
from webmail.mail.shell import shell_context

ANSWER_BYTES = 2048
NOTED = {"rename": gettext_lazy("Renamed."), "delete": gettext_lazy("The search is forgotten.")}
STEPS = {"up": -1, "down": 1}


@require_safe
@signed_in
def search(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Show what a query finds; without one, how to ask."""
    scope = scope_or_404(request, mailbox_id)
    asked = searching.asked_in(request, mailbox_id) or Asked(mailbox_id, "")
    folders = read.list_folders(mailbox=scope.mailbox)
    context = {**shell_context(scope, folders), **searching.context(request, scope, asked)}
    return render(request, "mail/search.html", context)


@require_safe
@signed_in
def form(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Show the query of `?q=` as a form; filled in, it leads to the query that it asks for."""
    scope = scope_or_404(request, mailbox_id)
    if "go" in request.GET:
        return redirect(Asked(mailbox_id, searchform.to_query(request.GET)).path)
    folders = read.list_folders(mailbox=scope.mailbox)
    places = searchform.places(folders)
    text = request.GET.get("q", "")
    context = {
        **shell_context(scope, folders),
        "asked": Asked(mailbox_id, text[: saved_searches.QUERY_CHARS]),
        "fields": searchform.of_text(text, places),
        "places": places,
        "sizes": searchform.sizes(),
    }
    return render(request, "mail/search_form.html", context)


@require_safe
@signed_in
def suggest(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Return ways to go on with `?q=`, as JSON of at most two kilobytes."""
    scope = scope_or_404(request, mailbox_id)
    text = request.GET.get("q", "")[: saved_searches.QUERY_CHARS]
    found = suggesting.suggest(user=person(request), mailbox=scope.mailbox, text=text)
    offers = [[one.query, one.name, one.note, one.kind] for one in found]
    answer = JsonResponse({"offers": offers}, json_dumps_params={"ensure_ascii": False})
    while len(answer.content) > ANSWER_BYTES and offers:
        offers.pop()
        answer = JsonResponse({"offers": offers}, json_dumps_params={"ensure_ascii": False})
    answer.headers["Content-Security-Policy"] = csp.FILE
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def saved(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """List the kept searches; keep, rename, move or forget one."""
    scope = scope_or_404(request, mailbox_id)
    if request.method == "POST":
        return _change(request, mailbox_id)
    folders = read.list_folders(mailbox=scope.mailbox)
    kept = [
        {"id": one.id, "name": one.name, "text": searching.localised(one.query)}
        for one in searching.kept(request)
    ]
    return render(request, "mail/saved.html", {**shell_context(scope, folders), "saved": kept})


def _change(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    if "save" in request.POST:
        return _keep(request, mailbox_id)
    verb = next((verb for verb in ("rename", "delete", *STEPS) if verb in request.POST), "")
    if _did(request, verb):
        if verb in NOTED:
            messages.success(request, NOTED[verb])
    else:
        messages.info(request, _("Nothing was changed."))
    return _see(reverse("mail:saved", args=[mailbox_id]))


def _did(request: HttpRequest, verb: str) -> bool:
    """Do what the pressed button says to one kept search; return whether anything was done."""
    try:
        search_id = UUID(request.POST.get("id", ""))
    except ValueError:
        return False
    user = person(request)
    if verb == "rename":
        name = request.POST.get("name", "")
        return saved_searches.rename(user=user, search_id=search_id, name=name)
    if verb == "delete":
        return saved_searches.delete(user=user, search_id=search_id)
    return verb in STEPS and saved_searches.shift(user=user, search_id=search_id, by=STEPS[verb])


def _keep(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    text = request.POST.get("query", "")[: saved_searches.QUERY_CHARS]
    name = request.POST.get("name", "")
    query = searching.in_english(text)
    kept = saved_searches.save(user=person(request), name=name, query=query)
    if kept is None:
        fault = _("Not kept: a search needs a name, and there is room for 50.")
        messages.info(request, fault)
        return _see(Asked(mailbox_id, text).path)
    messages.success(request, _("The search is kept in the side bar."))
    return _see(Asked(mailbox_id, text, saved=kept.id).path)


def _see(path: str) -> HttpResponse:
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response
