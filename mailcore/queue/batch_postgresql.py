"""The hot path of the queue on PostgreSQL: one statement for a table, however many rows.

Columns go in through `unnest`, as array literals. Joins the caller's transaction and decides
nothing: see `claim`, `attempts` and `outcome`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from django.db import connection

from mailcore import trace
from mailcore.models import arrays
from mailcore.queue.batch import Begun, Due, Lease, Outcome, Tried

# Ids are given in the order of the rows, so that the smallest belongs to the first.
_BEGIN = """
INSERT INTO mailcore_deliveryattempt (recipient_id, started_at, host, ip, tls, enhanced, text,
  dialogue)
SELECT r, %s::timestamptz, h, i, '', '', '', ''
FROM unnest(%s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY AS w (r, h, i, place)
ORDER BY place RETURNING id
"""
_LOCK = """
SELECT id, lease_token FROM mailcore_queuedrecipient WHERE id = ANY(%s::bigint[]) ORDER BY id
FOR NO KEY UPDATE
"""
_DUE = """
SELECT id, domain, message_id, route FROM mailcore_queuedrecipient
WHERE next_attempt_at <= %s AND domain > %s ORDER BY domain, next_attempt_at LIMIT %s
"""
_DUE_UNTIL = """
SELECT id, domain, message_id, route FROM mailcore_queuedrecipient
WHERE next_attempt_at <= %s AND domain > %s AND domain <= %s
ORDER BY domain, next_attempt_at LIMIT %s
"""
# COALESCE: no index of times shall tempt the planner away from the ids. Times come naive: the
# driver reads those in C, and Django's aware ones in Python, which was a third of a claim.
_LEASE = """
WITH due AS (
  SELECT r.id, w.token FROM unnest(%s::bigint[], %s::text[], %s::uuid[])
    AS w (id, route, token)
  JOIN mailcore_queuedrecipient AS r ON r.id = w.id AND r.route = w.route
  WHERE COALESCE(r.next_attempt_at, 'infinity') <= %s::timestamptz
  ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED
), leased AS (
  UPDATE mailcore_queuedrecipient AS r
  SET lease_token = due.token, lease_until = w.until, next_attempt_at = w.until
  FROM due, (SELECT %s::timestamptz AS until) AS w WHERE r.id = due.id
  RETURNING r.*
)
SELECT r.lease_token, r.domain, r.route, m.id, m.public_id, m.reverse_path, m.blob_id, m.prefix,
  m.size, m.smtputf8, m.body_8bit, m.envid, m.ret, m.origin, m.submitter_id, m.trace_id,
  m.created_at AT TIME ZONE 'UTC', m.expires_at AT TIME ZONE 'UTC',
  m.not_before AT TIME ZONE 'UTC', m.mailbox_id,
  r.id, r.public_id, r.forward_path, r.original_forward_path, r.notify, r.orcpt,
  r.attempt_count, r.delay_dsn_at AT TIME ZONE 'UTC'
FROM leased AS r JOIN mailcore_queuedmessage AS m ON m.id = r.message_id ORDER BY r.id
"""
_TRIED = """
UPDATE mailcore_deliveryattempt AS a SET duration_ms = w.d, host = w.h, ip = w.i, tls = w.t,
  code = w.c, enhanced = w.e, text = w.x, dialogue = w.l
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::smallint[],
  %s::text[], %s::text[], %s::text[]) AS w (id, d, h, i, t, c, e, x, l)
WHERE a.id = w.id
"""
_TRIED_AT_ONCE = """
INSERT INTO mailcore_deliveryattempt (recipient_id, started_at, duration_ms, host, ip, tls, code,
  enhanced, text, dialogue)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[], %s::text[],
  %s::text[], %s::smallint[], %s::text[], %s::text[], %s::text[])
"""
_EVENTS = """
INSERT INTO mailcore_traceevent (trace_id, at, kind, reverse_path, forward_path, message_id,
  mailbox_id, domain_id, peer, reply, detail)
SELECT i, a, k, rp, fp, mi, mb, d, p, r, j::jsonb FROM unnest(%s::uuid[], %s::timestamptz[],
  %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[],
  %s::text[], %s::text[]) AS w (i, a, k, rp, fp, mi, mb, d, p, r, j)
"""
_OUTCOMES = """
UPDATE mailcore_queuedrecipient AS r SET state = w.s, dsn_outcome = w.d, attempt_count = w.c,
  next_attempt_at = w.n, delay_dsn_at = w.l, last_reply = w.r, remote_host = w.h,
  finished_at = w.f, lease_token = NULL, lease_until = NULL
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::integer[], %s::timestamptz[],
  %s::timestamptz[], %s::text[], %s::text[], %s::timestamptz[])
  AS w (id, s, d, c, n, l, r, h, f)
WHERE r.id = w.id
"""
_TIMES = (16, 17, 18, 27)  # places in a row of _LEASE


class PostgresqlWriter:
    """`batch.Writer` on this thread's connection."""

    def __init__(self) -> None:
        # As a cursor of Django does: a connection that idled may have been lost.
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        self._bare = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection)

    def begin(self, attempts: Sequence[Begun], *, now: datetime) -> list[int]:
        """Insert attempts; ids that one statement gives out rise in the order of its rows."""
        if not attempts:
            return []
        recipients, hosts, ips = zip(*attempts, strict=True)
        columns = [arrays.numbers(recipients), arrays.texts(hosts), arrays.texts(ips)]
        return sorted(pk for (pk,) in self._rows(_BEGIN, [now, *columns]))

    def lock(self, ids: Collection[int]) -> dict[int, UUID | None]:
        """Lock recipients in id order."""
        return dict(cast("list[tuple[int, UUID | None]]", self._rows(_LOCK, [arrays.numbers(ids)])))

    def due(self, *, now: datetime, after: str, until: str, size: int) -> list[Due]:
        """Return the first rows that are due, by domain and time."""
        if until:
            rows = self._rows(_DUE_UNTIL, [now, after, until, size])
        else:
            rows = self._rows(_DUE, [now, after, size])
        return [Due._make(row) for row in rows]

    def lease(
        self, leases: Sequence[Lease], *, now: datetime, until: datetime
    ) -> list[tuple[Any, ...]]:
        """Lease what is still due and nobody has locked."""
        ids, routes, tokens = zip(*leases, strict=True)
        columns = [arrays.numbers(ids), arrays.texts(routes), arrays.uuids(tokens)]
        return [_leased(row) for row in self._rows(_LEASE, [*columns, now, until])]

    def write(
        self,
        *,
        tried: Sequence[Tried],
        events: Sequence[trace.Entry],
        outcomes: Sequence[Outcome] = (),
    ) -> None:
        """Write everything in one flight."""
        with connection.wrap_database_errors, self._bare.pipeline():
            if begun := [one for one in tried if one.id is not None]:
                self._bare.execute(_TRIED, _columns_of_begun(begun))
            if at_once := [one for one in tried if one.id is None]:
                self._bare.execute(_TRIED_AT_ONCE, _columns_at_once(at_once))
            if events:
                self._bare.execute(_EVENTS, _columns_of_events(events))
            if outcomes:
                self._bare.execute(_OUTCOMES, _columns_of_outcomes(outcomes))

    def _rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        with connection.wrap_database_errors:
            return self._bare.execute(statement, parameters).fetchall()


def _leased(row: Sequence[Any]) -> tuple[Any, ...]:
    values = list(row)
    for place in _TIMES:
        if values[place] is not None:
            values[place] = values[place].replace(tzinfo=UTC)
    return tuple(values)


def _columns_of_begun(tried: Sequence[Tried]) -> list[str]:
    ids, _, _, durations, *rest = zip(*tried, strict=True)
    return [arrays.numbers(ids), arrays.numbers(durations), *_columns_of_replies(*rest)]


def _columns_at_once(tried: Sequence[Tried]) -> list[str]:
    _, recipients, starts, durations, *rest = zip(*tried, strict=True)
    return [
        arrays.numbers(recipients),
        arrays.times(starts),
        arrays.numbers(durations),
        *_columns_of_replies(*rest),
    ]


def _columns_of_replies(
    hosts: Any, ips: Any, tls: Any, codes: Any, enhanced: Any, texts: Any, dialogues: Any
) -> list[str]:
    return [
        arrays.texts(hosts),
        arrays.texts(ips),
        arrays.texts(tls),
        arrays.numbers(codes),
        arrays.texts(enhanced),
        arrays.texts(texts),
        arrays.texts(dialogues),
    ]


def _columns_of_events(events: Sequence[trace.Entry]) -> list[str]:
    traces, at, kinds, reverse, forward, messages, mailboxes, domains, peers, replies, details = (
        zip(*map(trace.values, events), strict=True)
    )
    return [
        arrays.uuids(traces),
        arrays.times(at),
        arrays.texts(kinds),
        arrays.texts(reverse),
        arrays.texts(forward),
        arrays.texts(messages),
        arrays.numbers(mailboxes),
        arrays.numbers(domains),
        arrays.texts(peers),
        arrays.texts(replies),
        arrays.texts(None if each is None else json.dumps(each) for each in details),
    ]


def _columns_of_outcomes(outcomes: Sequence[Outcome]) -> list[str]:
    ids, states, dsns, counts, next_at, delays, replies, hosts, ends = zip(*outcomes, strict=True)
    return [
        arrays.numbers(ids),
        arrays.texts(states),
        arrays.texts(dsns),
        arrays.numbers(counts),
        arrays.times(next_at),
        arrays.times(delays),
        arrays.texts(replies),
        arrays.texts(hosts),
        arrays.times(ends),
    ]
