"""The clock of whoever asks: 14:05 or 2:05 PM, as they chose, while a request lasts.

Their choices come with the user of the session, and are read only when something needs them. The
zone is Django's (`timezone.override`); what is written into mail for others does not follow this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.formats import date_format

from mailcore.personal import preferences
from mailcore.personal.preferences import Preferences

FULL_DAY = "H:i"
HALF_DAY = "g:i A"


class Reader:
    """A signed-in user, or nobody, and what they have chosen."""

    def __init__(self, user: Any) -> None:
        self.user = user

    @cached_property
    def choices(self) -> Preferences:
        """Their choices, the defaults for nobody; they come with the user of a session."""
        return preferences.carried(self.user) if self.user.pk else Preferences()


_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)


@contextmanager
def read_by(user: Any) -> Iterator[None]:
    """Let pages be this user's in the block."""
    before = _reader.get()
    _reader.set(Reader(user))
    try:
        yield
    finally:
        _reader.set(before)


def choices_of(user: Any) -> Preferences:
    """Return a user's choices; those of whoever asks are looked up once a request."""
    reader = _reader.get()
    is_reader = reader is not None and reader.user.pk == user.pk
    return reader.choices if reader is not None and is_reader else preferences.of_user(user)


def pattern() -> str:
    """Return how the reader wants times: a format of Django, FULL_DAY or HALF_DAY."""
    reader = _reader.get()
    return HALF_DAY if reader is not None and reader.choices.hours == "12" else FULL_DAY


def shown(at: datetime, form: str = FULL_DAY) -> str:
    """Return a local time in a format of Django whose `H:i` is the reader's clock."""
    return date_format(at, form.replace(FULL_DAY, pattern()))
