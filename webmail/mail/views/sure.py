"""The page that asks before mail is deleted for good: the same form again, with `sure` in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mailcore.store import read
from webmail.mail.scope import Scope
from webmail.mail.shell import shell_context
from webmail.pages import local_path

_LEFT_OUT = ("csrfmiddlewaretoken", "sure")


def ask(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Show what was asked as a form that only has to be confirmed."""
    pairs = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _LEFT_OUT
        for value in values
    ]
    names = [name for name, _ in pairs]
    is_all = "all" in names or request.POST.get("destroy") == "all"
    context = {
        **shell_context(scope, read.list_folders(mailbox=scope.mailbox)),
        "pairs": pairs,
        "is_all": is_all,
        "count": max(1, names.count("thread") + names.count("message")),
        "back": local_path(request, request.POST.get("next", "/")),
    }
    return render(request, "mail/sure.html", context)
