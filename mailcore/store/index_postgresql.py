"""The word index on PostgreSQL: a tsvector a message, configuration `simple` after unaccent.

The GIN index is on (mailbox_id, tsv). Raises DataError for what a tsvector cannot hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailcore.store.index_words import Words

# The vector is computed once, however many mailboxes have the message.
_ADD = """
WITH words AS MATERIALIZED (
  SELECT setweight(to_tsvector('simple', unaccent(%s)), 'A')
    || setweight(to_tsvector('simple', unaccent(%s)), 'B') AS tsv)
INSERT INTO mailcore_searchentry (message_id, mailbox_id, tsv)
SELECT m.id, m.mailbox_id, words.tsv FROM mailcore_message m, words WHERE m.content_id = %s
ON CONFLICT (message_id) DO UPDATE SET tsv = excluded.tsv
"""
_REMOVE = "DELETE FROM mailcore_searchentry WHERE message_id = ANY(%s::bigint[])"


def add(entries: Sequence[Words]) -> None:
    """See `index.add`."""
    rows = [(entry.subject, entry.text, entry.content_id) for entry in entries]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)


def remove(message_ids: Sequence[int]) -> None:
    """See `index.remove`."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [list(message_ids)])
