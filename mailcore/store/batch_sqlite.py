"""A delivery batch on SQLite: prepared statements, row by row, on the bare connection.

Row by row costs little here (no round trips); Django's ORM would cost ten times the statement.
Runs inside the caller's BEGIN IMMEDIATE, which is the lock of every mailbox.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django.db import connection

from mailcore import trace
from mailcore.mime.header import HeaderScan
from mailcore.rawmail import PreparedBlob
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

_BLOB = """
INSERT INTO mailcore_blob (sha256, size, codec, stored_size, data, key, used_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at RETURNING id
"""
_CONTENT = """
INSERT INTO mailcore_content (blob_id, message_id, subject, base_subject, from_name, from_address,
  sent_at, header_size, parser_version, parse_attempts, parse_state, has_attachment, preview,
  search_text)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 'pending', 0, '', '')
ON CONFLICT (blob_id) DO UPDATE SET parsed_at = NULL, parse_attempts = 0
RETURNING id, has_attachment
"""
_MODSEQ = "SELECT modseq FROM mailcore_mailbox WHERE id = ?"
_KEY = """
INSERT INTO mailcore_deliverykey (key, trace_id, created_at) VALUES (?, ?, ?)
ON CONFLICT (key) DO NOTHING
"""
_FIRST = "SELECT trace_id FROM mailcore_deliverykey WHERE key = ?"
_FORGET = "DELETE FROM mailcore_deliverykey WHERE key = ? AND trace_id = ?"
_FOLDER = """
SELECT id, mailbox_id, role, uidnext FROM mailcore_folder WHERE mailbox_id = ? AND role = ?
"""
_REFERENCE = """
SELECT t.id, t.last_message_at, t.participants, t.is_muted FROM mailcore_threadref r
JOIN mailcore_thread t ON t.id = r.thread_id WHERE r.mailbox_id = ? AND r.hash = ?
"""
_SUBJECT = """
SELECT id, last_message_at, participants, is_muted FROM mailcore_thread
WHERE mailbox_id = ? AND subject_hash = ? ORDER BY last_message_at DESC LIMIT 5
"""
_BLOCKED = """
SELECT a.mailbox_id, b.address FROM json_each(?) AS w
CROSS JOIN mailcore_blockedsender AS b ON b.address = w.value
JOIN mailcore_mailboxaccess AS a ON a.user_id = b.user_id AND a.role = 'owner'
"""
_NEW_THREAD = """
INSERT INTO mailcore_thread (public_id, mailbox_id, modseq, subject_hash, last_message_at,
  participants) VALUES (?, ?, ?, ?, ?, ?)
"""
_OLD_THREAD = """
UPDATE mailcore_thread SET modseq = ?, last_message_at = ?, participants = ? WHERE id = ?
"""
_NEW_REFERENCE = """
INSERT INTO mailcore_threadref (mailbox_id, hash, thread_id) VALUES (?, ?, ?)
ON CONFLICT (mailbox_id, hash) DO NOTHING
"""
_MESSAGE = """
INSERT INTO mailcore_message (public_id, email_id, mailbox_id, folder_id, thread_id, content_id,
  uid, modseq, created_modseq, trace_id, sent_at, received_at, prefix, size, has_attachment,
  is_seen, is_answered, is_flagged, is_deleted, is_draft, keywords)
VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, 0, 0, 0)
"""
_FOLDER_CHANGE = """
UPDATE mailcore_folder SET uidnext = ?, highest_modseq = ?, total_count = total_count + ?,
  unseen_count = unseen_count + ?, size_bytes = size_bytes + ? WHERE id = ?
"""
_EVENT = """
INSERT INTO mailcore_traceevent (trace_id, at, kind, reverse_path, forward_path, message_id,
  mailbox_id, domain_id, peer, reply, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MAILBOX_CHANGE = """
UPDATE mailcore_mailbox SET modseq = ?, used_bytes = used_bytes + ?, used_count = used_count + ?
WHERE id = ?
"""


class SqliteWriter:
    """The steps of a batch on one SQLite connection."""

    def __init__(self) -> None:
        connection.ensure_connection()
        bare = cast(sqlite3.Connection, connection.connection)
        self._cursor = bare.cursor(sqlite3.Cursor)

    def close(self) -> None:
        """Give the cursor back."""
        self._cursor.close()

    def _row(self, statement: str, parameters: Sequence[object]) -> Any:
        return self._cursor.execute(statement, parameters).fetchone()

    def open(self, deliveries: Sequence[Delivery], *, wait: bool, now: datetime) -> Opening:
        """Insert the contents, take keys and look up; the transaction has locked all mailboxes."""
        need = wanted(deliveries)
        written_at = _time(now)
        return Opening(
            contents=[self._put_content(d.blob, d.header, written_at) for d in deliveries],
            modseqs=self._modseqs(need.mailboxes),
            found=self._look_up(need, now=now),
        )

    def look_up_again(
        self, deliveries: Sequence[Delivery], before: Sequence[Delivery], *, now: datetime
    ) -> Found:
        """Give back the keys taken for `before`, then take and find those of `deliveries`."""
        for key, trace_id in wanted(before).keys.items():
            self._cursor.execute(_FORGET, (key, trace_id.hex))
        return self._look_up(wanted(deliveries), now=now)

    def _put_content(
        self, blob: PreparedBlob, header: HeaderScan, now: str | None
    ) -> StoredContent:
        (blob_id,) = self._row(
            _BLOB,
            (blob.sha256, blob.size, blob.codec, blob.stored_size, blob.data, blob.key, now),
        )
        content_id, attached = self._row(
            _CONTENT,
            (
                blob_id,
                header.message_id,
                header.subject,
                header.base_subject,
                header.from_name[:500],
                header.from_address[:500],
                _time(header.sent_at),
                header.header_size,
            ),
        )
        return StoredContent(blob_id, content_id, bool(attached))

    def _modseqs(self, ids: Iterable[int]) -> dict[int, int]:
        rows = ((pk, self._row(_MODSEQ, (pk,))) for pk in sorted(ids))
        return {pk: row[0] for pk, row in rows if row}

    def _look_up(self, need: Wanted, *, now: datetime) -> Found:
        places = ((mailbox, role) for mailbox in need.mailboxes for role in need.roles)
        folders = ((place, self._row(_FOLDER, place)) for place in places)
        references = ((pair, self._row(_REFERENCE, pair)) for pair in need.references)
        return Found(
            first_trace=self._claim_keys(need.keys, now=now),
            folders={place: FolderState(*row) for place, row in folders if row},
            known={pair: _known(row) for pair, row in references if row},
            by_subject={
                pair: [_known(row) for row in self._cursor.execute(_SUBJECT, pair).fetchall()]
                for pair in need.subjects
            },
            blocked=self._blocked(need) & need.senders,
        )

    def _blocked(self, need: Wanted) -> set[tuple[int, str]]:
        senders = json.dumps(list({sender for _, sender in need.senders}))
        return set(self._cursor.execute(_BLOCKED, (senders,)).fetchall())

    def _claim_keys(self, keys: Mapping[bytes, UUID], *, now: datetime) -> dict[bytes, UUID]:
        taken = {}
        for key, trace_id in keys.items():
            self._cursor.execute(_KEY, (key, trace_id.hex, _time(now)))
            if self._cursor.rowcount == 0:
                taken[key] = UUID(self._row(_FIRST, (key,))[0])
        return taken

    def write(self, plan: Plan) -> None:
        """Write what was planned; mailboxes with their modseq last."""
        self._write_threads(plan.new_threads, plan.touched_threads.values())
        self._cursor.executemany(
            _NEW_REFERENCE, [(mb, ref, row.id) for (mb, ref), row in plan.references.items()]
        )
        self._cursor.executemany(_MESSAGE, [_message(m) for m in plan.messages])
        self._cursor.executemany(
            _FOLDER_CHANGE,
            [
                (c.uidnext, c.modseq, c.total, c.unseen, c.size, pk)
                for pk, c in plan.folders.items()
            ],
        )
        self._cursor.executemany(_EVENT, [_event(e) for e in plan.events])
        self._cursor.executemany(
            _MAILBOX_CHANGE,
            [(c.modseq, c.size, c.count, pk) for pk, c in plan.mailboxes.items()],
        )

    def _write_threads(self, new: Sequence[ThreadRow], old: Iterable[ThreadRow]) -> None:
        for t in new:
            self._cursor.execute(
                _NEW_THREAD,
                (
                    t.public_id.hex,
                    t.mailbox_id,
                    t.modseq,
                    t.subject_hash,
                    _time(t.last_message_at),
                    json.dumps(t.participants),
                ),
            )
            t.id = self._cursor.lastrowid
        self._cursor.executemany(
            _OLD_THREAD,
            [(t.modseq, _time(t.last_message_at), json.dumps(t.participants), t.id) for t in old],
        )


def _time(value: datetime | None) -> str | None:
    """Write a time as Django does on SQLite: naive UTC."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(sep=" ")[:-6]  # without +00:00


def _known(row: Sequence[Any]) -> KnownThread:
    # Django's connection turns columns declared datetime into naive values by itself.
    pk, last_message_at, participants, is_muted = row
    return KnownThread(
        id=pk,
        last_message_at=last_message_at.replace(tzinfo=UTC),
        participants=tuple(json.loads(participants)),
        is_muted=bool(is_muted),
    )


def _message(m: MessageRow) -> tuple[object, ...]:
    return (
        m.public_id.hex,
        m.mailbox_id,
        m.folder_id,
        m.thread.id,
        m.content_id,
        m.uid,
        m.modseq,
        m.trace_id.hex,
        _time(m.sent_at),
        _time(m.received_at),
        m.prefix,
        m.size,
        m.has_attachment,
        m.is_seen,
    )


def _event(e: trace.Entry) -> tuple[object, ...]:
    return (
        e.trace_id.hex,
        _time(e.at),
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
