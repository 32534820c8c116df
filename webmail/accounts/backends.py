"""Signs people in to the web through the one `authenticate` of all doors.

Holds no policy and does not sleep. A view that shows the wait calls `credentials` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from mailcore.directory import credentials

if TYPE_CHECKING:
    from mailcore.models.identity import User


class MailboxBackend(BaseBackend):
    """Login and password of a mailbox owner or an operator."""

    def authenticate(
        self,
        request: HttpRequest | None,
        **credentials_given: Any,
    ) -> User | None:
        """Return the user of `login` (or `username`) and `password`; None for any refusal."""
        name = credentials_given.get("login", credentials_given.get("username"))
        password = credentials_given.get("password")
        if name is None or password is None:
            return None
        found = credentials.authenticate(
            login=name,
            password=password,
            peer_ip=request.META.get("REMOTE_ADDR", "") if request is not None else "",
            now=timezone.now(),
        )
        return None if isinstance(found, credentials.Denied | credentials.Busy) else found

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session; None ends the session of one who was disabled.

        Their choices come in the same query: nearly every page needs them.
        """
        found = get_user_model()._default_manager.filter(pk=user_id, is_active=True)
        return found.select_related("settings").first()
