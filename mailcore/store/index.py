"""The words of messages, kept by the database: a tsvector or an FTS5 row a message.

Accents and letter case are gone before a word gets here, nothing is stemmed. SQL stands in
`index_postgresql` and `index_sqlite`; what goes in and what is asked in `index_words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from mailcore.models.message import Message
from mailcore.store import index_postgresql, index_sqlite
from mailcore.store.index_words import Sought, Span, Words

__all__ = ["Words", "add", "containing", "find", "limited", "remove"]


class _Implementation(Protocol):
    def add(self, entries: Sequence[Words]) -> None: ...
    def remove(self, message_ids: Sequence[int]) -> None: ...
    def find(
        self, *, mailbox_id: int, sought: Sought, among: QuerySet[Message], span: Span
    ) -> list[tuple[int, int]]: ...
    def containing(self, *, mailbox_id: int, sought: Sought) -> RawSQL: ...
    def limited(self, seconds: float) -> AbstractContextManager[None]: ...


_IMPLEMENTATIONS: Mapping[str, _Implementation] = {
    "postgresql": index_postgresql,
    "sqlite": index_sqlite,
}


def add(entries: Sequence[Words]) -> None:
    """Index every message that has one of these contents, again if it was.

    Raises DataError for words that the index cannot hold.
    """
    _IMPLEMENTATIONS[connection.vendor].add(entries)


def remove(*, message_ids: Sequence[int]) -> None:
    """Forget the words and entries of messages; those that have none are passed over."""
    _IMPLEMENTATIONS[connection.vendor].remove(message_ids)


def find(
    *, mailbox_id: int, sought: Sought, among: QuerySet[Message], span: Span
) -> list[tuple[int, int]]:
    """Return (place, message id) of those messages of `among` that hold what is sought, in order.

    Every one is of the mailbox, whatever `among` says. Stops at `span.limit`.
    """
    implementation = _IMPLEMENTATIONS[connection.vendor]
    try:
        return implementation.find(
            mailbox_id=mailbox_id, sought=sought, among=among.order_by(), span=span
        )
    except EmptyResultSet:
        return []


def containing(*, mailbox_id: int, sought: Sought) -> RawSQL:
    """Return a sub-query of the ids of all messages of the mailbox that hold what is sought."""
    return _IMPLEMENTATIONS[connection.vendor].containing(mailbox_id=mailbox_id, sought=sought)


def limited(seconds: float) -> AbstractContextManager[None]:
    """Give up a query inside that takes longer: TimeoutError. The connection stays usable."""
    return _IMPLEMENTATIONS[connection.vendor].limited(seconds)
