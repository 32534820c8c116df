"""The word index on SQLite: an FTS5 table with a column for each field.

Its rowid is the place of the message, so that it gives hits by date without sorting, and its
column `mailbox` holds a word for the mailbox, so that the index itself leaves the others out.
The words come ready (`index_words`): the tokenizer only parts them at spaces.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from mailcore.models.message import Message
from mailcore.models.search import SearchEntry
from mailcore.store.index_words import (
    EXACT,
    FIELDS,
    Each,
    Either,
    Leaf,
    Sought,
    Span,
    Without,
    Words,
    place_of,
)

_STEPS = 20_000  # of SQLite's machine between two looks at the clock: about a millisecond
_COLUMN = {
    "from": "sender",
    "to": "recipient",
    "filename": "files",
    "list": "list_id",
}
_COLUMNS = ["mailbox", *(_COLUMN.get(field, field) for field in FIELDS)]
_ID = "(mailcore_searchwords.rowid & 2147483647)"
_INSERT = (
    f"INSERT INTO mailcore_searchwords (rowid, {', '.join(_COLUMNS)})"  # noqa: S608 - constants
    f" VALUES ({', '.join(['%s'] * (len(_COLUMNS) + 1))})"
)
_DELETE = "DELETE FROM mailcore_searchwords WHERE rowid = %s"
_FIND = f"""
SELECT rowid, {_ID} FROM mailcore_searchwords
WHERE mailcore_searchwords MATCH %s AND rowid >= %s AND rowid < %s AND EXISTS ({{among}})
ORDER BY rowid {{order}} LIMIT %s
"""  # noqa: S608 - constants
_CONTAINING = f"SELECT {_ID} FROM mailcore_searchwords WHERE mailcore_searchwords MATCH %s"  # noqa: S608


def add(entries: Sequence[Words]) -> None:
    """See `index.add`. Rows go in by place: FTS5 writes a segment whenever one is smaller."""
    by_content = {entry.content_id: entry for entry in entries}
    messages = Message.objects.filter(content_id__in=by_content)
    columns = ("pk", "mailbox_id", "content_id", "received_at")
    rows = [
        (place_of(at, pk), pk, mailbox_id, by_content[content_id])
        for pk, mailbox_id, content_id, at in messages.values_list(*columns)
    ]
    rows.sort(key=lambda row: row[0])
    made = [
        SearchEntry(message_id=pk, mailbox_id=mailbox_id, place=place)
        for place, pk, mailbox_id, _ in rows
    ]
    old = set(SearchEntry.objects.filter(message__content_id__in=by_content).values_list("pk"))
    texts = {key: _texts(entry) for key, entry in by_content.items()}
    SearchEntry.objects.bulk_create(made, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.executemany(_DELETE, [(place,) for place, pk, _, _ in rows if (pk,) in old])
        cursor.executemany(
            _INSERT,
            [
                (place, _mailbox_word(mailbox_id), *texts[entry.content_id])
                for place, _, mailbox_id, entry in rows
            ],
        )


def _texts(entry: Words) -> list[str]:
    return [" ".join(entry.fields.get(field, ())) for field in FIELDS]


def remove(message_ids: Sequence[int]) -> None:
    """See `index.remove`."""
    entries = SearchEntry.objects.filter(pk__in=message_ids)
    places = sorted(entries.values_list("place"))
    with connection.cursor() as cursor:
        cursor.executemany(_DELETE, places)
    entries.delete()


def find(
    *, mailbox_id: int, sought: Sought, among: QuerySet[Message], span: Span
) -> list[tuple[int, int]]:
    """See `index.find`."""
    outer = among.extra(where=[f"mailcore_message.id = {_ID}"])  # noqa: S610 - constant
    among_sql, among_params = outer.values("pk").query.sql_with_params()
    statement = _FIND.format(among=among_sql, order="ASC" if span.oldest_first else "DESC")
    text = _match(mailbox_id, sought)
    with connection.cursor() as cursor:
        cursor.execute(statement, [text, span.start, span.end, *among_params, span.limit])
        return [(place, pk) for place, pk in cursor.fetchall()]


def containing(*, mailbox_id: int, sought: Sought) -> RawSQL:
    """See `index.containing`."""
    return RawSQL(_CONTAINING, [_match(mailbox_id, sought)])  # noqa: S611 - a parameter


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """See `index.limited`."""
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise TimeoutError from error
        raise
    finally:
        raw.set_progress_handler(None, 0)


def _mailbox_word(mailbox_id: int) -> str:
    return f"{EXACT}{mailbox_id}"


def _match(mailbox_id: int, sought: Sought) -> str:
    """Return the MATCH expression (SQLite FTS5, section 3)."""
    mine = f'mailbox : "{_mailbox_word(mailbox_id)}"'
    children = sought.children if isinstance(sought, Each) else (sought,)
    wanted = [_expression(child, mine) for child in children if not isinstance(child, Without)]
    others = [_expression(child.child, mine) for child in children if isinstance(child, Without)]
    text = " AND ".join([mine, *wanted])
    return f"({text}) NOT ({' OR '.join(others)})" if others else text


def _expression(sought: Sought, mine: str) -> str:
    match sought:
        case Leaf(words, field, is_prefix):
            phrase = f'"{" ".join(words)}"' + " *" * is_prefix
            return f"{_COLUMN.get(field, field)} : {phrase}" if field else phrase
        case Each(children):
            return "(" + " AND ".join(_expression(child, mine) for child in children) + ")"
        case Either(children):
            return "(" + " OR ".join(_expression(child, mine) for child in children) + ")"
        case Without(child):
            return f"({mine} NOT {_expression(child, mine)})"
