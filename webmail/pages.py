"""Pages of the site itself: errors, health, readiness, preferences, style guide.

`/healthz` says that the process answers, `/readyz` that what it needs does (`readiness`).
"""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_GET, require_POST

from mailcore.directory import users
from webmail import readiness
from webmail.middleware import THEMES

YEAR_S = 365 * 86_400


def local_path(request: HttpRequest, path: str) -> str:
    """Return `path` when it leads nowhere but to this site, else `/`."""
    safe = url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()})
    return path if safe and path.startswith("/") else "/"


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the theme or the language that the form names, in a cookie.

    The language also with the person who is signed in: notices to them are written in it.
    """
    response = HttpResponseRedirect(local_path(request, request.POST.get("next", "/")))
    response.status_code = 303
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        remember_language(response, language)
        if request.user.pk is not None:
            users.set_locale(user_id=request.user.pk, locale=language)
    if theme in THEMES:
        remember_theme(response, theme)
    return response


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the language of pages in a cookie."""
    _remember(response, settings.LANGUAGE_COOKIE_NAME, language)


def remember_theme(response: HttpResponse, theme: str) -> None:
    """Keep the theme of pages in a cookie."""
    _remember(response, "theme", theme)


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=YEAR_S, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process is alive."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when all that mail needs is well, else 503; which part is not, as JSON."""
    findings = readiness.ask()
    is_ready = all(one.is_well for one in findings.values())
    parts = {name: {"ok": one.is_well, **one.facts} for name, one in findings.items()}
    return JsonResponse(
        {"ready": is_ready, **parts},
        status=200 if is_ready else 503,
        headers={"Cache-Control": "no-store"},
    )


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in both themes; only with the setting STYLEGUIDE."""
    if not settings.STYLEGUIDE:
        raise Http404
    return render(request, "styleguide.html", {"hues": range(12)})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form is too old; scripts see the header and offer to sign in again."""
    response = render(request, "errors/csrf.html", status=403)
    response.headers["X-Csrf-Failure"] = "1"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render the 400 page."""
    return render(request, "errors/400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render the 403 page."""
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render the 404 page."""
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Render the 500 page without touching session or database."""
    return render(request, "errors/500.html", status=500)
