"""Searches that a person keeps in the rail, in the person's own order (webmail design, b).

A query is kept in English words, so that it is shown in whatever language is read later; this
module neither parses nor runs one. They belong to the user, not to a mailbox; a change raises the
version of the person's preferences, as pages show them everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from mailcore.models.identity import User
from mailcore.models.personal import SavedSearch
from mailcore.personal import preferences

SAVED_MAX = 50
NAME_CHARS = 60
QUERY_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Saved:
    """A kept search: its name, and its query in English words."""

    id: UUID
    name: str
    query: str


def list_saved(*, user: User) -> list[Saved]:
    """Return the searches of this user, in their order."""
    return [Saved(row.public_id, row.name, row.query) for row in _rows(user)]


def save(*, user: User, name: str, query: str) -> Saved | None:
    """Keep a search at the end of the list; a name that is there already gets the new query.

    Return None when name or query is empty or too long, or SAVED_MAX are kept already.
    """
    name, query = name.strip(), query.strip()
    if not (0 < len(name) <= NAME_CHARS and 0 < len(query) <= QUERY_CHARS):
        return None
    with transaction.atomic():
        rows = _locked(user)
        row = next((one for one in rows if one.name == name), None)
        if row is None and len(rows) >= SAVED_MAX:
            return None
        row = row or SavedSearch(user=user, name=name, position=_end(rows))
        row.query = query
        row.save()
        preferences.save(user)
    return Saved(row.public_id, row.name, row.query)


def rename(*, user: User, search_id: UUID, name: str) -> bool:
    """Give a search of this user another name; return whether there is one and the name is fit."""
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARS:
        return False
    with transaction.atomic():
        found = SavedSearch.objects.filter(user=user, public_id=search_id)
        return _told(user, found.update(name=name))


def delete(*, user: User, search_id: UUID) -> bool:
    """Forget a search of this user; return whether there was one."""
    with transaction.atomic():
        count, _each = SavedSearch.objects.filter(user=user, public_id=search_id).delete()
        return _told(user, count)


def shift(*, user: User, search_id: UUID, by: int) -> bool:
    """Move a search up (-1) or down (1) in the list; return whether this user has it."""
    with transaction.atomic():
        rows = _locked(user)
        at = next((n for n, row in enumerate(rows) if row.public_id == search_id), None)
        if at is None:
            return False
        to = max(0, min(len(rows) - 1, at + by))
        rows.insert(to, rows.pop(at))
        for position, row in enumerate(rows):
            row.position = position
        SavedSearch.objects.bulk_update(rows, ["position"])
        return _told(user, len(rows))


def _told(user: User, count: int) -> bool:
    """Raise the version by which pages know their searches, if anything changed; say whether.

    In the transaction of the change: a version must never stand for two lists.
    """
    if count:
        preferences.save(user)
    return count > 0


def _rows(user: User) -> QuerySet[SavedSearch]:
    return SavedSearch.objects.filter(user=user).order_by("position", "pk")[:SAVED_MAX]


def _locked(user: User) -> list[SavedSearch]:
    """Return the rows for a change; two changes of one person wait for each other."""
    User.objects.select_for_update().filter(pk=user.pk).first()
    return list(_rows(user))


def _end(rows: Sequence[SavedSearch]) -> int:
    return rows[-1].position + 1 if rows else 0
