"""The search index's row of a message. The words live beside it: tsvector or FTS5.

The column `tsv` with its GIN index (PostgreSQL) and the FTS5 table (SQLite) are made by a
migration; only `store.index` reads and writes them.
"""

from __future__ import annotations

from django.db import models


class SearchEntry(models.Model):
    """A message is in the index."""

    message = models.OneToOneField(
        "mailcore.Message", models.PROTECT, primary_key=True, related_name="search_entry"
    )
    mailbox = models.ForeignKey("mailcore.Mailbox", models.PROTECT, related_name="+")
    place = models.BigIntegerField(default=0)  # store.index_words.place_of: hits sort by it

    def __str__(self) -> str:
        return str(self.message_id)
