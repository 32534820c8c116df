"""A delivery batch on PostgreSQL: two flights of statements, whatever the number of messages.

The first flight inserts blobs and contents, locks the mailboxes and looks up what planning needs;
the second writes everything and travels with the COMMIT. Columns go in through `unnest`; inserts
that others may race are sorted, so that two writers cannot deadlock. Runs inside the caller's
transaction. Decides nothing: see `batch`.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from weakref import WeakSet

import psycopg
from django.db import connection

from mailcore import trace
from mailcore.models import arrays
from mailcore.store.batch import (
    Delivery,
    FolderState,
    Found,
    MessageRow,
    Opening,
    Plan,
    StoredContent,
    ThreadRow,
    Wanted,
    wanted,
)
from mailcore.store.threads import KnownThread

# A content that was parsed before is parsed again, so that the new copies join the search index.
_CONTENTS = """
WITH b AS (
  INSERT INTO mailcore_blob (sha256, size, codec, stored_size, data, key, used_at)
  SELECT *, %s::timestamptz FROM unnest(
    %s::bytea[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::text[])
  ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at
  RETURNING id, sha256
), c AS (
  INSERT INTO mailcore_content (blob_id, message_id, subject, base_subject, from_name,
    from_address, sent_at, header_size, parser_version, parse_attempts, parse_state,
    has_attachment, preview, search_text)
  SELECT b.id, w.m, w.s, w.bs, w.fn, w.fa, w.at, w.hs, 0, 0, 'pending', false, '', ''
  FROM b JOIN unnest(%s::bytea[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::integer[]) AS w (sha256, m, s, bs, fn, fa, at, hs)
    ON w.sha256 = b.sha256
  ON CONFLICT (blob_id) DO UPDATE SET parsed_at = NULL, parse_attempts = 0
  RETURNING id, blob_id, has_attachment
)
SELECT b.sha256, b.id, c.id, c.has_attachment FROM b JOIN c ON c.blob_id = b.id
"""
_LOCK = """
SELECT id, modseq FROM mailcore_mailbox WHERE id = ANY(%s::bigint[]) ORDER BY id
FOR NO KEY UPDATE
"""
_LOCK_FREE = _LOCK + " SKIP LOCKED"
# What planning needs, in one answer; every row says of what it tells. Its snapshot is younger than
# the lock, so that counters and threads are those of the last commit.
_LOOK_UP = """
WITH k AS (
  INSERT INTO mailcore_deliverykey (key, trace_id, created_at)
  SELECT *, %s::timestamptz FROM unnest(%s::bytea[], %s::uuid[])
  ON CONFLICT (key) DO NOTHING RETURNING key
)
SELECT 'key', NULL::bigint, key, NULL::text, NULL::bigint, NULL::bigint, NULL::timestamptz,
  NULL::jsonb, NULL::boolean FROM k
UNION ALL
SELECT 'folder', mailbox_id, NULL, role, id, uidnext, NULL, NULL, NULL FROM mailcore_folder
WHERE mailbox_id = ANY(%s::bigint[]) AND role = ANY(%s::text[])
UNION ALL
SELECT 'reference', r.mailbox_id, r.hash, NULL, t.id, NULL, t.last_message_at, t.participants,
  t.is_muted
FROM unnest(%s::bigint[], %s::bytea[]) AS w (mailbox_id, hash)
JOIN mailcore_threadref r ON r.mailbox_id = w.mailbox_id AND r.hash = w.hash
JOIN mailcore_thread t ON t.id = r.thread_id
UNION ALL
SELECT 'subject', w.mailbox_id, NULL, NULL, t.id, w.hash, t.last_message_at, t.participants,
  t.is_muted
FROM unnest(%s::bigint[], %s::bigint[]) AS w (mailbox_id, hash)
CROSS JOIN LATERAL (
  SELECT id, last_message_at, participants, is_muted FROM mailcore_thread
  WHERE mailbox_id = w.mailbox_id AND subject_hash = w.hash
  ORDER BY last_message_at DESC LIMIT 5) AS t
UNION ALL
SELECT 'blocked', w.mailbox_id, NULL, w.address, NULL, NULL, NULL, NULL, NULL
FROM unnest(%s::bigint[], %s::text[]) AS w (mailbox_id, address)
CROSS JOIN LATERAL (
  SELECT user_id FROM mailcore_blockedsender WHERE address = w.address OFFSET 0) AS b
JOIN mailcore_mailboxaccess a ON a.mailbox_id = w.mailbox_id AND a.user_id = b.user_id
  AND a.role = 'owner'
"""
_FIRST = "SELECT key, trace_id FROM mailcore_deliverykey WHERE key = ANY(%s::bytea[])"
_FORGET = "DELETE FROM mailcore_deliverykey WHERE key = ANY(%s::bytea[])"
_THREAD_IDS = """
SELECT nextval(pg_get_serial_sequence('mailcore_thread', 'id')) FROM generate_series(1, %s::int)
"""
# One statement for all tables: they share a snapshot and none reads what another writes.
_WRITE = """
WITH new_threads AS (
  INSERT INTO mailcore_thread (id, public_id, mailbox_id, modseq, subject_hash, last_message_at,
    participants)
  SELECT i, p, m, s, h, l, j::jsonb FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[]) AS w (i, p, m, s, h, l, j)
), old_threads AS (
  UPDATE mailcore_thread AS t SET modseq = w.s, last_message_at = w.l, participants = w.j::jsonb
  FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[]) AS w (id, s, l, j)
  WHERE t.id = w.id
), refs AS (
  INSERT INTO mailcore_threadref (mailbox_id, hash, thread_id)
  SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[])
  ON CONFLICT (mailbox_id, hash) DO NOTHING
), messages AS (
  INSERT INTO mailcore_message (public_id, email_id, mailbox_id, folder_id, thread_id, content_id,
    uid, modseq, created_modseq, trace_id, sent_at, received_at, prefix, size, has_attachment,
    is_seen, is_answered, is_flagged, is_deleted, is_draft, keywords)
  SELECT p, p, mb, f, t, c, u, s, s, tr, sa, ra, px, sz, att, seen, false, false, false, false, 0
  FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::bigint[], %s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::bytea[], %s::bigint[],
    %s::boolean[], %s::boolean[]) AS w (p, mb, f, t, c, u, s, tr, sa, ra, px, sz, att, seen)
), folders AS (
  UPDATE mailcore_folder AS f SET uidnext = w.uidnext, highest_modseq = w.s,
    total_count = f.total_count + w.total, unseen_count = f.unseen_count + w.unseen,
    size_bytes = f.size_bytes + w.size
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS w (id, uidnext, s, total, unseen, size)
  WHERE f.id = w.id
), events AS (
  INSERT INTO mailcore_traceevent (trace_id, at, kind, reverse_path, forward_path, message_id,
    mailbox_id, domain_id, peer, reply, detail)
  SELECT i, a, k, rp, fp, mi, mb, d, p, r, j::jsonb FROM unnest(%s::uuid[], %s::timestamptz[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[],
    %s::text[], %s::text[]) AS w (i, a, k, rp, fp, mi, mb, d, p, r, j)
)
UPDATE mailcore_mailbox AS m SET modseq = w.s, used_bytes = m.used_bytes + w.size,
  used_count = m.used_count + w.count
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS w (id, s, size, count)
WHERE m.id = w.id
"""

_THREAD_ID_BLOCK = 100
_thread_ids: deque[int] = deque()
os.register_at_fork(after_in_child=_thread_ids.clear)

_tuned: WeakSet[psycopg.Connection[Any]] = WeakSet()

_Statement = tuple[str, Sequence[object]]
_Rows = list[tuple[Any, ...]]


@contextmanager
def pipelined() -> Iterator[None]:
    """Let statements travel together until a result is read, or with the COMMIT inside."""
    with connection.wrap_database_errors:
        # Here and not by the first statement: its answer would be waited for in the pipeline.
        if not connection.in_atomic_block:
            connection.close_if_health_check_failed()
        connection.ensure_connection()
        bare = connection.connection
        if not connection.in_atomic_block and bare not in _tuned:
            # A writer's few statements always want the same plan: making one anew each time
            # took a tenth of a lone delivery.
            bare.execute("SET plan_cache_mode = force_generic_plan")
            _tuned.add(bare)
        with bare.pipeline():
            yield


class PostgresqlWriter:
    """The steps of a batch on one PostgreSQL connection."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._bare = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)

    def open(self, deliveries: Sequence[Delivery], *, wait: bool, now: datetime) -> Opening:
        """Insert the contents, lock the mailboxes, take keys and look up: one round trip.

        A busy mailbox is left out unless `wait`.
        """
        need = wanted(deliveries)
        contents, locked, answers = self._run(
            _contents(deliveries, now),
            (_LOCK if wait else _LOCK_FREE, [arrays.numbers(sorted(need.mailboxes))]),
            _look_up(need, now),
        )
        stored = {
            bytes(row[0]): StoredContent(blob_id=row[1], content_id=row[2], has_attachment=row[3])
            for row in contents
        }
        return Opening(
            contents=[stored[delivery.blob.sha256] for delivery in deliveries],
            modseqs=dict(locked),
            found=self._found(need, answers),
        )

    def look_up_again(
        self, deliveries: Sequence[Delivery], before: Sequence[Delivery], *, now: datetime
    ) -> Found:
        """Give back the keys taken for `before`, then take and find those of `deliveries`."""
        ours = {delivery.trace_id for delivery in before}
        (taken,) = self._run((_FIRST, [arrays.octets(wanted(before).keys)]))
        fresh = [bytes(key) for key, trace_id in taken if trace_id in ours]
        self._bare.execute(_FORGET, [arrays.octets(fresh)])
        need = wanted(deliveries)
        (answers,) = self._run(_look_up(need, now))
        return self._found(need, answers)

    def _run(self, *statements: _Statement) -> list[_Rows]:
        """Run the statements, in one flight when pipelined; return the rows of each."""
        cursors = [self._bare.execute(text, given) for text, given in statements]
        return [cursor.fetchall() for cursor in cursors]

    def _found(self, need: Wanted, answers: _Rows) -> Found:
        unseen = set(need.keys)
        folders: dict[tuple[int, str], FolderState] = {}
        known: dict[tuple[int, bytes], KnownThread] = {}
        by_subject: dict[tuple[int, int], list[KnownThread]] = {}
        blocked: set[tuple[int, str]] = set()
        for what, mailbox_id, octets, role, pk, number, *thread in answers:
            if what == "key":
                unseen.discard(bytes(octets))
            elif what == "folder":
                folders[mailbox_id, role] = FolderState(pk, mailbox_id, role, number)
            elif what == "reference":
                known[mailbox_id, bytes(octets)] = _known(pk, *thread)
            elif what == "blocked":
                blocked.add((mailbox_id, role))
            else:
                by_subject.setdefault((mailbox_id, number), []).append(_known(pk, *thread))
        return Found(
            first_trace=self._first_traces(unseen),
            folders=folders,
            known=known,
            by_subject=by_subject,
            blocked=blocked,
        )

    def _first_traces(self, taken: Iterable[bytes]) -> dict[bytes, UUID]:
        keys = sorted(taken)
        if not keys:
            return {}
        (rows,) = self._run((_FIRST, [arrays.octets(keys)]))
        return {bytes(key): trace_id for key, trace_id in rows}

    def write(self, plan: Plan) -> None:
        """Write what was planned."""
        for thread in plan.new_threads:
            thread.id = self._new_thread_id()
        self._bare.execute(
            _WRITE,
            [
                *_new_threads(plan.new_threads),
                *_old_threads(list(plan.touched_threads.values())),
                *_references(plan),
                *_messages(plan.messages),
                *_folder_changes(plan),
                *_events(plan.events),
                *_mailbox_changes(plan),
            ],
        )

    def _new_thread_id(self) -> int:
        """Return an id of the sequence, fetched a block at a time: gaps do no harm."""
        while True:
            try:
                return _thread_ids.popleft()
            except IndexError:
                (rows,) = self._run((_THREAD_IDS, [_THREAD_ID_BLOCK]))
                _thread_ids.extend(pk for (pk,) in rows)


def _contents(deliveries: Sequence[Delivery], now: datetime) -> _Statement:
    by_digest = {delivery.blob.sha256: delivery for delivery in deliveries}
    ordered = [by_digest[digest] for digest in sorted(by_digest)]
    blobs = [delivery.blob for delivery in ordered]
    headers = [delivery.header for delivery in ordered]
    digests = arrays.octets(blob.sha256 for blob in blobs)
    return _CONTENTS, [
        now,
        digests,
        arrays.numbers(blob.size for blob in blobs),
        arrays.texts(blob.codec for blob in blobs),
        arrays.numbers(blob.stored_size for blob in blobs),
        arrays.octets(blob.data for blob in blobs),
        arrays.texts(blob.key for blob in blobs),
        digests,
        arrays.texts(header.message_id for header in headers),
        arrays.texts(header.subject for header in headers),
        arrays.texts(header.base_subject for header in headers),
        arrays.texts(header.from_name[:500] for header in headers),
        arrays.texts(header.from_address[:500] for header in headers),
        arrays.times(header.sent_at for header in headers),
        arrays.numbers(header.header_size for header in headers),
    ]


def _look_up(need: Wanted, now: datetime) -> _Statement:
    keys = sorted(need.keys)
    return _LOOK_UP, [
        now,
        arrays.octets(keys),
        arrays.uuids(need.keys[key] for key in keys),
        arrays.numbers(need.mailboxes),
        arrays.texts(need.roles),
        arrays.numbers(mailbox for mailbox, _ in need.references),
        arrays.octets(reference for _, reference in need.references),
        arrays.numbers(mailbox for mailbox, _ in need.subjects),
        arrays.numbers(subject for _, subject in need.subjects),
        arrays.numbers(mailbox for mailbox, _ in need.senders),
        arrays.texts(sender for _, sender in need.senders),
    ]


def _new_threads(new: Sequence[ThreadRow]) -> list[str]:
    return [
        arrays.numbers(t.id for t in new),
        arrays.uuids(t.public_id for t in new),
        arrays.numbers(t.mailbox_id for t in new),
        arrays.numbers(t.modseq for t in new),
        arrays.numbers(t.subject_hash for t in new),
        arrays.times(t.last_message_at for t in new),
        arrays.texts(json.dumps(t.participants) for t in new),
    ]


def _old_threads(old: Sequence[ThreadRow]) -> list[str]:
    return [
        arrays.numbers(t.id for t in old),
        arrays.numbers(t.modseq for t in old),
        arrays.times(t.last_message_at for t in old),
        arrays.texts(json.dumps(t.participants) for t in old),
    ]


def _references(plan: Plan) -> list[str]:
    # In key order, so that concurrent inserts cannot deadlock.
    pairs = sorted(plan.references.items(), key=lambda item: item[0])
    return [
        arrays.numbers(mailbox for (mailbox, _), _ in pairs),
        arrays.octets(reference for (_, reference), _ in pairs),
        arrays.numbers(thread.id for _, thread in pairs),
    ]


def _messages(messages: Sequence[MessageRow]) -> list[str]:
    return [
        arrays.uuids(m.public_id for m in messages),
        arrays.numbers(m.mailbox_id for m in messages),
        arrays.numbers(m.folder_id for m in messages),
        arrays.numbers(m.thread.id for m in messages),
        arrays.numbers(m.content_id for m in messages),
        arrays.numbers(m.uid for m in messages),
        arrays.numbers(m.modseq for m in messages),
        arrays.uuids(m.trace_id for m in messages),
        arrays.times(m.sent_at for m in messages),
        arrays.times(m.received_at for m in messages),
        arrays.octets(m.prefix for m in messages),
        arrays.numbers(m.size for m in messages),
        arrays.booleans(m.has_attachment for m in messages),
        arrays.booleans(m.is_seen for m in messages),
    ]


def _folder_changes(plan: Plan) -> list[str]:
    changes = plan.folders.values()
    return [
        arrays.numbers(plan.folders),
        arrays.numbers(c.uidnext for c in changes),
        arrays.numbers(c.modseq for c in changes),
        arrays.numbers(c.total for c in changes),
        arrays.numbers(c.unseen for c in changes),
        arrays.numbers(c.size for c in changes),
    ]


def _events(events: Sequence[trace.Entry]) -> list[str]:
    return [
        arrays.uuids(e.trace_id for e in events),
        arrays.times(e.at for e in events),
        arrays.texts(e.kind for e in events),
        arrays.texts(e.reverse_path for e in events),
        arrays.texts(e.forward_path for e in events),
        arrays.texts(e.message_id for e in events),
        arrays.numbers(e.mailbox_id for e in events),
        arrays.numbers(e.domain_id for e in events),
        arrays.texts(e.peer for e in events),
        arrays.texts(e.reply for e in events),
        arrays.texts(None if e.detail is None else json.dumps(e.detail) for e in events),
    ]


def _mailbox_changes(plan: Plan) -> list[str]:
    changes = plan.mailboxes.values()
    return [
        arrays.numbers(plan.mailboxes),
        arrays.numbers(c.modseq for c in changes),
        arrays.numbers(c.size for c in changes),
        arrays.numbers(c.count for c in changes),
    ]


def _known(pk: int, last_message_at: datetime, participants: Any, is_muted: bool) -> KnownThread:
    people = json.loads(participants) if isinstance(participants, str) else participants
    return KnownThread(pk, last_message_at, tuple(people), is_muted)
