"""The word index on PostgreSQL: a tsvector a message, with a GIN index on (mailbox_id, tsv).

The lexemes are the words of `index_words`, not those of a text search configuration. Each word
stands for itself (weight A, in the body D) and, but for the body, a second time with the letter of
its field. So only phrases and `body:` have to look into a vector that the GIN index found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from mailcore.models.message import Message
from mailcore.store.index_words import (
    EXACT,
    PLACE_END,
    Each,
    Either,
    Leaf,
    Sought,
    Span,
    Without,
    Words,
)

POSITION_MAX = 16383  # PostgreSQL, 12.1: later words all stand there
_POSITIONS = 200  # of a word that are kept; PostgreSQL keeps 256
_GAP = 10  # between fields: no phrase reaches across
_LETTER = {
    "subject": "s",
    "from": "f",
    "to": "t",
    "cc": "c",
    "bcc": "b",
    "filename": "n",
    "list": "l",
    "marks": "m",
}
_CANCELLED = "57014"

# The vector is read once, however many mailboxes have the message.
_ADD = """
WITH words AS MATERIALIZED (SELECT %s::tsvector AS tsv)
INSERT INTO mailcore_searchentry (message_id, mailbox_id, place, tsv)
SELECT m.id, m.mailbox_id,
  (least(greatest(floor(extract(epoch FROM m.received_at)), 0), 4294967294)::bigint << 31)
    | (m.id & 2147483647),
  words.tsv
FROM mailcore_message m, words WHERE m.content_id = %s
ON CONFLICT (message_id) DO UPDATE SET tsv = excluded.tsv
"""
_REMOVE = "DELETE FROM mailcore_searchentry WHERE message_id = ANY(%s::bigint[])"
# Inner: what GIN can say alone, in order. Outer: row by row until there are enough.
_FIND = """
SELECT e.place, e.message_id FROM (
  SELECT place, message_id FROM mailcore_searchentry
  WHERE mailbox_id = %s AND place >= %s AND place < %s {loose}
  ORDER BY place {order} OFFSET 0) e
WHERE EXISTS ({among}) {strict} ORDER BY e.place {order} LIMIT %s
"""
# Of a word in every third message the newest entries give enough. The planner would look at all of
# the window, because it believes that looking at a vector costs nothing.
_FIND_COMMON = """
SELECT e.place, e.message_id FROM (
  SELECT place, message_id, tsv FROM mailcore_searchentry
  WHERE mailbox_id = %s AND place >= %s AND place < %s ORDER BY place {order} LIMIT %s) e
WHERE e.tsv @@ %s::tsquery AND EXISTS ({among}) {strict} ORDER BY e.place {order} LIMIT %s
"""
_THIRD = 3
_STRICT = """AND EXISTS (SELECT 1 FROM mailcore_searchentry s
  WHERE s.message_id = e.message_id AND s.tsv @@ %s::tsquery)"""
# Compiling and workers cost more than they bring here; and a vector is dearer to look at than the
# planner believes, so that it would read all of them for a common word.
_LIMIT = """SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true),
  set_config('enable_seqscan', 'off', true)"""
_UNLIMIT = """SET LOCAL statement_timeout TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT;
  SET LOCAL max_parallel_workers_per_gather TO DEFAULT; SET LOCAL jit TO DEFAULT"""
_CONTAINING = "SELECT message_id FROM mailcore_searchentry WHERE mailbox_id = %s AND "


def add(entries: Sequence[Words]) -> None:
    """See `index.add`."""
    rows = [(vector(entry), entry.content_id) for entry in entries]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)


def remove(message_ids: Sequence[int]) -> None:
    """See `index.remove`."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [list(message_ids)])


def vector(entry: Words) -> str:
    """Return the text form of the tsvector (PostgreSQL, 8.11.1)."""
    found: dict[str, list[str]] = {}
    at = 0
    for field, words in entry.fields.items():
        letter = _LETTER.get(field, "")
        weight = "A" if letter else ""
        for at, word in enumerate(words, at + 1):  # noqa: B020 - goes on counting
            place = f"{min(at, POSITION_MAX)}{weight}"
            if not word.startswith(EXACT):
                found.setdefault(word, []).append(place)
            if letter:
                found.setdefault(f"{letter}:{word}", []).append(place)
        at += _GAP
    return " ".join(f"'{word}':{','.join(at[:_POSITIONS])}" for word, at in found.items())


def find(
    *, mailbox_id: int, sought: Sought, among: QuerySet[Message], span: Span
) -> list[tuple[int, int]]:
    """See `index.find`."""
    outer = among.extra(where=["mailcore_message.id = e.message_id"])
    among_sql, among_params = outer.values("pk").query.sql_with_params()
    loose, strict = _loose(sought), _strict(sought)
    parts = {
        "loose": "AND tsv @@ %s::tsquery" if loose else "",
        "strict": _STRICT if strict else "",
        "among": among_sql,
        "order": "ASC" if span.oldest_first else "DESC",
    }
    within = [mailbox_id, span.start, span.end]
    further = [*among_params, *([strict] if strict else ()), span.limit]
    with connection.cursor() as cursor:
        if loose and _is_first(span):
            given = [*within, _THIRD * span.limit, loose, *further]
            cursor.execute(_FIND_COMMON.format(**parts), given)
            rows = cursor.fetchall()
            if len(rows) == span.limit:
                return [(place, pk) for place, pk in rows]
        given = [*within, *([loose] if loose else ()), *further]
        cursor.execute(_FIND.format(**parts), given)
        return [(place, pk) for place, pk in cursor.fetchall()]


def _is_first(span: Span) -> bool:
    """Whether nothing lies before the span: a word that is rare there is asked for once only."""
    return span.start == 0 if span.oldest_first else span.end == PLACE_END


def containing(*, mailbox_id: int, sought: Sought) -> RawSQL:
    """See `index.containing`."""
    return RawSQL(_CONTAINING + "tsv @@ %s::tsquery", [mailbox_id, _query(sought)])  # noqa: S611


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """See `index.limited`."""
    timeout = max(1, int(seconds * 1000))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LIMIT, [str(timeout)])
            yield
            cursor.execute(_UNLIMIT)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _CANCELLED:
            raise TimeoutError from error
        raise


def _query(sought: Sought) -> str:
    match sought:
        case Leaf():
            return "(" + " <-> ".join(_lexemes(sought)) + ")"
        case Each(children):
            return "(" + " & ".join(map(_query, children)) + ")"
        case Either(children):
            return "(" + " | ".join(map(_query, children)) + ")"
        case Without(child):
            return f"!{_query(child)}"


def _lexemes(leaf: Leaf) -> list[str]:
    prefix = f"{_LETTER[leaf.field]}:" if leaf.field in _LETTER else ""
    label = "D" if leaf.field == "body" else ""
    last = len(leaf.words) - 1
    labels = [label + "*" * (leaf.is_prefix and number == last) for number in range(last + 1)]
    pairs = zip(leaf.words, labels, strict=True)
    return [f"'{prefix}{word}'{':' if label else ''}{label}" for word, label in pairs]


def _is_plain(sought: Sought) -> bool:
    """Whether GIN answers it alone: no phrase, no body:, no exclusion without a word beside it."""
    match sought:
        case Leaf(words, field):
            return len(words) == 1 and field != "body"
        case Each(children):
            wanted = [child for child in children if not isinstance(child, Without)]
            excluded = [child.child for child in children if isinstance(child, Without)]
            return bool(wanted) and all(map(_is_plain, wanted + excluded))
        case Either(children):
            return all(map(_is_plain, children))
        case Without():
            return False


def _strict(sought: Sought) -> str:
    return "" if _is_plain(sought) else _query(sought)


def _loose(sought: Sought) -> str:
    """Return a query that finds all that `sought` does, and needs no look at a vector; '' is all.

    An exclusion alone is left to `_strict`: GIN would go through the whole mailbox for it.
    """
    match sought:
        case Leaf(words, field, is_prefix):
            anywhere = Leaf(words, "" if field == "body" else field, is_prefix)
            return "(" + " & ".join(_lexemes(anywhere)) + ")"
        case Each(children):
            wanted = [part for part in map(_loose, children) if part]
            excluded = [child.child for child in children if isinstance(child, Without)]
            others = [f"!{_query(child)}" for child in excluded if _is_plain(child)]
            return "(" + " & ".join(wanted + others) + ")" if wanted else ""
        case Either(children):
            parts = [_loose(child) for child in children]
            return "(" + " | ".join(parts) + ")" if all(parts) else ""
        case Without():
            return ""
