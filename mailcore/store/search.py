"""Finding messages in a mailbox by what `mailcore.search.query` read.

Lists messages, newest first, by keyset: no OFFSET, and no COUNT beyond 1,000. Nothing of another
mailbox is ever found: every query starts from the mailbox. At most TIME_S seconds; what was found
by then is shown and said to be part of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models.functions import Substr

from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.search import highlight
from mailcore.search.nodes import Query
from mailcore.store.matching import parse_cursor, write_cursor
from mailcore.store.read import list_folders
from mailcore.store.rows import FolderRow
from mailcore.store.search_hits import TIME_S, Cursor, Finder, Hits
from mailcore.store.search_operators import Fates
from mailcore.store.search_plan import plan
from mailcore.store.search_rows import SearchPage, SearchRow

__all__ = ["SearchPage", "SearchRow", "matching_ids", "search"]

COUNT_MAX = 1000
LIMIT_MAX = 200
SNIPPET_CHARS = 20_000  # of a body, in which a hit is looked for
_CHUNK = 500
_NO_PAGE = SearchPage([], None, 0, is_capped=False, is_partial=False, searched_back_to=None)
_COLUMNS = (
    "id",
    "public_id",
    "folder_id",
    "received_at",
    "size",
    "is_seen",
    "is_flagged",
    "is_answered",
    "is_draft",
    "has_attachment",
    "thread__public_id",
    "content__subject",
    "content__from_name",
    "content__from_address",
    "content__preview",
    "content__envelope",
)


def search(
    *,
    mailbox: Mailbox,
    query: Query,
    me: Sequence[str],
    now: datetime,
    after: str | None = None,
    limit: int = 50,
    oldest_first: bool = False,
    fates: Fates | None = None,
) -> SearchPage:
    """Return a page of the messages that `query` finds; of an empty query, nothing.

    `me` are the addresses that the value `me` stands for. `after` is the `next_cursor` of the page
    before; one that cannot be read gives the first page. `limit` is 1 to 200. `fates` are the ids
    that `delivery:` finds; without them it finds nothing.
    """
    if query.root is None:
        return _NO_PAGE
    limit = max(1, min(limit, LIMIT_MAX))
    deadline = time.monotonic() + TIME_S
    found = plan(mailbox=mailbox, root=query.root, me=me, fates=fates or {})
    finder = Finder(mailbox, found, oldest_first)
    top = finder.in_time(now=now, limit=COUNT_MAX + 1, after=None, deadline=deadline)
    cursor = parse_cursor(after)
    hits = _after(top, finder, cursor) if cursor else top
    if cursor and len(hits.rows) <= limit and len(top.rows) > COUNT_MAX:
        hits = finder.in_time(now=now, limit=limit + 1, after=cursor, deadline=deadline)
    rows = _rows(mailbox, [pk for _, pk in hits.rows[:limit]], highlight.hits(query.root))
    last = rows[-1] if rows and len(hits.rows) > limit else None
    return SearchPage(
        rows=rows,
        next_cursor=write_cursor(last.received_at, last.id) if last else None,
        count=min(len(top.rows), COUNT_MAX),
        is_capped=len(top.rows) > COUNT_MAX,
        is_partial=hits.is_partial,
        searched_back_to=hits.reached if hits.is_partial else None,
    )


def matching_ids(
    *, mailbox: Mailbox, query: Query, me: Sequence[str], now: datetime, limit: int
) -> list[UUID]:
    """Return the public ids of what `query` finds, newest first, at most `limit`.

    All of them, however long it takes: for work behind the scenes.
    """
    if query.root is None:
        return []
    finder = Finder(mailbox, plan(mailbox=mailbox, root=query.root, me=me, fates={}))
    ids = [pk for _, pk in finder.find((None, None), limit)]
    found: dict[int, UUID] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = Message.objects.filter(pk__in=ids[start : start + _CHUNK])
        found.update(rows.values_list("pk", "public_id"))
    return [found[pk] for pk in ids if pk in found]


def _after(top: Hits, finder: Finder, cursor: Cursor) -> Hits:
    """Return those of the hits that come after the cursor."""
    key = finder.key(cursor)
    if finder.oldest_first:
        return replace(top, rows=[row for row in top.rows if row[0] > key])
    return replace(top, rows=[row for row in top.rows if row[0] < key])


def _rows(mailbox: Mailbox, ids: Sequence[int], hits: tuple[str, ...]) -> list[SearchRow]:
    """Return the rows of a page in the order of `ids`; what is gone meanwhile is left out."""
    found = Message.objects.filter(pk__in=ids, mailbox_id=mailbox.pk)
    values = {row["id"]: cast("dict[str, Any]", row) for row in found.values(*_COLUMNS)}
    folders = {row.id: row for row in list_folders(mailbox=mailbox)}
    rows = [
        _row(values[pk], folders, hits)
        for pk in ids
        if pk in values and values[pk]["folder_id"] in folders
    ]
    return list(_with_snippets(rows))


def _with_snippets(rows: Sequence[SearchRow]) -> Iterator[SearchRow]:
    """Give each row the text around its first hit; bodies are read only where that is needed."""
    near = {row.id: highlight.snippet(row.preview, row.hits) for row in rows}
    far = [pk for pk, text in near.items() if not text] if rows and rows[0].hits else []
    bodies = Message.objects.filter(pk__in=far).values_list(
        "pk", Substr("content__search_text", 1, SNIPPET_CHARS)
    )
    texts = dict(bodies) if far else {}
    for row in rows:
        text = near[row.id] or highlight.snippet(texts.get(row.id) or "", row.hits)
        yield replace(row, snippet=text)


def _row(
    row: Mapping[str, Any], folders: Mapping[int, FolderRow], hits: tuple[str, ...]
) -> SearchRow:
    envelope = cast("dict[str, list[list[str]]]", row["content__envelope"] or {})
    return SearchRow(
        id=row["id"],
        public_id=row["public_id"],
        thread_id=row["thread__public_id"],
        folder=folders[row["folder_id"]],
        from_name=row["content__from_name"],
        from_address=row["content__from_address"],
        to=tuple((box[0], box[1]) for box in envelope.get("to", ())),
        subject=row["content__subject"],
        preview=row["content__preview"],
        received_at=row["received_at"],
        size=row["size"],
        has_attachment=row["has_attachment"],
        is_seen=row["is_seen"],
        is_flagged=row["is_flagged"],
        is_answered=row["is_answered"],
        is_draft=row["is_draft"],
        snippet="",
        hits=hits,
    )
