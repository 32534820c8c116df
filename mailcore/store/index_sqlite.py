"""The word index on SQLite: an FTS5 table whose rowid is the message's id.

The tokenizer of the table takes accents away. Deletes before it inserts, so that a repeat is safe.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailcore.store.index_words import Words

_ENTRIES = """
INSERT INTO mailcore_searchentry (message_id, mailbox_id)
SELECT id, mailbox_id FROM mailcore_message WHERE content_id = %s
ON CONFLICT (message_id) DO NOTHING
"""
_FORGET = """
DELETE FROM mailcore_searchwords
WHERE rowid IN (SELECT id FROM mailcore_message WHERE content_id = %s)
"""
_WORDS = """
INSERT INTO mailcore_searchwords (rowid, words)
SELECT id, %s FROM mailcore_message WHERE content_id = %s
"""


def add(entries: Sequence[Words]) -> None:
    """See `index.add`."""
    ids = [(entry.content_id,) for entry in entries]
    words = [(f"{entry.subject}\n{entry.text}", entry.content_id) for entry in entries]
    with connection.cursor() as cursor:
        cursor.executemany(_ENTRIES, ids)
        cursor.executemany(_FORGET, ids)
        cursor.executemany(_WORDS, words)


def remove(message_ids: Sequence[int]) -> None:
    """See `index.remove`."""
    with connection.cursor() as cursor:
        for table, column in (("searchwords", "rowid"), ("searchentry", "message_id")):
            cursor.executemany(
                f"DELETE FROM mailcore_{table} WHERE {column} = %s",  # noqa: S608 - constants
                [(message_id,) for message_id in message_ids],
            )
