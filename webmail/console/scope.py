"""Who may see the console: operators. For everybody else it does not exist (404).

Also who did what: every change of a view runs inside `recorded`, in one transaction with its entry
in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from mailcore.trace import audit
from webmail.mail.scope import signed_in

View = Callable[..., HttpResponse]
T = TypeVar("T")


def operators_only(view: View) -> View:
    """Let operators through: a stranger signs in first, anybody else gets 404 for any method."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not getattr(request.user, "is_operator", False):
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def recorded(
    request: HttpRequest, action: str, on: str = "", **detail: Any
) -> AbstractContextManager[dict[str, Any]]:
    """Return the block in which a change is made: what the signed-in operator does is told."""
    return audit.recorded(by=actor(request), action=action, on=on, now=timezone.now(), **detail)


def actor(request: HttpRequest) -> str:
    """Return the login of whoever asks."""
    return str(request.user.get_username())


def found_or_404(row: T | None) -> T:
    """Return the row. Raises Http404 when there is none."""
    if row is None:
        raise Http404
    return row


def cursor(request: HttpRequest) -> UUID | None:
    """Return `?after=`; what is no id counts as absent."""
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return None


def number(request: HttpRequest, name: str = "before") -> int | None:
    """Return a number of the query string; what is none counts as absent."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def next_page(request: HttpRequest, **cursors: object) -> str:
    """Return the query string of the page after this one, '' when there is none."""
    if all(value is None for value in cursors.values()):
        return ""
    query = request.GET.copy()
    for name, value in cursors.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"


def text_of(request: HttpRequest, name: str = "q", *, chars: int = 320) -> str:
    """Return a text of the query string, shortened and without what no database takes."""
    return request.GET.get(name, "")[:chars].replace("\0", "").strip()


def go(path: str) -> HttpResponse:
    """Return the redirect after a change: 303, so that the browser asks by GET."""
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response
