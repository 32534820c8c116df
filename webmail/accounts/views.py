"""Signing in and out. The answer to a wrong password is the same as to an unknown address.

A script asks for the bare form (HX-Request) and, once signed in, gets a new CSRF token instead of
a redirect, so that it can send again what the dead session refused.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login as start_session
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from mailcore.directory import credentials, sign_ins
from webmail.accounts import sessions
from webmail.accounts.forms import SignInForm
from webmail.accounts.patience import hold_back
from webmail.pages import local_path


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; check what was typed; go to where the person wanted to be."""
    by_script = request.headers.get("HX-Request") == "true"
    form = SignInForm(request.POST if request.method == "POST" else None)
    refusal, held_back_s = "", 0
    if form.is_bound and form.is_valid():
        refusal, held_back_s = _try(request, **form.cleaned_data)
        if not refusal:
            return _signed_in(request, by_script=by_script)
    elif request.user.is_authenticated and not by_script:
        return redirect("mail:home")
    template = "accounts/form.html" if by_script else "accounts/login.html"
    context = {
        "form": form,
        "refusal": refusal,
        "held_back_s": held_back_s,
        "next": _wanted(request),
    }
    status = {"": 422 if form.is_bound else 200, "busy": 503}.get(refusal, 422)
    return render(request, template, context, status=status)


def _try(request: HttpRequest, *, login: str, password: str) -> tuple[str, int]:
    """Sign in, or return why not and after how many seconds that is said.

    `wrong` comes after the throttle's delay, `busy` at once.
    """
    found = credentials.authenticate(
        login=login,
        password=password,
        peer_ip=request.META.get("REMOTE_ADDR", ""),
        now=timezone.now(),
    )
    if isinstance(found, credentials.Busy):
        return "busy", 0
    if isinstance(found, credentials.Denied):
        return ("wrong", found.delay.seconds) if hold_back(found.delay) else ("busy", 0)
    start_session(request, found, backend=settings.AUTHENTICATION_BACKENDS[0])
    sessions.begun(request, found)
    return "", 0


def _wanted(request: HttpRequest) -> str:
    return request.POST.get("next") or request.GET.get("next") or ""


def _signed_in(request: HttpRequest, *, by_script: bool) -> HttpResponse:
    if by_script:
        return HttpResponse(
            status=204,
            headers={"X-Csrf-Token": get_token(request), "X-User": str(request.user.pk)},
        )
    wanted = _wanted(request)
    target = local_path(request, wanted) if wanted else reverse("mail:home")
    response = HttpResponseRedirect(target)
    locale = getattr(request.user, "locale", "")
    if locale and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            locale,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; the browser forgets cached pages of this site."""
    sign_ins.forget(session_key=sessions.key(request))
    logout(request)
    response = redirect("accounts:login")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
