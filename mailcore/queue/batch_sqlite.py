"""The hot path of the queue on SQLite: one statement for a table, however many rows.

Rows go in as one JSON array each: every step of a statement lets other threads take the
interpreter, and waiting to have it back costs more than a row. Decides nothing: see `claim`,
`attempts` and `outcome`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django.db import connection

from mailcore import trace
from mailcore.queue.batch import Begun, Due, Lease, Outcome, Tried

# Ids are given in the order of the rows, so that the smallest belongs to the first.
_BEGIN = """
INSERT INTO mailcore_deliveryattempt (recipient_id, started_at, host, ip, tls, enhanced, text,
  dialogue)
SELECT value ->> 0, ?, value ->> 1, value ->> 2, '', '', '', '' FROM json_each(?) ORDER BY key
RETURNING id
"""
_TOKENS = """
SELECT r.id, r.lease_token FROM json_each(?) AS w CROSS JOIN mailcore_queuedrecipient AS r
WHERE r.id = w.value
"""
_DUE = """
SELECT id, domain, message_id, route FROM mailcore_queuedrecipient
WHERE next_attempt_at <= ? AND domain > ? ORDER BY domain, next_attempt_at LIMIT ?
"""
_DUE_UNTIL = """
SELECT id, domain, message_id, route FROM mailcore_queuedrecipient
WHERE next_attempt_at <= ? AND domain > ? AND domain <= ?
ORDER BY domain, next_attempt_at LIMIT ?
"""
_LEASE = """
UPDATE mailcore_queuedrecipient AS r
SET lease_token = w.value ->> 2, lease_until = ?1, next_attempt_at = ?1
FROM json_each(?2) AS w
WHERE r.id = w.value ->> 0 AND r.route = w.value ->> 1 AND +r.next_attempt_at <= ?3
"""
_LEASED = """
SELECT r.lease_token, r.domain, r.route, m.id, m.public_id, m.reverse_path, m.blob_id, m.prefix,
  m.size, m.smtputf8, m.body_8bit, m.envid, m.ret, m.origin, m.submitter_id, m.trace_id,
  m.created_at, m.expires_at, m.not_before, m.mailbox_id,
  r.id, r.public_id, r.forward_path, r.original_forward_path, r.notify, r.orcpt,
  r.attempt_count, r.delay_dsn_at
FROM json_each(?) AS w CROSS JOIN mailcore_queuedrecipient AS r
CROSS JOIN mailcore_queuedmessage AS m
WHERE r.id = w.value ->> 0 AND r.lease_token = w.value ->> 2 AND m.id = r.message_id
ORDER BY r.id
"""
_TRIED = """
UPDATE mailcore_deliveryattempt AS a SET duration_ms = w.value ->> 3, host = w.value ->> 4,
  ip = w.value ->> 5, tls = w.value ->> 6, code = w.value ->> 7, enhanced = w.value ->> 8,
  text = w.value ->> 9, dialogue = w.value ->> 10
FROM json_each(?) AS w WHERE a.id = w.value ->> 0
"""
_TRIED_AT_ONCE = """
INSERT INTO mailcore_deliveryattempt (recipient_id, started_at, duration_ms, host, ip, tls, code,
  enhanced, text, dialogue)
SELECT value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
  value ->> 8, value ->> 9, value ->> 10 FROM json_each(?)
"""
_EVENTS = """
INSERT INTO mailcore_traceevent (trace_id, at, kind, reverse_path, forward_path, message_id,
  mailbox_id, domain_id, peer, reply, detail)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
  value ->> 7, value ->> 8, value ->> 9, value ->> 10 FROM json_each(?)
"""
_OUTCOMES = """
UPDATE mailcore_queuedrecipient AS r SET state = w.value ->> 1, dsn_outcome = w.value ->> 2,
  attempt_count = w.value ->> 3, next_attempt_at = w.value ->> 4, delay_dsn_at = w.value ->> 5,
  last_reply = w.value ->> 6, remote_host = w.value ->> 7, finished_at = w.value ->> 8,
  lease_token = NULL, lease_until = NULL
FROM json_each(?) AS w WHERE r.id = w.value ->> 0
"""
_UUIDS = (4, 15, 21)  # places in a row of _LEASED
_TIMES = (16, 17, 18, 27)
_ID = 20


class SqliteWriter:
    """`batch.Writer` on this thread's connection."""

    def __init__(self) -> None:
        connection.ensure_connection()
        bare = cast(sqlite3.Connection, connection.connection)
        self._cursor = bare.cursor(sqlite3.Cursor)

    def begin(self, attempts: Sequence[Begun], *, now: datetime) -> list[int]:
        """Insert attempts."""
        return sorted(pk for (pk,) in self._rows(_BEGIN, [_time(now), json.dumps(attempts)]))

    def lock(self, ids: Collection[int]) -> dict[int, UUID | None]:
        """Read the tokens; the transaction has locked everything."""
        rows = self._rows(_TOKENS, [json.dumps(list(ids))])
        return {pk: None if token is None else UUID(token) for pk, token in rows}

    def due(self, *, now: datetime, after: str, until: str, size: int) -> list[Due]:
        """Return the first rows that are due, by domain and time."""
        if until:
            rows = self._rows(_DUE_UNTIL, [_time(now), after, until, size])
        else:
            rows = self._rows(_DUE, [_time(now), after, size])
        return [Due._make(row) for row in rows]

    def lease(
        self, leases: Sequence[Lease], *, now: datetime, until: datetime
    ) -> list[tuple[Any, ...]]:
        """Lease what is still due."""
        given = json.dumps([(one.id, one.route, one.token.hex) for one in leases])
        self._rows(_LEASE, [_time(until), given, _time(now)])
        tokens = {one.id: one.token for one in leases}
        return [_leased(row, tokens) for row in self._rows(_LEASED, [given])]

    def write(
        self,
        *,
        tried: Sequence[Tried],
        events: Sequence[trace.Entry],
        outcomes: Sequence[Outcome] = (),
    ) -> None:
        """Write everything."""
        self._put(_TRIED, [_tried(one) for one in tried if one.id is not None])
        self._put(_TRIED_AT_ONCE, [_tried(one) for one in tried if one.id is None])
        self._put(_EVENTS, [_event(one) for one in events])
        self._put(_OUTCOMES, [_outcome(one) for one in outcomes])

    def _put(self, statement: str, rows: Sequence[Iterable[object]]) -> None:
        if rows:
            self._rows(statement, [json.dumps(rows)])

    def _rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with connection.wrap_database_errors:
            return self._cursor.execute(statement, parameters).fetchall()


def _time(value: datetime | None) -> str | None:
    """Write a time as Django does on SQLite: naive UTC."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(sep=" ")[:-6]  # without +00:00


def _leased(row: Sequence[Any], tokens: Mapping[int, UUID]) -> tuple[Any, ...]:
    values = list(row)
    values[0] = tokens[values[_ID]]
    for place in _UUIDS:
        values[place] = UUID(values[place])
    for place in _TIMES:
        # Django's connection turns columns declared datetime into naive values by itself.
        if values[place] is not None:
            values[place] = values[place].replace(tzinfo=UTC)
    return tuple(values)


def _tried(one: Tried) -> tuple[object, ...]:
    return (*one[:2], _time(one.started_at), *one[3:])


def _event(entry: trace.Entry) -> tuple[object, ...]:
    trace_id, at, *values, detail = trace.values(entry)
    told = None if detail is None else json.dumps(detail)
    return (trace_id.hex, _time(at), *values, told)


def _outcome(one: Outcome) -> tuple[object, ...]:
    return (
        *one[:4],
        _time(one.next_attempt_at),
        _time(one.delay_dsn_at),
        one.last_reply,
        one.remote_host,
        _time(one.finished_at),
    )
