"""A delivery batch on PostgreSQL: a handful of statements, whatever the number of messages.

Arrays go in through `unnest`; inserts that others may race are sorted, so that two writers cannot
deadlock. Runs inside the caller's transaction. Decides nothing: see `batch`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import connection

from mailcore import trace
from mailcore.rawmail import PreparedBlob
from mailcore.store.batch import (
    FolderState,
    Found,
    MessageRow,
    Plan,
    StoredContent,
    ThreadRow,
    Wanted,
)
from mailcore.store.threads import KnownThread

Delivered = Sequence[tuple[PreparedBlob, Any]]

_BLOBS = """
INSERT INTO mailcore_blob (sha256, size, codec, stored_size, data, key, used_at)
SELECT *, %s::timestamptz FROM unnest(
  %s::bytea[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::text[])
ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at
RETURNING id, sha256
"""
# A content that was parsed before is parsed again, so that the new copies join the search index.
_CONTENTS = """
INSERT INTO mailcore_content (blob_id, message_id, subject, base_subject, from_name, from_address,
  sent_at, header_size, parser_version, parse_attempts, parse_state, has_attachment, preview,
  search_text)
SELECT *, 0, 0, 'pending', false, '', '' FROM unnest(%s::bigint[], %s::text[], %s::text[],
  %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::integer[])
ON CONFLICT (blob_id) DO UPDATE SET parsed_at = NULL, parse_attempts = 0
RETURNING id, blob_id, has_attachment
"""
_LOCK = "SELECT id, modseq FROM mailcore_mailbox WHERE id = ANY(%s::bigint[]) ORDER BY id"
_KEYS = """
INSERT INTO mailcore_deliverykey (key, trace_id, created_at)
SELECT *, %s::timestamptz FROM unnest(%s::bytea[], %s::uuid[])
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_FIRST = "SELECT key, trace_id FROM mailcore_deliverykey WHERE key = ANY(%s::bytea[])"
_FOLDERS = """
SELECT id, mailbox_id, role, uidnext FROM mailcore_folder
WHERE mailbox_id = ANY(%s::bigint[]) AND role = ANY(%s::text[])
"""
_REFERENCES = """
SELECT r.mailbox_id, r.hash, t.id, t.last_message_at, t.participants
FROM unnest(%s::bigint[], %s::bytea[]) AS w (mailbox_id, hash)
JOIN mailcore_threadref r ON r.mailbox_id = w.mailbox_id AND r.hash = w.hash
JOIN mailcore_thread t ON t.id = r.thread_id
"""
_SUBJECTS = """
SELECT w.mailbox_id, w.hash, t.id, t.last_message_at, t.participants
FROM unnest(%s::bigint[], %s::bigint[]) AS w (mailbox_id, hash)
CROSS JOIN LATERAL (
  SELECT id, last_message_at, participants FROM mailcore_thread
  WHERE mailbox_id = w.mailbox_id AND subject_hash = w.hash
  ORDER BY last_message_at DESC LIMIT 5) AS t
"""
_NEW_THREADS = """
INSERT INTO mailcore_thread (public_id, mailbox_id, modseq, subject_hash, last_message_at,
  participants)
SELECT p, m, s, h, l, j::jsonb FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[],
  %s::timestamptz[], %s::text[]) AS w (p, m, s, h, l, j)
RETURNING id, public_id
"""
_OLD_THREADS = """
UPDATE mailcore_thread AS t SET modseq = w.s, last_message_at = w.l, participants = w.j::jsonb
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[]) AS w (id, s, l, j)
WHERE t.id = w.id
"""
_NEW_REFERENCES = """
INSERT INTO mailcore_threadref (mailbox_id, hash, thread_id)
SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[])
ON CONFLICT (mailbox_id, hash) DO NOTHING
"""
_MESSAGES = """
INSERT INTO mailcore_message (public_id, email_id, mailbox_id, folder_id, thread_id, content_id,
  uid, modseq, created_modseq, trace_id, sent_at, received_at, prefix, size, has_attachment,
  is_seen, is_answered, is_flagged, is_deleted, is_draft, keywords)
SELECT p, p, mb, f, t, c, u, s, s, tr, sa, ra, px, sz, att, seen, false, false, false, false, 0
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
  %s::bigint[], %s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::bytea[], %s::bigint[],
  %s::boolean[], %s::boolean[]) AS w (p, mb, f, t, c, u, s, tr, sa, ra, px, sz, att, seen)
"""
_FOLDER_CHANGES = """
UPDATE mailcore_folder AS f SET uidnext = w.uidnext, highest_modseq = w.s,
  total_count = f.total_count + w.total, unseen_count = f.unseen_count + w.unseen,
  size_bytes = f.size_bytes + w.size
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
  AS w (id, uidnext, s, total, unseen, size)
WHERE f.id = w.id
"""
_EVENTS = """
INSERT INTO mailcore_traceevent (trace_id, at, kind, reverse_path, forward_path, message_id,
  mailbox_id, domain_id, peer, reply, detail)
SELECT i, a, k, rp, fp, mi, mb, d, p, r, j::jsonb FROM unnest(%s::uuid[], %s::timestamptz[],
  %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[],
  %s::text[], %s::text[]) AS w (i, a, k, rp, fp, mi, mb, d, p, r, j)
"""
_MAILBOX_CHANGES = """
UPDATE mailcore_mailbox AS m SET modseq = w.s, used_bytes = m.used_bytes + w.size,
  used_count = m.used_count + w.count
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS w (id, s, size, count)
WHERE m.id = w.id
"""


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[Any]:
    """Turn rows into the column arrays of an unnest; `width` serves the empty case."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


class PostgresqlWriter:
    """The steps of a batch on one PostgreSQL connection."""

    def __init__(self) -> None:
        self._cursor = connection.cursor()

    def together(self) -> AbstractContextManager[object]:
        """Return a context in which statements travel in libpq's pipeline until one is read."""
        pipeline: AbstractContextManager[object] = connection.connection.pipeline()
        return pipeline

    def close(self) -> None:
        """Give the cursor back."""
        self._cursor.close()

    def _rows(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        self._cursor.execute(statement, parameters)
        return cast("list[tuple[Any, ...]]", self._cursor.fetchall())

    def put_contents(self, deliveries: Delivered, *, now: datetime) -> list[StoredContent]:
        """Insert blobs and contents, or find them; in the order of `deliveries`."""
        by_digest = {blob.sha256: (blob, header) for blob, header in deliveries}
        ordered = [by_digest[digest] for digest in sorted(by_digest)]
        blobs = _columns(
            ((b.sha256, b.size, b.codec, b.stored_size, b.data, b.key) for b, _ in ordered), 6
        )
        ids = {bytes(digest): pk for pk, digest in self._rows(_BLOBS, [now, *blobs])}
        contents = _columns(
            (
                (
                    ids[b.sha256],
                    h.message_id,
                    h.subject,
                    h.base_subject,
                    h.from_name[:500],
                    h.from_address[:500],
                    h.sent_at,
                    h.header_size,
                )
                for b, h in sorted(ordered, key=lambda pair: ids[pair[0].sha256])
            ),
            8,
        )
        found = {
            blob_id: StoredContent(blob_id, content_id, attached)
            for content_id, blob_id, attached in self._rows(_CONTENTS, contents)
        }
        return [found[ids[blob.sha256]] for blob, _ in deliveries]

    def lock_mailboxes(self, ids: Iterable[int], *, wait: bool) -> dict[int, int]:
        """Lock in id order and return id -> modseq; a busy one is left out unless `wait`."""
        suffix = " FOR NO KEY UPDATE" if wait else " FOR NO KEY UPDATE SKIP LOCKED"
        return dict(self._rows(_LOCK + suffix, [sorted(set(ids))]))

    def look_up(self, wanted: Wanted, *, now: datetime) -> Found:
        """Take delivery keys, find folders and threads: one round trip for all of it."""
        keys = sorted(wanted.keys)
        statements = (
            (_KEYS, [now, keys, [wanted.keys[key] for key in keys]]),
            (_FOLDERS, [sorted(wanted.mailboxes), sorted(wanted.roles)]),
            (_REFERENCES, _columns(wanted.references, 2)),
            (_SUBJECTS, _columns(wanted.subjects, 2)),
        )
        fresh, folders, references, subjects = self._together(statements)
        by_subject: dict[tuple[int, int], list[KnownThread]] = {}
        for row in subjects:
            by_subject.setdefault((row[0], row[1]), []).append(_known(row[2:]))
        return Found(
            first_trace=self._first_traces(wanted.keys.keys() - {bytes(key) for (key,) in fresh}),
            folders={(row[1], row[2]): FolderState(*row) for row in folders},
            known={(row[0], bytes(row[1])): _known(row[2:]) for row in references},
            by_subject=by_subject,
        )

    def _together(
        self, statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[list[tuple[Any, ...]]]:
        """Run independent queries in the pipeline of libpq; return the rows of each."""
        cursors = [connection.cursor() for _ in statements]
        for cursor, (statement, parameters) in zip(cursors, statements, strict=True):
            cursor.execute(statement, parameters)
        found = [cursor.fetchall() for cursor in cursors]
        for cursor in cursors:
            cursor.close()
        return found

    def _first_traces(self, taken: Iterable[bytes]) -> dict[bytes, UUID]:
        keys = sorted(taken)
        rows = self._rows(_FIRST, [keys]) if keys else []
        return {bytes(key): trace_id for key, trace_id in rows}

    def write(self, plan: Plan) -> None:
        """Write what was planned; mailboxes with their modseq last."""
        self._insert_threads(plan.new_threads)
        self._update_threads(plan.touched_threads.values())
        references = [(mb, ref, row.id) for (mb, ref), row in sorted_references(plan)]
        if references:
            self._cursor.execute(_NEW_REFERENCES, _columns(references, 3))
        if plan.messages:
            self._write_messages(plan.messages)
            self._write_counters(plan)
        if plan.events:
            self._write_events(plan.events)
        if plan.mailboxes:
            rows = ((pk, c.modseq, c.size, c.count) for pk, c in sorted(plan.mailboxes.items()))
            self._cursor.execute(_MAILBOX_CHANGES, _columns(rows, 4))

    def _insert_threads(self, new: Sequence[ThreadRow]) -> None:
        if not new:
            return
        rows = (
            (
                t.public_id,
                t.mailbox_id,
                t.modseq,
                t.subject_hash,
                t.last_message_at,
                json.dumps(t.participants),
            )
            for t in new
        )
        made = self._rows(_NEW_THREADS, _columns(rows, 6))
        ids = {public_id: pk for pk, public_id in made}
        for thread in new:
            thread.id = ids[thread.public_id]

    def _update_threads(self, old: Iterable[ThreadRow]) -> None:
        touched = [(t.id, t.modseq, t.last_message_at, json.dumps(t.participants)) for t in old]
        if touched:
            self._cursor.execute(_OLD_THREADS, _columns(touched, 4))

    def _write_messages(self, messages: Sequence[MessageRow]) -> None:
        rows = (
            (
                m.public_id,
                m.mailbox_id,
                m.folder_id,
                m.thread.id,
                m.content_id,
                m.uid,
                m.modseq,
                m.trace_id,
                m.sent_at,
                m.received_at,
                m.prefix,
                m.size,
                m.has_attachment,
                m.is_seen,
            )
            for m in messages
        )
        self._cursor.execute(_MESSAGES, _columns(rows, 14))

    def _write_counters(self, plan: Plan) -> None:
        rows = (
            (pk, c.uidnext, c.modseq, c.total, c.unseen, c.size) for pk, c in plan.folders.items()
        )
        self._cursor.execute(_FOLDER_CHANGES, _columns(rows, 6))

    def _write_events(self, events: Sequence[trace.Entry]) -> None:
        rows = (
            (
                e.trace_id,
                e.at,
                e.kind,
                e.reverse_path,
                e.forward_path,
                e.message_id,
                e.mailbox_id,
                e.domain_id,
                e.peer,
                e.reply,
                json.dumps(e.detail) if e.detail is not None else None,
            )
            for e in events
        )
        self._cursor.execute(_EVENTS, _columns(rows, 11))


def sorted_references(plan: Plan) -> list[tuple[tuple[int, bytes], ThreadRow]]:
    """Return the planned references in key order, so that concurrent inserts cannot deadlock."""
    return sorted(plan.references.items(), key=lambda item: item[0])


def _known(row: Sequence[Any]) -> KnownThread:
    pk, last_message_at, participants = row
    people = json.loads(participants) if isinstance(participants, str) else participants
    return KnownThread(id=pk, last_message_at=last_message_at, participants=tuple(people))
