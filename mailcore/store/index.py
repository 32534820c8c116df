"""The words of messages, kept by the database: tsvector or FTS5 (unaccented, not stemmed).

Writes entries only. Queries are compiled here too once search is built; SQL stands in
`index_postgresql` and `index_sqlite`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailcore.store import index_postgresql, index_sqlite
from mailcore.store.index_words import Words

__all__ = ["Words", "add", "remove"]

_IMPLEMENTATIONS = {"postgresql": index_postgresql, "sqlite": index_sqlite}


def add(entries: Sequence[Words]) -> None:
    """Index every message that has one of these contents, again if it was.

    Raises DataError for words that the index cannot hold.
    """
    _IMPLEMENTATIONS[connection.vendor].add(entries)


def remove(*, message_ids: Sequence[int]) -> None:
    """Forget the words and entries of messages; those that have none are passed over."""
    _IMPLEMENTATIONS[connection.vendor].remove(message_ids)
