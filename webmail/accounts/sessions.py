"""Keeps the list of sessions true: begins, is seen, changes its key, ends.

Only sessions that began at the sign-in form are listed; `listed` in the session says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone

from mailcore.directory import sign_ins

if TYPE_CHECKING:
    from mailcore.models.identity import User

_MARK = "listed"


def begun(request: HttpRequest, user: User) -> None:
    """List the session of a person who just signed in."""
    request.session[_MARK] = True
    request.session.save()  # the key of a new session is made here
    sign_ins.begin(
        user_id=user.pk,
        session_key=key(request),
        peer_ip=request.META.get("REMOTE_ADDR", ""),
        agent=request.headers.get("User-Agent", ""),
        now=timezone.now(),
    )


def noted(request: HttpRequest) -> None:
    """Note that a listed session is in use."""
    if request.user.is_authenticated and request.session.get(_MARK):
        sign_ins.seen(
            session_key=key(request),
            peer_ip=request.META.get("REMOTE_ADDR", ""),
            now=timezone.now(),
        )


def renewed(request: HttpRequest, user: User) -> None:
    """Let this session live on with the new password of its person, under a new key."""
    old_key = key(request)
    update_session_auth_hash(request, user)
    sign_ins.moved(old_key=old_key, new_key=key(request))


def key(request: HttpRequest) -> str:
    """Return the key of the request's session, '' when it has none yet."""
    return request.session.session_key or ""
