"""A password that we made: shown once, on the answer to the request that made it.

It is kept nowhere else: not in a session, not in a cookie, not in the audit log.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webmail.console.scope import go


def made_page(request: HttpRequest, *, login: str, password: str, there: str) -> HttpResponse:
    """Show the password with a link to `there`; go there at once when there is none to show."""
    if not password:
        return go(there)
    context = {"login": login, "password": password, "there": there}
    response = render(request, "console/password.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response
