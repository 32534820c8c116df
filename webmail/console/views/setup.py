"""The first start: an operator is made with the one-time link that the log shows.

Without a valid link, and as soon as there is an operator, nothing is here (404).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login as start_session
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from mailcore.directory import setup as directory
from mailcore.directory.errors import DirectoryError, NotFound
from mailcore.trace import audit
from webmail.console.forms.directory import SetupForm
from webmail.console.scope import go

TOKEN_CHARS = 100


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a login and a password, make the operator, and sign them in."""
    now = timezone.now()
    if len(token) > TOKEN_CHARS or not directory.is_valid(token, now=now):
        raise Http404
    form = SetupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        login, password = form.cleaned_data["login"], form.cleaned_data["password"]
        try:
            with audit.recorded(by=login, action="operator.first", on=login, now=now):
                user = directory.use(token=token, login=login, password=password, now=now)
        except NotFound as error:
            raise Http404 from error
        except DirectoryError as error:
            form.refuse(error, "login")
        else:
            start_session(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            return go(reverse("console:overview"))
    status = 422 if form.is_bound else 200
    return render(request, "console/setup.html", {"form": form}, status=status)
