"""Who asks, by way of which proxy; headers of every page; time zone and theme of the person.

A view that set its own Content-Security-Policy keeps it (mail bodies, files, images).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import timezone

from webmail import clock, csp
from webmail.accounts import sessions

View = Callable[[HttpRequest], HttpResponseBase]
THEMES = ("system", "light", "dark")


class CompressPages(GZipMiddleware):
    """Compress pages, not files: random octets hide lengths (BREACH), CSRF tokens are masked."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress what is HTML."""
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class PagePolicy:
    """Give every answer a policy; pages are private and asked for again each time."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers that the view did not set."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", csp.app_page())
        response.headers.setdefault("Permissions-Policy", csp.PERMISSIONS)
        response.headers.setdefault("Accept-CH", "Sec-CH-Prefers-Color-Scheme")
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class Client:
    """Take the client's address and scheme from a proxy that we trust, and from nobody else."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Put the real address into REMOTE_ADDR; drop what a stranger claims."""
        forwarded = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        if not _is_proxy(request.META.get("REMOTE_ADDR", "")):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
            return self.get_response(request)
        # Each proxy appends whom it saw: from the right, the first that is no proxy of ours.
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            request.META["REMOTE_ADDR"] = hop
            if not _is_proxy(hop):
                break
        return self.get_response(request)


def _is_proxy(ip: str) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in settings.TRUSTED_PROXIES)


class Person:
    """Note the session; activate zone and clock of the signed-in user while the request lasts."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate, answer, forget."""
        sessions.noted(request)
        zone = _zone(getattr(request.user, "timezone", ""))
        with timezone.override(zone), clock.read_by(request.user):
            return self.get_response(request)


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def theme(request: HttpRequest) -> str:
    """Return `system`, `light` or `dark`, as the cookie says."""
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in THEMES else "system"


def frame_theme(request: HttpRequest) -> str:
    """Return `light` or `dark` for mail frames; for `system` what the browser or a script says."""
    chosen = theme(request)
    if chosen == "system":
        hint = request.headers.get("Sec-CH-Prefers-Color-Scheme", "").strip('"')
        chosen = hint or request.COOKIES.get("scheme", "")
    return "dark" if chosen == "dark" else "light"


def page_context(request: HttpRequest) -> dict[str, object]:
    """Return what every template may use (a context processor)."""
    return {"theme": theme(request), "frame_theme": frame_theme(request)}


def unauthorised() -> HttpResponse:
    """Return the answer for a script whose session is gone: 401, never a redirect."""
    return HttpResponse(status=401, headers={"Cache-Control": "no-store"})
