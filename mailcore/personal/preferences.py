"""How pages look and act for a person: one frozen value out of one row of JSON.

What is missing, unknown or out of its range in the row counts as the default, so that an older or
newer program never fails on it. Theme and language are not here: they are cookies, so that pages
before the sign-in know them too. Remote images are no choice for all mail: see `senders`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from django.db import transaction

from mailcore.models.identity import User
from mailcore.models.personal import UserSettings

CHOICES: dict[str, tuple[str, ...]] = {
    "density": ("normal", "compact", "relaxed"),
    "reading_pane": ("right", "off"),
    "after_action": ("list", "next", "previous"),
    "mark_read": ("at_once", "after_2s", "never"),
    "week_start": ("monday", "sunday", "saturday"),
    "hours": ("", "24", "12"),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """The choices of a person; `version` rises with each change and belongs into ETags.

    `after_action` is where one goes after archiving; `hours` '' is 24.
    """

    density: Literal["normal", "compact", "relaxed"] = "normal"
    reading_pane: Literal["right", "off"] = "right"
    conversations: bool = True
    after_action: Literal["list", "next", "previous"] = "list"
    mark_read: Literal["at_once", "after_2s", "never"] = "at_once"
    show_snippet: bool = True
    keys: bool = True
    notifications: bool = False
    week_start: Literal["monday", "sunday", "saturday"] = "monday"
    hours: Literal["", "24", "12"] = ""
    version: int = 0


NAMES = frozenset(field.name for field in fields(Preferences)) - {"version"}


def of_user(user: User) -> Preferences:
    """Return the choices of a person, the defaults when there are none. One query."""
    row = UserSettings.objects.filter(user_id=user.pk).values_list("values", "version").first()
    return _read(*row) if row else Preferences()


def carried(user: User) -> Preferences:
    """Return the choices as they were when `user` was read; no query if `settings` came with it."""
    try:
        row = user.settings
    except UserSettings.DoesNotExist:
        return Preferences()
    return _read(row.values, row.version)


def save(user: User, **changes: Any) -> Preferences:
    """Keep these choices beside those made before; return them all, with a higher version.

    Raises ValueError for a name or a value that there is not; nothing is kept then.
    """
    for name, value in changes.items():
        if not _fits(name, value):
            raise ValueError(f"{name} cannot be {value!r}")
    with transaction.atomic():
        UserSettings.objects.get_or_create(user_id=user.pk, defaults={"values": {}, "version": 0})
        row = UserSettings.objects.select_for_update().get(user_id=user.pk)
        row.values = {**row.values, **changes} if isinstance(row.values, dict) else changes
        row.version += 1
        row.save(update_fields=["values", "version"])
    return _read(row.values, row.version)


def _read(values: object, version: int) -> Preferences:
    known: Mapping[str, Any] = values if isinstance(values, dict) else {}
    fitting = {name: value for name, value in known.items() if _fits(name, value)}
    return replace(Preferences(), version=version, **fitting)


def _fits(name: str, value: object) -> bool:
    if name in CHOICES:
        return isinstance(value, str) and value in CHOICES[name]
    return name in NAMES and isinstance(value, bool)
